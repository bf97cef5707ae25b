// Octet strings. std::string holds bytes throughout, as in protobuf; these are its readers and writers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace synod {

using Bytes = std::string;
using ByteView = std::string_view;

std::string to_hex(ByteView bytes);            // lower case
Result<Bytes> from_hex(std::string_view hex);  // either case; odd length or other characters: invalid_argument
std::string to_base64(ByteView bytes);         // standard alphabet, padded
Result<Bytes> from_base64(std::string_view text);

// Big-endian, two's complement, as Canton's deterministic encoding and our storage keys use them.
void append_u8(Bytes& out, std::uint8_t value);
void append_i32(Bytes& out, std::int32_t value);
void append_i64(Bytes& out, std::int64_t value);
void append_u64(Bytes& out, std::uint64_t value);
std::int32_t read_i32(ByteView bytes);  // the first 4 bytes; shorter input is a bug
std::int64_t read_i64(ByteView bytes);  // the first 8 bytes
std::uint64_t read_u64(ByteView bytes);

// i32 length, then the bytes.
void append_length_prefixed(Bytes& out, ByteView bytes);

}  // namespace synod
