// What a participant remembers of commands and requests until they are finished; part of its stored state.
#pragma once

#include <optional>
#include <string>

#include "crypto/hash.h"
#include "participant/reception/conflict_detector.h"
#include "participant/update.h"
#include "storage/store.h"

namespace synod::participant {

// A command that was handed to the sequencer.
struct InFlightSubmission {
  std::string message_id;
  Completion completion;  // without offset, outcome and record time
  Timestamp max_sequencing_time;
  std::optional<Timestamp> sequenced;
};

// The place of what is in flight in the order of publication. A request may be sequenced at the very time at which
// changes become effective: what was decided with the state before them goes first.
struct InFlightKey {
  Timestamp time;
  std::uint32_t announcement = 0;  // 0: a request; changes at the same time count from 1
  auto operator<=>(const InFlightKey&) const = default;
};

// A request from its sequencing until it is published. A change of who hosts a party takes the same way: decided from
// the beginning, published when it becomes effective (its id).
struct InFlightRequest {
  enum class State { pending, approved, rejected };

  Timestamp id;
  std::uint32_t announcement = 0;  // see InFlightKey
  crypto::Hash root_hash;
  int mediator_group = 0;
  Timestamp decision_time;  // after it, without a result, the request is rejected
  ContractIds locks;
  ContractIds created;
  ContractIds transient;
  ContractIds archived;
  std::optional<Update> update;          // what is published on approval; none: nothing is seen of it here
  std::optional<Completion> completion;  // where the command was submitted here
  State state = State::pending;
  bool refused_here = false;
  std::string message_id;  // of the submission, where it was submitted here
  Bytes answer;            // W(30, ...) of the confirmation responses, to be sent again after a restart; empty: none

  InFlightKey key() const { return {id, announcement}; }
};

void put(storage::WriteBatch& writes, const InFlightSubmission& submission);
void erase(storage::WriteBatch& writes, const InFlightSubmission& submission);
void put(storage::WriteBatch& writes, const InFlightRequest& request);
void erase(storage::WriteBatch& writes, const InFlightRequest& request);
Result<InFlightSubmission> decode_submission(ByteView bytes);
Result<InFlightRequest> decode_request(ByteView key, ByteView bytes);

}  // namespace synod::participant
