#include "lf/script/memory_ledger.h"

#include <algorithm>

#include "crypto/hash.h"
#include "lf/ledger/contract_ids.h"
#include "lf/ledger/value_codec.h"

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

std::string join(const PartySet& parties) {
  std::string out;
  for (const auto& p : parties) out += (out.empty() ? "" : ", ") + p;
  return out;
}

std::string describe(LookupFailure::Why why) {
  switch (why) {
    case LookupFailure::Why::not_active:
      return "it is archived";
    case LookupFailure::Why::not_effective:
      return "it is created at a later time than the ledger has now";
    case LookupFailure::Why::not_visible:
      return "no submitting or reading party is one of its stakeholders, and it was not disclosed";
    case LookupFailure::Why::unknown:
      break;
  }
  return "there is none";
}

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
  auto it = contracts_.find(id);
  if (it == contracts_.end()) return nullptr;
  const Entry& entry = it->second;
  out = LookupFailure{
      LookupFailure::Why::not_visible, entry.contract.template_id, entry.contract.created_at, entry.informed, {}, {}};
  if (entry.contract.created_at > now_) return out.why = LookupFailure::Why::not_effective, nullptr;
  if (!entry.active) return out.why = LookupFailure::Why::not_active, nullptr;
  for (const auto& party : entry.contract.stakeholders)
    if (readers.contains(party)) return &entry;
  return nullptr;
}

std::optional<ContractInstance> MemoryLedger::find(const ContractId& id) {
  if (auto it = disclosed_.find(id); it != disclosed_.end()) return it->second;
  LookupFailure failure;
  if (const Entry* entry = readable(id, readers_, &failure)) return entry->contract;
  lookup_failure_ = std::move(failure);
  return std::nullopt;
}

std::vector<ContractInstance> MemoryLedger::find_by_key(const GlobalKey& key, int n) {
  std::vector<ContractInstance> out;
  std::set<ContractId> seen;
  auto enough = [&] { return out.size() >= static_cast<std::size_t>(n); };
  for (const auto& [id, contract] : disclosed_)
    if (contract.key && contract.key->key.hash == key.hash && !enough() && seen.insert(id).second)
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
  return fail(not_found(kPartiesNotAllocated, "Tried to use parties that are not allocated on the ledger: " +
                                                  join(missing) + "; allocate them in the script"));
}

Status MemoryLedger::check_vetted(const std::set<std::string>& packages) const {
  for (const auto& id : packages)
    if (unvetted_.contains(id))
      return fail(not_found("PACKAGE_NOT_FOUND", "Couldn't find package " + id + ": it is not vetted"));
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
    if (!package)
      return fail(not_found("PACKAGE_NOT_FOUND", "package preference names package " + id + ", which is not known"));
    SYNOD_RETURN_IF_ERROR(check_vetted({id}));
    out[package->name()] = id;
  }
  return out;
}

Result<Command> MemoryLedger::resolve(const ScriptCommand& command, const PackagePreference& preference) const {
  Command out = command.command;
  Identifier& type = type_of(out);
  if (command.exact_package) {
    SYNOD_RETURN_IF_ERROR(check_vetted({type.package}));
    return out;
  }
  const Package* package = packages_->find(type.package);
  if (!package) return fail(not_found("PACKAGE_NOT_FOUND", "Couldn't find package " + type.package));
  auto it = preference.find(package->name());
  if (it == preference.end())
    return fail(
        Error("UNRESOLVED_PACKAGE_NAME", ErrorCategory::invalid_state_missing,
              "Interpretation error: Error: Update failed due to a failed package name resolution: " + package->name())
            .about("PACKAGE_NAME", package->name()));
  type.package = it->second;
  return out;
}

Status MemoryLedger::disclose(const Submission& submission) {
  for (const auto& d : submission.disclosures) {
    auto contract = decode_contract(d.blob);
    if (!contract)
      return fail(invalid_argument("DISCLOSURE_MALFORMED",
                                   "disclosed contract " + d.contract_id.to_hex() + ": " + contract.error().cause));
    if (contract->contract_id != d.contract_id)
      return fail(invalid_argument("DISCLOSURE_MALFORMED", "disclosed contract " + d.contract_id.to_hex() +
                                                               ": its blob is of contract " +
                                                               contract->contract_id.to_hex()));
    disclosed_.insert_or_assign(d.contract_id, std::move(*contract));
  }
  return {};
}

