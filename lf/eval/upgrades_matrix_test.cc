// Package upgrades at run time, systematically: a contract of version 1 of a template, made before or in the same
// transaction, is used by every operation of version 2, from a command or from a choice, with and without an attempt to
// catch what goes wrong, while the package that made it is there or not. After Canton's UpgradesMatrix.
#include <gtest/gtest.h>

#include "base/testing/shared_files.h"
#include "lf/archive/dar.h"
#include "lf/eval/upgrades_matrix_cases.h"
#include "lf/ledger/test_support.h"
#include "lf/text/assembler.h"
#include "lf/typing/check_package.h"

namespace synod::lf {
namespace {

const Party kAlice = "Alice::1220aa", kBob = "Bob::1220bb";

constexpr const char* kCommon = R"(metadata ('common' : '1.0.0') module Mod {
  record @serializable MyView = { value: Int64 } ;
  interface (this : Iface) = { viewtype Mod:MyView ;
    method interfaceChoiceControllers : List Party ; method interfaceChoiceObservers : List Party ;
    choice @nonConsuming InterfaceChoice (self) (u: Unit) : Text
      , controllers (call_method @Mod:Iface interfaceChoiceControllers this)
      , observers (call_method @Mod:Iface interfaceChoiceObservers this)
      to upure @Text "InterfaceChoice was called" ; } ;
  record @serializable Ex = { message: Text } ; exception Ex = { message \(e: Mod:Ex) -> Mod:Ex {message} e } ;
})";

constexpr const char* kTemplate = R"(metadata ('upgrades' : '$NUMBER') module Mod {
  $DEFINITIONS
  record @serializable Key = { label: Text, maintainers: List Party $KEY_FIELDS } ;
  record @serializable Arg = $ARGUMENT ;
  record @serializable T = { p1: Party, p2: Party, label: Text $FIELDS } ;
  template (this : T) = {
    precondition $PRECONDITION ; signatories $SIGNATORIES ; observers $OBSERVERS ;
    choice @nonConsuming TemplateChoice (self) (u: Mod:Arg) : Text , controllers Cons @Party [Mod:T {p1} this] (Nil @Party)
      to upure @Text "TemplateChoice was called" ;
    $CHOICES
    $INSTANCE
    key @Mod:Key ($KEY) ($MAINTAINERS) ;
  } ;
})";
constexpr const char* kInstance = R"(implements 'common':Mod:Iface { view = $VIEW ;
      method interfaceChoiceControllers = $CONTROLLERS ; method interfaceChoiceObservers = $CHOICE_OBSERVERS ; } ;)";

// $MAKE is empty in the client of contracts that are there; otherwise it makes two and shadows what is given.
constexpr const char* kClient = R"(metadata ('$NAME' : '1.0.0') module Mod {
  record @serializable In = { cid: ContractId $V2:T, extra: ContractId $V2:T, key: $V2:Key } ;
  record @serializable Client = { alice: Party, bob: Party, label: Text } ;
  val check : List (ContractId $V2:T) -> Option (List ($PAIR)) -> Text =
    \(wanted: List (ContractId $V2:T)) (found: Option (List ($PAIR))) ->
      case found of None -> "Unexpected: nothing" | Some pairs ->
        (case EQUAL_LIST @(ContractId $V2:T) (EQUAL @(ContractId $V2:T)) wanted
            (FOLDR @($PAIR) @(List (ContractId $V2:T)) (\(p: $PAIR) (rest: List (ContractId $V2:T)) ->
               Cons @(ContractId $V2:T) [$PAIR_OF {_1} p] rest) (Nil @(ContractId $V2:T)) pairs) of
          True -> "found" | False -> "Unexpected: others") ;
  template (this : Client) = {
    signatories Cons @Party [Mod:Client {alice} this] (Nil @Party) ;
    $OPERATIONS
  } ;
})";

