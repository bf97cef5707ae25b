// What a Daml script talks to: a ledger in memory (memory_ledger.h), or a participant over the Ledger API.
//
// Results are errors in two senses. A refused submission is an answer that the script may look at. Any other error ends
// the question that asked, also when it is a submission that could not be made at all, and with it the script unless it
// uses tryCommands.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "lf/engine.h"
#include "lf/transaction.h"

namespace synod::lf::script {

struct ScriptCommand {
  Command command;             // types by package id: the one that the script was compiled with
  bool exact_package = false;  // run that package; otherwise whichever its package name stands for
};

struct Disclosure {
  Identifier template_id;
  ContractId contract_id;
  Bytes blob;  // Versioned(FatContractInstance), as `created_event_blob`
};

struct Submission {
  PartySet act_as;
  PartySet read_as;
  std::vector<Disclosure> disclosures;
  std::vector<std::string> package_preference;              // package ids
  std::vector<std::pair<Identifier, Value>> prefetch_keys;  // by template
  std::vector<ScriptCommand> commands;
};

// Creates and exercises of a transaction in execution order; parents come before their children.
struct TreeEvent {
  int parent = -1;  // index; -1 at a root
  bool created = false;
  Identifier template_id;  // at a root: with the package that the command named
  std::optional<Identifier> interface_id;
  ContractId contract_id;
  std::string choice;
  Value argument;
  Value result;  // exercises
};
using TransactionTree = std::vector<TreeEvent>;

// Why a contract was not found, where the ledger can tell.
struct LookupFailure {
  enum class Why { unknown, not_active, not_effective, not_visible } why = Why::unknown;
  ContractId contract_id;
  Identifier template_id;
  std::string consumed_by;   // not_active: the event, "#transaction:node"; empty: its create was rolled back
  Timestamp effective_at;    // not_effective
  PartySet informed;         // not_visible: who does see it, and
  PartySet act_as, read_as;  // who wanted to
};
struct RemoteStatus {
  std::string code;  // of gRPC: "INVALID_ARGUMENT"
  std::string text;
};
struct Refusal {
  Error error;
  std::optional<LookupFailure> lookup;  // CONTRACT_NOT_FOUND and CONTRACT_NOT_ACTIVE; only ledgers in memory tell
  std::optional<RemoteStatus> status;   // as a participant answered; empty: a ledger in memory
};
using SubmitResult = std::variant<TransactionTree, Refusal>;

struct ActiveContract {
  Identifier template_id;
  ContractId contract_id;
  Value argument;
  Bytes blob;
};
struct ContractView {
  ContractId contract_id;
  std::optional<Value> view;  // empty: computing it failed
};

struct PartyInfo {
  Party party;
  bool local = true;
};

struct User {
  std::string id;
  std::optional<Party> primary_party;
};
struct UserRight {
  std::string kind;  // constructor of Daml Script's UserRight: ParticipantAdmin, CanActAs, ...
  Party party;       // empty where the constructor has none
  auto operator<=>(const UserRight&) const = default;
};

struct PackageNameVersion {
  std::string name;
  std::string version;
  auto operator<=>(const PackageNameVersion&) const = default;
};

// Where a question is meant for one of several participants, by its name. A single ledger takes no notice.
using ParticipantName = std::optional<std::string>;

class ScriptLedger {
 public:
  virtual ~ScriptLedger() = default;

  virtual Result<SubmitResult> submit(const Submission& submission) = 0;

  // Contracts of the template (any version of its package) that have one of `parties` as a stakeholder.
  virtual Result<std::vector<ActiveContract>> query(const PartySet& parties, const Identifier& template_id) = 0;
  virtual Result<std::optional<ActiveContract>> query_contract(const PartySet& parties, const Identifier& template_id,
                                                               const ContractId& id) = 0;
  virtual Result<std::vector<ActiveContract>> query_by_key(const PartySet& parties, const Identifier& template_id,
                                                           const Value& key, std::int64_t limit) = 0;
  virtual Result<std::vector<ContractView>> query_interface(const PartySet& parties,
                                                            const Identifier& interface_id) = 0;
  virtual Result<std::optional<ContractView>> query_interface_contract(const PartySet& parties,
                                                                       const Identifier& interface_id,
                                                                       const ContractId& id) = 0;

