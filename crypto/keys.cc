#include "crypto/keys.h"

#include <openssl/core_names.h>
#include <openssl/err.h>

#include <mutex>
#include <unordered_map>

#include "base/check.h"
#include "canton/crypto_v30.pb.h"
#include "crypto/hash.h"
#include "crypto/openssl_handles.h"

namespace synod::crypto {
namespace {

std::shared_ptr<EVP_PKEY> share(PkeyPtr key) { return {key.release(), EVP_PKEY_free}; }

// Which kind of key this is, as OpenSSL names it; empty if none of ours.
std::string kind_of(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "ED25519")) return "ED25519";
  if (EVP_PKEY_is_a(key, "RSA")) return "RSA";
  if (!EVP_PKEY_is_a(key, "EC")) return {};
  char group[80] = {};
  std::size_t size = 0;
  if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, &size) != 1) return {};
  return std::string(group, size);
}

const char* expected_kind(SigningKeySpec spec) {
  switch (spec) {
    case SigningKeySpec::ed25519:
      return "ED25519";
    case SigningKeySpec::p256:
      return "prime256v1";
    case SigningKeySpec::p384:
      return "secp384r1";
    case SigningKeySpec::secp256k1:
      return "secp256k1";
  }
  return "";
}

const char* expected_kind(EncryptionKeySpec spec) { return spec == EncryptionKeySpec::p256 ? "prime256v1" : "RSA"; }

Error bad_key(std::string cause) { return malformed("public key", std::move(cause)); }

// The same keys come again and again in topology transactions; parsing and checking a curve point is slow.
class ParsedKeys {
 public:
  Result<std::shared_ptr<EVP_PKEY>> parse(ByteView spki) {
    {
      std::lock_guard lock(mutex_);
      auto it = known_.find(std::string(spki));
      if (it != known_.end()) return it->second;
    }
    if (spki.size() > kMaxKeyBytes) return fail(bad_key("longer than " + std::to_string(kMaxKeyBytes) + " bytes"));
    const unsigned char* at = raw(spki);
    PkeyPtr parsed(d2i_PUBKEY(nullptr, &at, static_cast<long>(spki.size())));
    ERR_clear_error();
    if (!parsed || at != raw(spki) + spki.size()) return fail(bad_key("not a DER SubjectPublicKeyInfo"));
    if (EVP_PKEY_is_a(parsed.get(), "EC")) {
      PkeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, parsed.get(), nullptr));
      const bool good = EVP_PKEY_public_check(context.get()) == 1;
      ERR_clear_error();
      if (!good) return fail(bad_key("the point is not on its curve"));
    }
    std::shared_ptr<EVP_PKEY> shared = share(std::move(parsed));
    std::lock_guard lock(mutex_);
    if (known_.size() >= kMaxKeys) known_.clear();
    known_.emplace(std::string(spki), shared);
    return shared;
  }

 private:
  static constexpr std::size_t kMaxKeys = 16'384;
  static constexpr std::size_t kMaxKeyBytes = 2'048;
  std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<EVP_PKEY>> known_;
};

ParsedKeys& parsed_keys() {
  static ParsedKeys* const keys = new ParsedKeys;
  return *keys;
}

