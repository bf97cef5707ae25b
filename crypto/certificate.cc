#include "crypto/certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <array>

#include "base/bytes.h"
#include "base/env.h"
#include "crypto/hash.h"
#include "crypto/openssl_handles.h"

namespace synod::crypto {
namespace {

Error bad_certificate(std::string cause) {
  ERR_clear_error();
  return invalid_argument("INVALID_CERTIFICATE", std::move(cause));
}

std::string contents(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<std::size_t>(size));
}

std::string certificate_to_pem(X509* certificate) {
  BioPtr bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate);
  return contents(bio.get());
}

std::string key_to_pem(EVP_PKEY* key) {
  BioPtr bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return contents(bio.get());
}

X509Ptr certificate_from_pem(const std::string& pem) {
  BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return X509Ptr(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

PkeyPtr key_from_pem(const std::string& pem) {
  BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return PkeyPtr(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
}

bool add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool set_name(X509_NAME* name, const char* field, const std::string& value) {
  return value.empty() ||
         X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, raw(value), static_cast<int>(value.size()), -1, 0) == 1;
}

// Names come from configuration; a comma would begin a further entry of the extension's text.
bool plain(const std::string& name) { return !name.empty() && name.find_first_of(",\n:;\"") == std::string::npos; }

Result<std::string> alternative_names(const CertificateRequest& request) {
  std::string out;
  for (const std::string& name : request.dns_names) {
    if (!plain(name)) return fail(bad_certificate("`" + name + "` is no DNS name"));
    out += (out.empty() ? "DNS:" : ",DNS:") + name;
  }
  for (const std::string& address : request.ip_addresses) {
    if (address.find_first_not_of("0123456789abcdefABCDEF.:") != std::string::npos || address.empty())
      return fail(bad_certificate("`" + address + "` is no IP address"));
    out += (out.empty() ? "IP:" : ",IP:") + address;
  }
  return out;
}

// `issuer` and `issuer_key` are null for an authority, which signs itself.
Result<Certificate> make(const CertificateRequest& request, X509* issuer, EVP_PKEY* issuer_key) {
  const auto random = system_random();
  const PkeyPtr key = generate_p256(*random);
  X509Ptr certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  const Bytes serial = "\1" + random->bytes(15);
  BigNumber number(BN_bin2bn(raw(serial), static_cast<int>(serial.size()), nullptr));
  BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate.get()));
  // An hour back: clocks of other machines may be behind.
  const std::int64_t from = request.valid_from.micros / 1'000'000;
  if (!ASN1_TIME_set(X509_getm_notBefore(certificate.get()), from - 3600) ||
      !ASN1_TIME_set(X509_getm_notAfter(certificate.get()), from + request.valid_for.micros / 1'000'000))
    return fail(bad_certificate("the validity period is out of range"));
  // Some check the chain as of the certificate's first moment (Fabric's MSP).
  if (issuer && ASN1_TIME_compare(X509_get0_notBefore(issuer), X509_get0_notBefore(certificate.get())) > 0 &&
      !X509_set1_notBefore(certificate.get(), X509_get0_notBefore(issuer)))
    return fail(bad_certificate("the authority's validity period is out of range"));
  X509_NAME* name = X509_get_subject_name(certificate.get());
  if (!set_name(name, "O", request.organization) || !set_name(name, "OU", request.organizational_unit) ||
      !set_name(name, "CN", request.common_name))
    return fail(bad_certificate("the name `" + request.common_name + "` cannot stand in a certificate"));
  X509* signer = issuer ? issuer : certificate.get();
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(signer));
  X509_set_pubkey(certificate.get(), key.get());
  SYNOD_TRY(std::string alternatives, alternative_names(request));
  bool good = add_extension(certificate.get(), signer, NID_basic_constraints,
                            issuer ? "critical,CA:FALSE" : "critical,CA:TRUE") &&
              add_extension(certificate.get(), signer, NID_key_usage,
                            issuer ? "critical,digitalSignature,keyAgreement" : "critical,keyCertSign,cRLSign") &&
              add_extension(certificate.get(), signer, NID_subject_key_identifier, "hash");
  if (issuer) {
    good = good && add_extension(certificate.get(), signer, NID_ext_key_usage, "serverAuth,clientAuth") &&
           add_extension(certificate.get(), signer, NID_authority_key_identifier, "keyid");
    if (!alternatives.empty())
      good = good && add_extension(certificate.get(), signer, NID_subject_alt_name, alternatives);
  }
  if (!good) return fail(bad_certificate("an alternative name is not valid: " + alternatives));
  if (X509_sign(certificate.get(), issuer_key ? issuer_key : key.get(), EVP_sha256()) == 0)
    return fail(bad_certificate("the authority's key cannot sign"));
  return Certificate{certificate_to_pem(certificate.get()), key_to_pem(key.get())};
}

}  // namespace

Result<Certificate> make_certificate_authority(const CertificateRequest& request) {
  return make(request, nullptr, nullptr);
}

Result<Certificate> make_certificate(const CertificateRequest& request, const Certificate& authority) {
  const X509Ptr issuer = certificate_from_pem(authority.certificate_pem);
  const PkeyPtr key = key_from_pem(authority.private_key_pem);
  if (!issuer || !key) return fail(bad_certificate("the authority's certificate or key is not PEM"));
  if (X509_check_private_key(issuer.get(), key.get()) != 1)
    return fail(bad_certificate("the authority's key does not belong to its certificate"));
  return make(request, issuer.get(), key.get());
}

Result<std::string> certificate_der(const std::string& certificate_pem) {
  const X509Ptr certificate = certificate_from_pem(certificate_pem);
  if (!certificate) return fail(bad_certificate("not a PEM certificate"));
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate.get(), &der);
  if (size <= 0) return fail(bad_certificate("the certificate cannot be encoded"));
  std::string out(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

Result<std::string> certificate_fingerprint(const std::string& certificate_pem) {
  SYNOD_TRY(std::string der, certificate_der(certificate_pem));
  return to_hex(sha256(der));
}

}  // namespace synod::crypto
