#include "topology/authorization_graph.h"

#include <algorithm>
#include <deque>

namespace synod::topology {
namespace {
const NamespaceDelegation& delegation_of(const Transaction& transaction) {
  return *transaction.as<NamespaceDelegation>();
}
}  // namespace

AuthorizationGraph::AuthorizationGraph(const Namespace& ns, const std::vector<const SignedTransaction*>& delegations) {
  std::multimap<Fingerprint, const SignedTransaction*> by_signer;
  for (const auto* delegation : delegations) {
    for (const auto& signature : delegation->signatures()) by_signer.emplace(signature.key(), delegation);
  }
  std::deque<std::pair<const SignedTransaction*, int>> open;
  for (const auto* delegation : delegations) {
    if (delegation_of(delegation->transaction()).target.fingerprint() == ns && delegation->signed_by(ns)) {
      open.emplace_back(delegation, 1);
    }
  }
  while (!open.empty()) {
    const auto [delegation, level] = open.front();
    open.pop_front();
    const auto& content = delegation_of(delegation->transaction());
    const auto& target = content.target.fingerprint();
    if (!reachable_.emplace(target, Node{delegation->transaction(), level}).second) continue;
    if (!content.can_sign(MappingCode::namespace_delegation)) continue;
    const auto [from, to] = by_signer.equal_range(target);
    for (auto it = from; it != to; ++it) open.emplace_back(it->second, level + 1);
  }
}

const crypto::SigningPublicKey* AuthorizationGraph::authorized_key(const Fingerprint& key, MappingCode code) const {
  const auto it = reachable_.find(key);
  if (it == reachable_.end()) return nullptr;
  const auto& delegation = delegation_of(it->second.delegation);
  return delegation.can_sign(code) ? &delegation.target : nullptr;
}

std::vector<crypto::SigningPublicKey> AuthorizationGraph::authorized_keys(MappingCode code) const {
  std::vector<std::pair<int, const NamespaceDelegation*>> found;
  for (const auto& [key, node] : reachable_) {
    const auto& delegation = delegation_of(node.delegation);
    if (delegation.can_sign(code)) found.emplace_back(node.level, &delegation);
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<crypto::SigningPublicKey> result;
  for (const auto& [level, delegation] : found) result.push_back(delegation->target);
  return result;
}

}  // namespace synod::topology
