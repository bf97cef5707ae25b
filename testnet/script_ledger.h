// A participant as the ledger of Daml scripts: Ledger API v2 and nothing else. Blocking, for one thread. Participants
// that questions name are nothing to it (script_participants.h).
//
// What the participant answers UNIMPLEMENTED for fails the question that needs it, and says so. Where there is no time
// service the ledger runs on the wall clock: getTime answers with it and setTime fails.
#pragma once

#include <memory>
#include <string>

#include "lf/script/script_ledger.h"

namespace synod::lf {
class PackageStore;
}

namespace synod::testnet {

class ApiScriptLedger : public lf::script::ScriptLedger {
 public:
  struct Options {
    std::string address;  // host:port of the Ledger API
    std::string ca_file;  // empty: no TLS
    std::string user_id = "daml-script";
    Duration deadline = Duration::seconds(60);  // of each call
  };
  // `packages`: those of the scripts' DAR; values are read by their types.
  ApiScriptLedger(std::shared_ptr<const lf::PackageStore> packages, Options options);
  ~ApiScriptLedger() override;

  Status upload(const std::string& dar);

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
  std::string unique_suffix() override;
  Result<lf::Party> allocate_party(const std::string& hint, const std::vector<std::string>& participants) override;
  Result<std::vector<lf::script::PartyInfo>> known_parties(const lf::script::ParticipantName& on) override;
  Result<Timestamp> time() override;
  Status set_time(Timestamp time) override;
  Status sleep(Duration duration) override;
  Result<std::optional<lf::Unit>> create_user(const lf::script::User& user,
                                              const std::vector<lf::script::UserRight>& rights,
                                              const lf::script::ParticipantName& on) override;
  Result<std::optional<lf::script::User>> user(const std::string& id, const lf::script::ParticipantName& on) override;
  Result<std::optional<lf::Unit>> delete_user(const std::string& id, const lf::script::ParticipantName& on) override;
  Result<std::vector<lf::script::User>> users(const lf::script::ParticipantName& on) override;
  Result<std::optional<std::vector<lf::script::UserRight>>> grant_rights(
      const std::string& id, const std::vector<lf::script::UserRight>& rights,
      const lf::script::ParticipantName& on) override;
  Result<std::optional<std::vector<lf::script::UserRight>>> revoke_rights(
      const std::string& id, const std::vector<lf::script::UserRight>& rights,
      const lf::script::ParticipantName& on) override;
  Result<std::optional<std::vector<lf::script::UserRight>>> rights(const std::string& id,
                                                                   const lf::script::ParticipantName& on) override;
  Status vet(const std::vector<lf::script::PackageNameVersion>& packages,
             const lf::script::ParticipantName& on) override;
  Status unvet(const std::vector<lf::script::PackageNameVersion>& packages,
               const lf::script::ParticipantName& on) override;
  Result<std::vector<lf::script::PackageNameVersion>> vetted_packages() override;
  Result<std::vector<lf::script::PackageNameVersion>> all_packages() override;

  bool remote() const override { return true; }

  // The participant's own id, and what another one is known here to have vetted.
  Result<std::string> participant_id();
  Result<std::vector<lf::script::PackageNameVersion>> vetted_packages_of(const std::string& participant_id);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace synod::testnet
