#include "testnet/ledger_channel.h"

#include <grpcpp/grpcpp.h>

#include "base/files.h"

namespace synod::testnet {
namespace {

constexpr int kMaxMessage = 64 << 20;  // a DAR may be large; the server has its own limit
constexpr int kMaxReconnectBackoffMillis = 500;

}  // namespace

std::shared_ptr<grpc::Channel> ledger_channel(const std::string& address, const std::string& ca_file) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessage);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kMaxReconnectBackoffMillis);
  if (ca_file.empty()) return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = file_bytes(ca_file).value_or("");
  return grpc::CreateCustomChannel(address, grpc::SslCredentials(options), arguments);
}

}  // namespace synod::testnet
