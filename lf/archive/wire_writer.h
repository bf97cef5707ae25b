// Writes the protobuf wire format.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace synod::lf {

class WireWriter {
 public:
  void varint(std::uint32_t field, std::uint64_t value) {
    raw_varint(std::uint64_t{field} << 3);
    raw_varint(value);
  }
  // As proto3 does: zero is not written outside of a oneof.
  void scalar(std::uint32_t field, std::uint64_t value) {
    if (value != 0) varint(field, value);
  }
  void sint64(std::uint32_t field, std::int64_t value) {
    varint(field, static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63));
  }
  void fixed64(std::uint32_t field, std::uint64_t value) {
    raw_varint(std::uint64_t{field} << 3 | 1);
    for (int i = 0; i < 8; ++i) out_.push_back(static_cast<char>(value >> (8 * i)));
  }
  void bytes(std::uint32_t field, std::string_view value) {
    raw_varint(std::uint64_t{field} << 3 | 2);
    raw_varint(value.size());
    out_.append(value);
  }
  void raw_varint(std::uint64_t value) {
    while (value >= 0x80) {
      out_.push_back(static_cast<char>(value | 0x80));
      value >>= 7;
    }
    out_.push_back(static_cast<char>(value));
  }
  const Bytes& data() const { return out_; }
  Bytes take() { return std::move(out_); }

 private:
  Bytes out_;
};

}  // namespace synod::lf