Bytes spki_of(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  SYNOD_CHECK(size > 0);
  Bytes out(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

Bytes pkcs8_of(EVP_PKEY* key) {
  std::unique_ptr<PKCS8_PRIV_KEY_INFO, Deleter<PKCS8_PRIV_KEY_INFO_free>> info(EVP_PKEY2PKCS8(key));
  SYNOD_CHECK(info != nullptr);
  unsigned char* der = nullptr;
  const int size = i2d_PKCS8_PRIV_KEY_INFO(info.get(), &der);
  SYNOD_CHECK(size > 0);
  Bytes out(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_clear_free(der, static_cast<std::size_t>(size));
  return out;
}

Result<std::shared_ptr<EVP_PKEY>> parse_pkcs8(ByteView pkcs8) {
  const unsigned char* at = raw(pkcs8);
  std::unique_ptr<PKCS8_PRIV_KEY_INFO, Deleter<PKCS8_PRIV_KEY_INFO_free>> info(
      d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(pkcs8.size())));
  PkeyPtr key(info ? EVP_PKCS82PKEY(info.get()) : nullptr);
  ERR_clear_error();
  if (!key) return fail(malformed("private key", "not a DER PKCS#8 PrivateKeyInfo"));
  return share(std::move(key));
}

}  // namespace

std::string to_string(const KeyUsages& usages) {
  std::string out;
  for (KeyUsage usage : usages) {
    if (!out.empty()) out += ", ";
    switch (usage) {
      case KeyUsage::namespace_:
        out += "namespace";
        break;
      case KeyUsage::identity_delegation:
        out += "identity delegation";
        break;
      case KeyUsage::sequencer_authentication:
        out += "sequencer authentication";
        break;
      case KeyUsage::protocol:
        out += "protocol";
        break;
      case KeyUsage::proof_of_ownership:
        out += "proof of ownership";
        break;
    }
  }
  return out;
}

bool allows_any(const KeyUsages& have, const KeyUsages& wanted) {
  for (KeyUsage usage : wanted)
    if (have.count(usage)) return true;
  return false;
}

Fingerprint fingerprint_of(bool ed25519, ByteView spki) {
  // RFC 8410: an Ed25519 SPKI is 12 fixed bytes and the 32 of the key.
  const ByteView hashed = ed25519 && spki.size() == 44 ? spki.substr(12) : spki;
  return hash(HashPurpose::public_key_fingerprint, hashed).hex();
}

struct SigningPublicKey::Impl {
  SigningKeySpec spec;
  Bytes spki;
  KeyUsages usages;
  Fingerprint fingerprint;
  std::shared_ptr<EVP_PKEY> native;
};

Result<SigningPublicKey> SigningPublicKey::create(SigningKeySpec spec, Bytes spki, KeyUsages usages) {
  SYNOD_TRY(std::shared_ptr<EVP_PKEY> native, parsed_keys().parse(spki));
  if (kind_of(native.get()) != expected_kind(spec))
    return fail(bad_key("the key is of another kind than its specification " + std::string(expected_kind(spec))));
  if (usages.empty()) return fail(bad_key("a signing key needs at least one usage"));
  Fingerprint fingerprint = fingerprint_of(spec == SigningKeySpec::ed25519, spki);
  return SigningPublicKey(std::make_shared<const Impl>(
      Impl{spec, std::move(spki), std::move(usages), std::move(fingerprint), std::move(native)}));
}

Result<SigningPublicKey> SigningPublicKey::from_proto(const v30::SigningPublicKey& proto) {
  if (proto.format() != v30::CRYPTO_KEY_FORMAT_DER_X509_SUBJECT_PUBLIC_KEY_INFO)
    return fail(bad_key("only the format DER_X509_SUBJECT_PUBLIC_KEY_INFO is supported"));
  const int spec = proto.key_spec();
  if (spec < 1 || spec > 4) return fail(bad_key("unknown signing key specification " + std::to_string(spec)));
  KeyUsages usages;
  for (int usage : proto.usage()) {
    if (usage < 1 || usage > 5) return fail(bad_key("unknown key usage " + std::to_string(usage)));
    usages.insert(static_cast<KeyUsage>(usage));
  }
  return create(static_cast<SigningKeySpec>(spec), proto.public_key(), std::move(usages));
}

void SigningPublicKey::to_proto(v30::SigningPublicKey& out) const {
  out.Clear();
  out.set_format(v30::CRYPTO_KEY_FORMAT_DER_X509_SUBJECT_PUBLIC_KEY_INFO);
  out.set_public_key(spki());
  for (KeyUsage usage : usages()) out.add_usage(static_cast<v30::SigningKeyUsage>(usage));
  out.set_key_spec(static_cast<v30::SigningKeySpec>(spec()));
}

SigningKeySpec SigningPublicKey::spec() const { return impl_->spec; }
const Bytes& SigningPublicKey::spki() const { return impl_->spki; }
const KeyUsages& SigningPublicKey::usages() const { return impl_->usages; }
const Fingerprint& SigningPublicKey::fingerprint() const { return impl_->fingerprint; }
EVP_PKEY* SigningPublicKey::native() const { return impl_->native.get(); }
bool SigningPublicKey::operator==(const SigningPublicKey& other) const {
  return impl_ == other.impl_ || (spki() == other.spki() && usages() == other.usages());
}

struct EncryptionPublicKey::Impl {
  EncryptionKeySpec spec;
  Bytes spki;
  Fingerprint fingerprint;
  std::shared_ptr<EVP_PKEY> native;
};

Result<EncryptionPublicKey> EncryptionPublicKey::create(EncryptionKeySpec spec, Bytes spki) {
  SYNOD_TRY(std::shared_ptr<EVP_PKEY> native, parsed_keys().parse(spki));
  if (kind_of(native.get()) != expected_kind(spec))
    return fail(bad_key("the key is of another kind than its specification " + std::string(expected_kind(spec))));
  Fingerprint fingerprint = fingerprint_of(false, spki);
  return EncryptionPublicKey(
      std::make_shared<const Impl>(Impl{spec, std::move(spki), std::move(fingerprint), std::move(native)}));
}

Result<EncryptionPublicKey> EncryptionPublicKey::from_proto(const v30::EncryptionPublicKey& proto) {
  if (proto.format() != v30::CRYPTO_KEY_FORMAT_DER_X509_SUBJECT_PUBLIC_KEY_INFO)
    return fail(bad_key("only the format DER_X509_SUBJECT_PUBLIC_KEY_INFO is supported"));
  const int spec = proto.key_spec();
  if (spec < 1 || spec > 2) return fail(bad_key("unknown encryption key specification " + std::to_string(spec)));
  return create(static_cast<EncryptionKeySpec>(spec), proto.public_key());
}

void EncryptionPublicKey::to_proto(v30::EncryptionPublicKey& out) const {
  out.Clear();
  out.set_format(v30::CRYPTO_KEY_FORMAT_DER_X509_SUBJECT_PUBLIC_KEY_INFO);
  out.set_public_key(spki());
  out.set_key_spec(static_cast<v30::EncryptionKeySpec>(spec()));
}

EncryptionKeySpec EncryptionPublicKey::spec() const { return impl_->spec; }
const Bytes& EncryptionPublicKey::spki() const { return impl_->spki; }
const Fingerprint& EncryptionPublicKey::fingerprint() const { return impl_->fingerprint; }
EVP_PKEY* EncryptionPublicKey::native() const { return impl_->native.get(); }

SigningKeyPair SigningKeyPair::generate(KeyUsages usages, Random& random, SigningKeySpec spec) {
  SYNOD_CHECK(spec == SigningKeySpec::ed25519 || spec == SigningKeySpec::p256);
  std::shared_ptr<EVP_PKEY> secret;
  if (spec == SigningKeySpec::ed25519) {
    const Bytes seed = random.bytes(32);
    secret = share(PkeyPtr(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, raw(seed), seed.size())));
  } else {
    secret = share(generate_p256(random));
  }
  SYNOD_CHECK(secret != nullptr);
  auto public_key = SigningPublicKey::create(spec, spki_of(secret.get()), std::move(usages));
  SYNOD_CHECK(public_key.has_value());
  return SigningKeyPair(std::move(*public_key), std::move(secret));
}

