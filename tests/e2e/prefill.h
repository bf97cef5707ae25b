// A long history for a network without the time that it takes to make one.
#pragma once

#include <cstdint>

#include "testnet/network_plan.h"

namespace synod::e2e {

struct History {
  std::int64_t height = 0;   // of the last block
  std::uint64_t events = 0;  // added
};

// Of a network with solo ordering that was prepared and does not run: writes blocks into the orderer's log as the
// orderer would, and what the sequencer would make of them into its cache as it would. All other sequencers are behind
// then. The events are the topology manager's messages to the mediator, who makes nothing of them.
Result<History> prefill(const testnet::NetworkPlan& plan, const testnet::NodePlan& sequencer, int blocks,
                        int events_a_block);

}  // namespace synod::e2e