struct Operation {
  const char* name;
  bool by_key, by_interface, command;
  const char* body;  // with cid and key in scope
};
const Operation kOperations[] = {
    {"Exercise", false, false, true, "exercise @$V2:T TemplateChoice cid ($V2:Arg {})"},
    {"ExerciseInterface", false, true, true,
     "exercise_interface @'common':Mod:Iface InterfaceChoice (COERCE_CONTRACT_ID @$V2:T @'common':Mod:Iface cid) ()"},
    {"Fetch", false, false, false, "ubind x: $V2:T <- fetch_template @$V2:T cid in upure @Text \"\""},
    {"FetchInterface", false, true, false,
     "ubind x: 'common':Mod:Iface <- fetch_interface @'common':Mod:Iface (COERCE_CONTRACT_ID @$V2:T "
     "@'common':Mod:Iface "
     "cid) in upure @Text \"\""},
    {"ExerciseByKey", true, false, true, "exercise_by_key @$V2:T TemplateChoice key ($V2:Arg {})"},
    {"FetchByKey", true, false, false, "ubind x: $PAIR <- fetch_by_key @$V2:T key in upure @Text \"\""},
    {"LookupNByKey", true, false, false,
     "ubind x: Option (List ($PAIR)) <- query_n_by_key @$V2:T 4 key in upure @Text (Mod:check $ALL x)"},
};

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
  return text;
}

std::string template_text(const Version& v, const char* number) {
  std::string text = replaced(kTemplate, "$NUMBER", number);
  text = replaced(text, "$INSTANCE", v.instance ? kInstance : "");
  const std::pair<const char*, const std::string&> parts[] = {{"$DEFINITIONS", v.definitions},
                                                              {"$KEY_FIELDS", v.key_fields},
                                                              {"$ARGUMENT", v.argument},
                                                              {"$FIELDS", v.fields},
                                                              {"$PRECONDITION", v.precondition},
                                                              {"$SIGNATORIES", v.signatories},
                                                              {"$OBSERVERS", v.observers},
                                                              {"$CHOICES", v.choices},
                                                              {"$KEY", v.key},
                                                              {"$MAINTAINERS", v.maintainers},
                                                              {"$VIEW", v.view},
                                                              {"$CONTROLLERS", v.controllers},
                                                              {"$CHOICE_OBSERVERS", v.choice_observers}};
  for (const auto& [what, with] : parts) text = replaced(text, what, with);
  return text;
}

class UpgradesMatrix : public ::testing::TestWithParam<Change>, public ContractLookup {
 protected:
  void SetUp() override {
    SYNOD_NEEDS_SHARED(path, "dars/CantonExamples-3.2.0.dar");  // for the package with the pair type
    static const auto dar = decode_dar(synod::testing::read_file(path));
    ASSERT_TRUE(dar);
    entries_ = dar->entries;
    for (const auto& e : entries_)
      for (auto& store : {all_, without_creator_}) store->add(e.package);
    common_ = add(kCommon, true);
    v1_ = add(template_text(GetParam().v1, "1.0.0"), false);
    v2_ = add(template_text(GetParam().v2, "2.0.0"), true);
    if (!GetParam().commands_only) {
      local_client_ = add(client_text(true), false);
      global_client_ = add(client_text(false), true);
    }
    Engine engine(all_);
    for (ContractId* id : {&contract_, &extra_}) {
      std::vector<Value> fields{Value::party(kAlice), Value::party(kBob), Value::text("test-key")};
      for (const Value& v : GetParam().create_values) fields.push_back(v);
      *id = create(engine, {v1_, "Mod", "T"}, Value::record(fields));
    }
    if (GetParam().commands_only) return;
    const Value client = Value::record({Value::party(kAlice), Value::party(kBob), Value::text("test-key")});
    local_client_contract_ = create(engine, {local_client_, "Mod", "Client"}, client);
    global_client_contract_ = create(engine, {global_client_, "Mod", "Client"}, client);
  }

  std::string add(const std::string& text, bool everywhere) {
    auto entry = assemble_package(text, {.version = kLf23, .dependencies = entries_});
    EXPECT_TRUE(entry) << entry.error().to_string() << "\n" << text;
    if (!entry) return {};
    all_->add(entry->package);
    if (everywhere) without_creator_->add(entry->package);
    const Status typed = check_package(*entry->package, *all_);
    EXPECT_TRUE(typed) << typed.error().to_string();
    entries_.push_back(*entry);
    return entry->package->id();
  }

