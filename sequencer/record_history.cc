#include "sequencer/record_history.h"

#include "protocol/versioned.h"
#include "sequencer/core.h"
#include "synod/sequencer.pb.h"

namespace synod::sequencer {
namespace {

constexpr std::size_t kNumberBytes = 8;

Bytes number_key(const protocol::Member& sequencer, SequenceNumber number) {
  Bytes key(RecordHistory::kNumberPrefix);
  key += sequencer.to_string();
  key += '/';
  append_u64(key, number.value);
  return key;
}

}  // namespace

Status RecordHistory::load(const storage::Store& store) {
  Status status;
  SYNOD_RETURN_IF_ERROR(store.scan(kStateColumn, storage::KeyRange::prefix(kWriterPrefix), storage::Direction::forward,
                                   [&](ByteView key, ByteView value) {
                                     v1::StoredWriter proto;
                                     status = protocol::parse_proto(value, proto, "StoredWriter");
                                     if (!status) return false;
                                     auto member = protocol::Member::parse(key.substr(kWriterPrefix.size()));
                                     if (!member) {
                                       status = fail(member.error());
                                       return false;
                                     }
                                     numbers_[*member].floor = SequenceNumber(proto.floor());
                                     proposals_[*member] = Timestamp{proto.latest_proposal()};
                                     return true;
                                   }));
  SYNOD_RETURN_IF_ERROR(status);
  SYNOD_RETURN_IF_ERROR(store.scan(
      kStateColumn, storage::KeyRange::prefix(kNumberPrefix), storage::Direction::forward, [&](ByteView key, ByteView) {
        key.remove_prefix(kNumberPrefix.size());
        if (key.size() <= kNumberBytes) {
          status = fail(storage::storage_corrupt("a record number is too short"));
          return false;
        }
        const auto name = key.substr(0, key.size() - kNumberBytes - 1);
        auto member = protocol::Member::parse(name);
        if (!member) {
          status = fail(member.error());
          return false;
        }
        numbers_[*member].seen.insert(SequenceNumber(read_u64(key.substr(key.size() - kNumberBytes))));
        return true;
      }));
  return status;
}

void RecordHistory::write(const protocol::Member& sequencer, storage::WriteBatch& writes) const {
  v1::StoredWriter proto;
  if (const auto numbers = numbers_.find(sequencer); numbers != numbers_.end()) {
    proto.set_floor(numbers->second.floor.value);
  }
  if (const auto time = proposals_.find(sequencer); time != proposals_.end()) {
    proto.set_latest_proposal(time->second.micros);
  }
  writes.put(kStateColumn, Bytes(kWriterPrefix) + sequencer.to_string(), protocol::serialize_proto(proto));
}

bool RecordHistory::add(const protocol::Member& sequencer, SequenceNumber number, storage::WriteBatch& writes) {
  Numbers& numbers = numbers_[sequencer];
  if (number <= numbers.floor || !numbers.seen.insert(number).second) return false;
  writes.put(kStateColumn, number_key(sequencer, number), "");
  if (numbers.seen.size() > kRememberedNumbers) {
    numbers.floor = *numbers.seen.begin();
    numbers.seen.erase(numbers.seen.begin());
    writes.erase(kStateColumn, number_key(sequencer, numbers.floor));
    write(sequencer, writes);
  }
  return true;
}

void RecordHistory::propose(const protocol::Member& sequencer, Timestamp time, storage::WriteBatch& writes) {
  const auto [entry, is_new] = proposals_.try_emplace(sequencer, time);
  if (!is_new) {
    if (entry->second >= time) return;
    entry->second = time;
  }
  write(sequencer, writes);
}

std::optional<SequenceNumber> RecordHistory::latest(const protocol::Member& sequencer) const {
  const auto numbers = numbers_.find(sequencer);
  if (numbers == numbers_.end()) return std::nullopt;
  if (!numbers->second.seen.empty()) return *numbers->second.seen.rbegin();
  return numbers->second.floor;
}

}  // namespace synod::sequencer