  // What makes a party's hint unique where the script does not care for it: 8 hex digits, another each time.
  virtual std::string unique_suffix() = 0;
  // `participants` are names; a single ledger ignores them.
  virtual Result<Party> allocate_party(const std::string& hint, const std::vector<std::string>& participants) = 0;
  virtual Result<std::vector<PartyInfo>> known_parties(const ParticipantName& on) = 0;

  virtual Result<Timestamp> time() = 0;
  virtual Status set_time(Timestamp time) = 0;
  virtual Status sleep(Duration duration) = 0;

  // Empty: there is one already, or none, as the case may be.
  virtual Result<std::optional<Unit>> create_user(const User& user, const std::vector<UserRight>& rights,
                                                  const ParticipantName& on) = 0;
  virtual Result<std::optional<User>> user(const std::string& id, const ParticipantName& on) = 0;
  virtual Result<std::optional<Unit>> delete_user(const std::string& id, const ParticipantName& on) = 0;
  virtual Result<std::vector<User>> users(const ParticipantName& on) = 0;
  virtual Result<std::optional<std::vector<UserRight>>> grant_rights(const std::string& id,
                                                                     const std::vector<UserRight>& rights,
                                                                     const ParticipantName& on) = 0;  // newly granted
  virtual Result<std::optional<std::vector<UserRight>>> revoke_rights(const std::string& id,
                                                                      const std::vector<UserRight>& rights,
                                                                      const ParticipantName& on) = 0;  // really revoked
  virtual Result<std::optional<std::vector<UserRight>>> rights(const std::string& id, const ParticipantName& on) = 0;

  virtual Status vet(const std::vector<PackageNameVersion>& packages, const ParticipantName& on) = 0;
  virtual Status unvet(const std::vector<PackageNameVersion>& packages, const ParticipantName& on) = 0;
  virtual Result<std::vector<PackageNameVersion>> vetted_packages() = 0;
  virtual Result<std::vector<PackageNameVersion>> all_packages() = 0;

  // Whether errors come from a participant's Ledger API.
  virtual bool remote() const { return false; }
  // Where `trace` and `debug` inside of choices go, if the ledger can tell.
  virtual void set_trace(TraceSink) {}
};

// Error ids of the runner itself and of ledgers in memory.
inline constexpr char kParseError[] = "SCRIPT_QUESTION_MALFORMED";  // the library asks what this runner cannot read
inline constexpr char kUnknownQuestion[] = "SCRIPT_QUESTION_UNKNOWN";
inline constexpr char kNoArgument[] = "SCRIPT_ARGUMENT_MISMATCH";  // one that takes none, or none for one that does
inline constexpr char kLegacyScript[] = "SCRIPT_LEGACY";  // compiled against a library that this runner does not serve
inline constexpr char kUnknownPackage[] = "SCRIPT_PACKAGE_UNKNOWN";
inline constexpr char kLedgerCrashed[] = "SCRIPT_LEDGER_CRASHED";  // what the reference calls an internal error
inline constexpr char kPartiesNotAllocated[] = "PARTIES_NOT_ALLOCATED";
inline constexpr char kInvalidParty[] = "INVALID_PARTY_NAME";
inline constexpr char kInvalidUserId[] = "INVALID_USER_ID";
inline constexpr char kPartyHintMismatch[] = "PARTY_HINT_MISMATCH";
inline constexpr char kPartiesApart[] = "PARTIES_ON_DIFFERENT_PARTICIPANTS";
inline constexpr char kDisclosureMalformed[] = "DISCLOSURE_MALFORMED";
inline constexpr char kValueMismatch[] = "SCRIPT_VALUE_MISMATCH";
inline constexpr char kPartyExists[] = "PARTY_ALREADY_EXISTS";
inline constexpr char kMustFailSucceeded[] = "SUBMIT_MUST_FAIL_SUCCEEDED";

}  // namespace synod::lf::script