Result<SigningKeyPair> SigningKeyPair::from_pkcs8(SigningKeySpec spec, ByteView pkcs8, KeyUsages usages) {
  SYNOD_TRY(std::shared_ptr<EVP_PKEY> secret, parse_pkcs8(pkcs8));
  if (kind_of(secret.get()) != expected_kind(spec))
    return fail(malformed("private key", "the key is of another kind than its specification"));
  SYNOD_TRY(SigningPublicKey public_key, SigningPublicKey::create(spec, spki_of(secret.get()), std::move(usages)));
  return SigningKeyPair(std::move(public_key), std::move(secret));
}

Bytes SigningKeyPair::pkcs8() const { return pkcs8_of(private_key_.get()); }

EncryptionKeyPair EncryptionKeyPair::generate(Random& random) {
  std::shared_ptr<EVP_PKEY> secret = share(generate_p256(random));
  auto public_key = EncryptionPublicKey::create(EncryptionKeySpec::p256, spki_of(secret.get()));
  SYNOD_CHECK(public_key.has_value());
  return EncryptionKeyPair(std::move(*public_key), std::move(secret));
}

Result<EncryptionKeyPair> EncryptionKeyPair::from_pkcs8(EncryptionKeySpec spec, ByteView pkcs8) {
  SYNOD_TRY(std::shared_ptr<EVP_PKEY> secret, parse_pkcs8(pkcs8));
  if (kind_of(secret.get()) != expected_kind(spec))
    return fail(malformed("private key", "the key is of another kind than its specification"));
  SYNOD_TRY(EncryptionPublicKey public_key, EncryptionPublicKey::create(spec, spki_of(secret.get())));
  return EncryptionKeyPair(std::move(public_key), std::move(secret));
}

Bytes EncryptionKeyPair::pkcs8() const { return pkcs8_of(private_key_.get()); }

}  // namespace synod::crypto
