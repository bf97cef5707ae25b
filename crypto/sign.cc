#include "crypto/sign.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <atomic>
#include <unordered_map>

#include "base/check.h"
#include "canton/crypto_v30.pb.h"
#include "crypto/frequent_keys.h"
#include "crypto/openssl_handles.h"
#include "crypto/ready_nonces.h"
#include "crypto/verified_signatures.h"

namespace synod::crypto {
namespace {

Error bad_signature(std::string cause) {
  return Error("SIGNATURE_CHECK_FAILED", ErrorCategory::malicious_or_faulty, std::move(cause));
}

// What others write may be any number; only within the range of time it may be added to.
bool in_range(Timestamp time) { return time >= Timestamp::min() && time <= Timestamp::max(); }

// Fetched once, as in hash.cc.
const EVP_MD* digest_of(SigningAlgorithm algorithm) {
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  static const EVP_MD* const sha384 = EVP_MD_fetch(nullptr, "SHA384", nullptr);
  switch (algorithm) {
    case SigningAlgorithm::ed25519:
      return nullptr;
    case SigningAlgorithm::ecdsa_sha256:
      return sha256;
    case SigningAlgorithm::ecdsa_sha384:
      return sha384;
  }
  return nullptr;
}

// Which algorithms a kind of key takes (CryptoProvider.scala: secp256k1 signs with SHA-256).
bool fits(SigningKeySpec spec, SigningAlgorithm algorithm) {
  switch (spec) {
    case SigningKeySpec::ed25519:
      return algorithm == SigningAlgorithm::ed25519;
    case SigningKeySpec::p256:
    case SigningKeySpec::secp256k1:
      return algorithm == SigningAlgorithm::ecdsa_sha256;
    case SigningKeySpec::p384:
      return algorithm == SigningAlgorithm::ecdsa_sha384;
  }
  return false;
}

SigningAlgorithm algorithm_of(SigningKeySpec spec) {
  switch (spec) {
    case SigningKeySpec::ed25519:
      return SigningAlgorithm::ed25519;
    case SigningKeySpec::p384:
      return SigningAlgorithm::ecdsa_sha384;
    default:
      return SigningAlgorithm::ecdsa_sha256;
  }
}

// ECDSA contexts by key, ready for use: a fresh one looks up its algorithms first, which takes a third of the time of a
// signature, so each thread keeps some. A context holds its key; no other key can come to have its address meanwhile.
class ReadyContexts {
 public:
  using Init = int (*)(EVP_PKEY_CTX*);
  explicit ReadyContexts(Init init) : init_(init) {}

  // Null: the key is not made for this.
  EVP_PKEY_CTX* get(EVP_PKEY* key, SigningAlgorithm algorithm) {
    if (const auto known = contexts_.find(key); known != contexts_.end()) return known->second.get();
    PkeyContext context(EVP_PKEY_CTX_new(key, nullptr));
    if (!context || init_(context.get()) != 1 ||
        EVP_PKEY_CTX_set_signature_md(context.get(), digest_of(algorithm)) != 1)
      return nullptr;
    if (contexts_.size() >= kKept) contexts_.clear();
    return contexts_.emplace(key, std::move(context)).first->second.get();
  }

 private:
  static constexpr std::size_t kKept = 64;  // a thread
  const Init init_;
  std::unordered_map<const EVP_PKEY*, PkeyContext> contexts_;  // a key has one algorithm: fits()
};

// What ECDSA works on.
struct MessageDigest {
  MessageDigest(ByteView message, SigningAlgorithm algorithm) {
    SYNOD_CHECK(EVP_Digest(message.data(), message.size(), bytes, &size, digest_of(algorithm), nullptr) == 1);
  }
  ByteView view() const { return {reinterpret_cast<const char*>(bytes), size}; }
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
};

bool check_ed25519(ByteView message, ByteView signature, const SigningPublicKey& key) {
  const DigestContext context(EVP_MD_CTX_new());
  return EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.native()) == 1 &&
         EVP_DigestVerify(context.get(), raw(signature), signature.size(), raw(message), message.size()) == 1;
}

bool check_ecdsa(ByteView message, ByteView signature, SigningAlgorithm algorithm, const SigningPublicKey& key) {
  thread_local ReadyContexts contexts(EVP_PKEY_verify_init);
  EVP_PKEY_CTX* context = contexts.get(key.native(), algorithm);
  const MessageDigest digest(message, algorithm);
  return context != nullptr &&
         EVP_PKEY_verify(context, raw(signature), signature.size(), digest.bytes, digest.size) == 1;
}

bool check_with_openssl(ByteView message, ByteView signature, SigningAlgorithm algorithm, const SigningPublicKey& key) {
  const bool good = algorithm == SigningAlgorithm::ed25519 ? check_ed25519(message, signature, key)
                                                           : check_ecdsa(message, signature, algorithm, key);
  if (!good) ERR_clear_error();
  return good;
}

Bytes sign_ed25519(ByteView message, const SigningKeyPair& key) {
  const DigestContext context(EVP_MD_CTX_new());
  SYNOD_CHECK(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.native()) == 1);
  Bytes signature(64, '\0');
  std::size_t size = signature.size();
  SYNOD_CHECK(EVP_DigestSign(context.get(), raw(signature), &size, raw(message), message.size()) == 1);
  return signature;
}

