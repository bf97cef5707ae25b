#include "base/log.h"
#include "node/member.h"
#include "node/node.h"
#include "rpc/server.h"
#include "synod/admin.pb.h"

namespace synod::node {
namespace {

class TopologyManagerRole final : public Node {
 public:
  void status(synod::admin::v1::NodeStatus& out) const override {
    const topology::TopologyManagerStatus status = node->status();
    out.set_member(self.to_string());
    if (status.synchronizer) out.set_synchronizer(status.synchronizer->to_string());
    out.set_healthy(status.connected && status.problem.empty());
    if (!out.healthy()) out.set_reason(status.problem.empty() ? "not connected to a sequencer" : status.problem);
    if (status.last_event) out.set_sequencing_time_micros(status.last_event->micros);
  }
  std::vector<rpc::Health*> healths() override { return {&server->health()}; }
  void reload(const NodeFile& file) override { node->set_sequencers(file.topology_manager.sequencers.sequencers()); }
  void stop(Duration deadline) override {
    node->stop();
    server->stop(deadline);
  }

  protocol::Member self;
  std::unique_ptr<topology::TopologyManagerNode> node;
  std::unique_ptr<rpc::Server> server;
};

}  // namespace

Result<std::unique_ptr<Node>> start_topology_manager(const NodeFile& file) {
  const auto random = system_random();
  SYNOD_TRY(Member self,
            open_member(file, protocol::MemberKind::participant, topology::topology_manager_columns(), *random));

  topology::TopologyManagerConfig config = file.topology_manager.node;
  config.client.endpoints = file.topology_manager.sequencers.sequencers();
  SYNOD_TRY(const auto clock, clock_of(file));
  auto role = std::make_unique<TopologyManagerRole>();
  role->self = self.identity.member;
  role->node = std::make_unique<topology::TopologyManagerNode>(
      config,
      topology::TopologyManagerParts{self.identity.member, self.identity.keys, std::move(self.store), clock, random});
  SYNOD_TRY(role->server, rpc::Server::start(file.public_api.server(), role->node->services()));
  role->node->start([](Status ready) {
    if (!ready) log::error("topology-manager", "cannot start: {}", ready.error().to_string());
  });
  return role;
}

}  // namespace synod::node
