// Which keys may sign for a namespace: those reachable from its root certificate along namespace delegations.
// Facts: AuthorizationGraph.scala.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "topology/transaction.h"

namespace synod::topology {

class AuthorizationGraph {
 public:
  // `delegations`: all namespace delegations in force for `ns`. Without a self-signed root certificate nothing is
  // authorised; delegations that hang in the air give nothing.
  AuthorizationGraph(const Namespace& ns, const std::vector<const SignedTransaction*>& delegations);

  // The key, if it may sign mappings of this kind for the namespace; null otherwise.
  const crypto::SigningPublicKey* authorized_key(const Fingerprint& key, MappingCode code) const;
  // All that may, the ones closest to the root first.
  std::vector<crypto::SigningPublicKey> authorized_keys(MappingCode code) const;
  bool has_root() const { return !reachable_.empty(); }

 private:
  struct Node {
    Transaction delegation;  // of NamespaceDelegation
    int level;
  };
  std::map<Fingerprint, Node> reachable_;
};

}  // namespace synod::topology
