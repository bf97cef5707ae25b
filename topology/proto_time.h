// Times and durations between protobuf and ours. Canton transports them as well-known types with microsecond precision.
#pragma once

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace synod::topology {

// Errors: PROTO_DESERIALIZATION_FAILURE when out of range or, for timestamps, finer than a microsecond.
Result<Timestamp> parse_timestamp(const google::protobuf::Timestamp& proto, std::string_view field);
void put_timestamp(Timestamp timestamp, google::protobuf::Timestamp& proto);
Result<Duration> parse_duration(const google::protobuf::Duration& proto, std::string_view field);  // may be negative
void put_duration(Duration duration, google::protobuf::Duration& proto);

}  // namespace synod::topology
