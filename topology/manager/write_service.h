// com.digitalasset.canton.topology.admin.v30.TopologyManagerWriteService: changing the topology. Temporary stores and
// snapshot imports are UNIMPLEMENTED.
#pragma once

#include <memory>

namespace grpc {
class Service;
}

namespace synod::topology {

class AdminBackend;

// The backend must outlive the service.
std::shared_ptr<grpc::Service> make_write_service(AdminBackend& backend);

}  // namespace synod::topology
