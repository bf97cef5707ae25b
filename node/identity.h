// Who a node is: a name, and the keys in its folder. Made once, at the first start; the namespace key decides the id.
#pragma once

#include <memory>
#include <string>

#include "base/env.h"
#include "base/result.h"
#include "crypto/keys.h"
#include "protocol/ids.h"
#include "topology/genesis.h"

namespace synod::node {

struct Identity {
  protocol::Member member;
  std::shared_ptr<crypto::KeyStore> keys;  // namespace, authentication and protocol keys, Ed25519
  topology::MemberIdentity introduction;   // root certificate and key mapping, signed
};

// Opens the key folder `<data_folder>/keys`, and makes the keys that are missing. Errors: those of
// crypto::open_key_folder.
Result<Identity> open_identity(protocol::MemberKind kind, const std::string& name, const std::string& data_folder,
                               Random& random);

}  // namespace synod::node
