#include "protocol/versioned.h"

#include <google/protobuf/message_lite.h>
#include <google/protobuf/stubs/logging.h>

#include <limits>

#include "base/log.h"

namespace synod::protocol {
namespace {

void append_varint(Bytes& out, std::uint64_t value) {
  for (; value > 0x7f; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

// Reads a varint of at most ten bytes and moves `bytes` past it.
bool take_varint(ByteView& bytes, std::uint64_t& value) {
  value = 0;
  for (std::size_t i = 0; i < bytes.size() && i < 10; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      bytes.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

// The library writes a line to stderr for each string that is not UTF-8: anybody who sends bytes could flood the disk.
void keep_protobuf_quiet() {
  static const auto earlier =
      google::protobuf::SetLogHandler([](google::protobuf::LogLevel, const char*, int, const std::string& text) {
        log::debug("protobuf", "{}", text);
      });
  (void)earlier;
}

}  // namespace

Bytes wrap(int version, ByteView message) {
  Bytes out;
  out.reserve(message.size() + 12);
  out.push_back('\x0a');
  append_varint(out, message.size());
  out += message;
  if (version != 0) {
    out.push_back('\x10');
    append_varint(out, static_cast<std::uint64_t>(version));
  }
  return out;
}

Bytes wrap(int version, const google::protobuf::MessageLite& message) {
  const std::size_t size = message.ByteSizeLong();
  Bytes out;
  out.reserve(size + 12);
  out.push_back('\x0a');
  append_varint(out, size);
  message.AppendToString(&out);
  if (version != 0) {
    out.push_back('\x10');
    append_varint(out, static_cast<std::uint64_t>(version));
  }
  return out;
}

Result<Versioned> unwrap(ByteView bytes, std::string_view what) {
  Versioned out;
  bool seen = false;
  while (!bytes.empty()) {
    std::uint64_t tag = 0, number = 0;
    if (!take_varint(bytes, tag)) return fail(malformed(what, "the version wrapper is truncated"));
    switch (tag & 7) {
      case 0:
        if (!take_varint(bytes, number)) return fail(malformed(what, "the version wrapper is truncated"));
        if (tag >> 3 == 2) out.version = static_cast<int>(number);
        break;
      case 2:
        if (!take_varint(bytes, number) || number > bytes.size())
          return fail(malformed(what, "the version wrapper is truncated"));
        if (tag >> 3 == 1) {
          out.message = bytes.substr(0, number);
          seen = true;
        }
        bytes.remove_prefix(number);
        break;
      default:
        return fail(malformed(what, "not a version wrapper"));
    }
  }
  if (!seen) return fail(malformed(what, "the version wrapper holds no data"));
  return out;
}

Result<ByteView> unwrap(ByteView bytes, int version, std::string_view what) {
  SYNOD_TRY(Versioned versioned, unwrap(bytes, what));
  if (versioned.version != version)
    return fail(malformed(what, "schema version " + std::to_string(versioned.version) + " where " +
                                    std::to_string(version) + " is expected"));
  return versioned.message;
}

Status parse_proto(ByteView bytes, google::protobuf::MessageLite& out, std::string_view what) {
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    return fail(malformed(what, "longer than 2 GiB"));
  keep_protobuf_quiet();
  if (!out.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return fail(malformed(what, "truncated, too deeply nested, or not this message"));
  return {};
}

Result<Timestamp> timestamp_from(std::int64_t micros, std::string_view what) {
  const Timestamp time{micros};
  if (time < Timestamp::min() || time > Timestamp::max())
    return fail(malformed(what, "a time is out of range: " + std::to_string(micros)));
  return time;
}

Bytes serialize_proto(const google::protobuf::MessageLite& message) { return message.SerializeAsString(); }

}  // namespace synod::protocol
