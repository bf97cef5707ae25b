#include "rpc/tls.h"

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <fstream>
#include <sstream>

namespace synod::rpc {
namespace {

constexpr unsigned refresh_seconds = 10;  // how often changed files are looked for

Error tls_error(const std::string& file, const std::string& what) {
  return {"TLS_CONFIGURATION_INVALID", ErrorCategory::invalid_argument, file + ": " + what};
}

Result<std::string> read_pem(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return fail(tls_error(file, "cannot be read"));
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free)>;
using X509Ptr = std::unique_ptr<X509, decltype(&X509_free)>;
using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

Result<X509Ptr> first_certificate(const std::string& file) {
  SYNOD_TRY(const std::string pem, read_pem(file));
  BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  X509Ptr certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free);
  if (!certificate) return fail(tls_error(file, "holds no PEM certificate"));
  return certificate;
}

Status check_pair(const std::string& certificate_file, const std::string& key_file) {
  SYNOD_TRY(const X509Ptr certificate, first_certificate(certificate_file));
  SYNOD_TRY(const std::string pem, read_pem(key_file));
  BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  if (!key) return fail(tls_error(key_file, "holds no PEM private key without a passphrase"));
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    return fail(tls_error(key_file, "is not the key of the certificate in " + certificate_file));
  }
  return {};
}

}  // namespace

namespace tls = grpc::experimental;

Result<std::shared_ptr<grpc::ServerCredentials>> server_credentials(const std::optional<ServerTls>& config) {
  if (!config) return grpc::InsecureServerCredentials();
  SYNOD_RETURN_IF_ERROR(check_pair(config->certificate_chain_file, config->private_key_file));
  if (config->client_ca_file) SYNOD_RETURN_IF_ERROR(first_certificate(*config->client_ca_file));
  auto provider = std::make_shared<tls::FileWatcherCertificateProvider>(
      config->private_key_file, config->certificate_chain_file, config->client_ca_file.value_or(""), refresh_seconds);
  tls::TlsServerCredentialsOptions options(provider);
  options.watch_identity_key_cert_pairs();
  if (config->client_ca_file) {
    options.watch_root_certs();
    options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  } else {
    options.set_cert_request_type(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  }
  return tls::TlsServerCredentials(options);
}

Result<std::shared_ptr<grpc::ChannelCredentials>> channel_credentials(const std::optional<ClientTls>& config) {
  if (!config) return grpc::InsecureChannelCredentials();
  if (config->certificate_chain_file.has_value() != config->private_key_file.has_value()) {
    return fail(tls_error(config->certificate_chain_file.value_or(config->private_key_file.value_or("")),
                          "a client certificate needs both its chain and its key"));
  }
  if (!config->ca_file && !config->certificate_chain_file) return grpc::SslCredentials({});
  if (config->ca_file) SYNOD_RETURN_IF_ERROR(first_certificate(*config->ca_file));
  if (config->certificate_chain_file) {
    SYNOD_RETURN_IF_ERROR(check_pair(*config->certificate_chain_file, *config->private_key_file));
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