std::atomic<bool> signatures_made_ready = true;

ReadyNonces& ready_nonces() {
  static ReadyNonces ready;
  return ready;
}

Bytes sign_ecdsa(ByteView message, SigningAlgorithm algorithm, const SigningKeyPair& key) {
  const MessageDigest digest(message, algorithm);
  if (key.public_key().spec() == SigningKeySpec::p256 && signatures_made_ready)
    if (auto signature = ready_nonces().try_sign(key.native(), digest.view())) return std::move(*signature);
  thread_local ReadyContexts contexts(EVP_PKEY_sign_init);
  EVP_PKEY_CTX* context = contexts.get(key.native(), algorithm);
  SYNOD_CHECK(context != nullptr);
  Bytes signature(static_cast<std::size_t>(EVP_PKEY_get_size(key.native())), '\0');
  std::size_t size = signature.size();
  SYNOD_CHECK(EVP_PKEY_sign(context, raw(signature), &size, digest.bytes, digest.size) == 1);
  signature.resize(size);
  return signature;
}

FrequentKeys& frequent_keys() {
  static FrequentKeys frequent;
  return frequent;
}

VerifiedSignatures& verified_signatures() {
  static VerifiedSignatures verified;
  return verified;
}

Status check(ByteView message, SignatureFormat format, ByteView bytes, SigningAlgorithm algorithm,
             const SigningPublicKey& key) {
  if (!fits(key.spec(), algorithm))
    return fail(bad_signature("the signing algorithm does not fit key " + key.fingerprint()));
  const SignatureFormat expected =
      algorithm == SigningAlgorithm::ed25519 ? SignatureFormat::concat : SignatureFormat::der;
  if (format != expected) return fail(bad_signature("the signature has the wrong format for key " + key.fingerprint()));
  VerifiedSignatures& verified = verified_signatures();
  const VerifiedSignatures::Id id = VerifiedSignatures::id_of(message, bytes, key.fingerprint());
  if (verified.contains(id)) return {};
  const auto table = frequent_keys().table_for(key);
  if (table ? !table->verify(message, bytes) : !check_with_openssl(message, bytes, algorithm, key)) {
    return fail(bad_signature("the signature by key " + key.fingerprint() + " is wrong"));
  }
  verified.add(id);
  return {};
}

Result<SignatureFormat> format_from(int number) {
  if (number < 1 || number > 3) return fail(malformed("signature", "unknown format " + std::to_string(number)));
  return static_cast<SignatureFormat>(number);
}

// The algorithm may be missing in old messages; it then follows from the format.
Result<SigningAlgorithm> algorithm_from(int number, SignatureFormat format) {
  if (number == 0) return format == SignatureFormat::der ? SigningAlgorithm::ecdsa_sha256 : SigningAlgorithm::ed25519;
  if (number < 1 || number > 3) return fail(malformed("signature", "unknown algorithm " + std::to_string(number)));
  return static_cast<SigningAlgorithm>(number);
}

}  // namespace

Result<Signature> Signature::from_proto(const v30::Signature& proto) {
  Signature out;
  SYNOD_TRY(out.format, format_from(proto.format()));
  SYNOD_TRY(out.algorithm, algorithm_from(proto.signing_algorithm_spec(), out.format));
  out.bytes = proto.signature();
  out.signed_by = proto.signed_by();
  if (out.signed_by.empty() || out.signed_by.size() > 68)
    return fail(malformed("signature", "the fingerprint of the signing key has 1 to 68 characters"));
  if (!proto.has_signature_delegation()) return out;
  const v30::SignatureDelegation& from = proto.signature_delegation();
  SignatureDelegation delegation;
  if (from.session_key_spec() < 1 || from.session_key_spec() > 4)
    return fail(malformed("signature delegation", "unknown key specification"));
  if (from.validity_period_duration_seconds() == 0 || from.validity_period_duration_seconds() > 0x7fffffffu)
    return fail(malformed("signature delegation", "the validity period is not positive"));
  delegation.session_key_spki = from.session_key();
  delegation.session_key_spec = static_cast<SigningKeySpec>(from.session_key_spec());
  delegation.valid_from = Timestamp{from.validity_period_from_inclusive()};
  if (!in_range(delegation.valid_from))
    return fail(malformed("signature delegation", "the beginning of the validity period is out of range"));
  delegation.valid_seconds = from.validity_period_duration_seconds();
  SYNOD_TRY(delegation.format, format_from(from.format()));
  SYNOD_TRY(delegation.algorithm, algorithm_from(from.signing_algorithm_spec(), delegation.format));
  delegation.signature = from.signature();
  out.delegation = std::move(delegation);
  return out;
}

