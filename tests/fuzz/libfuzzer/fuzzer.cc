// One libFuzzer program a target: SYNOD_FUZZ_TARGET names it.
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "tests/fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto run = [] {
    for (const auto& target : synod::fuzz::targets())
      if (std::strcmp(target.name, SYNOD_FUZZ_TARGET) == 0) return target.run;
    __builtin_trap();
  }();
  run({reinterpret_cast<const char*>(data), size});
  return 0;
}
