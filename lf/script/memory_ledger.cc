#include "lf/script/memory_ledger.h"

#include <algorithm>

#include "crypto/hash.h"
#include "lf/ledger/contract_ids.h"
#include "lf/ledger/value_codec.h"
#include "lf/script/submit_error.h"

namespace synod::lf::script {
namespace {

// Parties that learn of each node: its informees and those of everything above it.
std::vector<PartySet> witnesses(const Transaction& tx) {
  std::vector<PartySet> out;
  out.reserve(tx.nodes.size());
  for (const Node& node : tx.nodes) {
    PartySet seen = node.informees();
    if (node.parent >= 0) seen = parties_union(seen, out[static_cast<std::size_t>(node.parent)]);
    out.push_back(std::move(seen));
  }
  return out;
}

// Nodes at or below a rollback: they have no effect.
std::vector<bool> rolled_back(const Transaction& tx) {
  std::vector<bool> out;
  out.reserve(tx.nodes.size());
  for (const Node& node : tx.nodes)
    out.push_back(!node.is_action() || (node.parent >= 0 && out[static_cast<std::size_t>(node.parent)]));
  return out;
}

const Identifier& type_of(const Command& command) {
  if (auto* c = std::get_if<CreateCommand>(&command)) return c->template_id;
  if (auto* e = std::get_if<ExerciseCommand>(&command)) return e->type_id;
  if (auto* k = std::get_if<ExerciseByKeyCommand>(&command)) return k->template_id;
  return std::get<CreateAndExerciseCommand>(command).template_id;
}
Identifier& type_of(Command& command) { return const_cast<Identifier&>(type_of(std::as_const(command))); }

// What a failed preprocessing of commands is called, as Canton words it towards its own ledger.
constexpr char kPreprocessing[] = "COMMAND_PREPROCESSING_FAILED(0, 00000000): ";
constexpr std::string_view kInterpretation = "Interpretation error: ";

}  // namespace

MemoryLedger::MemoryLedger(std::shared_ptr<const PackageStore> packages, const Engine& engine, Options options)
    : packages_(std::move(packages)), engine_(engine), options_(std::move(options)) {}

// ---- contracts
// -------------------------------------------------------------------------------------------------------

const MemoryLedger::Entry* MemoryLedger::readable(const ContractId& id, const PartySet& readers,
                                                  LookupFailure* failure) const {
  LookupFailure ignored;
  LookupFailure& out = failure ? *failure : ignored;
  out = LookupFailure{};
  out.contract_id = id;
  auto it = contracts_.find(id);
  if (it == contracts_.end()) return nullptr;
  const Entry& entry = it->second;
  out.why = LookupFailure::Why::not_visible;
  out.template_id = entry.contract.template_id;
  out.consumed_by = entry.consumed_by;
  out.effective_at = entry.contract.created_at;
  out.informed = entry.informed;
  if (entry.contract.created_at > now_) return out.why = LookupFailure::Why::not_effective, nullptr;
  if (!entry.active) return out.why = LookupFailure::Why::not_active, nullptr;
  for (const auto& party : entry.contract.stakeholders)
    if (readers.contains(party)) return &entry;
  return nullptr;
}

std::optional<ContractInstance> MemoryLedger::find(const ContractId& id) {
  // The last one wins where the script discloses a contract twice.
  for (auto it = disclosed_.rbegin(); it != disclosed_.rend(); ++it)
    if (it->contract_id == id) return *it;
  LookupFailure failure;
  if (const Entry* entry = readable(id, readers_, &failure)) return entry->contract;
  lookup_failure_ = std::move(failure);
  return std::nullopt;
}

std::vector<ContractInstance> MemoryLedger::find_by_key(const GlobalKey& key, int n) {
  std::vector<ContractInstance> out;
  std::set<ContractId> seen;
  auto enough = [&] { return out.size() >= static_cast<std::size_t>(n); };
  for (const auto& contract : disclosed_)
    if (contract.key && contract.key->key.hash == key.hash && !enough() && seen.insert(contract.contract_id).second)
      out.push_back(contract);
  auto it = keys_.find(key.hash);
  if (it == keys_.end()) return out;
  for (const ContractId& id : it->second) {
    if (enough()) break;
    if (const Entry* entry = readable(id, readers_); entry && seen.insert(id).second) out.push_back(entry->contract);
  }
  return out;
}

Status MemoryLedger::authenticate(const ContractInstance& contract, ByteView contract_hash) {
  if (contract.contract_id.suffix() == contract_hash) return {};
  return fail(invalid_argument("CONTRACT_AUTHENTICATION_FAILED", "the contract's content does not belong to its id"));
}

ActiveContract MemoryLedger::active(const Entry& entry, const Identifier& as) const {
  return {as, entry.contract.contract_id, entry.contract.argument, encode_contract(entry.contract)};
}

Result<std::vector<ActiveContract>> MemoryLedger::query(const PartySet& parties, const Identifier& template_id) {
  std::vector<ActiveContract> out;
  for (const ContractId& id : order_)
    if (const Entry* entry = readable(id, parties); entry && entry->contract.template_id == template_id)
      out.push_back(active(*entry, template_id));
  return out;
}

Result<std::optional<ActiveContract>> MemoryLedger::query_contract(const PartySet& parties,
                                                                   const Identifier& template_id,
                                                                   const ContractId& id) {
  const Entry* entry = readable(id, parties);
  if (!entry) return std::nullopt;
  return std::optional(active(*entry, template_id));
}

Result<std::vector<ActiveContract>> MemoryLedger::query_by_key(const PartySet& parties, const Identifier& template_id,
                                                               const Value& key, std::int64_t limit) {
  SYNOD_TRY(const GlobalKey global, engine_.global_key(template_id, key));
  std::vector<ActiveContract> out;
  auto it = keys_.find(global.hash);
  if (it == keys_.end()) return out;
  std::int64_t left = limit;
  for (const ContractId& id : it->second) {  // the limit counts contracts that these parties do not see as well
    if (left-- <= 0) break;
    if (const Entry* entry = readable(id, parties)) out.push_back(active(*entry, template_id));
  }
  return out;
}

// Empty: the package that its name stands for does not implement the interface.
std::optional<ContractView> MemoryLedger::view_of(const Entry& entry, const Identifier& interface_id,
                                                  const PackagePreference& preference) const {
  auto preferred = preference.find(entry.contract.package_name);
  if (preferred == preference.end()) return std::nullopt;
  Identifier template_id = entry.contract.template_id;
  template_id.package = preferred->second;
  auto view = engine_.interface_view(interface_id, template_id, entry.contract.argument, options_.limits);
  if (!view && view.error().id == "CONTRACT_DOES_NOT_IMPLEMENT_INTERFACE") return std::nullopt;
  return ContractView{entry.contract.contract_id, view ? std::optional(std::move(*view)) : std::nullopt};
}

Result<std::vector<ContractView>> MemoryLedger::query_interface(const PartySet& parties,
                                                                const Identifier& interface_id) {
  SYNOD_TRY(const PackagePreference packages, preference({}));
  std::vector<ContractView> out;
  for (const ContractId& id : order_) {
    const Entry* entry = readable(id, parties);
    if (!entry) continue;
    if (auto view = view_of(*entry, interface_id, packages)) out.push_back(std::move(*view));
  }
  return out;
}

Result<std::optional<ContractView>> MemoryLedger::query_interface_contract(const PartySet& parties,
                                                                           const Identifier& interface_id,
                                                                           const ContractId& id) {
  const Entry* entry = readable(id, parties);
  if (!entry) return std::nullopt;
  SYNOD_TRY(const PackagePreference packages, preference({}));
  return view_of(*entry, interface_id, packages);
}

// ---- submissions
// -----------------------------------------------------------------------------------------------------

Status MemoryLedger::check_parties(const PartySet& parties) const {
  PartySet missing;
  for (const auto& party : parties)
    if (!parties_.contains(party)) missing.insert(party);
  if (missing.empty()) return {};
  return fail(
      not_found(kPartiesNotAllocated,
                "Error: Tried to submit a command for parties that have not been allocated: " + quoted(missing)));
}

// Code of packages that nobody vetted is as good as absent, and the reference's ledger in memory falls over such code:
// that is nothing a script may look at.
Status MemoryLedger::check_vetted(const Transaction& transaction) const {
  for (const auto& node : transaction.nodes)
    for (const auto& id : node.packages())
      if (unvetted_.contains(id))
        return fail(Error(kLedgerCrashed, ErrorCategory::internal,
                          "CRASH: a transaction needs package " + id + ", which is not vetted"));
  return {};
}

// What each package name stands for: the wanted package, or else the highest vetted version.
Result<PackagePreference> MemoryLedger::preference(const std::vector<std::string>& preferred) const {
  PackagePreference out;
  for (const Package* package : packages_->all()) {
    if (unvetted_.contains(package->id())) continue;
    auto [it, added] = out.emplace(package->name(), package->id());
    if (!added && version_less(packages_->find(it->second)->version(), package->version())) it->second = package->id();
  }
  for (const auto& id : preferred) {
    const Package* package = packages_->find(id);
    if (!package) return fail(not_found(kUnknownPackage, "No such PackageId " + id));
    if (unvetted_.contains(id))
      return fail(not_found(kUnknownPackage, "Package " + id + " does not support Upgrades: it is not vetted"));
    out[package->name()] = id;
  }
  return out;
}

// Commands mean whatever their package's name stands for, unless they insist or their package is not vetted.
Result<Command> MemoryLedger::resolve(const ScriptCommand& command, const PackagePreference& preference) const {
  Command out = command.command;
  Identifier& type = type_of(out);
  const Package* package = packages_->find(type.package);
  if (!package || unvetted_.contains(type.package))
    return fail(
        not_found("PACKAGE_NOT_FOUND", "Error: unknown template or interface " + type.to_string() + "\nin package " +
                                           (package ? package->name() + "-" + package->version() : type.package) +
                                           (package ? ", which is not vetted" : "")));
  if (command.exact_package) return out;
  std::visit([&](auto& c) { c.written_package = type.package; }, out);
  type.package = preference.at(package->name());
  return out;
}

Status MemoryLedger::disclose(const Submission& submission) {
  for (const auto& d : submission.disclosures) {
    auto contract = decode_contract(d.blob);
    if (!contract)
      return fail(invalid_argument(kDisclosureMalformed, "decoding of disclosure fails: " + contract.error().cause));
    disclosed_.push_back(std::move(*contract));
  }
  return {};
}

Result<SubmitResult> MemoryLedger::submit(const Submission& submission) {
  readers_ = parties_union(submission.act_as, submission.read_as);
  disclosed_.clear();
  lookup_failure_.reset();
  if (auto allocated = check_parties(readers_); !allocated)
    return SubmitResult(refusal(submission, std::move(allocated).error()));
  SYNOD_TRY(PackagePreference packages, preference(submission.package_preference));
  Result<TransactionTree> tree = interpret(submission, std::move(packages));
  if (tree) return SubmitResult(std::move(*tree));
  if (tree.error().id == kLedgerCrashed) return fail(std::move(tree).error());
  return SubmitResult(refusal(submission, std::move(tree).error()));
}

Result<TransactionTree> MemoryLedger::interpret(const Submission& submission, PackagePreference packages) {
  std::vector<Command> commands;
  for (const auto& c : submission.commands) {
    SYNOD_TRY(Command command, resolve(c, packages));
    commands.push_back(std::move(command));
  }
  SYNOD_RETURN_IF_ERROR(disclose(submission));
  SubmitContext context;
  context.submitters = submission.act_as;
  context.read_as = submission.read_as;
  context.ledger_time = context.preparation_time = now_;
  context.submission_seed = child_seed(Bytes(32, 's'), ++submissions_);
  context.participant_id = "script";
  context.package_preference = std::move(packages);
  context.strict_preference = true;
  context.trace = trace_;
  context.allow_effectful_rollback = options_.allow_effectful_rollback;
  SYNOD_TRY(InterpretationResult result, engine_.submit(commands, context, *this, options_.limits));
  if (!unvetted_.empty()) SYNOD_RETURN_IF_ERROR(check_vetted(result.transaction));
  return commit(submission, std::move(result.transaction));
}

Refusal MemoryLedger::refusal(const Submission& submission, Error error) {
  ++steps_;
  Refusal out{std::move(error), std::nullopt, std::nullopt};
  if (out.error.id == "CONTRACT_NOT_FOUND" && lookup_failure_) {
    lookup_failure_->act_as = submission.act_as;
    lookup_failure_->read_as = submission.read_as;
    out.error.cause = describe(*lookup_failure_);
    out.lookup = std::move(lookup_failure_);
  } else if (out.error.id == "CONTRACT_NOT_ACTIVE" && out.error.resources.size() == 2) {  // consumed by this submission
    auto type = parse_identifier(out.error.resources[0].second);
    auto id = ContractId::from_hex(out.error.resources[1].second);
    if (type && id) {
      out.lookup.emplace();
      out.lookup->why = LookupFailure::Why::not_active;
      out.lookup->contract_id = std::move(*id);
      out.lookup->template_id = std::move(*type);
    }
  }
  std::string& cause = out.error.cause;
  if (out.error.id == "COMMAND_PREPROCESSING_FAILED" && !cause.starts_with("COMMAND_PREPROCESSING_FAILED"))
    cause = kPreprocessing + cause;
  if (cause.starts_with(kInterpretation)) cause.erase(0, kInterpretation.size());  // only participants say that
  return out;
}

// With ids that tell the content of the contracts.
Result<Transaction> MemoryLedger::absolute(Transaction transaction) const {
  std::map<ContractId, ContractId> suffixed;
  auto absolute = [&](const ContractId& id) {
    auto it = suffixed.find(id);
    return it == suffixed.end() ? id : it->second;
  };
  for (auto& node : transaction.nodes) {
    if (auto* c = std::get_if<CreateNode>(&node.action)) {
      c->argument = c->argument.map_contract_ids(absolute);
      SYNOD_TRY(const Bytes hash, engine_.contract_hash(c->template_id, c->package_name, c->argument));
      SYNOD_TRY(ContractId id, ContractId::from_bytes(c->contract_id.bytes() + hash));
      suffixed.emplace(c->contract_id, id);
      c->contract_id = std::move(id);
    } else if (auto* e = std::get_if<ExerciseNode>(&node.action)) {
      e->contract_id = absolute(e->contract_id);
      e->argument = e->argument.map_contract_ids(absolute);
    } else if (auto* f = std::get_if<FetchNode>(&node.action)) {
      f->contract_id = absolute(f->contract_id);
    }
  }
  for (auto& node : transaction.nodes)  // results may hold ids of contracts created further down
    if (auto* e = std::get_if<ExerciseNode>(&node.action); e && e->result)
      e->result = e->result->map_contract_ids(absolute);
  return transaction;
}

Result<TransactionTree> MemoryLedger::commit(const Submission& submission, Transaction local) {
  SYNOD_TRY(const Transaction tx, absolute(std::move(local)));
  const std::vector<PartySet> seen_by = witnesses(tx);
  const std::vector<bool> undone = rolled_back(tx);
  PartySet everybody;
  for (const auto& parties : seen_by) everybody.insert(parties.begin(), parties.end());
  SYNOD_RETURN_IF_ERROR(check_parties(everybody));
  for (const auto& d : submission.disclosures) {  // also those that were not used
    auto it = contracts_.find(d.contract_id);
    if (it != contracts_.end() && it->second.active) continue;
    lookup_failure_.emplace();
    lookup_failure_->why = LookupFailure::Why::not_active;
    lookup_failure_->contract_id = d.contract_id;
    lookup_failure_->template_id = d.template_id;
    return fail(Error("CONTRACT_NOT_FOUND", ErrorCategory::invalid_state_missing,
                      "Contract could not be found with id " + d.contract_id.to_hex())
                    .about("CONTRACT_ID", d.contract_id.to_hex()));
  }

  std::vector<Identifier> intended;  // by root; the package that the command named
  for (const auto& c : submission.commands)
    for (std::size_t n = std::holds_alternative<CreateAndExerciseCommand>(c.command) ? 2 : 1; n-- > 0;)
      intended.push_back(type_of(c.command));

  TransactionTree tree;
  std::vector<int> event_of(tx.nodes.size(), -1);
  std::size_t root = 0;
  for (std::size_t i = 0; i < tx.nodes.size(); ++i) {
    const Node& node = tx.nodes[i];
    const bool is_root = node.parent < 0;
    if (is_root) ++root;
    // Who sees the use of a contract comes to know it; not so who makes use of it. Fact: BlindingTransaction.scala.
    const PartySet above = is_root ? PartySet() : seen_by[static_cast<std::size_t>(node.parent)];
    if (auto* f = node.fetch()) divulge(f->contract_id, above);
    if (auto* e = node.exercise()) divulge(e->contract_id, parties_union(above, e->choice_observers));
    if (auto* c = node.create()) record_create(*c, node, seen_by[i], undone[i]);
    if (undone[i]) continue;
    TreeEvent event;
    event.parent = is_root ? -1 : event_of[static_cast<std::size_t>(node.parent)];
    if (auto* c = node.create()) {
      event.created = true;
      event.template_id = c->template_id;
      event.contract_id = c->contract_id;
      event.argument = c->argument;
    } else if (auto* e = node.exercise()) {
      record_exercise(*e, "#" + std::to_string(steps_) + ":" + std::to_string(i));
      event.template_id = e->template_id;
      event.interface_id = e->interface_id;
      event.contract_id = e->contract_id;
      event.choice = e->choice;
      event.argument = e->argument;
      if (e->result) event.result = *e->result;
    } else {
      continue;
    }
    if (is_root && root <= intended.size() && !event.interface_id)
      event.template_id.package = intended[root - 1].package;
    event_of[i] = static_cast<int>(tree.size());
    tree.push_back(std::move(event));
  }
  ++steps_;
  return tree;
}

// A create that was rolled back leaves a contract that never was active.
void MemoryLedger::record_create(const CreateNode& create, const Node& node, const PartySet& seen_by, bool undone) {
  ContractInstance contract = instance_of(create);
  contract.version = node.version;
  contract.created_at = now_;
  if (!undone) {
    if (create.key) {
      auto& ids = keys_[create.key->key.hash];
      ids.insert(ids.begin(), create.contract_id);
    }
    order_.push_back(create.contract_id);
  }
  contracts_.emplace(create.contract_id, Entry{std::move(contract), seen_by, !undone, ""});
}

void MemoryLedger::divulge(const ContractId& id, const PartySet& to) {
  if (auto it = contracts_.find(id); it != contracts_.end()) it->second.informed.insert(to.begin(), to.end());
}

void MemoryLedger::record_exercise(const ExerciseNode& exercise, const std::string& event_id) {
  auto it = contracts_.find(exercise.contract_id);
  if (it == contracts_.end() || !exercise.consuming) return;
  Entry& entry = it->second;
  entry.active = false;
  entry.consumed_by = event_id;
  std::erase(order_, exercise.contract_id);
  if (entry.contract.key) std::erase(keys_[entry.contract.key->key.hash], exercise.contract_id);
}

// ---- parties, time, users, packages
// ------------------------------------------------------------------------------------

std::string MemoryLedger::unique_suffix() {
  Bytes counter;
  append_i32(counter, ++suffixes_);
  return to_hex(crypto::sha256(counter)).substr(0, 8);
}

Result<Party> MemoryLedger::allocate_party(const std::string& hint, const std::vector<std::string>&) {
  Party party = hint;
  if (party.empty()) {
    int n = 0;
    for (party = "party"; parties_.contains(party); party = "party" + std::to_string(++n)) {
    }
  }
  auto invalid = [](const std::string& why) {
    return fail(invalid_argument(kInvalidParty, "Error: Invalid party: " + why));
  };
  constexpr std::size_t kMaxParty = 255;
  if (party.size() > kMaxParty) return invalid("Daml-LF Party is too long (max: " + std::to_string(kMaxParty) + ")");
  for (char c : party)
    if (!is_party_id({&c, 1}))
      return invalid("non expected character 0x" + to_hex(std::string(1, c)) + " in Daml-LF Party \"" + party + "\"");
  if (!parties_.emplace(party, PartyInfo{party, true}).second)
    return fail(Error(kPartyExists, ErrorCategory::invalid_state_exists,
                      "Error: Tried to allocate a party that already exists: " + party));
  return party;
}

Result<std::vector<PartyInfo>> MemoryLedger::known_parties(const ParticipantName&) {
  std::vector<PartyInfo> out;
  for (const auto& [party, info] : parties_) out.push_back(info);
  return out;
}

Status MemoryLedger::set_time(Timestamp time) {
  if (time < Timestamp::min() || time > Timestamp::max())
    return fail(invalid_argument("INVALID_TIME", "time is outside of the years 1 to 9999"));
  now_ = time;
  ++steps_;
  return {};
}

Result<std::optional<Unit>> MemoryLedger::create_user(const User& user, const std::vector<UserRight>& rights,
                                                      const ParticipantName&) {
  return users_.create(user, rights) ? std::optional(Unit{}) : std::nullopt;
}

Result<std::optional<Unit>> MemoryLedger::delete_user(const std::string& id, const ParticipantName&) {
  return users_.remove(id) ? std::optional(Unit{}) : std::nullopt;
}

Result<std::optional<std::vector<UserRight>>> MemoryLedger::grant_rights(const std::string& id,
                                                                         const std::vector<UserRight>& rights,
                                                                         const ParticipantName&) {
  return users_.grant(id, rights);
}

Result<std::optional<std::vector<UserRight>>> MemoryLedger::revoke_rights(const std::string& id,
                                                                          const std::vector<UserRight>& rights,
                                                                          const ParticipantName&) {
  return users_.revoke(id, rights);
}

Result<std::set<std::string>> MemoryLedger::package_ids(const std::vector<PackageNameVersion>& packages) const {
  std::set<std::string> out;
  for (const auto& p : packages) {
    const Package* package = packages_->find(p.name, p.version);
    if (!package)
      return fail(not_found(kUnknownPackage, "Unknown package ReadablePackageId(" + p.name + "," + p.version + ")"));
    out.insert(package->id());
  }
  return out;
}

Status MemoryLedger::vet(const std::vector<PackageNameVersion>& packages, const ParticipantName&) {
  SYNOD_TRY(const std::set<std::string> ids, package_ids(packages));
  for (const auto& id : ids) unvetted_.erase(id);
  return {};
}

Status MemoryLedger::unvet(const std::vector<PackageNameVersion>& packages, const ParticipantName&) {
  SYNOD_TRY(std::set<std::string> ids, package_ids(packages));
  unvetted_.merge(ids);
  return {};
}

Result<std::vector<PackageNameVersion>> MemoryLedger::vetted_packages() {
  std::set<PackageNameVersion> out;
  for (const Package* package : packages_->all())
    if (!unvetted_.contains(package->id())) out.insert({package->name(), package->version()});
  return std::vector<PackageNameVersion>(out.begin(), out.end());
}

Result<std::vector<PackageNameVersion>> MemoryLedger::all_packages() {
  std::set<PackageNameVersion> out;
  for (const Package* package : packages_->all()) out.insert({package->name(), package->version()});
  return std::vector<PackageNameVersion>(out.begin(), out.end());
}

}  // namespace synod::lf::script
