// Several participants as the ledger of Daml scripts: each party's commands and queries go to the participant that
// allocated it, questions that name a participant to that one, everything else to the default one. Facts: Participants
// and getPartiesParticipant of the reference's runner. Blocking, for one thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "testnet/script_ledger.h"

namespace synod::testnet {

class ScriptParticipants : public lf::script::ScriptLedger {
 public:
  using Name = lf::script::ParticipantName;

  // `default_ledger` serves scripts that name no participant; `named` those that scripts call by name
  // (allocatePartyOn). `packages`: as for ApiScriptLedger.
  ScriptParticipants(std::shared_ptr<const lf::PackageStore> packages, ApiScriptLedger::Options default_ledger,
                     const std::map<std::string, ApiScriptLedger::Options>& named);

  Status upload(const std::string& dar);  // to each of them

  Result<lf::script::SubmitResult> submit(const lf::script::Submission& submission) override;
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
  // Waits until every participant knows the party. On several at once: UNIMPLEMENTED, it takes their topology services.
  Result<lf::Party> allocate_party(const std::string& hint, const std::vector<std::string>& participants) override;
  Result<std::vector<lf::script::PartyInfo>> known_parties(const Name& on) override { return of(on).known_parties(on); }
  Result<Timestamp> time() override { return default_->time(); }
  Status set_time(Timestamp time) override { return default_->set_time(time); }
  Status sleep(Duration duration) override { return default_->sleep(duration); }
  Result<std::optional<lf::Unit>> create_user(const lf::script::User& user,
                                              const std::vector<lf::script::UserRight>& rights,
                                              const Name& on) override {
    return of(on).create_user(user, rights, on);
  }
  // From then on the user's primary party acts there.
  Result<std::optional<lf::script::User>> user(const std::string& id, const Name& on) override;
  Result<std::optional<lf::Unit>> delete_user(const std::string& id, const Name& on) override {
    return of(on).delete_user(id, on);
  }
  Result<std::vector<lf::script::User>> users(const Name& on) override { return of(on).users(on); }
  Result<std::optional<std::vector<lf::script::UserRight>>> grant_rights(
      const std::string& id, const std::vector<lf::script::UserRight>& rights, const Name& on) override {
    return of(on).grant_rights(id, rights, on);
  }
  Result<std::optional<std::vector<lf::script::UserRight>>> revoke_rights(
      const std::string& id, const std::vector<lf::script::UserRight>& rights, const Name& on) override {
    return of(on).revoke_rights(id, rights, on);
  }
  Result<std::optional<std::vector<lf::script::UserRight>>> rights(const std::string& id, const Name& on) override {
    return of(on).rights(id, on);
  }
  // Wait until every participant has heard of it.
  Status vet(const std::vector<lf::script::PackageNameVersion>& packages, const Name& on) override;
  Status unvet(const std::vector<lf::script::PackageNameVersion>& packages, const Name& on) override;
  Result<std::vector<lf::script::PackageNameVersion>> vetted_packages() override { return default_->vetted_packages(); }
  Result<std::vector<lf::script::PackageNameVersion>> all_packages() override { return default_->all_packages(); }
  bool remote() const override { return true; }

 private:
  // PARTIES_ON_DIFFERENT_PARTICIPANTS.
  Result<ApiScriptLedger*> of(const lf::PartySet& parties) const;
  // The named participant; the default one where there is no name, or nobody of that name.
  ApiScriptLedger& of(const Name& name) const;
  // Until `holds` of every participant.
  template <typename F>
  Status everywhere(const std::string& what, F&& holds);
  Status change_vetting(const std::vector<lf::script::PackageNameVersion>& packages, const Name& on, bool vet);

  std::shared_ptr<ApiScriptLedger> default_;
  std::map<std::string, std::shared_ptr<ApiScriptLedger>> named_;
  std::map<lf::Party, std::string> allocated_;  // party -> name
};

}  // namespace synod::testnet
