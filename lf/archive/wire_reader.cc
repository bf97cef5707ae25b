#include "lf/archive/wire_reader.h"

namespace synod::lf {

bool is_utf8(std::string_view text) {
  auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<std::uint8_t>(text[i]) : 0u; };
  auto follows = [&](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
  for (std::size_t i = 0; i < text.size();) {
    unsigned b = byte(i);
    if (b < 0x80) {
      i += 1;
    } else if (b >= 0xc2 && b <= 0xdf) {
      if (!follows(i + 1)) return false;
      i += 2;
    } else if (b >= 0xe0 && b <= 0xef) {
      if (!follows(i + 1) || !follows(i + 2)) return false;
      if ((b == 0xe0 && byte(i + 1) < 0xa0) || (b == 0xed && byte(i + 1) > 0x9f)) return false;  // overlong, surrogate
      i += 3;
    } else if (b >= 0xf0 && b <= 0xf4) {
      if (!follows(i + 1) || !follows(i + 2) || !follows(i + 3)) return false;
      if ((b == 0xf0 && byte(i + 1) < 0x90) || (b == 0xf4 && byte(i + 1) > 0x8f)) return false;
      i += 4;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace synod::lf
