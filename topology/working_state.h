// The head of the topology state while transactions are processed: what holds after everything seen so far, whether or
// not it is effective yet. A WorkingState lays changes over a HeadState, so that a batch can be tried and dropped.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "topology/authorization_graph.h"
#include "topology/transaction.h"

namespace synod::topology {

using SharedTransaction = std::shared_ptr<const SignedTransaction>;

// Transactions are found by kind and subject: the unique id they are about, or the namespace for namespace mappings.
std::string state_key(MappingCode code, const protocol::UniqueId& uid);
std::string state_key(MappingCode code, const Namespace& ns);
std::string state_key(const Mapping& mapping);

struct HeadEntry {
  std::size_t id;  // position in the history
  SharedTransaction transaction;
};
using HeadEntries = std::vector<HeadEntry>;  // in the order of their ids

// Accepted transactions that nothing has replaced, removals and open proposals among them.
struct HeadState {
  std::unordered_map<std::string, HeadEntries> entries;
  const HeadEntries& at(const std::string& key) const;
  // Graphs of namespaces, made when first asked for.
  mutable std::unordered_map<Namespace, std::shared_ptr<const AuthorizationGraph>> graphs;
};

class WorkingState {
 public:
  WorkingState(const HeadState& base, Namespace synchronizer_owner,
               const protocol::PhysicalSynchronizerId& synchronizer)
      : base_(base), synchronizer_owner_(std::move(synchronizer_owner)), synchronizer_(synchronizer) {}

  const HeadEntries& at(const std::string& key) const;
  // In force for the mapping's unique key, a removal included; null if none.
  const SignedTransaction* in_force(const Transaction& transaction) const;
  // The open proposal of exactly this transaction; null if none.
  const SignedTransaction* open_proposal(const Transaction& transaction) const;
  // In force, with this operation.
  std::vector<const SignedTransaction*> active(MappingCode code, const protocol::UniqueId& uid) const;
  std::vector<const SignedTransaction*> active(MappingCode code, const Namespace& ns,
                                               Operation operation = Operation::add_replace) const;

  std::shared_ptr<const AuthorizationGraph> graph(const Namespace& ns) const;
  const DecentralizedNamespace* decentralized(const Namespace& ns) const;

  // Takes an accepted transaction in and returns the ids of those that it ends.
  std::vector<std::size_t> accept(std::size_t id, SharedTransaction transaction);

  const std::unordered_map<std::string, HeadEntries>& changes() const { return changes_; }
  const Namespace& synchronizer_owner() const { return synchronizer_owner_; }
  const protocol::PhysicalSynchronizerId& synchronizer() const { return synchronizer_; }

 private:
  std::vector<const SignedTransaction*> active(const std::string& key, Operation operation) const;
  const HeadState& base_;
  Namespace synchronizer_owner_;
  const protocol::PhysicalSynchronizerId& synchronizer_;
  std::unordered_map<std::string, HeadEntries> changes_;
};

}  // namespace synod::topology
