// grpc.health.v1 of a server. gRPC has one of its own, which keeps its watchers when the server stops: each of them,
// and every sequencer client is one, would hold the server until its deadline.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "grpc/health.grpc.pb.h"
#include "rpc/health.h"
#include "rpc/open_streams.h"
#include "rpc/stream_writer.h"

namespace synod::rpc {

// Thread rules: any method from any thread.
class HealthService final : public grpc::health::v1::Health::CallbackService,
                            public HealthListener,
                            public EndsStreams {
 public:
  using Request = grpc::health::v1::HealthCheckRequest;
  using Response = grpc::health::v1::HealthCheckResponse;

  void changed(const std::string& service, bool serving) override;
  void end_streams() override;  // says NOT_SERVING first

  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context, const Request* request,
                                  Response* response) override;
  grpc::ServerWriteReactor<Response>* Watch(grpc::CallbackServerContext* context, const Request* request) override;

 private:
  using Stream = ServerStreamPtr<Response>;
  using Watchers = std::map<std::string, std::map<ServerStream<Response>*, Stream>>;  // by service

  Response::ServingStatus status_of(const std::string& service) const;

  // Shared with the callbacks of streams, which may come after this object has gone.
  struct Shared {
    std::mutex mutex;
    Watchers watchers;
    bool ended = false;
  };
  const std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
  std::map<std::string, bool> serving_;  // guarded by the same mutex
};

}  // namespace synod::rpc
