// A running node of any role, as its process sees it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "node/node_file.h"

namespace grpc {
class Service;
}
namespace synod::rpc {
class Health;
}
namespace synod::admin::v1 {
class NodeStatus;
}

namespace synod::node {

class Node {
 public:
  virtual ~Node() = default;
  // Thread rules: any thread.
  virtual void status(synod::admin::v1::NodeStatus& out) const = 0;  // name and role are filled in by the caller
  // Ok, or why it is not well, as status() says it; for whoever looks all the time. A role whose status grows with its
  // members says it without.
  virtual Status health() const;
  // Of the servers that are as well as the whole node is: HealthReporter keeps them in step with status().
  virtual std::vector<rpc::Health*> healths() { return {}; }
  // What the role offers on the admin port, beside the status.
  virtual std::vector<std::shared_ptr<grpc::Service>> admin_services() { return {}; }
  // Takes over from a changed configuration what needs no restart: the sequencers that a member uses.
  virtual void reload(const NodeFile&) {}
  // Ends gracefully within the deadline. Once; the node is dead afterwards.
  virtual void stop(Duration deadline) = 0;
};

// One function a role: everything it needs is in the file. The node serves when they return; it may still be
// connecting.
Result<std::unique_ptr<Node>> start_orderer(const NodeFile& file);
Result<std::unique_ptr<Node>> start_sequencer(const NodeFile& file);
Result<std::unique_ptr<Node>> start_mediator(const NodeFile& file);
Result<std::unique_ptr<Node>> start_topology_manager(const NodeFile& file);
Result<std::unique_ptr<Node>> start_participant(const NodeFile& file);
Result<std::unique_ptr<Node>> start_node(const NodeFile& file);  // by file.role

// What `synod node run` does: starts the node and its admin service, and runs until SIGTERM or SIGINT. SIGHUP, and the
// admin service on request, read `path` again (if it is not empty); see Node::reload. Errors: those of the start; the
// exit was orderly otherwise.
Status run_until_signal(const NodeFile& file, const std::string& path = "");

}  // namespace synod::node
