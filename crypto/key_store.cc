#include <mutex>

#include "crypto/keys.h"

namespace synod::crypto {
namespace {

class MemoryKeyStore final : public KeyStore {
 public:
  std::optional<SigningKeyPair> signing_key(const Fingerprint& fingerprint) const override {
    std::lock_guard lock(mutex_);
    for (const SigningKeyPair& key : signing_)
      if (key.fingerprint() == fingerprint) return key;
    return std::nullopt;
  }
  std::optional<EncryptionKeyPair> encryption_key(const Fingerprint& fingerprint) const override {
    std::lock_guard lock(mutex_);
    for (const EncryptionKeyPair& key : encryption_)
      if (key.fingerprint() == fingerprint) return key;
    return std::nullopt;
  }
  std::vector<SigningPublicKey> signing_keys() const override {
    std::lock_guard lock(mutex_);
    std::vector<SigningPublicKey> out;
    for (const SigningKeyPair& key : signing_) out.push_back(key.public_key());
    return out;
  }
  std::vector<EncryptionPublicKey> encryption_keys() const override {
    std::lock_guard lock(mutex_);
    std::vector<EncryptionPublicKey> out;
    for (const EncryptionKeyPair& key : encryption_) out.push_back(key.public_key());
    return out;
  }
  Status add(const SigningKeyPair& key, std::string) override {
    if (signing_key(key.fingerprint())) return {};
    std::lock_guard lock(mutex_);
    signing_.push_back(key);
    return {};
  }
  Status add(const EncryptionKeyPair& key, std::string) override {
    if (encryption_key(key.fingerprint())) return {};
    std::lock_guard lock(mutex_);
    encryption_.push_back(key);
    return {};
  }

 private:
  mutable std::mutex mutex_;
  std::vector<SigningKeyPair> signing_;
  std::vector<EncryptionKeyPair> encryption_;
};

}  // namespace

std::optional<SigningKeyPair> KeyStore::first_signing_key(KeyUsage usage) const {
  for (const SigningPublicKey& key : signing_keys())
    if (key.usages().count(usage)) return signing_key(key.fingerprint());
  return std::nullopt;
}

std::unique_ptr<KeyStore> memory_key_store() { return std::make_unique<MemoryKeyStore>(); }

}  // namespace synod::crypto
