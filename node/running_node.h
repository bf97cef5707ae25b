// A node with its admin port, as its process runs it: administration, status and health.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "node/health_reporter.h"
#include "node/node.h"
#include "rpc/server.h"

namespace synod::node {

class RunningNode {
 public:
  // `path`: the file that reload() reads again; empty: none. Errors: those of start_node and rpc::Server::start.
  static Result<std::unique_ptr<RunningNode>> start(const NodeFile& file, const std::string& path = "");
  ~RunningNode();  // stop() with a deadline of one second

  Node& node() { return *node_; }
  rpc::Server& admin() { return *admin_; }
  // From any thread.
  Status reload();
  // Once; the node is dead afterwards.
  void stop(Duration deadline);

 private:
  class AdminService;
  RunningNode() = default;

  std::unique_ptr<Node> node_;
  std::shared_ptr<AdminService> administration_;
  std::unique_ptr<rpc::Server> admin_;
  std::unique_ptr<HealthReporter> reporter_;
};

}  // namespace synod::node
