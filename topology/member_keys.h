// The keys that every member has: made at its first start, found again later.
#pragma once

#include <vector>

#include "base/env.h"
#include "base/result.h"
#include "crypto/keys.h"
#include "topology/mapping.h"

namespace synod::topology {

// Makes those that are missing in `keys`: namespace and sequencer authentication key (Ed25519), protocol key (P-256),
// and with `encrypts` an encryption key (P-256): whoever may be sent a view needs one. Returns the namespace key, which
// decides the member's id. Errors: those of KeyStore::add.
Result<crypto::SigningPublicKey> open_member_keys(crypto::KeyStore& keys, bool encrypts, Random& random);

// What belongs into the member's key mapping: authentication, protocol and encryption keys. Error: KEY_NOT_AVAILABLE.
Result<std::vector<PublicKey>> registered_keys(const crypto::KeyStore& keys);

}  // namespace synod::topology
