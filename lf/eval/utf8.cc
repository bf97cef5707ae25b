#include "lf/eval/utf8.h"

namespace synod::lf::eval {

std::size_t code_point_length(std::string_view text, std::size_t i) {
  auto first = static_cast<unsigned char>(text[i]);
  std::size_t n = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  return i + n <= text.size() ? n : 1;
}

std::uint32_t code_point_at(std::string_view text, std::size_t i) {
  std::size_t n = code_point_length(text, i);
  auto first = static_cast<unsigned char>(text[i]);
  if (n == 1) return first;
  std::uint32_t point = first & (0x7fu >> n);
  for (std::size_t k = 1; k < n; ++k) point = point << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3fu);
  return point;
}

bool append_code_point(std::string& out, std::int64_t p) {
  if (p < 0 || p > 0x10ffff || (p >= 0xd800 && p <= 0xdfff)) return false;
  auto byte = [&](std::int64_t b) { out += static_cast<char>(b); };
  if (p < 0x80) {
    byte(p);
  } else if (p < 0x800) {
    byte(0xc0 | p >> 6), byte(0x80 | (p & 0x3f));
  } else if (p < 0x10000) {
    byte(0xe0 | p >> 12), byte(0x80 | (p >> 6 & 0x3f)), byte(0x80 | (p & 0x3f));
  } else {
    byte(0xf0 | p >> 18), byte(0x80 | (p >> 12 & 0x3f)), byte(0x80 | (p >> 6 & 0x3f)), byte(0x80 | (p & 0x3f));
  }
  return true;
}

bool is_valid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    auto first = static_cast<unsigned char>(text[i]);
    std::size_t n = first < 0x80                    ? 1
                    : first >= 0xc2 && first < 0xe0 ? 2
                    : first >= 0xe0 && first < 0xf0 ? 3
                    : first >= 0xf0 && first < 0xf5 ? 4
                                                    : 0;
    if (n == 0 || i + n > text.size()) return false;
    for (std::size_t k = 1; k < n; ++k)
      if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return false;
    std::uint32_t p = code_point_at(text, i);
    if ((n == 3 && p < 0x800) || (n == 4 && (p < 0x10000 || p > 0x10ffff)) || (p >= 0xd800 && p <= 0xdfff))
      return false;
    i += n;
  }
  return true;
}

std::string decode_lossy(std::string_view bytes) {
  auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  // Whether bytes[i] can follow what begins at `start`, as its second or a later byte.
  auto continues = [&](std::size_t start, std::size_t i) {
    if (i >= bytes.size() || (at(i) & 0xc0) != 0x80) return false;
    if (i != start + 1) return true;
    if (at(start) == 0xe0) return at(i) >= 0xa0;
    if (at(start) == 0xf0) return at(i) >= 0x90;
    return at(start) != 0xf4 || at(i) < 0x90;
  };
  std::string out;
  for (std::size_t i = 0; i < bytes.size();) {
    const unsigned char first = at(i);
    const std::size_t wanted = first < 0x80                     ? 1
                               : first >= 0xc2 && first < 0xe0  ? 2
                               : first >= 0xe0 && first < 0xf0  ? 3
                               : first >= 0xf0 && first <= 0xf4 ? 4
                                                                : 0;
    std::size_t length = 1;
    while (length < wanted && continues(i, i + length)) ++length;
    const bool surrogate = wanted == 3 && length == 3 && first == 0xed && at(i + 1) >= 0xa0;
    if (length == wanted && !surrogate)
      out += bytes.substr(i, length);
    else
      out += "\xEF\xBF\xBD";
    i += length;
  }
  return out;
}

}  // namespace synod::lf::eval
