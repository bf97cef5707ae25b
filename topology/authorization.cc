#include "topology/authorization.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "topology/signature_policy.h"

namespace synod::topology {
namespace {

using crypto::KeyUsage;
using Keys = std::map<Fingerprint, crypto::SigningPublicKey>;

tl::unexpected<Rejection> unauthorized(std::string text) {
  return tl::unexpected(
      Rejection{"TOPOLOGY_UNAUTHORIZED_TRANSACTION", ErrorCategory::malicious_or_faulty, std::move(text)});
}

// A party's own key may authorise its hosting when the party's namespace is that key.
const crypto::SigningPublicKey* self_authorizing_key(const Mapping& mapping) {
  const auto* party = std::get_if<PartyToParticipant>(&mapping);
  if (!party || !party->signing_keys) return nullptr;
  for (const auto& key : party->signing_keys->keys) {
    if (key.fingerprint() == party->party.ns()) return &key;
  }
  return nullptr;
}

crypto::KeyUsages expected_usage(const Mapping& mapping, const Fingerprint& key) {
  if (const auto* self = self_authorizing_key(mapping); self && self->fingerprint() == key)
    return {KeyUsage::namespace_};
  const auto mapped = mapped_signing_keys(mapping);
  const bool is_mapped =
      std::any_of(mapped.begin(), mapped.end(), [&](const auto& k) { return k.fingerprint() == key; });
  if (is_mapped) return {KeyUsage::namespace_, KeyUsage::proof_of_ownership};
  return {KeyUsage::namespace_};
}

Decision<std::monostate> verify(const SignedTransaction& transaction, const StaticParameters& parameters,
                                const Keys& keys) {
  for (const auto& signature : transaction.signatures()) {
    const auto key = keys.find(signature.key());
    if (key == keys.end()) continue;
    const auto status = verify_with_policy(parameters, signature.signed_hash(transaction.hash()), signature.signature,
                                           key->second, expected_usage(transaction.mapping(), signature.key()));
    if (!status) {
      return tl::unexpected(
          Rejection{"TOPOLOGY_INVALID_TX_SIGNATURE", ErrorCategory::malicious_or_faulty, status.error().to_string()});
    }
  }
  return std::monostate{};
}

struct NamespaceSupport {
  bool authorized = false;
  Keys keys;  // of the signers that this namespace has delegated to
};

NamespaceSupport support_of(const WorkingState& state, const Namespace& ns, const SignedTransaction& transaction) {
  const auto code = transaction.transaction().code();
  NamespaceSupport result;
  const auto in_graph = [&](const Namespace& owner) {
    const auto graph = state.graph(owner);
    bool any = false;
    for (const auto& signature : transaction.signatures()) {
      if (const auto* key = graph->authorized_key(signature.key(), code)) {
        result.keys.emplace(signature.key(), *key);
        any = true;
      }
    }
    return any;
  };
  if (const auto* decentralized = state.decentralized(ns)) {
    std::uint32_t agreeing = 0;
    for (const auto& owner : decentralized->owners) agreeing += in_graph(owner) ? 1 : 0;
    result.authorized = agreeing >= decentralized->threshold;
  } else {
    result.authorized = in_graph(ns);
  }
  if (const auto* self = self_authorizing_key(transaction.mapping());
      self && self->fingerprint() == ns && transaction.signed_by(self->fingerprint())) {
    result.keys.emplace(self->fingerprint(), *self);
    result.authorized = true;
  }
  return result;
}

// New keys that signed, among those that may prove themselves here.
Keys extra_keys(const SignedTransaction& transaction, const std::set<Fingerprint>& permissible) {
  Keys result;
  if (transaction.transaction().operation() != Operation::add_replace) return result;
  for (const auto& key : mapped_signing_keys(transaction.mapping())) {
    if (permissible.contains(key.fingerprint()) && transaction.signed_by(key.fingerprint()))
      result.insert_or_assign(key.fingerprint(), key);
  }
  return result;
}

std::string join(const std::vector<Fingerprint>& keys) { return fmt::format("{}", fmt::join(keys, ", ")); }

}  // namespace

Decision<Authorized> authorize(const WorkingState& state, const StaticParameters& parameters,
                               const SignedTransaction& transaction, const SignedTransaction* in_force, bool relaxed) {
  const auto only = synchronizer_of(transaction.mapping());
  if (only && *only != state.synchronizer().logical()) {
    return tl::unexpected(Rejection{"TOPOLOGY_INVALID_SYNCHRONIZER", ErrorCategory::invalid_argument,
                                    "Invalid synchronizer " + only->to_string()});
  }
  // A root certificate vouches for itself, also when it is removed (it is then no longer in the graph).
  if (transaction.is_root_certificate()) {
    const auto& target = transaction.transaction().as<NamespaceDelegation>()->target;
    if (auto ok = verify(transaction, parameters, {{target.fingerprint(), target}}); !ok)
      return tl::unexpected(ok.error());
    return Authorized{transaction, {}};
  }

  const auto* previous = in_force ? &in_force->transaction() : nullptr;
  const auto required = required_auth(transaction.transaction(), previous, state.synchronizer_owner(), relaxed);
  auto permissible =
      required_auth(transaction.transaction(), nullptr, state.synchronizer_owner(), relaxed).referenced();
  permissible.add(required.referenced());

  Authorizations given;
  Keys namespace_keys;
  for (const auto& ns : permissible.namespaces) {
    auto support = support_of(state, ns, transaction);
    if (support.authorized) given.namespaces.insert(ns);
    namespace_keys.merge(support.keys);
  }
  const auto extra = extra_keys(transaction, permissible.extra_keys);
  for (const auto& [fingerprint, key] : extra) given.extra_keys.insert(fingerprint);

  std::vector<Fingerprint> superfluous;
  for (const auto& signature : transaction.signatures()) {
    if (!namespace_keys.contains(signature.key()) && !extra.contains(signature.key()))
      superfluous.push_back(signature.key());
  }
  auto relevant = transaction.without_keys(superfluous);
  if (!relevant) return unauthorized("No delegation found for keys " + join(superfluous));
  if (namespace_keys.empty()) return unauthorized("Not authorized by any namespace key");

  // Namespace signatures first: nobody gets us to check many signatures of new keys without one.
  if (auto ok = verify(*relevant, parameters, namespace_keys); !ok) return tl::unexpected(ok.error());
  Keys only_extra;
  for (const auto& [fingerprint, key] : extra) {
    if (!namespace_keys.contains(fingerprint)) only_extra.emplace(fingerprint, key);
  }
  if (auto ok = verify(*relevant, parameters, only_extra); !ok) return tl::unexpected(ok.error());

  // More signatures for what is already decided cannot undo the decision.
  const bool already_decided =
      in_force && !in_force->proposal() && in_force->transaction() == transaction.transaction();
  auto missing = already_decided ? Authorizations{} : required.missing(given);
  if (relaxed && transaction.transaction().code() == MappingCode::owner_to_key) missing.extra_keys.clear();
  return Authorized{std::move(*relevant), std::move(missing)};
}

}  // namespace synod::topology
