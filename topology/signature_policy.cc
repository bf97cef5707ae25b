#include "topology/signature_policy.h"

#include <algorithm>

namespace synod::topology {
namespace {

constexpr int kSpkiFormat = 4;

bool among(const std::vector<int>& allowed, int value) {
  return std::find(allowed.begin(), allowed.end(), value) != allowed.end();
}

Error refused(std::string cause) {
  return Error("SIGNATURE_CHECK_FAILED", ErrorCategory::malicious_or_faulty, std::move(cause));
}

}  // namespace

crypto::KeyUsages effective_usages(const crypto::SigningPublicKey& key) {
  using crypto::KeyUsage;
  auto usages = key.usages();
  usages.erase(KeyUsage::identity_delegation);
  if (usages.empty()) {
    return {KeyUsage::namespace_, KeyUsage::sequencer_authentication, KeyUsage::protocol, KeyUsage::proof_of_ownership};
  }
  if (usages != crypto::KeyUsages{KeyUsage::namespace_}) usages.insert(KeyUsage::proof_of_ownership);
  return usages;
}

Status check_schemes(const StaticParameters& parameters, const crypto::Signature& signature,
                     const crypto::SigningPublicKey& key) {
  if (!among(parameters.signature_formats, static_cast<int>(signature.format)))
    return fail(refused("the signature format is not allowed"));
  if (!among(parameters.key_formats, kSpkiFormat)) return fail(refused("the key format is not allowed"));
  if (!among(parameters.signing_keys, static_cast<int>(key.spec())))
    return fail(refused("the kind of signing key is not allowed"));
  if (!among(parameters.signing_algorithms, static_cast<int>(signature.algorithm)))
    return fail(refused("the signing algorithm is not allowed"));
  return {};
}

Status verify_with_policy(const StaticParameters& parameters, const crypto::Hash& hash,
                          const crypto::Signature& signature, const crypto::SigningPublicKey& key,
                          const crypto::KeyUsages& allowed) {
  SYNOD_RETURN_IF_ERROR(check_schemes(parameters, signature, key));
  if (!crypto::allows_any(effective_usages(key), allowed)) {
    return fail(refused("key " + key.fingerprint() + " has usages " + crypto::to_string(key.usages()) +
                        ", needed one of " + crypto::to_string(allowed)));
  }
  return crypto::verify(hash, signature, key);
}

}  // namespace synod::topology
