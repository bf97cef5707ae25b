#include "participant/submission/view_builder.h"

#include <algorithm>
#include <set>

#include "base/check.h"
#include "lf/ledger/value_codec.h"
#include "participant/submission/contract_authentication.h"
#include "protocol/contract_id.h"

namespace synod::participant {
namespace {

using lf::ContractId;

Error tree_error(std::string cause) { return failed_precondition("TRANSACTION_TREE_ERROR", std::move(cause)); }

protocol::RollbackContext rollback_context(const RollbackPosition& position) {
  return {std::vector<std::int32_t>(position.scope.begin(), position.scope.end()), position.next_child};
}

std::vector<ContractId> used_contracts(const lf::Node& node) {
  if (const auto* exercise = node.exercise()) return {exercise->contract_id};
  if (const auto* fetch = node.fetch()) return {fetch->contract_id};
  if (const auto* query = node.query_by_key()) return query->result;
  return {};
}

const lf::KeyWithMaintainers* maintained_key_of(const lf::Node& node) {
  const auto pointer = [](const std::optional<lf::KeyWithMaintainers>& key) { return key ? &*key : nullptr; };
  if (const auto* create = node.create()) return pointer(create->key);
  if (const auto* exercise = node.exercise()) return pointer(exercise->key);
  if (const auto* fetch = node.fetch()) return pointer(fetch->key);
  if (const auto* query = node.query_by_key()) return &query->key;
  return nullptr;
}

// What the node found by its key.
std::vector<ContractId> queried_contracts(const lf::Node& node) {
  if (const auto* exercise = node.exercise(); exercise && exercise->by_key) return {exercise->contract_id};
  if (const auto* fetch = node.fetch(); fetch && fetch->by_key) return {fetch->contract_id};
  if (const auto* query = node.query_by_key()) return query->result;
  return {};
}

// A key that occurs in a view, and what was found under it there and below, in the order in which it was seen first.
struct KeyUse {
  lf::GlobalKey key;
  std::string version;  // of the node
  lf::PartySet maintainers;
  std::vector<ContractId> observed;
  std::set<ContractId> known;  // the same ones

  void observe(const ContractId& id) {
    if (known.insert(id).second) observed.push_back(id);
  }
};
using KeyUses = std::map<Bytes, KeyUse>;  // by the key's hash

// With the maintainers and the version of this use, which comes later.
KeyUse& use_key(KeyUses& keys, const lf::GlobalKey& key, const lf::PartySet& maintainers, const std::string& version) {
  auto& use = keys.try_emplace(key.hash, KeyUse{key, {}, {}, {}, {}}).first->second;
  use.version = version;
  use.maintainers = maintainers;
  return use;
}

protocol::ResolvedKey resolved_key(const KeyUse& use) {
  protocol::ResolvedKey out;
  out.template_id = lf::encode_identifier(use.key.template_id);
  out.key = lf::encode_versioned_value(use.key.key, use.version);
  out.package_name = use.key.package_name;
  out.hash = use.key.hash;
  out.maintainers.assign(use.maintainers.begin(), use.maintainers.end());
  for (const auto& id : use.observed) out.contract_ids.push_back(id.to_hex());
  return out;
}

protocol::ViewCommonData common_data(const DecomposedView& view, protocol::Salt salt) {
  protocol::ViewCommonData data;
  data.salt = std::move(salt);
  data.informees = view.informees;
  for (const auto& quorum : view.quorums) {
    protocol::Quorum out;
    for (const auto& party : quorum.confirmers) out.confirmers.push_back({party, 1});
    out.threshold = quorum.threshold;
    data.quorums.push_back(std::move(out));
  }
  return data;
}

class Builder {
 public:
  Builder(const lf::Transaction& transaction, const TransactionContext& context, const lf::Engine& engine,
          const ContractOf& contract_of, SaltSource& salts)
      : context_(context), engine_(engine), contract_of_(contract_of), salts_(salts) {
    built_.transaction = transaction;
  }

  Result<protocol::TransactionView> build(const DecomposedView& view, const protocol::ViewPosition& position) {
    KeyUses keys;
    return build(view, position, keys);
  }

  BuiltViews take() { return std::move(built_); }

 private:
  struct Core {
    std::vector<lf::NodeId> nodes;  // in execution order
    std::vector<lf::NodeId> creates;
    KeyUses keys;  // of the views below too
  };

