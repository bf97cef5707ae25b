// Updates of the ledger as this participant saw them: what GetUpdates, GetUpdateBy* and the event queries are made of.
//
// One form serves both shapes of the Ledger API. LEDGER_EFFECTS: all events whose `witnesses` meet the reader's
// parties. ACS_DELTA: created events with acs_delta, and consuming exercises with acs_delta as archived events, that
// have a stakeholder among the reader's parties. acs_delta is false for contracts created and archived in the same
// update, and for those without a stakeholder hosted here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "lf/transaction.h"
#include "participant/commands.h"

namespace synod::participant {

// Ids of events are pre-order within the update, from 0, over the nodes that this participant sees. They order events
// of one update; event id = (offset, node id).
struct CreatedEvent {
  std::int32_t node_id = 0;
  lf::ContractInstance contract;  // everything: arguments, signatories, observers, created_at, authentication data
  lf::PartySet witnesses;         // hosted or not; readers intersect with their own
  bool acs_delta = false;
};

struct ExercisedEvent {
  std::int32_t node_id = 0;
  std::int32_t last_descendant_node_id = 0;
  lf::ContractId contract_id;
  lf::Identifier template_id;
  std::optional<lf::Identifier> interface_id;
  std::string package_name;
  std::string choice;
  lf::Value argument;
  std::optional<lf::Value> result;
  lf::PartySet acting_parties;
  lf::PartySet stakeholders;
  lf::PartySet witnesses;
  bool consuming = false;
  bool acs_delta = false;
};

using Event = std::variant<CreatedEvent, ExercisedEvent>;

struct TransactionUpdate {
  std::string update_id;  // 68 hex digits: the root hash of the transaction
  std::string workflow_id;
  std::string command_id;  // only where the command was submitted here, otherwise empty, with:
  std::string user_id;
  lf::PartySet act_as;     // readers show command_id to these parties only
  Timestamp effective_at;  // ledger time
  std::vector<Event> events;
};

// A party became hosted (or ceased to be), with the permission it has from the record time on.
struct PartyUpdate {
  std::string update_id;
  std::string party;
  std::string participant;  // uid
  int permission = 0;       // 0 observation, 1 confirmation, 2 submission, -1 removed
};

// A completion without an update: a rejected or timed-out command.
struct RejectedUpdate {};

struct Update {
  Offset offset;
  Timestamp record_time;        // sequencing time of the request; ascending with the offset
  std::string synchronizer_id;  // logical: name::namespace
  std::string traceparent;
  std::variant<TransactionUpdate, PartyUpdate, RejectedUpdate> content;

  const TransactionUpdate* transaction() const { return std::get_if<TransactionUpdate>(&content); }
};

// A contract that is active at some offset.
struct ActiveContract {
  lf::ContractInstance contract;
  Offset created_at_offset;
  std::int32_t node_id = 0;  // of its create, in that update
  std::string workflow_id;
};

// Stored form (proto/synod/participant.proto).
Bytes encode(const Update& update);
Result<Update> decode_update(ByteView bytes);
Bytes encode(const Completion& completion);
Result<Completion> decode_completion(ByteView bytes);

}  // namespace synod::participant
