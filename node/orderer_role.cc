#include "node/node.h"
#include "synod/admin.pb.h"

namespace synod::node {
namespace {

class OrdererRole final : public Node {
 public:
  explicit OrdererRole(std::unique_ptr<ordering::solo::OrdererNode> node) : node_(std::move(node)) {}

  void status(synod::admin::v1::NodeStatus& out) const override {
    const ordering::Health health = node_->health();
    out.set_healthy(health.state == ordering::Health::State::ready);
    if (!out.healthy())
      out.set_reason(std::string(ordering::to_string(health.state)) +
                     (health.last_error.empty() ? "" : ": " + health.last_error));
    out.set_height(node_->head().value);
  }
  std::vector<rpc::Health*> healths() override { return {&node_->server_health()}; }
  void stop(Duration deadline) override { node_->stop(deadline); }

 private:
  std::unique_ptr<ordering::solo::OrdererNode> node_;
};

}  // namespace

Result<std::unique_ptr<Node>> start_orderer(const NodeFile& file) {
  ordering::solo::OrdererConfig config = file.orderer;
  const rpc::ServerConfig listen = file.public_api.server();
  config.engine.folder = file.data_folder + "/log";
  config.address = listen.address;
  config.port = listen.port;
  config.tls = listen.tls;
  SYNOD_TRY(auto node, ordering::solo::OrdererNode::start(config));
  return std::make_unique<OrdererRole>(std::move(node));
}

}  // namespace synod::node
