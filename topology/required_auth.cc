#include "topology/required_auth.h"

#include <algorithm>
#include <map>

namespace synod::topology {
namespace {

using Clauses = std::vector<std::vector<Authorizations>>;

Authorizations namespaces(std::set<Namespace> list, std::set<Fingerprint> keys = {}) {
  return {std::move(list), std::move(keys)};
}

// Keys of `current` that `previous` did not register. Keys are compared with their usages, as Canton does.
std::set<Fingerprint> new_keys(const Mapping& current, const Mapping* previous) {
  std::set<Fingerprint> result;
  const auto before = previous ? mapped_signing_keys(*previous) : std::vector<crypto::SigningPublicKey>{};
  for (const auto& key : mapped_signing_keys(current)) {
    if (std::find(before.begin(), before.end(), key) == before.end()) result.insert(key.fingerprint());
  }
  return result;
}

Clauses decentralized_auth(const DecentralizedNamespace& current, const Transaction* previous) {
  const auto* before = previous ? previous->as<DecentralizedNamespace>() : nullptr;
  std::set<Namespace> needed(current.owners.begin(), current.owners.end());
  if (before && before->ns == current.ns) {
    for (const auto& owner : before->owners) needed.erase(owner);
    needed.insert(current.ns);
  }
  return {{namespaces(std::move(needed))}};
}

bool same_keys(const std::optional<SigningKeysWithThreshold>& a, const std::optional<SigningKeysWithThreshold>& b) {
  return a == b;
}

std::set<Fingerprint> fingerprints(const std::optional<SigningKeysWithThreshold>& keys) {
  std::set<Fingerprint> result;
  if (keys) {
    for (const auto& key : keys->keys) result.insert(key.fingerprint());
  }
  return result;
}

Clauses party_auth(const PartyToParticipant& current, const PartyToParticipant* previous, bool relaxed) {
  const auto& party = current.party.ns();
  Clauses clauses;
  const auto require = [&](Authorizations auth) { clauses.push_back({std::move(auth)}); };
  const auto party_or = [&](const Namespace& other) { clauses.push_back({namespaces({party}), namespaces({other})}); };

  if (!previous || previous->threshold != current.threshold) require(namespaces({party}));

  const auto before_keys = previous ? previous->signing_keys : std::nullopt;
  std::set<Fingerprint> added_keys = fingerprints(current.signing_keys);
  for (const auto& key : fingerprints(before_keys)) added_keys.erase(key);
  if (!same_keys(current.signing_keys, before_keys)) require(namespaces({party}, added_keys));

  std::map<protocol::UniqueId, HostingParticipant> before;
  if (previous) {
    for (const auto& host : previous->participants) before.emplace(host.participant, host);
  }
  std::set<Namespace> added{party};
  std::set<protocol::UniqueId> now;
  bool any_added = false;
  for (const auto& host : current.participants) {
    now.insert(host.participant);
    const auto it = before.find(host.participant);
    if (it == before.end()) {
      added.insert(host.participant.ns());
      any_added = true;
      continue;
    }
    const auto& old = it->second;
    // Ending an onboarding is the participant's word; declaring one again is the party's.
    if (old.onboarding && !host.onboarding) require(namespaces({host.participant.ns()}));
    if (!old.onboarding && host.onboarding) require(namespaces({party}));
    if (old.permission < host.permission) {
      require(relaxed ? namespaces({party}) : namespaces({party, host.participant.ns()}));
    } else if (old.permission > host.permission) {
      party_or(host.participant.ns());
    }
  }
  if (any_added) require(namespaces(added));
  for (const auto& [participant, host] : before) {
    if (!now.contains(participant)) party_or(participant.ns());
  }
  if (clauses.empty()) require(namespaces(added, added_keys));
  return clauses;
}

Clauses clauses_of(const Transaction& transaction, const Transaction* previous, bool relaxed) {
  const Transaction* replaced = previous && previous->operation() == Operation::add_replace ? previous : nullptr;
  const auto& mapping = transaction.mapping();
  if (const auto* m = transaction.as<DecentralizedNamespace>()) return decentralized_auth(*m, previous);
  if (const auto* m = transaction.as<PartyToParticipant>()) {
    return party_auth(*m, replaced ? replaced->as<PartyToParticipant>() : nullptr, relaxed);
  }
  if (transaction.as<OwnerToKey>() || transaction.as<PartyToKey>()) {
    return {{namespaces({namespace_of(mapping)}, new_keys(mapping, replaced ? &replaced->mapping() : nullptr))}};
  }
  if (const auto* m = transaction.as<ParticipantPermission>()) return {{namespaces({m->synchronizer.ns()})}};
  if (const auto* m = transaction.as<PartyHostingLimits>()) return {{namespaces({m->synchronizer.ns()})}};
  return {{namespaces({namespace_of(mapping)})}};
}

}  // namespace

void Authorizations::add(const Authorizations& other) {
  namespaces.insert(other.namespaces.begin(), other.namespaces.end());
  extra_keys.insert(other.extra_keys.begin(), other.extra_keys.end());
}

bool Authorizations::covers(const Authorizations& needed) const { return needed.minus(*this).empty(); }

Authorizations Authorizations::minus(const Authorizations& other) const {
  Authorizations result;
  for (const auto& ns : namespaces) {
    if (!other.namespaces.contains(ns)) result.namespaces.insert(ns);
  }
  for (const auto& key : extra_keys) {
    if (!other.extra_keys.contains(key)) result.extra_keys.insert(key);
  }
  return result;
}

Authorizations RequiredAuth::referenced() const {
  Authorizations result;
  for (const auto& clause : clauses) {
    for (const auto& alternative : clause) result.add(alternative);
  }
  if (otherwise) result.add(*otherwise);
  return result;
}

Authorizations RequiredAuth::missing(const Authorizations& given) const {
  Authorizations open;
  for (const auto& clause : clauses) {
    if (std::none_of(clause.begin(), clause.end(),
                     [&](const auto& alternative) { return given.covers(alternative); })) {
      open.add(clause.back().minus(given));
    }
  }
  if (!open.empty() && otherwise) {
    if (given.covers(*otherwise)) return {};
    return otherwise->minus(given);
  }
  return open;
}

RequiredAuth required_auth(const Transaction& transaction, const Transaction* previous,
                           const Namespace& synchronizer_owner, bool relaxed) {
  RequiredAuth result{clauses_of(transaction, previous, relaxed), std::nullopt};
  if (transaction.operation() == Operation::remove) result.otherwise = namespaces({synchronizer_owner});
  return result;
}

}  // namespace synod::topology
