// The version wrapper W(v, m) around nearly every stored or signed message: {1: bytes, 2: int32 version}.
// Hashes are over the bytes including the wrapper, as received. Reading does not copy.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

namespace google::protobuf {
class MessageLite;
}

namespace synod::protocol {

Bytes wrap(int version, ByteView message);
Bytes wrap(int version, const google::protobuf::MessageLite& message);

struct Versioned {
  int version = 0;
  ByteView message;  // into the bytes given to unwrap
};
// `what` names the message in errors (PROTO_DESERIALIZATION_FAILURE).
Result<Versioned> unwrap(ByteView bytes, std::string_view what);
// Also requires that version, so that another protocol version's bytes are refused clearly.
Result<ByteView> unwrap(ByteView bytes, int version, std::string_view what);

// Parses a generated message, with the nesting limited to 100 levels (protobuf's default).
Status parse_proto(ByteView bytes, google::protobuf::MessageLite& out, std::string_view what);
// A time on the wire, which must lie between Timestamp::min() and max(): whoever adds to it need not mind overflows.
Result<Timestamp> timestamp_from(std::int64_t micros, std::string_view what);
// Deterministic: fields by number. What Synod builds itself is byte-equal to what Canton builds.
Bytes serialize_proto(const google::protobuf::MessageLite& message);

}  // namespace synod::protocol
