// grpc.health.v1 from the client's side: is a named service of that server fit to be used?
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/error.h"

namespace grpc {
class Channel;
}

namespace synod::rpc {

class ClientStream;

// Both run on gRPC's threads and only enqueue. A server without the health service counts as serving.
struct HealthHandlers {
  std::function<void(bool serving)> on_change;     // first the present state, then each change
  std::function<void(const Error& error)> on_end;  // the connection is gone, or the watch was cancelled
};

std::shared_ptr<ClientStream> watch_health(const std::shared_ptr<grpc::Channel>& channel, const std::string& service,
                                           HealthHandlers handlers);

}  // namespace synod::rpc
