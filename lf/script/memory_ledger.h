// A ledger for scripts, in memory and single-threaded: one participant that hosts every party, with static time.
//
// Authorisation, activeness, visibility and package selection are those of a real ledger; what differs is that time may
// go backwards (a contract is not effective before the time of its creation), that parties must have been allocated
// before they submit or appear in a transaction, and that packages which are not vetted are as good as unknown.
// Fact: IdeLedger.scala, IdeLedgerClient.scala.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "lf/engine.h"
#include "lf/package_store.h"
#include "lf/script/script_ledger.h"
#include "lf/script/user_store.h"

namespace synod::lf::script {

class MemoryLedger : public ScriptLedger, private ContractLookup {
 public:
  struct Options {
    bool allow_effectful_rollback = false;  // protocol version 34
    Limits limits;                          // of each submission
  };
  MemoryLedger(std::shared_ptr<const PackageStore> packages, const Engine& engine, Options options);

  Result<SubmitResult> submit(const Submission& submission) override;
  Result<std::vector<ActiveContract>> query(const PartySet& parties, const Identifier& template_id) override;
  Result<std::optional<ActiveContract>> query_contract(const PartySet& parties, const Identifier& template_id,
                                                       const ContractId& id) override;
  Result<std::vector<ActiveContract>> query_by_key(const PartySet& parties, const Identifier& template_id,
                                                   const Value& key, std::int64_t limit) override;
  Result<std::vector<ContractView>> query_interface(const PartySet& parties, const Identifier& interface_id) override;
  Result<std::optional<ContractView>> query_interface_contract(const PartySet& parties, const Identifier& interface_id,
                                                               const ContractId& id) override;
  std::string unique_suffix() override;  // the same ones in every run
  Result<Party> allocate_party(const std::string& hint, const std::vector<std::string>& participants) override;
  Result<std::vector<PartyInfo>> known_parties(const ParticipantName&) override;
  Result<Timestamp> time() override { return now_; }
  Status set_time(Timestamp time) override;
  Status sleep(Duration) override { return {}; }  // nothing happens meanwhile, and static time stands still
  Result<std::optional<Unit>> create_user(const User& user, const std::vector<UserRight>& rights,
                                          const ParticipantName&) override;
  Result<std::optional<User>> user(const std::string& id, const ParticipantName&) override { return users_.find(id); }
  Result<std::optional<Unit>> delete_user(const std::string& id, const ParticipantName&) override;
  Result<std::vector<User>> users(const ParticipantName&) override { return users_.all(); }
  Result<std::optional<std::vector<UserRight>>> grant_rights(const std::string& id,
                                                             const std::vector<UserRight>& rights,
                                                             const ParticipantName&) override;
  Result<std::optional<std::vector<UserRight>>> revoke_rights(const std::string& id,
                                                              const std::vector<UserRight>& rights,
                                                              const ParticipantName&) override;
  Result<std::optional<std::vector<UserRight>>> rights(const std::string& id, const ParticipantName&) override {
    return users_.rights(id);
  }
  Status vet(const std::vector<PackageNameVersion>& packages, const ParticipantName&) override;
  Status unvet(const std::vector<PackageNameVersion>& packages, const ParticipantName&) override;
  Result<std::vector<PackageNameVersion>> vetted_packages() override;
  Result<std::vector<PackageNameVersion>> all_packages() override;
  void set_trace(TraceSink trace) override { trace_ = std::move(trace); }

 private:
  struct Entry {
    ContractInstance contract;
    PartySet informed;  // who saw it being created, or got to see it later
    bool active = true;
    std::string consumed_by;  // "#transaction:node"; empty and not active: its create was rolled back
  };

  std::optional<ContractInstance> find(const ContractId& id) override;
  std::vector<ContractInstance> find_by_key(const GlobalKey& key, int n) override;
  Status authenticate(const ContractInstance& contract, ByteView contract_hash) override;

  // Null: it is not there for these readers, and `failure` says why.
  const Entry* readable(const ContractId& id, const PartySet& readers, LookupFailure* failure = nullptr) const;
  Result<PackagePreference> preference(const std::vector<std::string>& preferred) const;
  Result<std::set<std::string>> package_ids(const std::vector<PackageNameVersion>& packages) const;
  Status check_parties(const PartySet& parties) const;
  Status check_vetted(const Transaction& transaction) const;
  Result<Command> resolve(const ScriptCommand& command, const PackagePreference& preference) const;
  Status disclose(const Submission& submission);
  Result<TransactionTree> interpret(const Submission& submission, PackagePreference preference);
  Refusal refusal(const Submission& submission, Error error);
  Result<TransactionTree> commit(const Submission& submission, Transaction transaction);
  void record_create(const CreateNode& create, const Node& node, const PartySet& seen_by, bool undone);
  void divulge(const ContractId& id, const PartySet& to);
  void record_exercise(const ExerciseNode& exercise, const std::string& event_id);
  Result<Transaction> absolute(Transaction transaction) const;
  ActiveContract active(const Entry& entry, const Identifier& as) const;
  std::optional<ContractView> view_of(const Entry& entry, const Identifier& interface_id,
                                      const PackagePreference& preference) const;

  std::shared_ptr<const PackageStore> packages_;
  const Engine& engine_;
  Options options_;
  TraceSink trace_;
  std::map<ContractId, Entry> contracts_;
  std::vector<ContractId> order_;                  // of creation
  std::map<Bytes, std::vector<ContractId>> keys_;  // by key hash, newest first
  std::set<std::string> unvetted_;                 // package ids
  std::map<Party, PartyInfo> parties_;
  UserStore users_;
  Timestamp now_{0};
  std::int32_t submissions_ = 0, suffixes_ = 0;
  std::int64_t steps_ = 0;  // commits, refusals and changes of time so far: transactions are numbered by them

  // Of the submission under way.
  PartySet readers_;
  std::vector<ContractInstance> disclosed_;  // as the script lists them
  std::optional<LookupFailure> lookup_failure_;
};

}  // namespace synod::lf::script
