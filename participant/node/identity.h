// Who a participant is: its keys, made at the first start, and what it says of itself when it joins a synchronizer.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/result.h"
#include "crypto/keys.h"
#include "protocol/ids.h"
#include "topology/transaction.h"

namespace synod::participant {

struct Identity {
  protocol::Member member;
  std::shared_ptr<crypto::KeyStore> keys;
};

// Makes the keys that are missing in `keys`: namespace, sequencer authentication, protocol (Ed25519), encryption
// (P-256).
Result<Identity> open_identity(std::shared_ptr<crypto::KeyStore> keys, const std::string& name, Random& random);

// Root certificate, key mapping and trust certificate, in this order and fully signed.
Result<std::vector<topology::SignedTransaction>> onboarding_transactions(const Identity& identity,
                                                                         const protocol::SynchronizerId& synchronizer);

}  // namespace synod::participant