SubmitResult MemoryLedger::submit(const Submission& submission) {
  readers_ = parties_union(submission.act_as, submission.read_as);
  disclosed_.clear();
  lookup_failure_.reset();
  auto run = [&]() -> Result<TransactionTree> {
    SYNOD_RETURN_IF_ERROR(check_parties(readers_));
    SYNOD_RETURN_IF_ERROR(disclose(submission));
    SYNOD_TRY(PackagePreference packages, preference(submission.package_preference));
    std::vector<Command> commands;
    for (const auto& c : submission.commands) {
      SYNOD_TRY(Command command, resolve(c, packages));
      commands.push_back(std::move(command));
    }
    SubmitContext context;
    context.submitters = submission.act_as;
    context.read_as = submission.read_as;
    context.ledger_time = context.preparation_time = now_;
    context.submission_seed = child_seed(Bytes(32, 's'), ++submissions_);
    context.participant_id = "script";
    context.package_preference = std::move(packages);
    context.trace = trace_;
    context.allow_effectful_rollback = options_.allow_effectful_rollback;
    SYNOD_TRY(InterpretationResult result, engine_.submit(commands, context, *this, options_.limits));
    if (!unvetted_.empty()) SYNOD_RETURN_IF_ERROR(check_vetted(*result.used_packages));
    return commit(submission, std::move(result.transaction));
  };
  Result<TransactionTree> tree = run();
  if (tree) return std::move(*tree);
  Refusal refusal{std::move(tree).error(), std::nullopt};
  if (lookup_failure_ && refusal.error.id == "CONTRACT_NOT_FOUND") {
    refusal.error.cause += ": " + describe(lookup_failure_->why);
    lookup_failure_->act_as = submission.act_as;
    lookup_failure_->read_as = submission.read_as;
    refusal.lookup = std::move(lookup_failure_);
  }
  return refusal;
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
  for (const auto& [id, contract] : disclosed_) {
    auto it = contracts_.find(id);
    if (it == contracts_.end() || it->second.active) continue;
    lookup_failure_ = LookupFailure{LookupFailure::Why::not_active, contract.template_id, {}, {}, {}, {}};
    return fail(Error("CONTRACT_NOT_FOUND", ErrorCategory::invalid_state_missing,
                      "Contract could not be found with id " + id.to_hex())
                    .about("CONTRACT_ID", id.to_hex()));
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
    if (auto* f = node.fetch()) {
      if (auto it = contracts_.find(f->contract_id); it != contracts_.end())
        it->second.informed.insert(seen_by[i].begin(), seen_by[i].end());
    }
    if (undone[i]) continue;
    TreeEvent event;
    event.parent = is_root ? -1 : event_of[static_cast<std::size_t>(node.parent)];
    if (auto* c = node.create()) {
      ContractInstance contract;
      contract.contract_id = c->contract_id;
      contract.version = node.version;
      contract.package_name = c->package_name;
      contract.template_id = c->template_id;
      contract.argument = c->argument;
      contract.signatories = c->signatories;
      contract.stakeholders = c->stakeholders;
      contract.key = c->key;
      contract.created_at = now_;
      if (c->key) {
        auto& ids = keys_[c->key->key.hash];
        ids.insert(ids.begin(), c->contract_id);
      }
      order_.push_back(c->contract_id);
      contracts_.emplace(c->contract_id, Entry{std::move(contract), seen_by[i], true});
      event.created = true;
      event.template_id = c->template_id;
      event.contract_id = c->contract_id;
      event.argument = c->argument;
    } else if (auto* e = node.exercise()) {
      if (auto it = contracts_.find(e->contract_id); it != contracts_.end()) {
        Entry& entry = it->second;
        entry.informed.insert(seen_by[i].begin(), seen_by[i].end());
        if (e->consuming) {
          entry.active = false;
          std::erase(order_, e->contract_id);
          if (entry.contract.key) std::erase(keys_[entry.contract.key->key.hash], e->contract_id);
        }
      }
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
  return tree;
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
  constexpr std::size_t kMaxParty = 255;
  bool valid = party.size() <= kMaxParty;
  for (char c : party)
    valid = valid && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':' ||
                      c == '-' || c == '_' || c == ' ');
  if (!valid)
    return fail(invalid_argument("INVALID_PARTY_NAME", "Invalid party name '" + party +
                                                           "': letters, digits, ':', '-', '_' and blanks, at most " +
                                                           std::to_string(kMaxParty)));
  if (!parties_.emplace(party, PartyInfo{party, true}).second)
    return fail(Error(kPartyExists, ErrorCategory::invalid_state_exists,
                      "Tried to allocate a party that already exists: " + party));
  return party;
}

Result<std::vector<PartyInfo>> MemoryLedger::known_parties() {
  std::vector<PartyInfo> out;
  for (const auto& [party, info] : parties_) out.push_back(info);
  return out;
}

Status MemoryLedger::set_time(Timestamp time) {
  if (time < Timestamp::min() || time > Timestamp::max())
    return fail(invalid_argument("INVALID_TIME", "time is outside of the years 1 to 9999"));
  now_ = time;
  return {};
}

Result<std::optional<Unit>> MemoryLedger::create_user(const User& user, const std::vector<UserRight>& rights) {
  return users_.create(user, rights) ? std::optional(Unit{}) : std::nullopt;
}

Result<std::optional<Unit>> MemoryLedger::delete_user(const std::string& id) {
  return users_.remove(id) ? std::optional(Unit{}) : std::nullopt;
}

Result<std::optional<std::vector<UserRight>>> MemoryLedger::grant_rights(const std::string& id,
                                                                         const std::vector<UserRight>& rights) {
  return users_.grant(id, rights);
}

Result<std::optional<std::vector<UserRight>>> MemoryLedger::revoke_rights(const std::string& id,
                                                                          const std::vector<UserRight>& rights) {
  return users_.revoke(id, rights);
}

Result<std::string> MemoryLedger::package_id(const PackageNameVersion& wanted) const {
  if (const Package* package = packages_->find(wanted.name, wanted.version)) return package->id();
  return fail(not_found("PACKAGE_NOT_FOUND", "Unknown package " + wanted.name + "-" + wanted.version));
}

Status MemoryLedger::vet(const std::vector<PackageNameVersion>& packages) {
  std::set<std::string> ids;
  for (const auto& p : packages) {
    SYNOD_TRY(std::string id, package_id(p));
    ids.insert(std::move(id));
  }
  for (const auto& id : ids) unvetted_.erase(id);
  return {};
}

Status MemoryLedger::unvet(const std::vector<PackageNameVersion>& packages) {
  std::set<std::string> ids;
  for (const auto& p : packages) {
    SYNOD_TRY(std::string id, package_id(p));
    ids.insert(std::move(id));
  }
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
