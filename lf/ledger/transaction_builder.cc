#include "lf/ledger/transaction_builder.h"

#include <algorithm>

#include "base/check.h"
#include "lf/eval/arena.h"
#include "lf/eval/fatal.h"
#include "lf/eval/pretty.h"

namespace synod::lf {
namespace {

using eval::fatal;
using eval::not_authorized;

std::string join(const PartySet& parties, const char* separator = ",") {
  std::string out;
  for (const auto& p : parties) out += (out.empty() ? "" : separator) + p;
  return out;
}
std::string as_set(const PartySet& parties) { return "Set(" + join(parties, ", ") + ")"; }

constexpr std::size_t kMaxListedEffects = 10;  // in the message about effects below a rollback
constexpr int kMaxOpenTries = 1000;            // bounds the nesting of rollback nodes

// A node, or a group of rolled back ones, on the way to the normal form.
struct Norm {
  bool roll = false;
  NodeId node = -1;
  std::vector<Norm> content;
};

// No empty rollback; a rollback neither begins nor ends with a rollback.
std::vector<Norm> make_roll(std::vector<Norm> norms) {
  std::vector<Norm> out;
  auto first = norms.begin();
  while (norms.end() - first > 1 && first->roll) out.push_back(std::move(*first++));
  norms.erase(norms.begin(), first);
  if (norms.empty()) return out;
  if (norms.size() == 1 && norms[0].roll) {
    out.push_back(std::move(norms[0]));
    return out;
  }
  Norm roll{true, -1, {}};
  if (norms.back().roll) {
    Norm last = std::move(norms.back());
    norms.pop_back();
    roll.content = std::move(norms);
    std::move(last.content.begin(), last.content.end(), std::back_inserter(roll.content));
  } else {
    roll.content = std::move(norms);
  }
  out.push_back(std::move(roll));
  return out;
}

}  // namespace

TransactionBuilder::TransactionBuilder(Options options) : options_(std::move(options)) {
  contexts_.push_back(
      Context{Kind::root, -1, {}, 0, options_.transaction_seed.value_or(Bytes()), options_.submitters, 0});
}

NodeId TransactionBuilder::new_node(Node node) {
  if (nodes_.size() >= options_.max_nodes) throw eval::OutOfBudget{"transaction nodes", "max-nodes"};
  nodes_.push_back(std::move(node));
  return static_cast<NodeId>(nodes_.size() - 1);
}

Bytes TransactionBuilder::next_seed() const {
  const Context& c = contexts_.back();
  bool at_root = true;
  for (auto it = contexts_.rbegin(); it != contexts_.rend(); ++it) at_root = at_root && it->kind != Kind::exercise;
  if (at_root && options_.root_seed) return *options_.root_seed;
  if (c.seed.empty()) eval::fatal_bug("a node needs a seed and none was given");
  return child_seed(c.seed, c.next_action_child);
}

void TransactionBuilder::add_action(NodeId id) {
  contexts_.back().children.push_back(id);
  ++contexts_.back().next_action_child;
}

ContractId TransactionBuilder::create(const ContractFacts& contract) {
  Bytes seed = next_seed();
  CreateNode create;
  create.contract_id = local_contract_id(seed, options_.preparation_time, contract.stakeholders);
  create.package_name = contract.package_name;
  create.template_id = contract.template_id;
  create.argument = contract.argument;
  create.signatories = contract.signatories;
  create.stakeholders = contract.stakeholders;
  create.key = contract.key;
  ContractId id = create.contract_id;
  Node node;
  node.action = std::move(create);
  node.version = contract.version();
  node.seed = std::move(seed);
  NodeId nid = new_node(std::move(node));
  add_action(nid);
  const auto name = [&] { return "(" + contract.template_id.to_string() + ") "; };
  if (!is_subset(contract.signatories, authorizers()))
    not_authorized(nid, name() + "requires authorizers " + join(contract.signatories) + ", but only " +
                            join(authorizers()) + " were given");
  if (contract.signatories.empty()) not_authorized(nid, name() + "has no signatories");
  if (contract.key && !is_subset(contract.key->maintainers, contract.signatories))
    not_authorized(nid, name() + "has maintainers " + join(contract.key->maintainers) +
                            " which are not a subset of the signatories " + as_set(contract.signatories));
  effects_.push_back(nid);
  return id;
}

void TransactionBuilder::fetch(const ContractId& id, const ContractFacts& contract,
                               const std::optional<Identifier>& interface, bool by_key) {
  FetchNode fetch;
  fetch.contract_id = id;
  fetch.package_name = contract.package_name;
  fetch.template_id = contract.template_id;
  fetch.interface_id = interface;
  std::set_intersection(authorizers().begin(), authorizers().end(), contract.stakeholders.begin(),
                        contract.stakeholders.end(), std::inserter(fetch.acting_parties, fetch.acting_parties.end()));
  fetch.signatories = contract.signatories;
  fetch.stakeholders = contract.stakeholders;
  fetch.key = contract.key;
  fetch.by_key = by_key && contract.key.has_value();
  bool allowed = !fetch.acting_parties.empty();
  Node node;
  node.action = std::move(fetch);
  node.version = contract.version();
  NodeId nid = new_node(std::move(node));
  if (!allowed)
    not_authorized(nid, "requires one of the stakeholders " + as_set(contract.stakeholders) +
                            " of the fetched contract to be an authorizer, but authorizers were " +
                            as_set(authorizers()));
  add_action(nid);
}

void TransactionBuilder::authorize_lookup(const KeyWithMaintainers& key) const {
  if (!is_subset(key.maintainers, authorizers()))
    not_authorized(static_cast<NodeId>(nodes_.size()),
                   "(" + key.key.template_id.to_string() + ") requires authorizers " + join(key.maintainers) +
                       " for lookup by key, but it only has " + join(authorizers()));
}

void TransactionBuilder::query_by_key(const KeyWithMaintainers& key, std::vector<ContractId> result, bool exhaustive) {
  Node node;
  node.action = QueryByKeyNode{key.key.package_name, key.key.template_id, key, std::move(result), exhaustive};
  node.version = "2.3";
  add_action(new_node(std::move(node)));
}

void TransactionBuilder::begin_exercise(const ContractFacts& contract, ExerciseFacts facts) {
  Bytes seed = next_seed();
  ExerciseNode exercise;
  exercise.contract_id = facts.contract_id;
  exercise.package_name = contract.package_name;
  exercise.template_id = contract.template_id;
  exercise.interface_id = std::move(facts.interface_id);
  exercise.choice = std::move(facts.choice);
  exercise.consuming = facts.consuming;
  exercise.acting_parties = std::move(facts.controllers);
  exercise.argument = std::move(facts.argument);
  exercise.signatories = contract.signatories;
  exercise.stakeholders = contract.stakeholders;
  exercise.choice_observers = std::move(facts.observers);
  exercise.key = contract.key;
  exercise.by_key = facts.by_key && contract.key.has_value();
  PartySet actors = exercise.acting_parties;
  ContractId id = exercise.contract_id;
  bool consuming = exercise.consuming;
  Node node;
  node.action = std::move(exercise);
  node.version = contract.version();
  node.seed = seed;
  NodeId nid = new_node(std::move(node));
  const auto name = [&] { return "(" + contract.template_id.to_string() + ") "; };
  if (consuming) {  // before the body and before the authorisation: activeness is checked first
    consumed_.emplace(id, nid);
    effects_.push_back(nid);
  }
  if (actors.empty()) not_authorized(nid, name() + "has no controllers");
  if (!is_subset(actors, authorizers()))
    not_authorized(
        nid, name() + "requires authorizers " + join(actors) + ", but only " + join(authorizers()) + " were given");
  contexts_.push_back(
      Context{Kind::exercise, nid, {}, 0, std::move(seed), parties_union(actors, contract.signatories), 0});
}

void TransactionBuilder::close_exercise(std::optional<Value> result) {
  SYNOD_CHECK(contexts_.back().kind == Kind::exercise);
  Context closed = std::move(contexts_.back());
  contexts_.pop_back();
  auto& exercise = std::get<ExerciseNode>(nodes_[static_cast<std::size_t>(closed.id)].action);
  exercise.children = std::move(closed.children);
  exercise.result = std::move(result);
  add_action(closed.id);
}

void TransactionBuilder::end_exercise(Value result) { close_exercise(std::move(result)); }
void TransactionBuilder::abort_exercise() { close_exercise(std::nullopt); }

void TransactionBuilder::begin_try() {
  if (++open_tries_ > kMaxOpenTries)
    fatal("DAML_INTERPRETATION_ERROR", ErrorCategory::invalid_state_other,
          "More than " + std::to_string(kMaxOpenTries) + " nested try blocks");
  Node node;
  node.action = RollbackNode{};
  NodeId nid = new_node(std::move(node));
  const Context& outer = contexts_.back();
  contexts_.push_back(
      Context{Kind::try_block, nid, {}, outer.next_action_child, outer.seed, outer.authorizers, effects_.size()});
}

void TransactionBuilder::end_try() {
  --open_tries_;
  SYNOD_CHECK(contexts_.back().kind == Kind::try_block);
  Context closed = std::move(contexts_.back());
  contexts_.pop_back();
  Context& outer = contexts_.back();
  outer.children.insert(outer.children.end(), closed.children.begin(), closed.children.end());
  outer.next_action_child = closed.next_action_child;
}

void TransactionBuilder::rollback_try() {
  --open_tries_;
  SYNOD_CHECK(contexts_.back().kind == Kind::try_block);
  Context closed = std::move(contexts_.back());
  contexts_.pop_back();
  if (options_.allow_effectful_rollback) {
    for (std::size_t i = closed.effects; i < effects_.size(); ++i) {
      const Node& undone = nodes_[static_cast<std::size_t>(effects_[i])];
      if (auto* e = undone.exercise()) consumed_.erase(e->contract_id);
      if (auto* c = undone.create()) undone_.insert(c->contract_id);
    }
    effects_.resize(closed.effects);
  } else if (effects_.size() > closed.effects) {
    std::string list;
    for (std::size_t i = closed.effects; i < effects_.size(); ++i) {
      const Node& n = nodes_[static_cast<std::size_t>(effects_[i])];
      if (i - closed.effects == kMaxListedEffects) {
        list += ", \nand " + std::to_string(effects_.size() - i) + " more";
        break;
      }
      list += list.empty() ? "" : ", \n";
      if (auto* c = n.create())
        list += "Create of " + eval::pretty(c->template_id) + " ( " + c->contract_id.to_hex() + " )";
      else if (auto* e = n.exercise())
        list += std::string("Consuming exercise ") + (e->by_key ? "by key " : "") + "of " + e->choice + " on " +
                eval::pretty(e->template_id) + " ( " + e->contract_id.to_hex() + " )";
    }
    fatal("DAML_EFFECTFUL_ROLLBACK_ERROR", ErrorCategory::invalid_argument,
          "Tried to rollback side-effectful node(s): " + list);
  }
  std::get<RollbackNode>(nodes_[static_cast<std::size_t>(closed.id)].action).children = std::move(closed.children);
  contexts_.back().children.push_back(closed.id);
  contexts_.back().next_action_child = closed.next_action_child;
}

std::optional<NodeId> TransactionBuilder::consumed_by(const ContractId& id) const {
  auto it = consumed_.find(id);
  return it == consumed_.end() ? std::nullopt : std::optional(it->second);
}

std::string TransactionBuilder::open_exercises(std::size_t most) const {
  std::string out;
  for (auto it = contexts_.rbegin(); it != contexts_.rend(); ++it) {
    if (it->kind != Kind::exercise) continue;
    if (most-- == 0) return out + "    ...\n";
    const ExerciseNode& e = *nodes_[static_cast<std::size_t>(it->id)].exercise();
    const Identifier& type = e.interface_id ? *e.interface_id : e.template_id;
    out += "    in choice " + type.package.substr(0, 8) + ":" + type.qualified_name() + ":" + e.choice +
           " on contract " + e.contract_id.to_hex().substr(0, 10) + " (#" + std::to_string(it->id) + ")\n";
  }
  return out;
}

Transaction TransactionBuilder::finish() {
  SYNOD_CHECK(contexts_.size() == 1);
  // Children have higher numbers than their parents, so one pass from the end sees them first.
  std::vector<std::vector<Norm>> norms(nodes_.size());  // of a node's children; for a rollback node, of itself
  auto gather = [&](const std::vector<NodeId>& children) {
    std::vector<Norm> out;
    for (NodeId c : children) {
      if (nodes_[static_cast<std::size_t>(c)].is_action())
        out.push_back(Norm{false, c, {}});
      else
        std::move(norms[static_cast<std::size_t>(c)].begin(), norms[static_cast<std::size_t>(c)].end(),
                  std::back_inserter(out));
    }
    return out;
  };
  for (std::size_t i = nodes_.size(); i-- > 0;) {
    norms[i] = gather(nodes_[i].children());
    if (!nodes_[i].is_action()) norms[i] = make_roll(std::move(norms[i]));
  }
  std::vector<Norm> roots = gather(contexts_[0].children);

  Transaction out;
  struct Pending {
    const Norm* norm;
    NodeId parent;
  };
  std::vector<Pending> pending;
  auto push = [&](const std::vector<Norm>& list, NodeId parent) {
    for (std::size_t i = list.size(); i-- > 0;) pending.push_back({&list[i], parent});
  };
  push(roots, -1);
  while (!pending.empty()) {
    Pending p = pending.back();
    pending.pop_back();
    auto id = static_cast<NodeId>(out.nodes.size());
    Node node;
    if (p.norm->roll)
      node.action = RollbackNode{};
    else
      node = std::move(nodes_[static_cast<std::size_t>(p.norm->node)]);
    if (auto* e = std::get_if<ExerciseNode>(&node.action)) e->children.clear();
    node.parent = p.parent;
    out.nodes.push_back(std::move(node));
    if (p.parent < 0) {
      out.roots.push_back(id);
    } else {
      auto& parent = out.nodes[static_cast<std::size_t>(p.parent)].action;
      if (auto* e = std::get_if<ExerciseNode>(&parent)) e->children.push_back(id);
      if (auto* r = std::get_if<RollbackNode>(&parent)) r->children.push_back(id);
    }
    push(p.norm->roll ? p.norm->content : norms[static_cast<std::size_t>(p.norm->node)], id);
  }
  nodes_.clear();
  return out;
}

}  // namespace synod::lf
