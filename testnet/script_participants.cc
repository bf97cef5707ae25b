#include "testnet/script_participants.h"

#include <algorithm>

namespace synod::testnet {

using namespace lf::script;
using lf::ContractId;
using lf::Identifier;
using lf::PartySet;

namespace {

constexpr int kLooks = 600;  // for what another participant has done
constexpr Duration kBetweenLooks = Duration::milliseconds(50);

}  // namespace

ScriptParticipants::ScriptParticipants(std::shared_ptr<const lf::PackageStore> packages,
                                       ApiScriptLedger::Options default_ledger,
                                       const std::map<std::string, ApiScriptLedger::Options>& named)
    : default_(std::make_shared<ApiScriptLedger>(packages, std::move(default_ledger))) {
  for (const auto& [name, options] : named) named_.emplace(name, std::make_shared<ApiScriptLedger>(packages, options));
}

Status ScriptParticipants::upload(const std::string& dar) {
  SYNOD_RETURN_IF_ERROR(default_->upload(dar));
  for (const auto& [name, ledger] : named_) SYNOD_RETURN_IF_ERROR(ledger->upload(dar));
  return {};
}

Result<ApiScriptLedger*> ScriptParticipants::of(const PartySet& parties) const {
  std::map<std::string, std::string> by_name;  // "" is the default one
  for (const auto& party : parties) {
    const auto found = allocated_.find(party);
    auto& list = by_name[found == allocated_.end() || !named_.contains(found->second) ? "" : found->second];
    list += (list.empty() ? "" : ", ") + party;
  }
  if (by_name.size() > 1) {
    std::string where;
    for (const auto& [name, list] : by_name)
      where += (where.empty() ? "" : "; ") + (name.empty() ? "default participant" : name) + ": " + list;
    return fail(invalid_argument(
        kPartiesApart, "All parties must be on the same participant but parties were allocated as follows: " + where));
  }
  if (by_name.empty() || by_name.begin()->first.empty()) return default_.get();
  return named_.at(by_name.begin()->first).get();
}

ApiScriptLedger& ScriptParticipants::of(const Name& name) const {
  const auto found = name ? named_.find(*name) : named_.end();
  return found == named_.end() ? *default_ : *found->second;
}

template <typename F>
Status ScriptParticipants::everywhere(const std::string& what, F&& holds) {
  const auto await = [&](ApiScriptLedger& ledger) -> Status {
    for (int look = 0; look < kLooks; ++look) {
      SYNOD_TRY(const bool there, holds(ledger));
      if (there) return {};
      SYNOD_RETURN_IF_ERROR(ledger.sleep(kBetweenLooks));
    }
    return fail(Error("NOT_KNOWN_EVERYWHERE", ErrorCategory::deadline_exceeded_state_unknown,
                      "another participant has not heard in time of " + what));
  };
  SYNOD_RETURN_IF_ERROR(await(*default_));
  for (const auto& [name, ledger] : named_) SYNOD_RETURN_IF_ERROR(await(*ledger));
  return {};
}

// By whom it acts, which the reference's runner goes by; who reads along need not be there.
Result<SubmitResult> ScriptParticipants::submit(const Submission& submission) {
  SYNOD_TRY(auto* ledger, of(submission.act_as));
  return ledger->submit(submission);
}

Result<std::vector<ActiveContract>> ScriptParticipants::query(const PartySet& parties, const Identifier& template_id) {
  SYNOD_TRY(auto* ledger, of(parties));
  return ledger->query(parties, template_id);
}

Result<std::optional<ActiveContract>> ScriptParticipants::query_contract(const PartySet& parties,
                                                                         const Identifier& template_id,
                                                                         const ContractId& id) {
  SYNOD_TRY(auto* ledger, of(parties));
  return ledger->query_contract(parties, template_id, id);
}

Result<std::vector<ActiveContract>> ScriptParticipants::query_by_key(const PartySet& parties,
                                                                     const Identifier& template_id,
                                                                     const lf::Value& key, std::int64_t limit) {
  SYNOD_TRY(auto* ledger, of(parties));
  return ledger->query_by_key(parties, template_id, key, limit);
}

Result<std::vector<ContractView>> ScriptParticipants::query_interface(const PartySet& parties,
                                                                      const Identifier& interface_id) {
  SYNOD_TRY(auto* ledger, of(parties));
  return ledger->query_interface(parties, interface_id);
}

Result<std::optional<ContractView>> ScriptParticipants::query_interface_contract(const PartySet& parties,
                                                                                 const Identifier& interface_id,
                                                                                 const ContractId& id) {
  SYNOD_TRY(auto* ledger, of(parties));
  return ledger->query_interface_contract(parties, interface_id, id);
}

Result<lf::Party> ScriptParticipants::allocate_party(const std::string& hint,
                                                     const std::vector<std::string>& participants) {
  if (participants.size() > 1)
    return fail(Error("UNIMPLEMENTED", ErrorCategory::unsupported,
                      "a party on several participants at once needs their topology services, which scripts do not "
                      "reach here"));
  ApiScriptLedger& owner = of(participants.empty() ? Name() : participants.front());
  SYNOD_TRY(auto party, owner.allocate_party(hint, {}));
  if (!participants.empty()) allocated_[party] = participants.front();
  SYNOD_RETURN_IF_ERROR(everywhere("party " + party, [&](ApiScriptLedger& ledger) -> Result<bool> {
    SYNOD_TRY(const auto known, ledger.known_parties({}));
    return std::any_of(known.begin(), known.end(), [&](const PartyInfo& info) { return info.party == party; });
  }));
  return party;
}

Result<std::optional<User>> ScriptParticipants::user(const std::string& id, const Name& on) {
  SYNOD_TRY(auto found, of(on).user(id, on));
  if (on && found && found->primary_party) allocated_[*found->primary_party] = *on;
  return found;
}

Status ScriptParticipants::vet(const std::vector<PackageNameVersion>& packages, const Name& on) {
  return change_vetting(packages, on, true);
}
Status ScriptParticipants::unvet(const std::vector<PackageNameVersion>& packages, const Name& on) {
  return change_vetting(packages, on, false);
}

Status ScriptParticipants::change_vetting(const std::vector<PackageNameVersion>& packages, const Name& on, bool vet) {
  ApiScriptLedger& owner = of(on);
  SYNOD_RETURN_IF_ERROR(vet ? owner.vet(packages, on) : owner.unvet(packages, on));
  SYNOD_TRY(const std::string id, owner.participant_id());
  return everywhere("the packages that " + id + " vets", [&](ApiScriptLedger& ledger) -> Result<bool> {
    SYNOD_TRY(const auto vetted, ledger.vetted_packages_of(id));
    return std::all_of(packages.begin(), packages.end(), [&](const PackageNameVersion& package) {
      return vet == (std::find(vetted.begin(), vetted.end(), package) != vetted.end());
    });
  });
}

}  // namespace synod::testnet
