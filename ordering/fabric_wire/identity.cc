#include "ordering/fabric_wire/identity.h"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <mutex>

#include "base/check.h"
#include "base/files.h"
#include "base/log.h"
#include "fabric/msp.pb.h"

namespace synod::ordering::fabric_wire {
namespace {

using CertificatePtr = std::unique_ptr<X509, decltype(&X509_free)>;
using SignaturePtr = std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)>;
using NumberPtr = std::unique_ptr<BIGNUM, decltype(&BN_free)>;
using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free)>;
using DigestPtr = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

tl::unexpected<Error> invalid(std::string cause) {
  return fail(invalid_argument("ORDERING_IDENTITY_INVALID", std::move(cause)));
}

BioPtr reader(ByteView text) { return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free}; }

std::shared_ptr<void> shared_key(EVP_PKEY* key) {
  return {key, [](void* owned) { EVP_PKEY_free(static_cast<EVP_PKEY*>(owned)); }};
}
EVP_PKEY* native(const std::shared_ptr<void>& key) { return static_cast<EVP_PKEY*>(key.get()); }

bool is_p256(EVP_PKEY* key) {
  char group[64] = "";
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC && EVP_PKEY_get_group_name(key, group, sizeof group, nullptr) == 1 &&
         std::string_view(group) == "prime256v1";
}

Bytes der_of(X509* certificate) {
  unsigned char* out = nullptr;
  const int size = i2d_X509(certificate, &out);
  SYNOD_CHECK(size > 0);
  Bytes der(reinterpret_cast<char*>(out), static_cast<std::size_t>(size));
  OPENSSL_free(out);
  return der;
}

// The order of P-256, and its half: a signature with s above it is the twin of one below.
const BIGNUM* order() {
  static const EC_GROUP* group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
  return EC_GROUP_get0_order(group);
}
const BIGNUM* half_order() {
  static const BIGNUM* half = [] {
    BIGNUM* number = BN_dup(order());
    BN_rshift1(number, number);
    return number;
  }();
  return half;
}

SignaturePtr parse_signature(ByteView der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const auto* end = at + der.size();
  SignaturePtr signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())), ECDSA_SIG_free);
  if (at != end) signature.reset();
  return signature;
}

Bytes with_low_s(const Bytes& der) {
  const SignaturePtr signature = parse_signature(der);
  SYNOD_CHECK(signature);
  if (BN_cmp(ECDSA_SIG_get0_s(signature.get()), half_order()) <= 0) return der;
  NumberPtr r(BN_dup(ECDSA_SIG_get0_r(signature.get())), BN_free);
  NumberPtr s(BN_new(), BN_free);
  BN_sub(s.get(), order(), ECDSA_SIG_get0_s(signature.get()));
  ECDSA_SIG_set0(signature.get(), r.release(), s.release());
  unsigned char* out = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &out);
  Bytes low(reinterpret_cast<char*>(out), static_cast<std::size_t>(size));
  OPENSSL_free(out);
  return low;
}

Result<std::string> read_text(const std::string& path) {
  auto text = file_bytes(path);
  if (!text) return invalid("cannot read " + path);
  return std::move(*text);
}

// Of a file; changes with every replacement.
struct Stamp {
  ino_t file = 0;
  off_t size = 0;
  std::int64_t nanos = 0;
  bool operator==(const Stamp&) const = default;
};