  std::string client_text(bool local) const {
    const std::string create =
        "create @$V1:T ($V1:T { p1 = Mod:Client {alice} this, p2 = Mod:Client {bob} this, label = "
        "Mod:Client {label} this" +
        GetParam().create_text + " })";
    const std::string coerce = "COERCE_CONTRACT_ID @$V1:T @$V2:T ";
    std::string operations;
    for (const Operation& o : kOperations) {
      std::string body = replaced(o.body, "$ALL",
                                  local ? "(Cons @(ContractId $V2:T) [" + coerce +
                                              "extra, cid, Mod:In "
                                              "{extra} i, Mod:In {cid} i] (Nil @(ContractId $V2:T)))"
                                        : "(Cons @(ContractId $V2:T) [Mod:In {extra} i, cid] (Nil "
                                          "@(ContractId $V2:T)))");
      if (local) {
        const bool two = std::string_view(o.name) == "LookupNByKey";
        body = "ubind made: ContractId $V1:T <- " + create + (two ? " ; extra: ContractId $V1:T <- " + create : "") +
               " in let cid: ContractId $V2:T = " + coerce + "made in " + body;
      } else {
        body = "let cid: ContractId $V2:T = Mod:In {cid} i in " + body;
      }
      operations +=
          "choice @nonConsuming " + std::string(o.name) +
          " (self) (i: Mod:In) : Text , controllers Cons @Party [Mod:Client {alice} this] (Nil @Party) to let "
          "key: $V2:Key = Mod:In {key} i in " +
          body + " ;\n";
      operations +=
          "choice @nonConsuming Catch" + std::string(o.name) +
          " (self) (i: Mod:In) : Text , controllers Cons @Party [Mod:Client {alice} this] (Nil @Party) to try "
          "@Text (exercise @Mod:Client " +
          o.name +
          " self i) catch e -> Some @(Update Text) (upure @Text "
          "\"Unexpected: caught\") ;\n";
    }
    std::string text = replaced(kClient, "$OPERATIONS", operations);
    text = replaced(text, "$NAME", local ? "client-local" : "client-global");
    text = replaced(text, "$PAIR_OF", "'daml-prim-DA-Types':DA.Types:Tuple2 @(ContractId $V2:T) @$V2:T");
    text = replaced(text, "$PAIR", "'daml-prim-DA-Types':DA.Types:Tuple2 (ContractId $V2:T) $V2:T");
    text = replaced(text, "$V1", "'" + v1_ + "':Mod");
    return replaced(text, "$V2", "'" + v2_ + "':Mod");
  }

  ContractId create(const Engine& engine, const Identifier& type, Value argument) {
    SubmitContext c = context();
    auto made = engine.submit({CreateCommand{type, std::move(argument)}}, c, *this);
    EXPECT_TRUE(made) << (made ? "" : made.error().to_string());
    if (!made) return {};
    const ContractId id = testing::apply(*made, Timestamp{1}, contracts_).at(0);
    const ContractInstance contract = *contracts_.find(id);
    hashes_[id] = *engine.contract_hash(type, contract.package_name, contract.argument);
    if (contract.key) by_key_[contract.key->key.hash].insert(by_key_[contract.key->key.hash].begin(), id);
    return id;
  }
  SubmitContext context() {
    SubmitContext c;
    c.submitters = {kAlice};
    c.submission_seed = Bytes(32, static_cast<char>(++submissions_));
    c.participant_id = "participant";
    c.package_preference = {{"common", common_}, {"upgrades", v2_}};
    c.strict_preference = true;
    return c;
  }

  std::optional<ContractInstance> find(const ContractId& id) override { return contracts_.find(id); }
  std::vector<ContractInstance> find_by_key(const GlobalKey& key, int n) override {
    std::vector<ContractInstance> out;
    for (const ContractId& id : by_key_[key.hash])
      if (out.size() < static_cast<std::size_t>(n) && (both_ || id == contract_)) out.push_back(*contracts_.find(id));
    return out;
  }
  Status authenticate(const ContractInstance& contract, ByteView hash) override {
    if (hashes_.at(contract.contract_id) == hash) return {};
    return fail(invalid_argument("NOT_AUTHENTIC", "the content changed"));
  }

