// Public and private keys as Canton transports them, and the interface through which a node reaches its own.
// Facts: crypto_v30.proto, SigningKeys.scala; fingerprints as recipe 1 of the recordings.
// All key objects are cheap to copy (shared, immutable, parsed once) and may be used from any thread.
#pragma once

#include <compare>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/env.h"
#include "base/result.h"

struct evp_pkey_st;
namespace com::digitalasset::canton::crypto::v30 {
class SigningPublicKey;
class EncryptionPublicKey;
class PublicKey;
class SigningPrivateKey;
class EncryptionPrivateKey;
}  // namespace com::digitalasset::canton::crypto::v30

namespace synod::crypto {

namespace v30 = ::com::digitalasset::canton::crypto::v30;

// Lower-case hex of the multihash of a public key, 68 characters; also the namespace that the key roots.
using Fingerprint = std::string;

// Numbers are Canton's SigningKeySpec.
enum class SigningKeySpec : int { ed25519 = 1, p256 = 2, p384 = 3, secp256k1 = 4 };
// Numbers are Canton's EncryptionKeySpec.
enum class EncryptionKeySpec : int { p256 = 1, rsa_2048 = 2 };

// Numbers are Canton's SigningKeyUsage. A key that has any usage but proof_of_ownership must have that one too, unless
// it is a namespace key alone (SigningKeyUsage.scala); constructors here take what they are given.
enum class KeyUsage : int {
  namespace_ = 1,
  identity_delegation = 2,  // deprecated by Canton; parsed, never created
  sequencer_authentication = 3,
  protocol = 4,
  proof_of_ownership = 5,
};
using KeyUsages = std::set<KeyUsage>;
std::string to_string(const KeyUsages& usages);
bool allows_any(const KeyUsages& have, const KeyUsages& wanted);  // do they intersect?

class SigningPublicKey {
 public:
  // Checks that the DER SubjectPublicKeyInfo is a key of that kind, and on its curve.
  static Result<SigningPublicKey> create(SigningKeySpec spec, Bytes spki, KeyUsages usages);
  static Result<SigningPublicKey> from_proto(const v30::SigningPublicKey& proto);
  void to_proto(v30::SigningPublicKey& out) const;

  SigningKeySpec spec() const;
  const Bytes& spki() const;
  const KeyUsages& usages() const;
  const Fingerprint& fingerprint() const;
  evp_pkey_st* native() const;  // owned by this object

  // Equal when key and usages are; compare fingerprints to ask for the same key.
  bool operator==(const SigningPublicKey& other) const;

 private:
  struct Impl;
  explicit SigningPublicKey(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

class EncryptionPublicKey {
 public:
  static Result<EncryptionPublicKey> create(EncryptionKeySpec spec, Bytes spki);
  static Result<EncryptionPublicKey> from_proto(const v30::EncryptionPublicKey& proto);
  void to_proto(v30::EncryptionPublicKey& out) const;

  EncryptionKeySpec spec() const;
  const Bytes& spki() const;
  const Fingerprint& fingerprint() const;
  evp_pkey_st* native() const;
  bool operator==(const EncryptionPublicKey& other) const { return spki() == other.spki(); }

 private:
  struct Impl;
  explicit EncryptionPublicKey(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

// A public key together with its private half.
class SigningKeyPair {
 public:
  // Deterministic for the same randomness. Synod makes Ed25519 (default) and P-256 keys.
  static SigningKeyPair generate(KeyUsages usages, Random& random, SigningKeySpec spec = SigningKeySpec::ed25519);
  static Result<SigningKeyPair> from_pkcs8(SigningKeySpec spec, ByteView pkcs8, KeyUsages usages);

  const SigningPublicKey& public_key() const { return public_key_; }
  const Fingerprint& fingerprint() const { return public_key_.fingerprint(); }
  Bytes pkcs8() const;  // secret: DER PrivateKeyInfo, unencrypted
  evp_pkey_st* native() const { return private_key_.get(); }

 private:
  SigningKeyPair(SigningPublicKey public_key, std::shared_ptr<evp_pkey_st> private_key)
      : public_key_(std::move(public_key)), private_key_(std::move(private_key)) {}
  SigningPublicKey public_key_;
  std::shared_ptr<evp_pkey_st> private_key_;
};

class EncryptionKeyPair {
 public:
  static EncryptionKeyPair generate(Random& random);  // P-256
  static Result<EncryptionKeyPair> from_pkcs8(EncryptionKeySpec spec, ByteView pkcs8);

  const EncryptionPublicKey& public_key() const { return public_key_; }
  const Fingerprint& fingerprint() const { return public_key_.fingerprint(); }
  Bytes pkcs8() const;  // secret
  evp_pkey_st* native() const { return private_key_.get(); }

 private:
  EncryptionKeyPair(EncryptionPublicKey public_key, std::shared_ptr<evp_pkey_st> private_key)
      : public_key_(std::move(public_key)), private_key_(std::move(private_key)) {}
  EncryptionPublicKey public_key_;
  std::shared_ptr<evp_pkey_st> private_key_;
};

// The fingerprint of transported key bytes: Ed25519 keys are hashed as 32 raw bytes, all others as the whole SPKI.
Fingerprint fingerprint_of(bool ed25519, ByteView spki);

// Where a node keeps its private keys. Thread rules: any thread.
class KeyStore {
 public:
  virtual ~KeyStore() = default;
  virtual std::optional<SigningKeyPair> signing_key(const Fingerprint& fingerprint) const = 0;
  virtual std::optional<EncryptionKeyPair> encryption_key(const Fingerprint& fingerprint) const = 0;
  virtual std::vector<SigningPublicKey> signing_keys() const = 0;  // in the order in which they were added
  virtual std::vector<EncryptionPublicKey> encryption_keys() const = 0;
  // Durable when the call returns. Adding a known key again changes nothing.
  virtual Status add(const SigningKeyPair& key, std::string name) = 0;
  virtual Status add(const EncryptionKeyPair& key, std::string name) = 0;

  // The first key with that usage; none if there is none.
  std::optional<SigningKeyPair> first_signing_key(KeyUsage usage) const;
};

// Keys in memory only: tests, simulator.
std::unique_ptr<KeyStore> memory_key_store();

}  // namespace synod::crypto
