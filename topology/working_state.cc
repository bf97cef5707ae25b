#include "topology/working_state.h"

#include <algorithm>

namespace synod::topology {
namespace {

const HeadEntries kNone;

std::string key_of(MappingCode code, std::string_view subject) {
  std::string key(1, static_cast<char>(code));
  key += subject;
  return key;
}

}  // namespace

std::string state_key(MappingCode code, const protocol::UniqueId& uid) { return key_of(code, uid.to_string()); }
std::string state_key(MappingCode code, const Namespace& ns) { return key_of(code, ns); }
std::string state_key(const Mapping& mapping) {
  const auto uid = uid_of(mapping);
  return uid ? state_key(code_of(mapping), *uid) : state_key(code_of(mapping), namespace_of(mapping));
}

const HeadEntries& HeadState::at(const std::string& key) const {
  const auto it = entries.find(key);
  return it == entries.end() ? kNone : it->second;
}

const HeadEntries& WorkingState::at(const std::string& key) const {
  const auto it = changes_.find(key);
  return it == changes_.end() ? base_.at(key) : it->second;
}

const SignedTransaction* WorkingState::in_force(const Transaction& transaction) const {
  for (const auto& entry : at(state_key(transaction.mapping()))) {
    if (!entry.transaction->proposal() && entry.transaction->transaction().unique_key() == transaction.unique_key()) {
      return entry.transaction.get();
    }
  }
  return nullptr;
}

const SignedTransaction* WorkingState::open_proposal(const Transaction& transaction) const {
  for (const auto& entry : at(state_key(transaction.mapping()))) {
    if (entry.transaction->proposal() && entry.transaction->hash() == transaction.hash())
      return entry.transaction.get();
  }
  return nullptr;
}

std::vector<const SignedTransaction*> WorkingState::active(const std::string& key, Operation operation) const {
  std::vector<const SignedTransaction*> result;
  for (const auto& entry : at(key)) {
    if (!entry.transaction->proposal() && entry.transaction->transaction().operation() == operation) {
      result.push_back(entry.transaction.get());
    }
  }
  return result;
}

std::vector<const SignedTransaction*> WorkingState::active(MappingCode code, const protocol::UniqueId& uid) const {
  return active(state_key(code, uid), Operation::add_replace);
}

std::vector<const SignedTransaction*> WorkingState::active(MappingCode code, const Namespace& ns,
                                                           Operation operation) const {
  return active(state_key(code, ns), operation);
}

std::shared_ptr<const AuthorizationGraph> WorkingState::graph(const Namespace& ns) const {
  const auto key = state_key(MappingCode::namespace_delegation, ns);
  if (changes_.contains(key)) return std::make_shared<AuthorizationGraph>(ns, active(key, Operation::add_replace));
  auto& cached = base_.graphs[ns];
  if (!cached) cached = std::make_shared<AuthorizationGraph>(ns, active(key, Operation::add_replace));
  return cached;
}

const DecentralizedNamespace* WorkingState::decentralized(const Namespace& ns) const {
  const auto found = active(state_key(MappingCode::decentralized_namespace, ns), Operation::add_replace);
  return found.empty() ? nullptr : found.front()->transaction().as<DecentralizedNamespace>();
}

std::vector<std::size_t> WorkingState::accept(std::size_t id, SharedTransaction added) {
  const auto key = state_key(added->mapping());
  HeadEntries entries = at(key);
  std::vector<std::size_t> ended;
  std::erase_if(entries, [&](const HeadEntry& entry) {
    const auto& existing = *entry.transaction;
    bool ends = false;
    if (added->proposal()) {
      ends = existing.proposal() && existing.hash() == added->hash();
    } else if (existing.transaction().unique_key() == added->transaction().unique_key()) {
      // A decision ends what it replaces, and all proposals that it overtakes.
      ends = !existing.proposal() || existing.transaction().serial() <= added->transaction().serial();
    }
    if (ends) ended.push_back(entry.id);
    return ends;
  });
  entries.push_back({id, std::move(added)});
  changes_[key] = std::move(entries);
  return ended;
}

}  // namespace synod::topology
