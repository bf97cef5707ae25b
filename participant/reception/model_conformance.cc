#include "participant/reception/model_conformance.h"

#include <set>

#include "lf/ledger/value_codec.h"
#include "participant/ledger/update_builder.h"
#include "participant/reception/request_checks.h"
#include "participant/submission/contract_authentication.h"
#include "participant/submission/view_builder.h"

namespace synod::participant {
namespace {

Error not_conformant(std::string cause) { return failed_precondition("MODEL_CONFORMANCE_ERROR", std::move(cause)); }

// The contracts that a view and those below it bring along; nothing else may be used.
class ViewInputs final : public lf::ContractLookup {
 public:
  Status add(const protocol::FullView& full) {
    Status status;
    const auto decode = [&status](const Bytes& bytes) {
      auto contract = lf::decode_contract(bytes);
      if (contract) return std::optional(std::move(*contract));
      status = fail(std::move(contract).error());
      return std::optional<lf::ContractInstance>();
    };
    // What the view creates is an input of views below it only: here it has another id until the views are built.
    std::set<lf::ContractId> created_within;
    for_each_view(full, [&](const protocol::TransactionView& view, const protocol::ViewPosition&) {
      for (const auto& created : view.participant().value().created_core) {
        if (auto contract = decode(created.contract)) created_within.insert(contract->contract_id);
      }
    });
    for_each_view(full, [&](const protocol::TransactionView& view, const protocol::ViewPosition&) {
      for (const auto& input : view.participant().value().core_inputs) {
        auto contract = decode(input.contract);
        if (!contract || created_within.contains(contract->contract_id)) continue;
        auto id = contract->contract_id;
        contracts_.emplace(std::move(id), std::move(*contract));
      }
    });
    SYNOD_RETURN_IF_ERROR(status);
    for (const auto& resolved : full.view.participant().value().resolved_keys) {
      auto& ids = resolved_[resolved.hash];
      for (const auto& hex : resolved.contract_ids) {
        SYNOD_TRY(auto id, lf::ContractId::from_hex(hex));
        ids.push_back(std::move(id));
      }
    }
    return {};
  }
  std::optional<lf::ContractInstance> find(const lf::ContractId& id) override {
    const auto found = contracts_.find(id);
    return found == contracts_.end() ? std::nullopt : std::optional(found->second);
  }
  // What the view says the key was resolved to, in its order; then the view's other contracts with that key, which were
  // used by their ids. Facts: ReplayContractLookup.
  std::vector<lf::ContractInstance> find_by_key(const lf::GlobalKey& key, int n) override {
    std::vector<lf::ContractInstance> out;
    std::set<lf::ContractId> seen;
    const auto take = [&](const lf::ContractInstance& contract) {
      if (static_cast<int>(out.size()) < n && contract.key && contract.key->key.hash == key.hash &&
          seen.insert(contract.contract_id).second)
        out.push_back(contract);
    };
    if (const auto resolved = resolved_.find(key.hash); resolved != resolved_.end()) {
      for (const auto& id : resolved->second) {
        if (const auto found = contracts_.find(id); found != contracts_.end()) take(found->second);
      }
    }
    for (const auto& [id, contract] : contracts_) take(contract);
    return out;
  }
  Status authenticate(const lf::ContractInstance& contract, ByteView contract_hash) override {
    return participant::authenticate(contract, contract_hash);
  }

