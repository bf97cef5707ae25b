// What a sequencer that joins a running synchronizer starts from: the state of a peer after one block. It then reads
// the log from the next block on, and serves the events that it sequences itself. Facts: Canton's
// OnboardingStateForSequencer, SequencerInitializationService.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "ordering/ordering_log.h"
#include "protocol/ids.h"
#include "storage/store.h"
#include "topology/parameters.h"

namespace synod::sequencer {

struct OnboardingState {
  protocol::PhysicalSynchronizerId synchronizer;
  topology::StaticParameters static_parameters;
  ordering::Height height;
  Bytes bytes;  // the whole, as exported
};

// The state that the store holds; no block may be applied meanwhile. Errors: those of the store; SEQUENCER_STORE_EMPTY.
Result<Bytes> export_onboarding_state(const storage::Store& store, const topology::StaticParameters& parameters);
// Error PROTO_DESERIALIZATION_FAILURE.
Result<OnboardingState> parse_onboarding_state(Bytes bytes);
// What fills an empty store. Events at or before the state's last time are not there.
Result<storage::WriteBatch> install(const OnboardingState& state);
// Whether a sequencer's store has a state.
Result<bool> has_state(const storage::Store& store);

}  // namespace synod::sequencer
