#include "mediator/stored.h"

#include <map>

#include "canton/sequencing_v30.pb.h"
#include "protocol/versioned.h"

namespace synod::mediator::stored {
namespace {

constexpr char kEvent = 'e', kUuid = 'u', kVerdict = 'v', kPosition = 'p', kSynchronizer = 's';

// Times sort as their bytes.
void append_time(Bytes& out, Timestamp time) {
  append_u64(out, static_cast<std::uint64_t>(time.micros) ^ (1ull << 63));
}

Bytes event_key(Timestamp request, Timestamp event) {
  Bytes key(1, kEvent);
  append_time(key, request);
  append_time(key, event);
  return key;
}

Status each(const storage::Store& store, char kind, const std::function<Status(ByteView key, ByteView value)>& visit) {
  Status status;
  SYNOD_RETURN_IF_ERROR(store.scan(kMediatorColumn, storage::KeyRange::prefix(Bytes(1, kind)),
                                   storage::Direction::forward, [&](ByteView key, ByteView value) {
                                     status = visit(key.substr(1), value);
                                     return status.has_value();
                                   }));
  return status;
}

Status read_verdict(ByteView value, const protocol::BatchLimits& limits, Contents& out) {
  if (value.size() < 8) return fail(storage::storage_corrupt("a stored verdict is too short"));
  SYNOD_TRY(protocol::SubmissionRequest request, protocol::SubmissionRequest::parse(value.substr(8), limits));
  VerdictSubmission verdict;
  verdict.request_id = Timestamp{read_i64(value)};
  verdict.submission.message_id = request.message_id;
  SYNOD_TRY(verdict.submission.envelopes, request.batch.decompress(limits));
  verdict.submission.max_sequencing_time = request.max_sequencing_time;
  verdict.submission.aggregation_rule = request.aggregation_rule;
  out.verdicts.push_back(std::move(verdict));
  return {};
}

}  // namespace

Result<Contents> read(const storage::Store& store, const protocol::BatchLimits& limits) {
  Contents out;
  std::map<Timestamp, protocol::SequencedEvent> events;  // one may be stored for several requests
  SYNOD_RETURN_IF_ERROR(each(store, kEvent, [&](ByteView, ByteView value) -> Status {
    SYNOD_TRY(protocol::SequencedEvent event, protocol::SequencedEvent::parse(value, limits));
    const Timestamp timestamp = event.timestamp;
    events.emplace(timestamp, std::move(event));
    return {};
  }));
  for (auto& [timestamp, event] : events) out.events.push_back(std::move(event));
  SYNOD_RETURN_IF_ERROR(each(store, kUuid, [&](ByteView key, ByteView value) -> Status {
    if (value.size() != 8) return fail(storage::storage_corrupt("a stored uuid has no time"));
    out.uuids.emplace_back(std::string(key), Timestamp{read_i64(value)});
    return {};
  }));
  SYNOD_RETURN_IF_ERROR(
      each(store, kVerdict, [&](ByteView, ByteView value) { return read_verdict(value, limits, out); }));
  return out;
}

void put_event(Timestamp request, const protocol::SequencedEvent& event, storage::WriteBatch& writes) {
  writes.put(kMediatorColumn, event_key(request, event.timestamp), event.serialize());
}

void erase_event(Timestamp request, Timestamp event, storage::WriteBatch& writes) {
  writes.erase(kMediatorColumn, event_key(request, event));
}

void put_uuid(const std::string& uuid, Timestamp until, storage::WriteBatch& writes) {
  Bytes value;
  append_i64(value, until.micros);
  writes.put(kMediatorColumn, kUuid + uuid, std::move(value));
}

void erase_uuid(const std::string& uuid, storage::WriteBatch& writes) { writes.erase(kMediatorColumn, kUuid + uuid); }

void put_verdict(const protocol::Member& self, const VerdictSubmission& verdict, storage::WriteBatch& writes) {
  protocol::SubmissionRequest request;
  request.sender = self;
  request.message_id = verdict.submission.message_id;
  request.batch = protocol::CompressedBatch::compress(verdict.submission.envelopes);
  request.max_sequencing_time = verdict.submission.max_sequencing_time;
  request.aggregation_rule = verdict.submission.aggregation_rule;
  Bytes value;
  append_i64(value, verdict.request_id.micros);
  writes.put(kMediatorColumn, kVerdict + request.message_id, value + request.serialize());
}

void erase_verdict(const std::string& message_id, storage::WriteBatch& writes) {
  writes.erase(kMediatorColumn, kVerdict + message_id);
}

void put_position(const Position& position, storage::WriteBatch& writes) {
  Bytes value;
  append_i64(value, position.timestamp.micros);
  writes.put(kMediatorColumn, Bytes(1, kPosition), value + position.content_hash.bytes());
}

Result<std::optional<Position>> read_position(const storage::Store& store) {
  SYNOD_TRY(std::optional<Bytes> value, store.get(kMediatorColumn, Bytes(1, kPosition)));
  if (!value) return std::optional<Position>();
  if (value->size() != 8 + crypto::Hash::kSize)
    return fail(storage::storage_corrupt("the stored position is malformed"));
  SYNOD_TRY(crypto::Hash hash, crypto::Hash::parse(ByteView(*value).substr(8)));
  return std::optional<Position>(Position{Timestamp{read_i64(*value)}, hash});
}

void put_synchronizer(const Synchronizer& synchronizer, storage::WriteBatch& writes) {
  Bytes value;
  append_length_prefixed(value, synchronizer.id.to_string());
  ::com::digitalasset::canton::protocol::v30::StaticSynchronizerParameters proto;
  synchronizer.parameters.to_proto(proto);
  writes.put(kMediatorColumn, Bytes(1, kSynchronizer), value + protocol::serialize_proto(proto));
}

Result<std::optional<Synchronizer>> read_synchronizer(const storage::Store& store) {
  SYNOD_TRY(std::optional<Bytes> value, store.get(kMediatorColumn, Bytes(1, kSynchronizer)));
  if (!value) return std::optional<Synchronizer>();
  const ByteView bytes = *value;
  if (bytes.size() < 4 || bytes.size() - 4 < static_cast<std::uint32_t>(read_i32(bytes)))
    return fail(storage::storage_corrupt("the stored synchronizer is malformed"));
  const auto length = static_cast<std::size_t>(read_i32(bytes));
  SYNOD_TRY(protocol::PhysicalSynchronizerId id, protocol::PhysicalSynchronizerId::parse(bytes.substr(4, length)));
  ::com::digitalasset::canton::protocol::v30::StaticSynchronizerParameters proto;
  SYNOD_RETURN_IF_ERROR(protocol::parse_proto(bytes.substr(4 + length), proto, "static synchronizer parameters"));
  SYNOD_TRY(topology::StaticParameters parameters, topology::StaticParameters::parse(proto));
  return std::optional<Synchronizer>(Synchronizer{std::move(id), std::move(parameters)});
}

}  // namespace synod::mediator::stored
