#include "tests/fuzz/targets.h"

namespace synod::fuzz {

std::span<const Target> targets() {
  static constexpr Target all[] = {
      {"dar", dar},
      {"package", package},
      {"interpreter", interpreter},
      {"value", value},
      {"contract", contract},
      {"text", text},
      {"batch", batch},
      {"signed_content", signed_content},
      {"topology_transaction", topology_transaction},
      {"sealed_batch", sealed_batch},
  };
  return all;
}

}  // namespace synod::fuzz
