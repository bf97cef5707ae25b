// Rules for a transaction beyond its signatures: what must already be there, what must not, who may join.
// Facts: RequiredTopologyMappingChecks in TopologyMappingChecks.scala.
#pragma once

#include "base/time.h"
#include "topology/authorization.h"
#include "topology/parameters.h"
#include "topology/working_state.h"

namespace synod::topology {

// `effective`: when the transaction would take effect. `in_force`: for its unique key, a removal included; may be null.
Decision<std::monostate> check_mapping(const WorkingState& state, const StaticParameters& parameters,
                                       Timestamp effective, const SignedTransaction& transaction,
                                       const SignedTransaction* in_force, bool relaxed);

}  // namespace synod::topology
