// The services of a sequencer's admin port, one maker each.
#pragma once

#include <memory>
#include <string>

#include "sequencer/sequencer_node.h"

namespace synod::sequencer {

class NodeState;

std::shared_ptr<grpc::Service> make_administration_service(NodeState& node);  // Canton's
std::shared_ptr<grpc::Service> make_pruning_service(NodeState& node);         // Canton's
std::shared_ptr<grpc::Service> make_operations_service(NodeState& node);      // our own

// Shuts a member out of this sequencer, or lets it in again. Errors: SEQUENCER_UNKNOWN_MEMBER, those of the store.
Status set_member_enabled(NodeState& node, const std::string& member, bool enabled);

}  // namespace synod::sequencer
