#include "ordering/solo/orderer_node.h"

#include "base/files.h"
#include "base/log.h"
#include "rpc/server.h"

namespace synod::ordering::solo {
namespace {

constexpr std::size_t kMessageOverhead = 64u << 10;  // gRPC's limit must not bite before ours, which explains itself

Result<AccessPolicy> read_policy(const OrdererConfig& config) {
  AccessPolicy policy;
  policy.channel = config.engine.channel;
  policy.allow_unsigned = config.allow_unsigned;
  std::vector<std::string> certificates;
  for (const std::string& path : config.client_certificate_files) {
    auto text = file_bytes(path);
    if (!text) return fail(invalid_argument("ORDERING_IDENTITY_INVALID", "cannot read the client certificate " + path));
    certificates.push_back(std::move(*text));
  }
  SYNOD_TRY(policy.clients, fabric_wire::TrustedClients::from_pem(certificates));
  if (!policy.allow_unsigned && policy.clients.empty())
    return fail(
        invalid_argument("ORDERING_NOBODY_ALLOWED",
                         "list client certificates or allow unsigned envelopes: nobody could use this orderer"));
  return policy;
}

}  // namespace

Result<std::unique_ptr<OrdererNode>> OrdererNode::start(OrdererConfig config) {
  SYNOD_TRY(AccessPolicy policy, read_policy(config));
  std::unique_ptr<OrdererNode> node(new OrdererNode());
  SYNOD_TRY(node->engine_, Engine::open(config.engine));
  rpc::ServerConfig server;
  server.address = config.address;
  server.port = config.port;
  server.tls = config.tls;
  server.max_request_bytes = config.engine.max_record_bytes + kMessageOverhead;
  SYNOD_TRY(node->server_,
            rpc::Server::start(server, {make_atomic_broadcast(*node->engine_, std::move(policy), config.limits)}));
  node->port_ = node->server_->port();
  log::info("orderer", "channel {} at port {}, head {}", config.engine.channel, node->port(), node->head().value);
  return node;
}

OrdererNode::~OrdererNode() { stop(Duration::seconds(1)); }

rpc::Health& OrdererNode::server_health() { return server_->health(); }

void OrdererNode::stop(Duration deadline) {
  if (server_) server_->stop(deadline);
  if (engine_) engine_->stop();
  server_.reset();  // and with it the service, which refers to the engine
}

}  // namespace synod::ordering::solo
