#include "rpc/served_certificate.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpcpp/security/server_credentials.h>

#include <mutex>
#include <vector>

#include "base/log.h"
#include "rpc/pem_files.h"

namespace synod::rpc {
namespace {

// What gRPC asks at each handshake, one after the other for one server.
class Follower {
 public:
  Follower(ServerTls tls, ServedPem first) : tls_(std::move(tls)), next_(std::move(first)) {}

  // For ever: gRPC does not say when a server asks for the last time. A process has a handful of servers.
  static Follower* keep(ServerTls tls, ServedPem first) {
    static std::mutex mutex;
    static auto* all = new std::vector<std::unique_ptr<Follower>>;
    std::lock_guard lock(mutex);
    return all->emplace_back(std::make_unique<Follower>(std::move(tls), std::move(first))).get();
  }

  static grpc_ssl_certificate_config_reload_status fetch(void* self, grpc_ssl_server_certificate_config** config) {
    return static_cast<Follower*>(self)->fetch(config);
  }

 private:
  grpc_ssl_certificate_config_reload_status fetch(grpc_ssl_server_certificate_config** config) {
    std::lock_guard lock(mutex_);
    const bool first = shown_ == ServedPem{};
    if (!first) {
      auto read = read_served(tls_);
      if (!read) {
        if (!said_) log::info("rpc", "shows the certificate that it had: {}", read.error().to_string());
        said_ = true;
        return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
      }
      if (*read == shown_) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
      next_ = std::move(*read);
      log::info("rpc", "shows the new certificate of {}", tls_.certificate_chain_file);
    }
    shown_ = next_;
    said_ = false;
    const grpc_ssl_pem_key_cert_pair pair{shown_.private_key.c_str(), shown_.certificate_chain.c_str()};
    // gRPC insists on authorities of clients, also where it asks no client for a certificate and looks at none.
    const std::string& authorities = shown_.client_ca.empty() ? shown_.certificate_chain : shown_.client_ca;
    *config = grpc_ssl_server_certificate_config_create(authorities.c_str(), &pair, 1);
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  const ServerTls tls_;
  std::mutex mutex_;
  ServedPem next_, shown_;
  bool said_ = false;  // that the files are not usable
};

class FollowingCredentials final : public grpc::ServerCredentials {
 public:
  FollowingCredentials(const ServerTls& tls, ServedPem first) {
    auto* options = grpc_ssl_server_credentials_create_options_using_config_fetcher(
        tls.client_ca_file ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                           : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
        &Follower::fetch, Follower::keep(tls, std::move(first)));
    credentials_ = grpc_ssl_server_credentials_create_with_options(options);
  }
  ~FollowingCredentials() override { grpc_server_credentials_release(credentials_); }
  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  grpc_server_credentials* credentials_;
};

}  // namespace

Result<ServedPem> read_served(const ServerTls& tls) {
  ServedPem pem;
  SYNOD_TRY(pem.certificate_chain, read_pem(tls.certificate_chain_file));
  SYNOD_TRY(pem.private_key, read_pem(tls.private_key_file));
  SYNOD_RETURN_IF_ERROR(
      check_pair(pem.certificate_chain, tls.certificate_chain_file, pem.private_key, tls.private_key_file));
  if (tls.client_ca_file) {
    SYNOD_TRY(pem.client_ca, read_pem(*tls.client_ca_file));
    SYNOD_RETURN_IF_ERROR(check_certificate(pem.client_ca, *tls.client_ca_file));
  }
  return pem;
}

std::shared_ptr<grpc::ServerCredentials> following_credentials(const ServerTls& tls, ServedPem first) {
  return std::make_shared<FollowingCredentials>(tls, std::move(first));
}

}  // namespace synod::rpc