  Value key() const {
    std::vector<Value> fields{Value::text("test-key"), Value::list({Value::party(kAlice)})};
    for (const Value& v : GetParam().key_values) fields.push_back(v);
    return Value::record(std::move(fields));
  }
  // As it should be: one of the outcomes of the cases' table.
  static std::string outcome(const Result<InterpretationResult>& r) {
    if (r) {
      const Node& last = r->transaction.at(r->transaction.roots.back());
      const std::string text = last.exercise() ? last.exercise()->result->to_string() : "no exercise";
      return text.find("Unexpected") == std::string::npos ? kOk : text;
    }
    return r.error().id == kThrows ? r.error().id + ": " + r.error().cause : r.error().id;
  }
  void expect(const Engine& engine, std::vector<Command> commands, const std::string& what) {
    const Change& change = GetParam();
    ++runs_;
    const std::string seen = outcome(engine.submit(commands, context(), *this));
    if (change.want == std::string_view(kUpgradeError)) {
      EXPECT_EQ(seen.substr(0, std::string_view(kUpgradeError).size()), kUpgradeError) << what;
    } else if (change.want == std::string_view(kThrows)) {
      EXPECT_TRUE(seen.starts_with(kThrows) && seen.ends_with(change.name)) << what << ": " << seen;
    } else {
      EXPECT_EQ(seen, change.want) << what;
    }
  }
  // Combinations that make no sense.
  bool applies(const Operation& o) const {
    const std::string name = GetParam().name;
    if (name == "ThrowingInterfaceChoiceControllers" || name == "ThrowingInterfaceChoiceObservers")
      return o.by_interface && o.command;
    if (name == "ThrowingView") return o.by_interface;
    if (name == "InvalidKeyDowngradeAdditionalField") return !o.by_key;
    if (name == "ChangedMaintainers") return std::string_view(o.name) != "LookupNByKey";  // not authorised
    return !GetParam().commands_only || !o.by_interface;
  }

  std::shared_ptr<PackageStore> all_ = std::make_shared<PackageStore>(),
                                without_creator_ = std::make_shared<PackageStore>();
  std::vector<Dar::Entry> entries_;
  std::string common_, v1_, v2_, local_client_, global_client_;
  ContractId contract_, extra_, local_client_contract_, global_client_contract_;
  testing::ContractsInMemory contracts_;
  std::map<ContractId, Bytes> hashes_;
  std::map<Bytes, std::vector<ContractId>> by_key_;
  bool both_ = false;  // whether the key leads to both contracts
  int submissions_ = 0, runs_ = 0;
};

TEST_P(UpgradesMatrix, EveryOperation) {
  const Change& change = GetParam();
  const Identifier by_name{"#upgrades", "Mod", "T"}, face{common_, "Mod", "Iface"};
  const Value argument = Value::record(change.argument);
  for (const bool creator : {true, false}) {
    Engine engine(creator ? all_ : without_creator_);
    const std::string there = creator ? "" : ", package of the contract not there";
    for (const Operation& o : kOperations) {
      if (!applies(o)) continue;
      both_ = std::string_view(o.name) == "LookupNByKey";
      const std::string name = o.name;
      if (o.command) {
        Command command = o.by_interface ? Command(ExerciseCommand{face, contract_, "InterfaceChoice", Value::unit()})
                          : o.by_key     ? Command(ExerciseByKeyCommand{by_name, key(), "TemplateChoice", argument})
                                         : Command(ExerciseCommand{by_name, contract_, "TemplateChoice", argument});
        expect(engine, {std::move(command)}, name + " as a command" + there);
      }
      if (o.command && o.by_key && creator) {
        std::vector<Value> fields{Value::party(kAlice), Value::party(kBob), Value::text("test-key")};
        for (const Value& v : change.create_values) fields.push_back(v);
        const auto known = std::exchange(by_key_, {});
        expect(engine,
               {CreateCommand{{v1_, "Mod", "T"}, Value::record(std::move(fields))},
                ExerciseByKeyCommand{by_name, key(), "TemplateChoice", argument}},
               name + " as a command, after the contract's");
        by_key_ = known;
      }
      if (change.commands_only) continue;
      const Value in = Value::record({Value::contract_id(contract_), Value::contract_id(extra_), key()});
      for (const std::string prefix : {"", "Catch"}) {
        expect(engine, {ExerciseCommand{{global_client_, "Mod", "Client"}, global_client_contract_, prefix + name, in}},
               prefix + name + " of a global contract" + there);
        if (!creator) continue;
        expect(engine, {ExerciseCommand{{local_client_, "Mod", "Client"}, local_client_contract_, prefix + name, in}},
               prefix + name + " of a local contract");
      }
    }
  }
  EXPECT_GE(runs_, change.commands_only ? 4 : 8);
}

INSTANTIATE_TEST_SUITE_P(Changes, UpgradesMatrix, ::testing::ValuesIn(upgrade_changes(kBob)),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace synod::lf
