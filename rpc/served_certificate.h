// The certificate that a server shows, followed from handshake to handshake.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "rpc/tls.h"

namespace grpc {
class ServerCredentials;
}

namespace synod::rpc {

// What the files of a server hold: text in PEM.
struct ServedPem {
  std::string certificate_chain;
  std::string private_key;
  std::string client_ca;  // empty: clients need no certificate
  bool operator==(const ServedPem&) const = default;
};

// Error id TLS_CONFIGURATION_INVALID: a file is missing or not PEM, or certificate and key do not belong together.
Result<ServedPem> read_served(const ServerTls& tls);

// Every handshake is done with what the files hold by then. Certificate and key are two files, which nobody replaces
// at one moment: as long as they do not belong together, the former pair is shown.
std::shared_ptr<grpc::ServerCredentials> following_credentials(const ServerTls& tls, ServedPem first);

}  // namespace synod::rpc