Stamp stamp_of(const std::string& path) {
  struct stat found{};
  if (stat(path.c_str(), &found) != 0) return {};
  return {found.st_ino, found.st_size, found.st_mtim.tv_sec * std::int64_t{1'000'000'000} + found.st_mtim.tv_nsec};
}

}  // namespace

Result<SigningIdentity> SigningIdentity::from_pem(std::string msp_id, std::string certificate_pem,
                                                  const std::string& key_pem) {
  const CertificatePtr certificate(PEM_read_bio_X509(reader(certificate_pem).get(), nullptr, nullptr, nullptr),
                                   X509_free);
  if (!certificate) return invalid("the certificate is not PEM");
  SigningIdentity identity;
  identity.key_ = shared_key(PEM_read_bio_PrivateKey(reader(key_pem).get(), nullptr, nullptr, nullptr));
  if (!identity.key_) return invalid("the private key is not PEM");
  if (!is_p256(native(identity.key_))) return invalid("the private key is not an ECDSA P-256 key");
  if (X509_check_private_key(certificate.get(), native(identity.key_)) != 1)
    return invalid("private key and certificate do not belong together");
  msp::SerializedIdentity creator;
  creator.set_mspid(std::move(msp_id));
  creator.set_id_bytes(std::move(certificate_pem));
  identity.creator_ = creator.SerializeAsString();
  return identity;
}

class SigningIdentity::Files {
 public:
  Files(std::string msp_id, std::string certificate_file, std::string key_file)
      : msp_id_(std::move(msp_id)), certificate_file_(std::move(certificate_file)), key_file_(std::move(key_file)) {}

  Result<SigningIdentity> read() {
    std::lock_guard lock(mutex_);
    SYNOD_RETURN_IF_ERROR(follow());
    return *identity_;
  }
  SigningIdentity current() {
    std::lock_guard lock(mutex_);
    if (const Status read = follow(); !read && !said_) {
      log::info("ordering", "signs as before: {}", read.error().to_string());
      said_ = true;
    }
    return *identity_;
  }

 private:
  Status follow() {
    const std::pair now{stamp_of(certificate_file_), stamp_of(key_file_)};
    if (identity_ && now == seen_) return {};
    SYNOD_TRY(std::string certificate, read_text(certificate_file_));
    SYNOD_TRY(const std::string key, read_text(key_file_));
    SYNOD_TRY(identity_, from_pem(msp_id_, std::move(certificate), key));
    seen_ = now;
    said_ = false;
    return {};
  }

  const std::string msp_id_, certificate_file_, key_file_;
  std::mutex mutex_;
  std::optional<SigningIdentity> identity_;
  std::pair<Stamp, Stamp> seen_;  // before identity_ was read
  bool said_ = false;             // that the files are not usable
};

Result<SigningIdentity> SigningIdentity::from_files(std::string msp_id, const std::string& certificate_file,
                                                    const std::string& key_file) {
  const auto files = std::make_shared<Files>(std::move(msp_id), certificate_file, key_file);
  SYNOD_TRY(SigningIdentity identity, files->read());
  identity.files_ = files;
  return identity;
}

SigningIdentity SigningIdentity::current() const { return files_ ? files_->current() : *this; }

Bytes SigningIdentity::sign(ByteView message) const {
  const DigestPtr context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  Bytes der(80, '\0');
  std::size_t size = der.size();
  const bool signed_ = EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, native(key_)) == 1 &&
                       EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(der.data()), &size,
                                      reinterpret_cast<const unsigned char*>(message.data()), message.size()) == 1;
  SYNOD_CHECK(signed_);
  der.resize(size);
  return with_low_s(der);
}

std::optional<Bytes> certificate_hash(const std::string& pem) {
  const CertificatePtr certificate(PEM_read_bio_X509(reader(pem).get(), nullptr, nullptr, nullptr), X509_free);
  if (!certificate) return std::nullopt;
  const Bytes der = der_of(certificate.get());
  Bytes hash(32, '\0');
  SYNOD_CHECK(EVP_Digest(der.data(), der.size(), reinterpret_cast<unsigned char*>(hash.data()), nullptr, EVP_sha256(),
                         nullptr) == 1);
  return hash;
}

Result<TrustedClients> TrustedClients::from_pem(const std::vector<std::string>& certificates) {
  TrustedClients clients;
  for (const std::string& text : certificates) {
    const BioPtr source = reader(text);
    std::size_t found = 0;
    while (true) {
      const CertificatePtr certificate(PEM_read_bio_X509(source.get(), nullptr, nullptr, nullptr), X509_free);
      if (!certificate) break;
      std::shared_ptr<void> key = shared_key(X509_get_pubkey(certificate.get()));
      if (!key || !is_p256(native(key))) return invalid("a client certificate's key is not ECDSA P-256");
      clients.keys_.emplace_back(der_of(certificate.get()), std::move(key));
      ++found;
    }
    if (found == 0) return invalid("no PEM certificate in the text of a client certificate");
  }
  return clients;
}

Status TrustedClients::verify(ByteView creator, ByteView message, ByteView signature) const {
  const auto denied = [](std::string cause) {
    return fail(Error("ORDERING_NOT_AUTHORIZED", ErrorCategory::permission, std::move(cause)));
  };
  msp::SerializedIdentity identity;
  if (!identity.ParseFromArray(creator.data(), static_cast<int>(creator.size())))
    return denied("the creator is not a serialised identity");
  const CertificatePtr certificate(PEM_read_bio_X509(reader(identity.id_bytes()).get(), nullptr, nullptr, nullptr),
                                   X509_free);
  if (!certificate) return denied("the creator holds no PEM certificate");
  const Bytes der = der_of(certificate.get());
  for (const auto& [known, key] : keys_) {
    if (known != der) continue;
    const SignaturePtr parsed = parse_signature(signature);
    if (!parsed || BN_cmp(ECDSA_SIG_get0_s(parsed.get()), half_order()) > 0)
      return denied("the signature is not in DER with a low S");
    const DigestPtr context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    const bool valid =
        EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, native(key)) == 1 &&
        EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                         reinterpret_cast<const unsigned char*>(message.data()), message.size()) == 1;
    if (!valid) return denied("the signature does not verify");
    return {};
  }
  return denied("the certificate of " + identity.mspid() + " is not among the configured clients");
}

}  // namespace synod::ordering::fabric_wire
