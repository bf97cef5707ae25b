// The services of the public API, one maker each. They hold no state of their own.
#pragma once

#include <memory>

namespace grpc {
class Service;
}

namespace synod::sequencer {

class NodeState;

std::shared_ptr<grpc::Service> make_api_info_service();
std::shared_ptr<grpc::Service> make_connect_service(NodeState& node);
std::shared_ptr<grpc::Service> make_authentication_service(NodeState& node);
std::shared_ptr<grpc::Service> make_sequencer_service(NodeState& node);

}  // namespace synod::sequencer
