// com.digitalasset.canton.topology.admin.v30.TopologyManagerReadService: listing the topology. Exports and the calls
// about synchronizer upgrades are UNIMPLEMENTED.
#pragma once

#include <memory>

namespace grpc {
class Service;
}

namespace synod::topology {

class AdminBackend;

// The backend must outlive the service.
std::shared_ptr<grpc::Service> make_read_service(AdminBackend& backend);

}  // namespace synod::topology
