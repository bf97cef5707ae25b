// Signatures over multihashes.
// Facts: a signature is over the 34 multihash bytes; Ed25519 → CONCAT (64 bytes), ECDSA → DER; Signature.scala.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/hash.h"
#include "crypto/keys.h"

namespace com::digitalasset::canton::crypto::v30 {
class Signature;
}

namespace synod::crypto {

enum class SignatureFormat : int { raw = 1, der = 2, concat = 3 };
enum class SigningAlgorithm : int { ed25519 = 1, ecdsa_sha256 = 2, ecdsa_sha384 = 3 };

// A short-lived session key, vouched for by the long-term key that the signature names (signed_by).
struct SignatureDelegation {
  Bytes session_key_spki;
  SigningKeySpec session_key_spec = SigningKeySpec::ed25519;
  Timestamp valid_from;             // inclusive
  std::uint32_t valid_seconds = 0;  // exclusive end = valid_from + valid_seconds
  SignatureFormat format = SignatureFormat::concat;
  Bytes signature;  // by the long-term key over delegation_hash()
  SigningAlgorithm algorithm = SigningAlgorithm::ed25519;
  bool operator==(const SignatureDelegation&) const = default;
};

struct Signature {
  SignatureFormat format = SignatureFormat::concat;
  Bytes bytes;
  // As on the wire: the long-term key. With a delegation it signed the delegation, and the session key signed the
  // message.
  Fingerprint signed_by;
  SigningAlgorithm algorithm = SigningAlgorithm::ed25519;
  std::optional<SignatureDelegation> delegation;
  bool operator==(const Signature&) const = default;

  static Result<Signature> from_proto(const v30::Signature& proto);
  void to_proto(v30::Signature& out) const;
};

// Deterministic for Ed25519. Does not look at the key's usages: choose the right key.
Signature sign(const Hash& hash, const SigningKeyPair& key);
// The same for what comes back to this process, as a sequencer's own batch does: that it is good is then known.
Signature sign_to_return(const Hash& hash, const SigningKeyPair& key);

// Is this signature over `hash` by `key`? `key` must be the one that signature.signed_by names. Without delegation
// only; says why not in the error (id SIGNATURE_CHECK_FAILED).
Status verify(const Hash& hash, const Signature& signature, const SigningPublicKey& key);
// Whether this process makes halves of P-256 signatures beforehand (crypto/ready_nonces.h); true unless said. Not where
// a snapshot of its memory may be resumed more than once. Thread rules: any thread.
void make_signatures_ready(bool wanted);
// P-256 keys that are met often are checked faster, once a thread beside has prepared for it. Is it at work? For
// measurements.
bool making_key_tables();

// What a long-term key signs to vouch for a session key; purpose 56. `synchronizer` is the logical id.
Hash delegation_hash(const Fingerprint& session_key, const SignatureDelegation& delegation,
                     std::string_view synchronizer);

// Checks a signature made with a session key: the delegation must be signed by `long_term` and valid at `at`.
Status verify_delegated(const Hash& hash, const Signature& signature, const SigningPublicKey& long_term,
                        std::string_view synchronizer, Timestamp at);

}  // namespace synod::crypto
