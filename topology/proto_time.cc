#include "topology/proto_time.h"

#include <fmt/format.h>

namespace synod::topology {
namespace {
constexpr std::int64_t kMicrosPerSecond = 1'000'000;
constexpr std::int64_t kMaxDurationSeconds = 315'576'000'000;  // as protobuf defines it
}  // namespace

Result<Timestamp> parse_timestamp(const google::protobuf::Timestamp& proto, std::string_view field) {
  const std::int64_t min_seconds = Timestamp::min().micros / kMicrosPerSecond;
  const std::int64_t max_seconds = Timestamp::max().micros / kMicrosPerSecond;
  if (proto.seconds() < min_seconds || proto.seconds() > max_seconds || proto.nanos() < 0 ||
      proto.nanos() > 999'999'999) {
    return fail(malformed(field, "the timestamp is out of range"));
  }
  if (proto.nanos() % 1000 != 0) return fail(malformed(field, "the timestamp is finer than a microsecond"));
  return Timestamp{proto.seconds() * kMicrosPerSecond + proto.nanos() / 1000};
}

void put_timestamp(Timestamp timestamp, google::protobuf::Timestamp& proto) {
  std::int64_t seconds = timestamp.micros / kMicrosPerSecond;
  std::int64_t micros = timestamp.micros % kMicrosPerSecond;
  if (micros < 0) {
    micros += kMicrosPerSecond;
    --seconds;
  }
  proto.set_seconds(seconds);
  proto.set_nanos(static_cast<std::int32_t>(micros * 1000));
}

Result<Duration> parse_duration(const google::protobuf::Duration& proto, std::string_view field) {
  if (proto.seconds() > kMaxDurationSeconds || proto.seconds() < -kMaxDurationSeconds || proto.nanos() > 999'999'999 ||
      proto.nanos() < -999'999'999) {
    return fail(malformed(field, "the duration is out of range"));
  }
  return Duration{proto.seconds() * kMicrosPerSecond + proto.nanos() / 1000};
}

void put_duration(Duration duration, google::protobuf::Duration& proto) {
  proto.set_seconds(duration.micros / kMicrosPerSecond);
  proto.set_nanos(static_cast<std::int32_t>(duration.micros % kMicrosPerSecond * 1000));
}

}  // namespace synod::topology