 private:
  std::map<lf::ContractId, lf::ContractInstance> contracts_;
  std::map<Bytes, std::vector<lf::ContractId>> resolved_;  // by key hash
};

struct RootAction {
  lf::ReplayCommand command;
  lf::PartySet authorizers;
  std::optional<Bytes> seed;
  bool failed = false;
  std::vector<std::string> packages;
};

Result<RootAction> create_action(const protocol::CreateAction& action, const protocol::ViewParticipantData& data) {
  if (data.created_core.empty())
    return fail(
        not_conformant("the view creates " + action.contract_id + " at its root, but declares no created contract"));
  SYNOD_TRY(auto contract, lf::decode_contract(data.created_core.front().contract));
  if (contract.contract_id.to_hex() != action.contract_id)
    return fail(not_conformant("the first created contract is not the one of the root action"));
  return RootAction{
      lf::ReplayCreate{contract.template_id, contract.argument}, contract.signatories, action.node_seed, false, {}};
}

Result<lf::Value> key_of_input(const protocol::ViewParticipantData& data, const lf::ContractId& id) {
  for (const auto& input : data.core_inputs) {
    SYNOD_TRY(auto contract, lf::decode_contract(input.contract));
    if (contract.contract_id != id) continue;
    if (!contract.key)
      return fail(not_conformant("the root action uses contract " + id.to_hex() + ", which has no key, by key"));
    return std::move(contract.key->key.key);
  }
  return fail(not_conformant("contract " + id.to_hex() + " of the root action is not an input of the view"));
}

template <typename Action, typename Command>
Status fill_target(const Action& action, const protocol::ViewParticipantData& data, Command& command) {
  SYNOD_TRY(command.template_id, lf::parse_identifier(action.template_id));
  if (action.interface_id) {
    SYNOD_TRY(command.interface_id, lf::parse_identifier(*action.interface_id));
  }
  SYNOD_TRY(command.contract_id, lf::ContractId::from_hex(action.input_contract_id));
  if (action.by_key) {
    SYNOD_TRY(command.key, key_of_input(data, command.contract_id));
  }
  return {};
}

Result<RootAction> root_action(const protocol::ViewParticipantData& data) {
  if (const auto* create = std::get_if<protocol::CreateAction>(&data.action)) return create_action(*create, data);
  if (const auto* exercise = std::get_if<protocol::ExerciseAction>(&data.action)) {
    lf::ReplayExercise command;
    SYNOD_RETURN_IF_ERROR(fill_target(*exercise, data, command));
    command.choice = exercise->choice;
    SYNOD_TRY(command.argument, lf::decode_versioned_value(exercise->chosen_value));
    return RootAction{std::move(command), lf::PartySet(exercise->actors.begin(), exercise->actors.end()),
                      exercise->node_seed, exercise->failed, exercise->package_preference};
  }
  const auto& fetch = std::get<protocol::FetchAction>(data.action);
  lf::ReplayFetch command;
  SYNOD_RETURN_IF_ERROR(fill_target(fetch, data, command));
  RootAction action{
      std::move(command), lf::PartySet(fetch.actors.begin(), fetch.actors.end()), std::nullopt, false, {}};
  if (fetch.interface_id) action.packages.push_back(std::get<lf::ReplayFetch>(action.command).template_id.package);
  return action;
}

Result<lf::PackagePreference> preference(const std::vector<std::string>& ids, const lf::PackageStore& packages) {
  lf::PackagePreference out;
  for (const auto& id : ids) {
    const auto* package = packages.find(id);
    if (!package) return fail(not_conformant("package " + id + " is not known here"));
    const auto [found, added] = out.emplace(package->name(), id);
    if (!added && found->second != id)
      return fail(not_conformant("the view prefers two packages named " + package->name()));
  }
  return out;
}

// Every participant that is told about the view must have vetted the packages of its nodes.
Status check_vetting(const lf::Transaction& transaction, const protocol::ViewCommonData& data, Timestamp ledger_time,
                     const topology::Snapshot& snapshot) {
  std::set<std::string> packages;
  for (const auto& node : transaction.nodes) {
    for (const auto& id : node.packages()) packages.insert(id);
  }
  std::set<protocol::Member> participants;
  for (const auto& party : data.informees) {
    for (const auto& [member, hosting] : snapshot.hosting(party).participants) participants.insert(member);
  }
  for (const auto& member : participants) {
    for (const auto& id : packages) {
      if (!snapshot.vetted(member, id, ledger_time))
        return fail(not_conformant("package " + id + " is not vetted by " + member.to_string()));
    }
  }
  return {};
}

Result<BuiltViews> rebuild_view(const protocol::FullView& full, const ReceivedRequest& request,
                                const CheckContext& context) {
  const auto& data = full.view.participant().value();
  const auto& common = request.tree->common().value();
  const auto& times = request.tree->participant().value();
  SYNOD_TRY(auto action, root_action(data));
  ViewInputs inputs;
  SYNOD_RETURN_IF_ERROR(inputs.add(full));

  lf::ReplayContext replay;
  replay.authorizers = action.authorizers;
  replay.ledger_time = times.ledger_time;
  replay.preparation_time = times.preparation_time;
  replay.node_seed = action.seed;
  replay.expect_failure = action.failed;
  SYNOD_TRY(replay.package_preference, preference(action.packages, context.packages));
  SYNOD_TRY(auto interpreted, context.engine.reinterpret(action.command, replay, inputs, context.limits));
  SYNOD_RETURN_IF_ERROR(
      check_vetting(interpreted.transaction, full.view.common().value(), times.ledger_time, context.snapshot));

  std::optional<lf::Party> admin_party;
  const auto* submitter = request.submitter();
  if (submitter && full.position.is_root_view()) admin_party = submitter->submitting_participant.to_string();
  const RollbackPosition outside{
      std::vector<int>(data.rollback_context.scope.begin(), data.rollback_context.scope.end()),
      data.rollback_context.next_child};
  SYNOD_TRY(auto views, decompose(interpreted.transaction, hosts_in(context.snapshot), admin_party, outside));
  if (views.size() != 1)
    return fail(not_conformant("the action makes " + std::to_string(views.size()) + " root nodes"));
  const TransactionContext transaction{common.synchronizer, common.mediator_group, common.uuid, times.ledger_time,
                                       context.limits};
  ReceivedSalts salts(full.view);
  const ContractOf contract_of = [&inputs](const lf::ContractId& id) { return inputs.find(id); };
  SYNOD_TRY(auto built, build_views(interpreted.transaction, views, {full.position}, transaction, context.engine,
                                    contract_of, salts));
  SYNOD_RETURN_IF_ERROR(same_view(full.view, built.roots.front()));
  return built;
}

}  // namespace

Result<lf::PartySet> authorizers_of(const protocol::TransactionView& view) {
  SYNOD_TRY(auto action, root_action(view.participant().value()));
  return std::move(action.authorizers);
}

Result<RebuiltTransaction> rebuild(const ReceivedRequest& request, const CheckContext& context) {
  RebuiltTransaction out;
  std::vector<lf::Transaction> parts;
  for (const auto& full : request.views) {
    SYNOD_TRY(auto built, rebuild_view(full, request, context));
    parts.push_back(std::move(built.transaction));
    out.created.merge(built.created);
  }
  out.transaction = merge(std::move(parts));
  return out;
}

}  // namespace synod::participant
