// The process `synod orderer`: the solo engine behind its gRPC service.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "ordering/solo/atomic_broadcast.h"
#include "ordering/solo/engine.h"
#include "rpc/tls.h"

namespace synod::rpc {
class Health;
class Server;
}  // namespace synod::rpc

namespace synod::ordering::solo {

struct OrdererConfig {
  EngineConfig engine;  // folder, channel, limits
  std::string address = "127.0.0.1";
  int port = 0;                       // 0: any free one
  std::optional<rpc::ServerTls> tls;  // with client_ca_file: mutual TLS
  // Take unsigned envelopes. Reasonable where mutual TLS or the network keeps strangers out; otherwise list the
  // clients.
  bool allow_unsigned = false;
  std::vector<std::string>
      client_certificate_files;  // PEM; holders of these may submit and read, signing in Fabric's manner
  BroadcastLimits limits;
};

class OrdererNode {
 public:
  // Recovers the log and listens. Errors: those of Engine::open and rpc::Server::start, ORDERING_IDENTITY_INVALID,
  // ORDERING_NOBODY_ALLOWED (neither unsigned envelopes nor any client).
  static Result<std::unique_ptr<OrdererNode>> start(OrdererConfig config);
  ~OrdererNode();  // stop() with a deadline of one second

  int port() const { return port_; }
  Height head() const { return engine_->head(); }
  Health health() const { return engine_->health(); }
  Engine& engine() { return *engine_; }
  rpc::Health& server_health();  // what gRPC clients are told; whoever runs the node sets it

  // Ends the streams, then writes what is queued.
  void stop(Duration deadline);

 private:
  OrdererNode() = default;

  std::unique_ptr<Engine> engine_;
  std::unique_ptr<rpc::Server> server_;
  int port_ = 0;
};

}  // namespace synod::ordering::solo