  // `keys`: those of the view, without what it creates itself.
  Result<protocol::TransactionView> build(const DecomposedView& view, const protocol::ViewPosition& position,
                                          KeyUses& keys) {
    SYNOD_TRY(auto common_salt, salts_.next());
    SYNOD_TRY(auto participant_salt, salts_.next());
    Core core;
    core.nodes.push_back(view.root);
    SYNOD_RETURN_IF_ERROR(add_core_node(view.root, participant_salt, position, core));
    std::size_t subviews = 0;
    for (const auto& part : view.tail) subviews += part.view ? 1 : 0;
    const auto places = protocol::sequence_indices(subviews);
    std::vector<protocol::TransactionView> children;
    std::set<ContractId> created_below;
    for (const auto& part : view.tail) {
      if (part.view) {
        KeyUses below;
        SYNOD_TRY(auto child, build(*part.view, position.child(places[children.size()]), below));
        collect_created(*part.view, created_below);
        for (const auto& [hash, use] : below) {
          auto& here = use_key(core.keys, use.key, use.maintainers, use.version);
          for (const auto& id : use.observed) here.observe(id);
        }
        children.push_back(std::move(child));
      } else {
        core.nodes.push_back(part.node);
        SYNOD_RETURN_IF_ERROR(add_core_node(part.node, participant_salt, position, core));
      }
    }
    // Only now: a result may name contracts that were created after its node began.
    for (const auto id : core.nodes) suffix_node(id);
    std::set<ContractId> created = created_below;
    for (const auto id : core.creates) created.insert(node(id).create()->contract_id);
    for (auto& [hash, use] : core.keys)
      std::erase_if(use.observed, [&](const ContractId& id) { return created.contains(id); });
    keys = core.keys;
    SYNOD_TRY(auto data, participant_data(view, core, created_below, std::move(participant_salt)));
    return protocol::TransactionView(
        protocol::MerkleLeaf<protocol::ViewCommonData>::of(common_data(view, std::move(common_salt))),
        protocol::MerkleLeaf<protocol::ViewParticipantData>::of(std::move(data)), protocol::ViewSequence::of(children));
  }

  lf::Node& node(lf::NodeId id) { return built_.transaction.nodes[static_cast<std::size_t>(id)]; }

  ContractId suffixed(const ContractId& id) const {
    const auto found = suffixes_.find(id);
    return found == suffixes_.end() ? id : found->second;
  }

  Status add_core_node(lf::NodeId id, const protocol::Salt& salt, const protocol::ViewPosition& position, Core& core) {
    auto& item = node(id);
    if (const auto* key = maintained_key_of(item)) {
      auto& use = use_key(core.keys, key->key, key->maintainers, item.version);
      for (const auto& found : queried_contracts(item)) use.observe(suffixed(found));
    }
    auto* create = std::get_if<lf::CreateNode>(&item.action);
    if (!create) return {};
    create->argument = create->argument.map_contract_ids([this](const ContractId& c) { return suffixed(c); });
    SYNOD_TRY(const auto hash,
              engine_.contract_hash(create->template_id, create->package_name, create->argument, context_.limits));
    const auto salt_of_contract =
        protocol::contract_salt(salt, static_cast<std::int32_t>(core.creates.size()), position, context_.uuid,
                                context_.synchronizer, context_.mediator_group);
    lf::ContractInstance contract = lf::instance_of(*create);
    contract.version = item.version;
    contract.created_at = context_.ledger_time;
    SYNOD_RETURN_IF_ERROR(give_id(contract, create->contract_id, salt_of_contract, hash));
    if (!suffixes_.emplace(create->contract_id, contract.contract_id).second)
      return fail(tree_error("Two contracts have the same discriminator"));
    create->contract_id = contract.contract_id;
    built_.created.emplace(contract.contract_id, std::move(contract));
    core.creates.push_back(id);
    return {};
  }

  void suffix_node(lf::NodeId id) {
    const auto change = [this](const ContractId& c) { return suffixed(c); };
    auto& action = node(id).action;
    if (auto* exercise = std::get_if<lf::ExerciseNode>(&action)) {
      exercise->contract_id = suffixed(exercise->contract_id);
      exercise->argument = exercise->argument.map_contract_ids(change);
      if (exercise->result) exercise->result = exercise->result->map_contract_ids(change);
    } else if (auto* fetch = std::get_if<lf::FetchNode>(&action)) {
      fetch->contract_id = suffixed(fetch->contract_id);
    } else if (auto* query = std::get_if<lf::QueryByKeyNode>(&action)) {
      for (auto& found : query->result) found = suffixed(found);
    }
  }

  void collect_created(const DecomposedView& view, std::set<ContractId>& out) {
    auto add = [&](lf::NodeId id) {
      if (const auto* create = node(id).create()) out.insert(create->contract_id);
    };
    add(view.root);
    for (const auto& part : view.tail) {
      if (part.view)
        collect_created(*part.view, out);
      else
        add(part.node);
    }
  }

  void collect_preferences(const DecomposedView& view, std::map<std::string, std::set<std::string>>& out) {
    auto add = [&](lf::NodeId id) {
      const auto& item = node(id);
      const auto* exercise = item.exercise();
      const auto* fetch = item.fetch();
      if (exercise && exercise->interface_id) out[exercise->package_name].insert(exercise->template_id.package);
      if (fetch && fetch->interface_id) out[fetch->package_name].insert(fetch->template_id.package);
    };
    add(view.root);
    for (const auto& part : view.tail) {
      if (part.view)
        collect_preferences(*part.view, out);
      else
        add(part.node);
    }
  }

