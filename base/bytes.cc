#include "base/bytes.h"

#include <array>

#include "base/check.h"

namespace synod {
namespace {

constexpr char kHex[] = "0123456789abcdef";
constexpr char kBase64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::array<int, 256> base64_table() {
  std::array<int, 256> table;
  table.fill(-1);
  for (int i = 0; i < 64; ++i) table[static_cast<unsigned char>(kBase64[i])] = i;
  return table;
}

template <typename T>
void append_big_endian(Bytes& out, T value) {
  for (int shift = static_cast<int>(sizeof(T)) * 8 - 8; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>((value >> shift) & 0xff));
}

template <typename T>
T read_big_endian(ByteView bytes) {
  SYNOD_CHECK(bytes.size() >= sizeof(T));
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) value = (value << 8) | static_cast<unsigned char>(bytes[i]);
  return value;
}

}  // namespace

std::string to_hex(ByteView bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (unsigned char c : bytes) {
    out.push_back(kHex[c >> 4]);
    out.push_back(kHex[c & 15]);
  }
  return out;
}

Result<Bytes> from_hex(std::string_view hex) {
  if (hex.size() % 2 != 0) return fail(invalid_argument("INVALID_HEX", "a hex string has an even number of digits"));
  Bytes out;
  out.reserve(hex.size() / 2);
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    int high = hex_digit(hex[i]), low = hex_digit(hex[i + 1]);
    if (high < 0 || low < 0)
      return fail(invalid_argument("INVALID_HEX", "not a hex digit at position " + std::to_string(i)));
    out.push_back(static_cast<char>(high << 4 | low));
  }
  return out;
}

std::string to_base64(ByteView bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t j = 0; j < 3; ++j) group = group << 8 | (j < n ? static_cast<unsigned char>(bytes[i + j]) : 0);
    for (std::size_t j = 0; j < 4; ++j) out.push_back(j <= n ? kBase64[group >> (18 - 6 * j) & 63] : '=');
  }
  return out;
}

Result<Bytes> from_base64(std::string_view text) {
  static const std::array<int, 256> table = base64_table();
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  Bytes out;
  std::uint32_t buffer = 0;
  int bits = 0;
  for (unsigned char c : text) {
    if (table[c] < 0) return fail(invalid_argument("INVALID_BASE64", "not a base64 character"));
    buffer = buffer << 6 | static_cast<std::uint32_t>(table[c]);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out.push_back(static_cast<char>(buffer >> bits & 0xff));
    }
  }
  return out;
}

void append_u8(Bytes& out, std::uint8_t value) { out.push_back(static_cast<char>(value)); }
void append_i32(Bytes& out, std::int32_t value) { append_big_endian(out, static_cast<std::uint32_t>(value)); }
void append_i64(Bytes& out, std::int64_t value) { append_big_endian(out, static_cast<std::uint64_t>(value)); }
void append_u64(Bytes& out, std::uint64_t value) { append_big_endian(out, value); }
std::int32_t read_i32(ByteView bytes) { return static_cast<std::int32_t>(read_big_endian<std::uint32_t>(bytes)); }
std::int64_t read_i64(ByteView bytes) { return static_cast<std::int64_t>(read_big_endian<std::uint64_t>(bytes)); }
std::uint64_t read_u64(ByteView bytes) { return read_big_endian<std::uint64_t>(bytes); }

void append_length_prefixed(Bytes& out, ByteView bytes) {
  append_i32(out, static_cast<std::int32_t>(bytes.size()));
  out.append(bytes);
}

}  // namespace synod
