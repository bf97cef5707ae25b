// Client channels.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "rpc/tls.h"

namespace grpc {
class Channel;
}

namespace synod::rpc {

struct ChannelConfig {
  std::string target;            // host:port
  std::optional<ClientTls> tls;  // none: plaintext
  std::size_t max_response_bytes = 64u << 20;
  Duration keepalive_interval = Duration::seconds(10);  // ping a silent server this often, also without calls
  Duration keepalive_timeout = Duration::seconds(5);
  Duration min_reconnect_delay = Duration::milliseconds(10);
  Duration max_reconnect_delay = Duration::seconds(10);
  Duration connect_timeout = Duration::seconds(5);
};

// A channel connects by itself when it is first used, one TCP connection a channel. It is never destroyed on one of
// gRPC's own threads, where that would deadlock: whoever lets go last, a thread of this module destroys it.
// Error id TLS_CONFIGURATION_INVALID.
Result<std::shared_ptr<grpc::Channel>> make_channel(const ChannelConfig& config);

}  // namespace synod::rpc
