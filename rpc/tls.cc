#include "rpc/tls.h"

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

#include "rpc/pem_files.h"
#include "rpc/served_certificate.h"

namespace synod::rpc {
namespace {

constexpr unsigned refresh_seconds = 10;  // how often a client's changed files are looked for

Status check_files(const std::string& certificate_file, const std::string& key_file) {
  SYNOD_TRY(const std::string certificate, read_pem(certificate_file));
  SYNOD_TRY(const std::string key, read_pem(key_file));
  return check_pair(certificate, certificate_file, key, key_file);
}

}  // namespace

namespace tls = grpc::experimental;

Result<std::shared_ptr<grpc::ServerCredentials>> server_credentials(const std::optional<ServerTls>& config) {
  if (!config) return grpc::InsecureServerCredentials();
  SYNOD_TRY(ServedPem first, read_served(*config));
  return following_credentials(*config, std::move(first));
}

Result<std::shared_ptr<grpc::ChannelCredentials>> channel_credentials(const std::optional<ClientTls>& config) {
  if (!config) return grpc::InsecureChannelCredentials();
  if (config->certificate_chain_file.has_value() != config->private_key_file.has_value()) {
    return fail(tls_error(config->certificate_chain_file.value_or(config->private_key_file.value_or("")),
                          "a client certificate needs both its chain and its key"));
  }
  if (!config->ca_file && !config->certificate_chain_file) return grpc::SslCredentials({});
  if (config->ca_file) {
    SYNOD_TRY(const std::string pem, read_pem(*config->ca_file));
    SYNOD_RETURN_IF_ERROR(check_certificate(pem, *config->ca_file));
  }
  if (config->certificate_chain_file) {
    SYNOD_RETURN_IF_ERROR(check_files(*config->certificate_chain_file, *config->private_key_file));
  }
  auto provider = std::make_shared<tls::FileWatcherCertificateProvider>(config->private_key_file.value_or(""),
                                                                        config->certificate_chain_file.value_or(""),
                                                                        config->ca_file.value_or(""), refresh_seconds);
  tls::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(provider);
  if (config->ca_file) options.watch_root_certs();
  if (config->certificate_chain_file) options.watch_identity_key_cert_pairs();
  return tls::TlsCredentials(options);
}

}  // namespace synod::rpc