void Signature::to_proto(v30::Signature& out) const {
  out.Clear();
  out.set_format(static_cast<v30::SignatureFormat>(format));
  out.set_signature(bytes);
  out.set_signed_by(signed_by);
  out.set_signing_algorithm_spec(static_cast<v30::SigningAlgorithmSpec>(algorithm));
  if (!delegation) return;
  v30::SignatureDelegation& to = *out.mutable_signature_delegation();
  to.set_session_key(delegation->session_key_spki);
  to.set_session_key_spec(static_cast<v30::SigningKeySpec>(delegation->session_key_spec));
  to.set_validity_period_from_inclusive(delegation->valid_from.micros);
  to.set_validity_period_duration_seconds(delegation->valid_seconds);
  to.set_format(static_cast<v30::SignatureFormat>(delegation->format));
  to.set_signature(delegation->signature);
  to.set_signing_algorithm_spec(static_cast<v30::SigningAlgorithmSpec>(delegation->algorithm));
}

Signature sign(const Hash& hash, const SigningKeyPair& key) {
  Signature out;
  out.algorithm = algorithm_of(key.public_key().spec());
  out.format = out.algorithm == SigningAlgorithm::ed25519 ? SignatureFormat::concat : SignatureFormat::der;
  out.signed_by = key.fingerprint();
  out.bytes = out.algorithm == SigningAlgorithm::ed25519 ? sign_ed25519(hash.view(), key)
                                                         : sign_ecdsa(hash.view(), out.algorithm, key);
  return out;
}

Signature sign_to_return(const Hash& hash, const SigningKeyPair& key) {
  Signature out = sign(hash, key);
  verified_signatures().add(VerifiedSignatures::id_of(hash.view(), out.bytes, out.signed_by));
  return out;
}

void make_signatures_ready(bool wanted) { signatures_made_ready = wanted; }

bool making_key_tables() { return frequent_keys().busy(); }

Status verify(const Hash& hash, const Signature& signature, const SigningPublicKey& key) {
  if (signature.delegation) return fail(bad_signature("a session key signed, but a direct signature is required"));
  if (signature.signed_by != key.fingerprint())
    return fail(bad_signature("signed by " + signature.signed_by + ", not by " + key.fingerprint()));
  return check(hash.view(), signature.format, signature.bytes, signature.algorithm, key);
}

Hash delegation_hash(const Fingerprint& session_key, const SignatureDelegation& delegation,
                     std::string_view synchronizer) {
  // Session keys have the usages protocol and proof of ownership, always.
  Bytes usages;
  append_i32(usages, 2);
  append_i32(usages, static_cast<int>(KeyUsage::protocol));
  append_i32(usages, static_cast<int>(KeyUsage::proof_of_ownership));
  Bytes period;
  append_i64(period, delegation.valid_from.micros);
  append_i64(period, delegation.valid_seconds);
  return Hasher(HashPurpose::session_key_delegation)
      .add_string(session_key)
      .add_i32(static_cast<int>(delegation.session_key_spec))
      .add_i32(v30::CRYPTO_KEY_FORMAT_DER_X509_SUBJECT_PUBLIC_KEY_INFO)
      .add_bytes(usages)
      .add_bytes(period)
      .add_string(synchronizer)
      .finish();
}

Status verify_delegated(const Hash& hash, const Signature& signature, const SigningPublicKey& long_term,
                        std::string_view synchronizer, Timestamp at) {
  if (!signature.delegation) return verify(hash, signature, long_term);
  const SignatureDelegation& delegation = *signature.delegation;
  if (signature.signed_by != long_term.fingerprint())
    return fail(bad_signature("delegated by " + signature.signed_by + ", not by " + long_term.fingerprint()));
  if (!in_range(delegation.valid_from)) return fail(bad_signature("the validity of its session key is out of range"));
  const Timestamp end = delegation.valid_from + Duration::seconds(delegation.valid_seconds);
  if (at < delegation.valid_from || at >= end)
    return fail(bad_signature("the session key is not valid at " + at.to_string()));
  SYNOD_TRY(SigningPublicKey session_key,
            SigningPublicKey::create(delegation.session_key_spec, delegation.session_key_spki,
                                     {KeyUsage::protocol, KeyUsage::proof_of_ownership}));
  SYNOD_RETURN_IF_ERROR(check(delegation_hash(session_key.fingerprint(), delegation, synchronizer).view(),
                              delegation.format, delegation.signature, delegation.algorithm, long_term));
  return check(hash.view(), signature.format, signature.bytes, signature.algorithm, session_key);
}

}  // namespace synod::crypto
