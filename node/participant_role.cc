#include "base/log.h"
#include "node/node.h"
#include "rpc/server.h"
#include "synod/admin.pb.h"

namespace synod::node {
namespace {

class ParticipantRole final : public Node {
 public:
  void status(synod::admin::v1::NodeStatus& out) const override {
    const participant::ParticipantStatus status = node->status();
    const Status health = node->health();
    out.set_member("PAR::" + node->participant_id());
    out.set_synchronizer(status.synchronizer_id);
    out.set_healthy(static_cast<bool>(health));
    if (!health) out.set_reason(health.error().to_string());
    out.set_offset(status.ledger_end.value);
    if (status.record_time) out.set_sequencing_time_micros(status.record_time->micros);
  }

  std::vector<rpc::Health*> healths() override { return {&server->health()}; }
  void reload(const NodeFile& file) override { node->set_sequencers(file.participant.node.sequencers); }
  void stop(Duration deadline) override {
    server->stop(deadline);
    api->stop();
    node->stop(deadline);
  }

  std::unique_ptr<participant::ParticipantNode> node;
  std::unique_ptr<participant::LedgerApi> api;
  std::unique_ptr<rpc::Server> server;
};

}  // namespace

Result<std::unique_ptr<Node>> start_participant(const NodeFile& file) {
  participant::ParticipantConfig config = file.participant.node;
  config.name = file.name;
  config.data_folder = file.data_folder;
  auto role = std::make_unique<ParticipantRole>();
  SYNOD_TRY(const auto clock, clock_of(file));
  SYNOD_TRY(role->node, participant::ParticipantNode::open(config, clock));
  role->api = std::make_unique<participant::LedgerApi>(*role->node, file.participant.ledger_api, clock);
  SYNOD_TRY(role->server, rpc::Server::start(file.public_api.server(), role->api->services()));
  role->node->start([](Status ready) {
    if (!ready) log::error("participant", "cannot connect: {}", ready.error().to_string());
  });
  return role;
}

}  // namespace synod::node
