// A gRPC server as all nodes run it: callback services, TLS, health, reflection, limits, and an end with a deadline.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "rpc/health.h"
#include "rpc/tls.h"

namespace grpc {
class Server;
class Service;
}  // namespace grpc

namespace synod::rpc {

struct ServerConfig {
  std::string address = "127.0.0.1";          // host name or IP to listen on
  int port = 0;                               // 0: any free one, see Server::port()
  std::optional<ServerTls> tls;               // none: plaintext
  std::size_t max_request_bytes = 16u << 20;  // a larger message is refused with RESOURCE_EXHAUSTED
  std::size_t max_metadata_bytes = 16u << 10;
  int max_concurrent_streams = 1000;                         // calls at the same time on one connection
  Duration keepalive_interval = Duration::seconds(30);       // ping a silent client this often
  Duration keepalive_timeout = Duration::seconds(10);        // no answer for this long: the connection is dead
  Duration min_client_ping_interval = Duration::seconds(1);  // a client that pings more often is disconnected
  bool reflection = true;                                    // describes the services to tools such as grpcurl
};

class Server {
 public:
  // Starts to listen. Services must be callback services (or raw callback ones); they stay alive until the server has
  // stopped. Error ids: TLS_CONFIGURATION_INVALID, ADDRESS_IN_USE.
  static Result<std::unique_ptr<Server>> start(const ServerConfig& config,
                                               std::vector<std::shared_ptr<grpc::Service>> services);
  ~Server();  // stop() with a deadline of one second
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int port() const { return port_; }
  // The whole server ("") does not serve until somebody who knows says so.
  Health& health() { return health_; }

  // Takes no new calls, ends the streams of services that have such as end only then (open_streams.h), health watches
  // among them, lets the running calls end until the deadline, then cancels the rest and returns when all have ended.
  // Not from a reaction or handler. A second call does nothing.
  void stop(Duration deadline);

 private:
  Server() = default;

  std::vector<std::shared_ptr<grpc::Service>> services_;
  Health health_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

}  // namespace synod::rpc
