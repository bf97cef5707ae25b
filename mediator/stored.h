// What the mediator keeps in its column. Keys: e<request><event> an event that an undecided request needs; u<uuid> a
// used request uuid; v<message id> a verdict without receipt; p where the mediator stands in its stream of events; s
// the synchronizer that it joined.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "mediator/core.h"

namespace synod::mediator::stored {

struct Contents {
  std::vector<protocol::SequencedEvent> events;  // in order, each once
  std::vector<std::pair<std::string, Timestamp>> uuids;
  std::vector<VerdictSubmission> verdicts;  // without delay
};
Result<Contents> read(const storage::Store& store, const protocol::BatchLimits& limits);

void put_event(Timestamp request, const protocol::SequencedEvent& event, storage::WriteBatch& writes);
void erase_event(Timestamp request, Timestamp event, storage::WriteBatch& writes);
void put_uuid(const std::string& uuid, Timestamp until, storage::WriteBatch& writes);
void erase_uuid(const std::string& uuid, storage::WriteBatch& writes);
void put_verdict(const protocol::Member& self, const VerdictSubmission& verdict, storage::WriteBatch& writes);
void erase_verdict(const std::string& message_id, storage::WriteBatch& writes);

// The last event processed, and its hash.
struct Position {
  Timestamp timestamp;
  crypto::Hash content_hash;
};
void put_position(const Position& position, storage::WriteBatch& writes);
Result<std::optional<Position>> read_position(const storage::Store& store);

struct Synchronizer {
  protocol::PhysicalSynchronizerId id;
  topology::StaticParameters parameters;
};
void put_synchronizer(const Synchronizer& synchronizer, storage::WriteBatch& writes);
Result<std::optional<Synchronizer>> read_synchronizer(const storage::Store& store);

}  // namespace synod::mediator::stored
