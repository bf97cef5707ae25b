// Whose signatures a topology transaction needs.
// Facts: RequiredAuth in TopologyMapping.scala; the cases of PartyToParticipant in its comment there.
#pragma once

#include <optional>
#include <set>
#include <vector>

#include "topology/transaction.h"

namespace synod::topology {

// Namespaces that must authorise, and keys that must sign although no namespace has delegated to them (new keys prove
// that somebody holds them).
struct Authorizations {
  std::set<Namespace> namespaces;
  std::set<Fingerprint> extra_keys;
  bool empty() const { return namespaces.empty() && extra_keys.empty(); }
  void add(const Authorizations& other);
  bool covers(const Authorizations& needed) const;
  Authorizations minus(const Authorizations& other) const;
};

// A conjunction of clauses, each satisfied by any one of its alternatives; or, for removals, by `otherwise` alone.
struct RequiredAuth {
  std::vector<std::vector<Authorizations>> clauses;
  std::optional<Authorizations> otherwise;

  Authorizations referenced() const;  // everything that occurs
  // What `given` leaves open; empty if satisfied.
  Authorizations missing(const Authorizations& given) const;
};

// `previous`: the transaction that is in force for the same unique key (possibly a removal), if any.
// `relaxed`: the rules of old genesis states, see state.h import().
RequiredAuth required_auth(const Transaction& transaction, const Transaction* previous,
                           const Namespace& synchronizer_owner, bool relaxed);

}  // namespace synod::topology
