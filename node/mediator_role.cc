#include "base/log.h"
#include "node/member.h"
#include "node/node.h"
#include "synod/admin.pb.h"

namespace synod::node {
namespace {

class MediatorRole final : public Node {
 public:
  void status(synod::admin::v1::NodeStatus& out) const override {
    const mediator::MediatorNodeStatus status = node->status();
    out.set_member(self.to_string());
    if (status.synchronizer) out.set_synchronizer(status.synchronizer->to_string());
    out.set_healthy(status.connected && status.problem.empty());
    if (!out.healthy()) out.set_reason(status.problem.empty() ? "not connected to a sequencer" : status.problem);
    if (status.last_event) out.set_sequencing_time_micros(status.last_event->micros);
    out.set_approved(static_cast<std::int64_t>(status.core.approved));
    out.set_rejected(static_cast<std::int64_t>(status.core.rejected));
    if (const auto& verdict = status.core.last_verdict) {
      out.mutable_last_verdict()->set_request_micros(verdict->request.micros);
      out.mutable_last_verdict()->set_root_hash(verdict->root_hash.hex());
      out.mutable_last_verdict()->set_approved(verdict->approved);
    }
  }
  void reload(const NodeFile& file) override { node->set_sequencers(file.mediator.sequencers.sequencers()); }
  void stop(Duration) override { node->stop(); }

  protocol::Member self;
  std::unique_ptr<mediator::MediatorNode> node;
};

}  // namespace

Result<std::unique_ptr<Node>> start_mediator(const NodeFile& file) {
  const auto random = system_random();
  SYNOD_TRY(Member self, open_member(file, protocol::MemberKind::mediator, mediator::mediator_columns(), *random));

  mediator::MediatorNodeConfig config = file.mediator.node;
  config.client.endpoints = file.mediator.sequencers.sequencers();
  SYNOD_TRY(const auto clock, clock_of(file));
  auto role = std::make_unique<MediatorRole>();
  role->self = self.identity.member;
  role->node = std::make_unique<mediator::MediatorNode>(
      config, mediator::MediatorParts{self.identity.member, self.identity.keys, std::move(self.store), clock, random});
  role->node->start([](Status ready) {
    if (!ready) log::error("mediator", "cannot start: {}", ready.error().to_string());
  });
  return role;
}

}  // namespace synod::node