  Result<protocol::ActionDescription> action_of(const DecomposedView& view) {
    std::map<std::string, std::set<std::string>> preferences;
    collect_preferences(view, preferences);
    const auto& root = node(view.root);
    if (const auto* create = root.create()) {
      SYNOD_CHECK(view.seed.has_value());
      return protocol::CreateAction{create->contract_id.to_hex(), *view.seed};
    }
    if (const auto* exercise = root.exercise()) {
      SYNOD_CHECK(view.seed.has_value());
      protocol::ExerciseAction action;
      action.input_contract_id = exercise->contract_id.to_hex();
      action.choice = exercise->choice;
      action.chosen_value = lf::encode_versioned_value(exercise->argument, root.version);
      action.actors.assign(exercise->acting_parties.begin(), exercise->acting_parties.end());
      action.by_key = exercise->by_key;
      action.node_seed = *view.seed;
      action.failed = !exercise->result.has_value();
      action.template_id = exercise->template_id.to_string();
      if (exercise->interface_id) action.interface_id = exercise->interface_id->to_string();
      for (const auto& [name, packages] : preferences) {
        if (packages.size() > 1)
          return fail(tree_error("Package " + name + " is used in several versions within one view"));
        action.package_preference.push_back(*packages.begin());
      }
      return action;
    }
    const auto* fetch = root.fetch();
    if (!fetch) return fail(tree_error("A view cannot begin with a query by key"));
    if (fetch->acting_parties.empty()) return fail(tree_error("A fetch without acting parties cannot begin a view"));
    protocol::FetchAction action;
    action.input_contract_id = fetch->contract_id.to_hex();
    action.actors.assign(fetch->acting_parties.begin(), fetch->acting_parties.end());
    action.by_key = fetch->by_key;
    action.template_id = fetch->template_id.to_string();
    if (fetch->interface_id) action.interface_id = fetch->interface_id->to_string();
    return action;
  }

  Result<lf::ContractInstance> input(const ContractId& id) const {
    const auto created = built_.created.find(id);
    if (created != built_.created.end()) return created->second;
    auto found = contract_of_(id);
    if (!found) return fail(not_found("CONTRACT_NOT_FOUND", "Contract " + id.to_hex() + " is unknown"));
    return std::move(*found);
  }

  Result<protocol::ViewParticipantData> participant_data(const DecomposedView& view, const Core& core,
                                                         const std::set<ContractId>& created_below,
                                                         protocol::Salt salt) {
    protocol::ViewParticipantData data;
    data.salt = std::move(salt);
    std::set<ContractId> consumed, created_here;
    for (const auto id : core.nodes) {
      const auto* exercise = node(id).exercise();
      if (exercise && exercise->consuming) consumed.insert(exercise->contract_id);
      if (const auto* create = node(id).create()) created_here.insert(create->contract_id);
    }
    for (const auto id : core.creates) {
      const auto& contract = built_.created.at(node(id).create()->contract_id);
      data.created_core.push_back({lf::encode_contract(contract), consumed.contains(contract.contract_id), false});
    }
    std::set<ContractId> inputs;
    for (const auto id : core.nodes) {
      for (const auto& used : used_contracts(node(id))) {
        if (created_here.contains(used) || created_below.contains(used) || !inputs.insert(used).second) continue;
        SYNOD_TRY(const auto contract, input(used));
        data.core_inputs.push_back({lf::encode_contract(contract), consumed.contains(used)});
      }
    }
    for (const auto& id : consumed) {
      if (created_below.contains(id)) data.created_in_subview_archived_in_core.push_back(id.to_hex());
    }
    for (const auto& [hash, use] : core.keys) data.resolved_keys.push_back(resolved_key(use));
    SYNOD_TRY(data.action, action_of(view));
    data.rollback_context = rollback_context(view.rollback);
    return data;
  }

  const TransactionContext& context_;
  const lf::Engine& engine_;
  const ContractOf& contract_of_;
  SaltSource& salts_;
  std::map<ContractId, ContractId> suffixes_;
  BuiltViews built_;
};

void collect_salts(const protocol::TransactionView& view, std::vector<protocol::Salt>& out) {
  out.push_back(view.common().value().salt);
  out.push_back(view.participant().value().salt);
  view.subviews().for_each(
      [&](const protocol::TransactionView& child, const protocol::SequenceIndex&) { collect_salts(child, out); });
}

}  // namespace

ReceivedSalts::ReceivedSalts(const protocol::TransactionView& view) { collect_salts(view, salts_); }

Result<protocol::Salt> ReceivedSalts::next() {
  if (at_ == salts_.size()) return fail(tree_error("The transaction has more views than were sent"));
  return salts_[at_++];
}

Result<BuiltViews> build_views(const lf::Transaction& transaction, const std::vector<DecomposedView>& views,
                               const std::vector<protocol::ViewPosition>& positions, const TransactionContext& context,
                               const lf::Engine& engine, const ContractOf& contract_of, SaltSource& salts) {
  SYNOD_CHECK(views.size() == positions.size());
  Builder builder(transaction, context, engine, contract_of, salts);
  std::vector<protocol::TransactionView> roots;
  for (std::size_t i = 0; i < views.size(); ++i) {
    SYNOD_TRY(auto root, builder.build(views[i], positions[i]));
    roots.push_back(std::move(root));
  }
  auto built = builder.take();
  built.roots = std::move(roots);
  return built;
}

}  // namespace synod::participant
