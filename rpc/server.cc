#include "rpc/server.h"

#include <grpcpp/grpcpp.h>

#include "rpc/grpc_process.h"
#include "rpc/health_service.h"
#include "rpc/message_limit.h"
#include "rpc/open_streams.h"
#include "rpc/reflection_service.h"

namespace synod::rpc {
namespace {

void apply_limits(const ServerConfig& config, grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(message_limit(config.max_request_bytes));
  builder.SetMaxSendMessageSize(-1);
  // The first refuses a call that announces compression, the second makes sure that nothing is inflated.
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  const auto millis = [](Duration d) { return static_cast<int>(d.micros / 1000); };
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, static_cast<int>(config.max_metadata_bytes));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, config.max_concurrent_streams);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, millis(config.keepalive_interval));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, millis(config.keepalive_timeout));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             millis(config.min_client_ping_interval));
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
}

}  // namespace

Result<std::unique_ptr<Server>> Server::start(const ServerConfig& config,
                                              std::vector<std::shared_ptr<grpc::Service>> services) {
  prepare_grpc();
  SYNOD_TRY(auto credentials, server_credentials(config.tls));
  std::unique_ptr<Server> server(new Server());
  server->services_ = std::move(services);
  const auto health = std::make_shared<HealthService>();
  server->services_.push_back(health);
  server->health_.set_not_serving("", "starting");
  server->health_.attach(health.get());
  grpc::ServerBuilder builder;
  apply_limits(config, builder);
  if (config.reflection) {
    Reflection reflection = make_reflection();
    for (auto& service : reflection.services) server->services_.push_back(std::move(service));
    builder.SetOption(std::move(reflection.names_of_all));
  }
  for (const auto& service : server->services_) builder.RegisterService(service.get());
  const std::string address = config.address + ":" + std::to_string(config.port);
  builder.AddListeningPort(address, credentials, &server->port_);
  server->server_ = builder.BuildAndStart();
  if (!server->server_ || server->port_ == 0) {
    return fail({"ADDRESS_IN_USE", ErrorCategory::invalid_state_other,
                 "Cannot listen on " + address + ": the port is taken, or the address is not of this machine"});
  }
  return server;
}

Server::~Server() { stop(Duration::seconds(1)); }

void Server::stop(Duration deadline) {
  if (!server_) return;
  health_.attach(nullptr);
  for (const auto& service : services_) {
    if (auto* open_ended = dynamic_cast<EndsStreams*>(service.get())) open_ended->end_streams();
  }
  server_->Shutdown(std::chrono::system_clock::now() + std::chrono::microseconds(deadline.micros));
  server_->Wait();
  server_.reset();
  services_.clear();
}

}  // namespace synod::rpc
