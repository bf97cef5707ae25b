// Which signatures a synchronizer accepts: cryptography plus what its static parameters and the key's usages allow.
#pragma once

#include "base/result.h"
#include "crypto/sign.h"
#include "topology/parameters.h"

namespace synod::topology {

// As Canton reads them: no usage means all, and every key but a pure namespace key may prove that it is owned.
crypto::KeyUsages effective_usages(const crypto::SigningPublicKey& key);

// Key, algorithm and format are among those the synchronizer requires. Errors: SIGNATURE_CHECK_FAILED.
Status check_schemes(const StaticParameters& parameters, const crypto::Signature& signature,
                     const crypto::SigningPublicKey& key);

// A direct (not delegated) signature by `key`, which must have one of the usages. Errors: SIGNATURE_CHECK_FAILED.
Status verify_with_policy(const StaticParameters& parameters, const crypto::Hash& hash,
                          const crypto::Signature& signature, const crypto::SigningPublicKey& key,
                          const crypto::KeyUsages& allowed);

}  // namespace synod::topology
