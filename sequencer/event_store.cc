#include "sequencer/event_store.h"

#include <algorithm>

#include "canton/sequencing_v31.pb.h"
#include "protocol/versioned.h"
#include "sequencer/prepared.h"
#include "sequencer/pruning.h"
#include "synod/sequencer.pb.h"
#include "topology/state.h"

namespace synod::sequencer {
namespace {

constexpr int kSequencedEventVersion = 31;

// Times before 1970 too must sort by time: flip the sign bit.
void append_time(Bytes& key, Timestamp timestamp) {
  append_u64(key, static_cast<std::uint64_t>(timestamp.micros) ^ (std::uint64_t{1} << 63));
}

Bytes event_key(Timestamp timestamp) {
  Bytes key;
  append_time(key, timestamp);
  return key;
}

Bytes inbox_key(MemberNumber member, Timestamp timestamp) {
  Bytes key;
  append_i32(key, static_cast<std::int32_t>(member.value));
  append_time(key, timestamp);
  return key;
}

Timestamp inbox_time(ByteView key) {
  return Timestamp{static_cast<std::int64_t>(read_u64(key.substr(4)) ^ (std::uint64_t{1} << 63))};
}

struct InboxEntry {
  std::optional<Timestamp> previous;
  std::vector<std::uint32_t> envelopes;
};

Bytes inbox_value(std::optional<Timestamp> previous, const std::vector<std::uint32_t>& envelopes) {
  Bytes value;
  append_u8(value, previous ? 1 : 0);
  append_i64(value, previous ? previous->micros : 0);
  for (const std::uint32_t envelope : envelopes) append_i32(value, static_cast<std::int32_t>(envelope));
  return value;
}

Result<InboxEntry> parse_inbox(ByteView value) {
  constexpr std::size_t kHead = 9;
  if (value.size() < kHead || (value.size() - kHead) % 4 != 0) {
    return fail(storage::storage_corrupt("an inbox entry has a wrong length"));
  }
  InboxEntry entry;
  if (value[0] != 0) entry.previous = Timestamp{read_i64(value.substr(1))};
  for (std::size_t at = kHead; at < value.size(); at += 4) {
    entry.envelopes.push_back(static_cast<std::uint32_t>(read_i32(value.substr(at))));
  }
  return entry;
}

// Under which recipients a member gets mail in this delivery.
protocol::AddressedBy addressed_by(const Delivery& delivery, const protocol::Member& member) {
  return [&delivery, &member](const protocol::Recipient& recipient) {
    switch (recipient.kind()) {
      case protocol::Recipient::Kind::member:
        return recipient.member() == member;
      case protocol::Recipient::Kind::all_members:
        return true;
      default: {
        const auto group = delivery.groups.find(recipient);
        return group != delivery.groups.end() &&
               std::find(group->second.begin(), group->second.end(), member) != group->second.end();
      }
    }
  };
}

}  // namespace

std::vector<storage::Column> store_columns() {
  return {kEventColumn, kInboxColumn, kStateColumn, topology::kTopologyColumn};
}

Bytes EventRecord::serialize() const {
  v1::StoredEvent proto;
  proto.set_timestamp(timestamp.micros);
  if (sender) proto.set_sender(sender->to_string());
  proto.set_message_id(message_id);
  proto.set_traceparent(traceparent);
  if (const auto* delivery = std::get_if<Delivery>(&outcome)) {
    auto* out = proto.mutable_delivery();
    protocol::v31::CompressedBatch batch;
    delivery->batch.to_proto(batch);
    out->set_batch(protocol::serialize_proto(batch));
    for (const auto& [recipient, members] : delivery->groups) {
      auto* group = out->add_groups();
      group->set_recipient(recipient.to_string());
      for (const auto& member : members) group->add_members(member.to_string());
    }
  } else if (const auto* rejection = std::get_if<Rejection>(&outcome)) {
    proto.set_rejection(rejection->status);
  } else {
    proto.set_receipt(true);
  }
  return protocol::serialize_proto(proto);
}

Result<EventRecord> EventRecord::parse(ByteView bytes) {
  v1::StoredEvent proto;
  SYNOD_RETURN_IF_ERROR(protocol::parse_proto(bytes, proto, "StoredEvent"));
  EventRecord record;
  record.timestamp = Timestamp{proto.timestamp()};
  if (!proto.sender().empty()) {
    SYNOD_TRY(record.sender, protocol::Member::parse(proto.sender()));
  }
  record.message_id = proto.message_id();
  record.traceparent = proto.traceparent();
  if (proto.has_delivery()) {
    Delivery delivery;
    protocol::v31::CompressedBatch batch;
    SYNOD_RETURN_IF_ERROR(protocol::parse_proto(proto.delivery().batch(), batch, "CompressedBatch"));
    SYNOD_TRY(delivery.batch, protocol::CompressedBatch::from_proto(batch, batch_limits()));
    for (const auto& group : proto.delivery().groups()) {
      SYNOD_TRY(const auto recipient, protocol::Recipient::parse(group.recipient()));
      auto& members = delivery.groups[recipient];
      for (const auto& text : group.members()) {
        SYNOD_TRY(auto member, protocol::Member::parse(text));
        members.push_back(std::move(member));
      }
    }
    record.outcome = std::move(delivery);
  } else if (proto.outcome_case() == v1::StoredEvent::kRejection) {
    record.outcome = Rejection{proto.rejection()};
  } else {
    record.outcome = Receipt{};
  }
  return record;
}

std::vector<std::uint32_t> EventRecord::envelopes_for(const protocol::Member& member) const {
  std::vector<std::uint32_t> positions;
  const auto* delivery = std::get_if<Delivery>(&outcome);
  if (!delivery) return positions;
  const auto mine = addressed_by(*delivery, member);
  for (std::size_t i = 0; i < delivery->batch.recipients.size(); ++i) {
    if (delivery->batch.recipients[i].pruned(mine)) positions.push_back(static_cast<std::uint32_t>(i));
  }
  return positions;
}

Bytes sequenced_event_bytes(const EventRecord& record, const protocol::PhysicalSynchronizerId& synchronizer,
                            const protocol::Member& reader, std::optional<Timestamp> previous,
                            const std::vector<std::uint32_t>& envelopes) {
  protocol::v31::SequencedEvent event;
  if (previous) event.set_previous_timestamp(previous->micros);
  event.set_timestamp(record.timestamp.micros);
  event.set_physical_synchronizer_id(synchronizer.to_string());
  if (record.sender == reader) event.set_message_id(record.message_id);
  if (const auto* rejection = std::get_if<Rejection>(&record.outcome)) {
    event.mutable_deliver_error_reason()->ParseFromString(rejection->status);
    return protocol::wrap(kSequencedEventVersion, event);
  }
  protocol::CompressedBatch selected;
  if (const auto* delivery = std::get_if<Delivery>(&record.outcome)) {
    const auto mine = addressed_by(*delivery, reader);
    for (const std::uint32_t position : envelopes) {
      if (position >= delivery->batch.envelopes.size()) continue;
      auto recipients = delivery->batch.recipients[position].pruned(mine);
      if (!recipients) continue;
      selected.recipients.push_back(std::move(*recipients));
      selected.envelopes.push_back(delivery->batch.envelopes[position]);
    }
  }
  selected.to_proto(*event.mutable_batch());
  return protocol::wrap(kSequencedEventVersion, event);
}

void put_event(storage::WriteBatch& batch, Timestamp timestamp, Bytes serialized) {
  batch.put(kEventColumn, event_key(timestamp), std::move(serialized));
}

void put_inbox(storage::WriteBatch& batch, MemberNumber member, Timestamp timestamp, std::optional<Timestamp> previous,
               const std::vector<std::uint32_t>& envelopes) {
  batch.put(kInboxColumn, inbox_key(member, timestamp), inbox_value(previous, envelopes));
}

storage::KeyRange event_range(Timestamp from, Timestamp to) { return {event_key(from), event_key(to)}; }

storage::KeyRange inbox_range(MemberNumber member, Timestamp from, Timestamp to) {
  return {inbox_key(member, from), inbox_key(member, to)};
}

Result<std::vector<MemberEvent>> EventReader::read(MemberNumber number, const protocol::Member& member, Timestamp from,
                                                   std::size_t limit, std::size_t max_bytes) const {
  std::vector<std::pair<Timestamp, InboxEntry>> entries;
  std::optional<Error> corrupt;
  Bytes end;
  append_i32(end, static_cast<std::int32_t>(number.value + 1));
  const storage::KeyRange range{inbox_key(number, from), end};
  SYNOD_RETURN_IF_ERROR(
      store_.scan(kInboxColumn, range, storage::Direction::forward, [&](ByteView key, ByteView value) {
        auto entry = parse_inbox(value);
        if (!entry) {
          corrupt = entry.error();
          return false;
        }
        entries.emplace_back(inbox_time(key), std::move(*entry));
        return entries.size() < limit;
      }));
  if (corrupt) return fail(*corrupt);

  std::vector<MemberEvent> events;
  std::size_t bytes = 0;
  for (const auto& [timestamp, entry] : entries) {
    if (!events.empty() && bytes >= max_bytes) break;
    SYNOD_TRY(const auto stored, store_.get(kEventColumn, event_key(timestamp)));
    if (!stored) {
      SYNOD_TRY(const auto lower_bound, read_lower_bound(store_));
      SYNOD_RETURN_IF_ERROR(check_available(member, timestamp, timestamp, lower_bound));
      return fail(storage::storage_corrupt("the event at " + timestamp.to_string() + " is missing"));
    }
    SYNOD_TRY(const auto record, EventRecord::parse(*stored));
    MemberEvent event = this->event(record, member, entry.previous, entry.envelopes);
    bytes += event.content.size();
    events.push_back(std::move(event));
  }
  return events;
}

MemberEvent EventReader::event(const EventRecord& record, const protocol::Member& member,
                               std::optional<Timestamp> previous, const std::vector<std::uint32_t>& envelopes) const {
  return MemberEvent{previous, record.timestamp,
                     sequenced_event_bytes(record, synchronizer_, member, previous, envelopes), record.traceparent};
}

}  // namespace synod::sequencer
