#include "topology/member_keys.h"

namespace synod::topology {
namespace {

using crypto::KeyUsage;

Result<crypto::SigningPublicKey> key_for(crypto::KeyStore& keys, KeyUsage usage, const char* name, Random& random) {
  if (const auto found = keys.first_signing_key(usage)) return found->public_key();
  crypto::KeyUsages usages{usage};
  if (usage != KeyUsage::namespace_) usages.insert(KeyUsage::proof_of_ownership);
  // Every message is signed with the protocol key and checked by several others; OpenSSL is faster with P-256 at both.
  const auto spec = usage == KeyUsage::protocol ? crypto::SigningKeySpec::p256 : crypto::SigningKeySpec::ed25519;
  const auto pair = crypto::SigningKeyPair::generate(usages, random, spec);
  SYNOD_RETURN_IF_ERROR(keys.add(pair, name));
  return pair.public_key();
}

Result<crypto::SigningPublicKey> existing(const crypto::KeyStore& keys, KeyUsage usage, const char* name) {
  const auto found = keys.first_signing_key(usage);
  if (!found)
    return fail(
        failed_precondition("KEY_NOT_AVAILABLE", std::string("The ") + name + " key of this member is missing"));
  return found->public_key();
}

}  // namespace

Result<crypto::SigningPublicKey> open_member_keys(crypto::KeyStore& keys, bool encrypts, Random& random) {
  SYNOD_TRY(auto root, key_for(keys, KeyUsage::namespace_, "namespace", random));
  SYNOD_RETURN_IF_ERROR(key_for(keys, KeyUsage::sequencer_authentication, "authentication", random));
  SYNOD_RETURN_IF_ERROR(key_for(keys, KeyUsage::protocol, "protocol", random));
  if (encrypts && keys.encryption_keys().empty())
    SYNOD_RETURN_IF_ERROR(keys.add(crypto::EncryptionKeyPair::generate(random), "encryption"));
  return root;
}

Result<std::vector<PublicKey>> registered_keys(const crypto::KeyStore& keys) {
  SYNOD_TRY(auto authentication, existing(keys, KeyUsage::sequencer_authentication, "authentication"));
  SYNOD_TRY(auto signing, existing(keys, KeyUsage::protocol, "protocol"));
  std::vector<PublicKey> registered{std::move(authentication), std::move(signing)};
  for (const auto& key : keys.encryption_keys()) registered.emplace_back(key);
  return registered;
}

}  // namespace synod::topology
