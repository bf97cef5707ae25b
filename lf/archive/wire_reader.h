// The protobuf wire format, read in place. Every reader returns false on input that ends too early or is malformed.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace synod::lf {

enum class WireType : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

class WireReader {
 public:
  WireReader() = default;
  explicit WireReader(std::string_view input) : at_(input.data()), end_(input.data() + input.size()) {}

  bool at_end() const { return at_ == end_; }
  const char* position() const { return at_; }

  bool varint(std::uint64_t& value) {
    value = 0;
    for (int shift = 0; shift < 70 && at_ != end_; shift += 7) {
      auto byte = static_cast<std::uint8_t>(*at_++);
      if (shift < 64) value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }
  bool tag(std::uint32_t& field, WireType& type) {
    std::uint64_t value;
    if (!varint(value) || value > 0xffffffffu) return false;
    field = static_cast<std::uint32_t>(value) >> 3;
    type = static_cast<WireType>(value & 7);
    return field != 0;
  }
  bool fixed64(std::uint64_t& value) {
    if (end_ - at_ < 8) return false;
    value = 0;
    for (int i = 7; i >= 0; --i) value = value << 8 | static_cast<std::uint8_t>(at_[i]);
    at_ += 8;
    return true;
  }
  bool bytes(std::string_view& value) {
    std::uint64_t size;
    if (!varint(size) || size > static_cast<std::uint64_t>(end_ - at_)) return false;
    value = std::string_view(at_, size);
    at_ += size;
    return true;
  }

 private:
  const char* at_ = nullptr;
  const char* end_ = nullptr;
};

inline std::int64_t zigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

bool is_utf8(std::string_view text);

}  // namespace synod::lf
