// Topology transactions that a sequencer broadcasts under its own name: of participants that join and cannot send yet,
// and its own new keys.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "sequencer/core.h"
#include "sequencer/node_state.h"
#include "topology/transaction.h"

namespace synod::sequencer {

// To be called where the core may be read. `done`: it was taken to be written to the log, or why not.
void broadcast_as_sequencer(NodeState& node, const SequencerCore& core,
                            const std::vector<topology::SignedTransaction>& transactions,
                            const std::string& traceparent, std::function<void(Status)> done);

}  // namespace synod::sequencer
