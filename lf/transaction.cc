#include "lf/transaction.h"

#include <algorithm>

#include "lf/engine.h"

namespace synod::lf {

PartySet parties_union(const PartySet& a, const PartySet& b) {
  PartySet out = a;
  out.insert(b.begin(), b.end());
  return out;
}

bool is_subset(const PartySet& inner, const PartySet& outer) {
  return std::includes(outer.begin(), outer.end(), inner.begin(), inner.end());
}

ContractInstance instance_of(const CreateNode& node) {
  ContractInstance contract;
  contract.contract_id = node.contract_id;
  contract.package_name = node.package_name;
  contract.template_id = node.template_id;
  contract.argument = node.argument;
  contract.signatories = node.signatories;
  contract.stakeholders = node.stakeholders;
  contract.key = node.key;
  return contract;
}

PartySet Node::informees() const {
  if (auto* n = create()) return n->stakeholders;
  if (auto* n = fetch()) return parties_union(n->signatories, n->acting_parties);
  if (auto* n = exercise())
    return parties_union(parties_union(n->consuming ? n->stakeholders : n->signatories, n->acting_parties),
                         n->choice_observers);
  if (auto* n = query_by_key()) return n->key.maintainers;
  return {};
}

std::vector<std::string> Node::packages() const {
  std::vector<std::string> out;
  if (auto* n = create()) out.push_back(n->template_id.package);
  if (auto* n = fetch()) {
    out.push_back(n->template_id.package);
    if (n->interface_id) out.push_back(n->interface_id->package);
  }
  if (auto* n = exercise()) {
    out.push_back(n->template_id.package);
    if (n->interface_id) out.push_back(n->interface_id->package);
  }
  if (auto* n = query_by_key()) out.push_back(n->template_id.package);
  return out;
}

const std::vector<NodeId>& Node::children() const {
  static const std::vector<NodeId> none;
  if (auto* n = exercise()) return n->children;
  if (auto* n = rollback()) return n->children;
  return none;
}

std::string Transaction::version() const {
  std::string out = "2.1";
  for (const auto& n : nodes)
    if (n.is_action()) out = std::max(out, n.version);
  return out;
}

Status ContractLookup::authenticate(const ContractInstance&, ByteView) { return {}; }

}  // namespace synod::lf
