#include "participant/reception/contract_effects.h"

#include <algorithm>

#include "lf/ledger/value_codec.h"

namespace synod::participant {

Result<ViewContracts> contracts_of(const protocol::ViewParticipantData& data) {
  ViewContracts out;
  for (const auto& input : data.core_inputs) {
    SYNOD_TRY(auto contract, lf::decode_contract(input.contract));
    auto id = contract.contract_id;
    if (!out.inputs.emplace(std::move(id), std::pair(std::move(contract), input.consumed)).second) {
      return fail(malformed("ViewParticipantData", "an input contract occurs twice"));
    }
  }
  ContractIds created;
  for (const auto& item : data.created_core) {
    SYNOD_TRY(auto contract, lf::decode_contract(item.contract));
    if (!created.insert(contract.contract_id).second)
      return fail(malformed("ViewParticipantData", "a created contract occurs twice"));
    if (item.rolled_back) return fail(malformed("ViewParticipantData", "a created contract is rolled back"));
    out.created.emplace_back(std::move(contract), item.consumed_in_core);
  }
  for (const auto& hex : data.created_in_subview_archived_in_core) {
    SYNOD_TRY(auto id, lf::ContractId::from_hex(hex));
    if (out.inputs.contains(id) || created.contains(id))
      return fail(
          malformed("ViewParticipantData", "a contract created below is an input or created in the core as well"));
    out.archived_from_below.insert(std::move(id));
  }
  return out;
}

namespace {

class Extraction {
 public:
  explicit Extraction(const std::function<bool(const lf::Party&)>& hosted) : hosted_(hosted) {}

  void add(const ViewFacts& view) {
    const bool rolled_back = !view.participant->rollback_context.scope.empty();
    for (const auto& [id, input] : view.contracts.inputs) {
      const auto& [contract, consumed] = input;
      used_.emplace(id, contract);
      if (!hosts_any(contract.stakeholders)) continue;
      const auto& informees = view.common->informees;
      const bool told = std::any_of(contract.stakeholders.begin(), contract.stakeholders.end(), [&](const auto& party) {
        return hosted_(party) && std::find(informees.begin(), informees.end(), party) != informees.end();
      });
      if (told) to_check_.insert(id);
      if (consumed && !rolled_back) consumed_.insert(id);
    }
    for (const auto& [contract, consumed_in_core] : view.contracts.created) {
      if (rolled_back) {
        maybe_created_.insert(contract.contract_id);
        continue;
      }
      if (hosts_any(contract.stakeholders)) {
        maybe_created_.insert(contract.contract_id);
        effects_.created.emplace(contract.contract_id, contract);
        if (consumed_in_core) ended_within_.insert(contract.contract_id);
      } else {
        effects_.witnessed.emplace(contract.contract_id, contract);
      }
    }
    if (!rolled_back)
      ended_within_.insert(view.contracts.archived_from_below.begin(), view.contracts.archived_from_below.end());
  }

  ContractEffects finish() {
    for (const auto& [id, contract] : effects_.created) {
      if (consumed_.contains(id) || ended_within_.contains(id)) effects_.transient.insert(id);
    }
    for (const auto& id : consumed_) {
      if (!maybe_created_.contains(id)) effects_.archived.insert(id);
    }
    for (auto& [id, contract] : used_) {
      if (!maybe_created_.contains(id) && !effects_.witnessed.contains(id))
        effects_.inputs.emplace(id, std::move(contract));
    }
    auto& check = effects_.check;
    check.fresh = maybe_created_;
    std::set_difference(to_check_.begin(), to_check_.end(), maybe_created_.begin(), maybe_created_.end(),
                        std::inserter(check.active, check.active.end()));
    check.lock = effects_.archived;
    for (const auto& [id, contract] : effects_.created) check.lock.insert(id);
    return std::move(effects_);
  }

 private:
  bool hosts_any(const lf::PartySet& parties) const { return std::any_of(parties.begin(), parties.end(), hosted_); }

  const std::function<bool(const lf::Party&)>& hosted_;
  ContractEffects effects_;
  std::map<lf::ContractId, lf::ContractInstance> used_;
  ContractIds to_check_, consumed_, maybe_created_, ended_within_;
};

}  // namespace

ContractEffects contract_effects(const std::vector<ViewFacts>& views,
                                 const std::function<bool(const lf::Party&)>& hosted) {
  Extraction extraction(hosted);
  for (const auto& view : views) extraction.add(view);
  return extraction.finish();
}

}  // namespace synod::participant
