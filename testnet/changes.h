// What was changed about a network after it was prepared: nodes added and removed. Kept in the network's folder, laid
// over its network file.
#pragma once

#include "testnet/network_plan.h"

namespace synod::testnet {

struct PlanChanges {
  std::vector<NodePlan> added;       // folder is derived
  std::vector<std::string> removed;  // names
};

// Nothing was changed: empty.
Result<PlanChanges> read_changes(const std::string& network_folder);
Status write_changes(const std::string& network_folder, PlanChanges changes);
void apply(const PlanChanges& changes, NetworkPlan& plan);

// Where a new process of this organisation is to run: where it was when an earlier attempt did not get far enough, or
// behind all others. Error ids: SEQUENCER_EXISTS, MEDIATOR_EXISTS, so for each role: it runs already.
Result<NodePlan> place_for(const NetworkPlan& plan, const std::string& organisation, Role role);

}  // namespace synod::testnet
