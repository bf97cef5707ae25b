// Changing the group of sequencers of a running test network. What an operator would do by hand, in the same steps.
#pragma once

#include <string>

#include "base/result.h"
#include "base/time.h"
#include "testnet/launcher.h"
#include "testnet/network_plan.h"

namespace synod::testnet {

// A sequencer for an organisation (also a new one) that has none: keys and certificate, registration in the topology,
// the state of a running peer to begin with, its process; at last all members learn of it, without a restart. Its own
// organisation's participants prefer it. Error ids: SEQUENCER_EXISTS, those of the steps; a call that failed may be
// repeated.
Status add_sequencer(const NetworkPlan& plan, const std::string& organisation, Duration patience,
                     const Progress& progress);

// Members leave it first, then it leaves the topology, then its process ends; its folder stays. Error ids:
// LAST_SEQUENCER, NODE_NOT_FOUND.
Status remove_sequencer(const NetworkPlan& plan, const std::string& node, Duration patience, const Progress& progress);

// New protocol and authentication keys, and a new certificate, while it runs.
Status rotate_keys(const NetworkPlan& plan, const std::string& node, Duration patience, const Progress& progress);

}  // namespace synod::testnet
