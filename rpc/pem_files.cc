#include "rpc/pem_files.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

#include "base/files.h"

namespace synod::rpc {
namespace {

using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free)>;
using X509Ptr = std::unique_ptr<X509, decltype(&X509_free)>;
using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

Result<X509Ptr> first_certificate(const std::string& pem, const std::string& file) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  X509Ptr certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free);
  if (!certificate) return fail(tls_error(file, "holds no PEM certificate"));
  return certificate;
}

}  // namespace

Error tls_error(const std::string& file, const std::string& what) {
  return {"TLS_CONFIGURATION_INVALID", ErrorCategory::invalid_argument, file + ": " + what};
}

Result<std::string> read_pem(const std::string& file) {
  auto pem = file_bytes(file);
  if (!pem) return fail(tls_error(file, "cannot be read"));
  return std::move(*pem);
}

Status check_certificate(const std::string& pem, const std::string& file) {
  SYNOD_RETURN_IF_ERROR(first_certificate(pem, file));
  return {};
}

Status check_pair(const std::string& certificate_pem, const std::string& certificate_file, const std::string& key_pem,
                  const std::string& key_file) {
  SYNOD_TRY(const X509Ptr certificate, first_certificate(certificate_pem, certificate_file));
  const BioPtr bio(BIO_new_mem_buf(key_pem.data(), static_cast<int>(key_pem.size())), BIO_free);
  const KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  if (!key) return fail(tls_error(key_file, "holds no PEM private key without a passphrase"));
  if (X509_check_private_key(certificate.get(), key.get()) != 1)
    return fail(tls_error(key_file, "is not the key of the certificate in " + certificate_file));
  return {};
}

}  // namespace synod::rpc
