// Several participants as the ledger of Daml scripts: each party's commands and queries go to the participant that
// allocated it, everything else to the default one. Facts: Participants and getPartiesParticipant of the reference's
// runner. Blocking, for one thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "testnet/script_ledger.h"

namespace synod::testnet {

class ScriptParticipants : public lf::script::ScriptLedger {
 public:
  // `default_ledger` serves scripts that name no participant; `named` those that scripts call by name
  // (allocatePartyOn). `packages`: as for ApiScriptLedger.
  ScriptParticipants(std::shared_ptr<const lf::PackageStore> packages, ApiScriptLedger::Options default_ledger,
                     const std::map<std::string, ApiScriptLedger::Options>& named);

  Status upload(const std::string& dar);  // to each of them

  lf::script::SubmitResult submit(const lf::script::Submission& submission) override;
  Result<std::vector<lf::script::ActiveContract>> query(const lf::PartySet& parties,
                                                        const lf::Identifier& template_id) override;
  Result<std::optional<lf::script::ActiveContract>> query_contract(const lf::PartySet& parties,
                                                                   const lf::Identifier& template_id,
                                                                   const lf::ContractId& id) override;
  Result<std::vector<lf::script::ActiveContract>> query_by_key(const lf::PartySet& parties,
                                                               const lf::Identifier& template_id, const lf::Value& key,
                                                               std::int64_t limit) override;
  Result<std::vector<lf::script::ContractView>> query_interface(const lf::PartySet& parties,
                                                                const lf::Identifier& interface_id) override;
  Result<std::optional<lf::script::ContractView>> query_interface_contract(const lf::PartySet& parties,
                                                                           const lf::Identifier& interface_id,
                                                                           const lf::ContractId& id) override;
  std::string unique_suffix() override { return default_->unique_suffix(); }
  // Waits until every participant knows the party. On several at once: UNIMPLEMENTED.
  Result<lf::Party> allocate_party(const std::string& hint, const std::vector<std::string>& participants) override;
  Result<std::vector<lf::script::PartyInfo>> known_parties() override { return default_->known_parties(); }
  Result<Timestamp> time() override { return default_->time(); }
  Status set_time(Timestamp time) override { return default_->set_time(time); }
  Status sleep(Duration duration) override { return default_->sleep(duration); }
  Result<std::optional<lf::Unit>> create_user(const lf::script::User& user,
                                              const std::vector<lf::script::UserRight>& rights) override {
    return default_->create_user(user, rights);
  }
  Result<std::optional<lf::script::User>> user(const std::string& id) override { return default_->user(id); }
  Result<std::optional<lf::Unit>> delete_user(const std::string& id) override { return default_->delete_user(id); }
  Result<std::vector<lf::script::User>> users() override { return default_->users(); }
  Result<std::optional<std::vector<lf::script::UserRight>>> grant_rights(
      const std::string& id, const std::vector<lf::script::UserRight>& rights) override {
    return default_->grant_rights(id, rights);
  }
  Result<std::optional<std::vector<lf::script::UserRight>>> revoke_rights(
      const std::string& id, const std::vector<lf::script::UserRight>& rights) override {
    return default_->revoke_rights(id, rights);
  }
  Result<std::optional<std::vector<lf::script::UserRight>>> rights(const std::string& id) override {
    return default_->rights(id);
  }
  Status vet(const std::vector<lf::script::PackageNameVersion>& packages) override { return default_->vet(packages); }
  Status unvet(const std::vector<lf::script::PackageNameVersion>& packages) override {
    return default_->unvet(packages);
  }
  Result<std::vector<lf::script::PackageNameVersion>> vetted_packages() override { return default_->vetted_packages(); }
  Result<std::vector<lf::script::PackageNameVersion>> all_packages() override { return default_->all_packages(); }

 private:
  // PARTIES_ON_DIFFERENT_PARTICIPANTS.
  Result<ApiScriptLedger*> of(const lf::PartySet& parties) const;

  std::shared_ptr<ApiScriptLedger> default_;
  std::map<std::string, std::shared_ptr<ApiScriptLedger>> named_;
  std::map<lf::Party, std::string> allocated_;  // party -> name
};

}  // namespace synod::testnet
