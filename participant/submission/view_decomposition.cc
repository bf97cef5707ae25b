#include "participant/submission/view_decomposition.h"

#include <algorithm>

namespace synod::participant {
namespace {

struct NodeFacts {
  std::vector<lf::Party> informees;
  std::set<protocol::Member> participants;
  ConfirmationQuorum quorum;
};

// What accumulates while the children of one node are walked.
struct Walk {
  std::vector<ViewPart> parts;
  std::vector<lf::Party> informees;
  std::vector<ConfirmationQuorum> quorums;
  RollbackPosition rollback;
};

void append_new(std::vector<lf::Party>& parties, const std::vector<lf::Party>& more) {
  for (const auto& party : more) {
    if (std::find(parties.begin(), parties.end(), party) == parties.end()) parties.push_back(party);
  }
}

class Decomposition {
 public:
  Decomposition(const lf::Transaction& transaction, const PartyHosts& hosts,
                const std::optional<lf::Party>& admin_party)
      : transaction_(transaction), hosts_(hosts), admin_party_(admin_party) {}

  Result<std::vector<DecomposedView>> run(const RollbackPosition& outside) {
    Walk walk;
    walk.rollback = outside;
    for (const auto root : transaction_.roots) visit(root, nullptr, walk, 0);
    if (too_deep_)
      return fail(invalid_argument("TRANSACTION_TOO_DEEP",
                                   "Actions are nested more than " + std::to_string(kMaxActionDepth) + " levels deep"));
    std::vector<DecomposedView> views;
    for (auto& part : walk.parts) views.push_back(std::move(*part.view));
    return views;
  }

 private:
  const std::set<protocol::Member>& hosts(const lf::Party& party) {
    auto found = hosts_of_.find(party);
    if (found == hosts_of_.end()) found = hosts_of_.emplace(party, hosts_(party)).first;
    return found->second;
  }

  NodeFacts facts(const lf::Node& node, bool is_root) {
    NodeFacts facts;
    facts.quorum.confirmers = confirmers_of(node);
    if (is_root && admin_party_) facts.quorum.confirmers.insert(*admin_party_);
    facts.quorum.threshold = static_cast<int>(facts.quorum.confirmers.size());
    facts.informees.assign(facts.quorum.confirmers.begin(), facts.quorum.confirmers.end());
    const auto plain = node.informees();
    append_new(facts.informees, std::vector<lf::Party>(plain.begin(), plain.end()));
    for (const auto& party : facts.informees) {
      const auto& members = hosts(party);
      facts.participants.insert(members.begin(), members.end());
    }
    return facts;
  }

  // `around`: participants of the view that this node would belong to; null for a root.
  void visit(lf::NodeId id, const std::set<protocol::Member>* around, Walk& walk, int depth) {
    if (depth > kMaxActionDepth) {
      too_deep_ = true;
      return;
    }
    const auto& node = transaction_.at(id);
    if (const auto* rollback = node.rollback()) {
      const auto before = walk.rollback;
      walk.rollback.scope.push_back(before.next_child);
      walk.rollback.next_child = 1;
      for (const auto child : rollback->children) visit(child, around, walk, depth + 1);
      walk.rollback = {before.scope, before.next_child + 1};
      return;
    }
    auto node_facts = facts(node, around == nullptr);
    const bool same_view =
        around != nullptr &&
        std::includes(around->begin(), around->end(), node_facts.participants.begin(), node_facts.participants.end());
    if (same_view)
      stay(id, node, std::move(node_facts), *around, walk, depth);
    else
      open(id, node, std::move(node_facts), walk, depth);
  }

  void stay(lf::NodeId id, const lf::Node& node, NodeFacts node_facts, const std::set<protocol::Member>& around,
            Walk& walk, int depth) {
    walk.parts.push_back({id, walk.rollback, std::nullopt});
    append_new(walk.informees, node_facts.informees);
    walk.quorums.push_back(std::move(node_facts.quorum));
    for (const auto child : node.children()) visit(child, &around, walk, depth + 1);
  }

  void open(lf::NodeId id, const lf::Node& node, NodeFacts node_facts, Walk& walk, int depth) {
    Walk inner;
    inner.rollback = walk.rollback;
    for (const auto child : node.children()) visit(child, &node_facts.participants, inner, depth + 1);
    DecomposedView view;
    view.root = id;
    view.informees = std::move(node_facts.informees);
    append_new(view.informees, inner.informees);
    view.quorums.push_back(std::move(node_facts.quorum));
    for (auto& quorum : inner.quorums) {
      if (std::find(view.quorums.begin(), view.quorums.end(), quorum) == view.quorums.end())
        view.quorums.push_back(std::move(quorum));
    }
    view.seed = node.seed;
    view.rollback = walk.rollback;
    view.tail = std::move(inner.parts);
    walk.parts.push_back({id, walk.rollback, std::move(view)});
    walk.rollback = inner.rollback;
  }

  const lf::Transaction& transaction_;
  const PartyHosts& hosts_;
  const std::optional<lf::Party>& admin_party_;
  std::map<lf::Party, std::set<protocol::Member>> hosts_of_;
  bool too_deep_ = false;
};

}  // namespace

PartyHosts hosts_in(const topology::Snapshot& snapshot) {
  return [snapshot](const lf::Party& party) {
    std::set<protocol::Member> members;
    for (const auto& [member, hosting] : snapshot.hosting(party).participants) members.insert(member);
    return members;
  };
}

lf::PartySet confirmers_of(const lf::Node& node) {
  if (const auto* create = node.create()) return create->signatories;
  if (const auto* fetch = node.fetch()) return lf::parties_union(fetch->signatories, fetch->acting_parties);
  if (const auto* exercise = node.exercise()) return lf::parties_union(exercise->signatories, exercise->acting_parties);
  if (const auto* query = node.query_by_key()) return query->key.maintainers;
  return {};
}

Result<std::vector<DecomposedView>> decompose(const lf::Transaction& transaction, const PartyHosts& hosts,
                                              const std::optional<lf::Party>& admin_party,
                                              const RollbackPosition& outside) {
  return Decomposition(transaction, hosts, admin_party).run(outside);
}

}  // namespace synod::participant
