// The mediator groups of a running test network: which there are, and mediators that come and go. What an operator
// would do by hand, in the same steps.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "testnet/launcher.h"
#include "testnet/network_plan.h"

namespace synod::testnet {

// As the topology has it.
struct MediatorGroup {
  std::string synchronizer;
  std::uint32_t index = 0;
  std::uint32_t threshold = 1;
  std::vector<std::string> active, observers;  // unique ids
  bool operator==(const MediatorGroup&) const = default;
};
Result<std::vector<MediatorGroup>> mediator_groups(const NetworkPlan& plan, Duration patience);

struct MediatorChange {
  std::uint32_t group = 0;                 // of add_mediator; may be new
  std::optional<std::uint32_t> threshold;  // from now on; none: as it is, of a new group 1
};

// A mediator for an organisation (also a new one) that has none: keys, registration in the topology as an observer, its
// process; when it follows the synchronizer, its verdicts count. Error ids: MEDIATOR_EXISTS, MEDIATOR_THRESHOLD, those
// of the steps; a call that failed may be repeated.
Status add_mediator(const NetworkPlan& plan, const std::string& organisation, const MediatorChange& change,
                    Duration patience, const Progress& progress);

// It leaves its group, then its processes end; its folder stays. The last of a group takes the group with it. Error
// ids: LAST_MEDIATOR, MEDIATOR_THRESHOLD (too few would be left), NODE_NOT_FOUND.
Status remove_mediator(const NetworkPlan& plan, const std::string& node, const MediatorChange& change,
                       Duration patience, const Progress& progress);

}  // namespace synod::testnet
