// Where a process finds its certificates. Files are PEM and are read again when they change, without a restart: a
// server's before each handshake, a client's every ten seconds.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"

namespace grpc {
class ChannelCredentials;
class ServerCredentials;
}  // namespace grpc

namespace synod::rpc {

struct ServerTls {
  std::string certificate_chain_file;  // own certificate first, then its issuers
  std::string private_key_file;
  std::optional<std::string> client_ca_file;  // set: clients must show a certificate issued by one of these (mTLS)
};

struct ClientTls {
  std::optional<std::string> ca_file;                 // trusted issuers of servers; none: the system's
  std::optional<std::string> certificate_chain_file;  // own certificate for mTLS; goes with private_key_file
  std::optional<std::string> private_key_file;
};

// Fail when a file is missing, is not PEM, or certificate and key do not belong together: at start, not at the first
// handshake. Error id TLS_CONFIGURATION_INVALID.
Result<std::shared_ptr<grpc::ServerCredentials>> server_credentials(const std::optional<ServerTls>& tls);
Result<std::shared_ptr<grpc::ChannelCredentials>> channel_credentials(const std::optional<ClientTls>& tls);

}  // namespace synod::rpc
