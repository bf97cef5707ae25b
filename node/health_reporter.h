// Says in grpc.health.v1 what a node's status says, so that the two cannot differ: Node::health() is the one source.
#pragma once

#include <optional>
#include <vector>

#include "base/event_loop.h"
#include "node/node.h"

namespace synod::rpc {
class Health;
}

namespace synod::node {

class HealthReporter {
 public:
  // Looks at the status now and then on a thread of its own, more often while the node is not well, and sets the whole
  // server ("") of each `health`. The node and they must outlive this object.
  HealthReporter(const Node& node, std::vector<rpc::Health*> healths);
  ~HealthReporter();  // leaves what was said last
  HealthReporter(const HealthReporter&) = delete;
  HealthReporter& operator=(const HealthReporter&) = delete;

 private:
  void report();

  const Node& node_;
  const std::vector<rpc::Health*> healths_;
  std::optional<bool> well_;  // as said last
  EventLoop loop_;
};

}  // namespace synod::node
