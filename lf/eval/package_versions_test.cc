// Contracts and values under other versions of their package than the one that made them. The cases are those of
// Canton's UpgradeTest; the packages are ours.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lf/eval/fatal.h"
#include "lf/ledger/test_support.h"
#include "lf/text/assembler.h"
#include "lf/typing/check_package.h"

namespace synod::lf {
namespace {

using ::testing::HasSubstr;

const Party kAlice = "alice::1220aa", kBob = "bob::1220bb";

constexpr const char* kFace = R"(metadata ('face' : '1.0.0') module F {
  record @serializable View = { n: Int64 } ;
  interface (this : I) = { viewtype F:View ; method name : Text ;
    choice @nonConsuming Ask (self) (who: Party) : Text , controllers Cons @Party [who] (Nil @Party)
      to upure @Text (call_method @F:I name this) ; } ;
})";

// A template T; `fields` follow the signatory, the observer and a number.
struct Version {
  std::string number, fields;
  std::string signatories = "Cons @Party [M:T {sig} this] (Nil @Party)";
  std::string observers = "Cons @Party [M:T {obs} this] (Nil @Party)";
  std::string key = "M:T {sig} this";
  std::string maintainers = "Cons @Party [k] (Nil @Party)";
  std::string definitions = {};
  std::string precondition = "True";
  std::string name = "n";  // of the number's field
};

class Versions : public ::testing::Test, public ContractLookup {
 protected:
  Versions() : store_(std::make_shared<PackageStore>()) { add(kFace, "face"); }

  void add(const std::string& text, const std::string& as, LanguageVersion lf = kLf23) {
    auto entry = assemble_package(text, {.version = lf, .dependencies = entries_});
    ASSERT_TRUE(entry) << entry.error().to_string();
    store_->add(entry->package);
    auto checked = check_package(*entry->package, *store_);
    ASSERT_TRUE(checked) << checked.error().to_string();
    ids_[as] = entry->package->id();
    entries_.push_back(*entry);
  }
  void add(const Version& v, LanguageVersion lf = kLf23) {
    std::string text =
        "metadata ('app' : '" + v.number + "') module M { " + v.definitions +
        " record @serializable T = { sig: Party, obs: Party, " + v.name + ": Int64" + v.fields +
        " } ; record @serializable Which = {} ; template (this : T) = { precondition " + v.precondition +
        " ; signatories " + v.signatories + " ; observers " + v.observers +
        " ; choice @nonConsuming Which (self) (w : M:Which) : Text , controllers Cons @Party [M:T {sig} "
        "this] (Nil @Party) to upure @Text \"" +
        v.number +
        "\" ; choice @nonConsuming Get (self) (w : M:Which) : M:T , controllers Cons @Party [M:T {sig} "
        "this] (Nil @Party) to upure @M:T this ; implements 'face':F:I { view = 'face':F:View { n = M:T {" +
        v.name + "} this } ; method name = \"" + v.number + "\" ; } ; ";
    if (lf == kLf23) text += "key @Party (" + v.key + ") (\\(k: Party) -> " + v.maintainers + ") ; ";
    add(text + "} ; }", v.number, lf);
  }

  Identifier t(const std::string& version) const { return {ids_.at(version), "M", "T"}; }
  static std::vector<Value> base() { return {Value::party(kAlice), Value::party(kBob), Value::int64(7)}; }
  static Value base_with(std::vector<Value> more) {
    auto fields = base();
    fields.insert(fields.end(), more.begin(), more.end());
    return Value::record(fields);
  }

  Result<InterpretationResult> submit(Command command, PackagePreference preference = {}, bool strict = false) {
    Engine engine(store_);
    SubmitContext c;
    c.submitters = {kAlice, kBob};
    c.submission_seed = Bytes(32, static_cast<char>(++submissions_));
    c.participant_id = "participant1::1220dd";
    c.package_preference = std::move(preference);
    c.strict_preference = strict;
    return engine.submit({std::move(command)}, c, *this);
  }
  ContractId created(const std::string& version, Value argument) {
    auto r = submit(CreateCommand{t(version), std::move(argument)});
    EXPECT_TRUE(r) << (r ? "" : r.error().to_string());
    return r ? testing::apply(*r, Timestamp{1}, contracts_).at(0) : ContractId();
  }
  static std::string outcome(const Result<InterpretationResult>& r) {
    if (!r) return r.error().id;
    const Node& last = r->transaction.at(static_cast<NodeId>(r->transaction.roots.back()));
    return last.exercise() ? last.exercise()->result->to_string() : "created";
  }
  std::string used(const std::string& version, const ContractId& id, const char* choice = "Which") {
    return outcome(submit(ExerciseCommand{t(version), id, choice, Value::record({})}));
  }

  std::optional<ContractInstance> find(const ContractId& id) override { return contracts_.find(id); }
  std::vector<ContractInstance> find_by_key(const GlobalKey&, int) override { return {}; }
  Status authenticate(const ContractInstance&, ByteView) override {
    if (authentic_) return {};
    return fail(invalid_argument("NOT_AUTHENTIC", "made up"));
  }

  std::shared_ptr<PackageStore> store_;
  std::vector<Dar::Entry> entries_;
  std::map<std::string, std::string> ids_;
  testing::ContractsInMemory contracts_;
  bool authentic_ = true;
  int submissions_ = 0;
};

#define TRANSLATION "INTERPRETATION_UPGRADE_ERROR_TRANSLATION_FAILED"
#define VALIDATION "INTERPRETATION_UPGRADE_ERROR_VALIDATION_FAILED"
#define AUTHENTICATION "INTERPRETATION_UPGRADE_ERROR_AUTHENTICATION_FAILED"

TEST_F(Versions, FieldsComeAndGo) {
  add({"1.0.0", ""});
  add({"2.0.0", ", x: Option Int64, y: Option Text"});
  add({"3.0.0", ", x: Int64"});  // no valid upgrade, which the upload would see
  auto one = created("1.0.0", base_with({}));
  EXPECT_EQ(used("2.0.0", one, "Get"), "{'" + kAlice + "', '" + kBob + "', 7}");
  EXPECT_EQ(used("3.0.0", one), TRANSLATION);
  auto two = created("2.0.0", base_with({Value::some(Value::int64(1)), Value::none()}));
  EXPECT_EQ(used("2.0.0", two), "\"2.0.0\"");
  EXPECT_EQ(used("1.0.0", two), TRANSLATION);
  EXPECT_EQ(used("1.0.0", created("2.0.0", base_with({Value::none(), Value::none()}))), "\"1.0.0\"");
  EXPECT_EQ(used("1.0.0", created("2.0.0", base_with({Value::none(), Value::some(Value::text(""))}))), TRANSLATION);
  auto three = created("3.0.0", base_with({Value::int64(4)}));
  EXPECT_EQ(used("1.0.0", three), TRANSLATION);
  EXPECT_EQ(used("2.0.0", three), TRANSLATION);
}

// What a command has too much of is named as its writer named it, if that is known.
TEST_F(Versions, ArgumentsThatDoNotFit) {
  const auto definitions = [](const char* more) {
    return std::string("record @serializable R = { n: Int64") + more +
           " } ; variant @serializable V = A: Int64 | L: List M:R ;";
  };
  add({.number = "1.0.0", .fields = ", v: M:V", .definitions = definitions("")});
  add({.number = "2.0.0", .fields = ", v: M:V, x: Option Int64", .definitions = definitions(", extra: Option Text")});
  add({.number = "3.0.0", .fields = ", v: M:V, y: Int64", .definitions = definitions(", must: Text")});
  const auto said = [&](const Value& argument, const std::string& written) {
    auto r = submit(CreateCommand{t("1.0.0"), argument, written.empty() ? written : ids_.at(written)});
    return r ? "created" : r.error().id + ": " + r.error().cause;
  };
  const auto of = [](std::vector<Value> r) {
    return Value::variant("L", Value::list({Value::record({Value::int64(1)}), Value::record(std::move(r))}));
  };
  const std::string failed = "COMMAND_PREPROCESSING_FAILED: ";
  const Value a = Value::variant("A", Value::int64(1)), some = Value::some(Value::int64(1));
  EXPECT_EQ(said(base_with({a, Value::none()}), "2.0.0"), "created");
  const std::string dropped = " with a value of Some may not be dropped during downgrading.";
  EXPECT_EQ(said(base_with({a, some}), "2.0.0"), failed + "An optional contract field (\"x\")" + dropped);
  EXPECT_EQ(said(base_with({a, some}), ""), failed + "An optional contract field" + dropped);
  EXPECT_EQ(said(base_with({of({Value::int64(2), Value::some(Value::text(""))})}), "2.0.0"),
            failed + "An optional contract field (\"extra\")" + dropped);
  EXPECT_EQ(said(base_with({a, Value::int64(1)}), "3.0.0"),
            failed + "Found non-optional extra field \"y\", cannot remove for downgrading.");
  EXPECT_EQ(said(base_with({of({Value::int64(2), Value::text("")})}), ""),
            failed + "Found non-optional extra field, cannot remove for downgrading.");
  EXPECT_EQ(said(base_with({}), "2.0.0"),
            failed + "Missing non-optional field \"v\", cannot upgrade non-optional fields.");
  EXPECT_EQ(said(base_with({Value::variant("B", Value::unit())}), ""),
            failed + "unknown constructor B in variant " + ids_.at("1.0.0") + ":M:V");
  EXPECT_EQ(said(base_with({Value::variant("A", Value::text("x"))}), ""),
            failed + "mismatching type: Int64 and value: \"x\"");
  EXPECT_EQ(said(base_with({Value::variant("L", Value::text("x"))}), ""),
            failed + "mismatching type: List M:R and value: \"x\"");
  EXPECT_EQ(said(base_with({Value::variant("L", Value::list({a}))}), ""),
            failed + "mismatching type: M:R and value: A(1)");
  // What is not there at all.
  const auto refused = [&](Command command) {
    auto r = submit(std::move(command));
    return r ? "done" : r.error().id + ": " + r.error().cause;
  };
  const std::string one = ids_.at("1.0.0");
  EXPECT_EQ(refused(CreateCommand{{one, "M", "U"}, Value::record({})}), failed + "unknown template " + one + ":M:U");
  EXPECT_EQ(refused(ExerciseCommand{{one, "M", "U"}, created("1.0.0", base_with({a})), "C", Value::unit()}),
            failed + "unknown template or interface " + one + ":M:U");
  EXPECT_EQ(refused(ExerciseCommand{t("1.0.0"), created("1.0.0", base_with({a})), "C", Value::unit()}),
            failed + "unknown choice C in template " + one + ":M:T");
  const std::string nowhere(64, '0');
  EXPECT_EQ(refused(CreateCommand{{nowhere, "M", "U"}, Value::record({})}),
            "PACKAGE_NOT_FOUND: Couldn't find package " + nowhere + " while looking for template " + nowhere + ":M:U");
}

// An interface needs the contract's template in the package that its name stands for.
TEST_F(Versions, TemplatesThatAreGone) {
  add({"1.0.0", ""});
  add("metadata ('app' : '2.0.0') module M { record @serializable Other = {} ; }", "2.0.0");
  auto id = created("1.0.0", base_with({}));
  const Identifier face{ids_.at("face"), "F", "I"};
  auto r = submit(ExerciseCommand{face, id, "Ask", Value::party(kAlice)}, {{"app", ids_.at("2.0.0")}});
  EXPECT_EQ(outcome(r), "CONTRACT_DOES_NOT_IMPLEMENT_INTERFACE");
  EXPECT_EQ(r.error().resources.at(1), std::pair(std::string("TEMPLATE_ID"), t("2.0.0").to_string()));
  r = submit(ExerciseCommand{face, id, "Ask", Value::party(kAlice)}, {{"app", std::string(64, '0')}});
  EXPECT_EQ(outcome(r), "PACKAGE_NOT_FOUND");
}

TEST_F(Versions, TheTextOfAChangedContract) {
  add({"1.0.0", ""});
  add({.number = "2.0.0", .observers = "Nil @Party", .key = "M:T {obs} this"});
  auto id = created("1.0.0", base_with({}));
  auto r = submit(ExerciseCommand{t("2.0.0"), id, "Which", Value::record({})});
  ASSERT_FALSE(r);
  const auto type = [&](const char* version) { return "M:T@" + ids_.at(version).substr(0, 8); };
  EXPECT_EQ(r.error().cause,
            "Interpretation error: Error: Validation fails when trying to upgrade the contract " + id.to_hex() +
                " from " + type("1.0.0") + " to " + type("2.0.0") +
                "\nVerify that neither the signatories, nor the observers, nor the contract key, nor the key's "
                "maintainers, nor the package name have changed\noriginal package name is app\noriginal signatories "
                "are { 'alice::1220aa' }\noriginal observers are { 'bob::1220bb' }\ntarget package name is app\n"
                "recomputed signatories are { 'alice::1220aa' }\nrecomputed observers are {  }\noriginal maintainers "
                "are { 'alice::1220aa' }\noriginal key is 'alice::1220aa'\nrecomputed maintainers are { "
                "'bob::1220bb' }\nrecomputed key is 'bob::1220bb'");
  authentic_ = false;
  r = submit(ExerciseCommand{t("1.0.0"), id, "Which", Value::record({})});
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().cause, "Interpretation error: Error: Error when authenticating contract " + id.to_hex() +
                                 " against template " + type("1.0.0") +
                                 " : failed to authenticate contract\nThe contract is purportedly an instance of " +
                                 type("1.0.0") +
                                 "\nThe contract argument is { <no-label> = 'alice::1220aa', <no-label> = "
                                 "'bob::1220bb', <no-label> = 7 }");
}

TEST_F(Versions, ConstructorsComeAndGo) {
  const std::string v1 = "variant @serializable V = A: Int64 | B: Text ; enum @serializable E = P | Q ;";
  const std::string v2 = "variant @serializable V = A: Int64 | B: Text | C: Unit ; enum @serializable E = P | Q | R ;";
  add({.number = "1.0.0", .fields = ", v: M:V, e: M:E", .definitions = v1});
  add({.number = "2.0.0", .fields = ", v: M:V, e: M:E", .definitions = v2});
  auto with = [](const char* constructor, Value argument, const char* e) {
    return base_with({Value::variant(constructor, std::move(argument)), Value::enumeration(e)});
  };
  EXPECT_EQ(used("2.0.0", created("1.0.0", with("B", Value::text("b"), "Q"))), "\"2.0.0\"");
  EXPECT_EQ(used("1.0.0", created("2.0.0", with("A", Value::int64(1), "P"))), "\"1.0.0\"");
  EXPECT_EQ(used("1.0.0", created("2.0.0", with("C", Value::unit(), "P"))), TRANSLATION);
  EXPECT_EQ(used("1.0.0", created("2.0.0", with("A", Value::int64(1), "R"))), TRANSLATION);
}

TEST_F(Versions, InsideOtherValues) {
  const std::string fields = ", a: List M:R, b: Option M:R, c: TextMap M:R, d: GenMap Int64 M:R, e: M:W, f: M:Box M:R";
  const std::string rest = " variant @serializable W = A: M:R ; record @serializable Box (a: *) = { x: a } ;";
  add({.number = "1.0.0", .fields = fields, .definitions = "record @serializable R = { n: Int64 } ;" + rest});
  add({.number = "2.0.0",
       .fields = fields,
       .definitions = "record @serializable R = { n: Int64, m: Option Int64 } ;" + rest});
  auto with = [](const Value& r, const Value& in_list) {
    return base_with({Value::list({in_list}), Value::some(r), Value::text_map({{"k", r}}),
                      Value::gen_map({{Value::int64(1), r}}), Value::variant("A", r), Value::record({r})});
  };
  const Value small = Value::record({Value::int64(1)});
  const Value large = Value::record({Value::int64(1), Value::some(Value::int64(2))});
  EXPECT_EQ(used("2.0.0", created("1.0.0", with(small, small))), "\"2.0.0\"");
  EXPECT_EQ(used("1.0.0", created("2.0.0", with(small, small))), "\"1.0.0\"");
  EXPECT_EQ(used("1.0.0", created("2.0.0", with(small, large))), TRANSLATION);
  EXPECT_EQ(used("2.0.0", created("2.0.0", with(large, large))), "\"2.0.0\"");
}

TEST_F(Versions, WhatIsStoredAboutAContractMustNotChange) {
  add({"1.0.0", ""});
  const std::string both = "Cons @Party [M:T {sig} this, M:T {obs} this] (Nil @Party)";
  add({.number = "2.0.0", .signatories = both});
  add({.number = "3.0.0", .observers = "Nil @Party"});
  add({.number = "4.0.0", .key = "M:T {obs} this", .maintainers = "Cons @Party [k] (Nil @Party)"});
  add({.number = "5.0.0", .maintainers = "Nil @Party"});
  add({.number = "6.0.0", .precondition = "LESS @Int64 (M:T {n} this) 0"});
  add({.number = "7.0.0", .signatories = "ERROR @(List Party) \"no\""});
  auto id = created("1.0.0", base_with({}));
  for (const char* version : {"2.0.0", "3.0.0", "4.0.0", "5.0.0"}) EXPECT_EQ(used(version, id), VALIDATION) << version;
  EXPECT_EQ(used("6.0.0", id), "TEMPLATE_PRECONDITION_VIOLATED");
  EXPECT_EQ(used("7.0.0", id), "INTERPRETATION_USER_ERROR");
  EXPECT_EQ(used("1.0.0", id), "\"1.0.0\"");
}

TEST_F(Versions, TheContractIsCheckedAgainstWhatIsSaidAboutIt) {
  add({"1.0.0", ""});
  auto id = created("1.0.0", base_with({}));
  const ContractInstance right = *contracts_.find(id);
  auto with = [&](auto&& change) {
    ContractInstance c = right;
    change(c);
    contracts_.add(c);
    return used("1.0.0", id);
  };
  EXPECT_EQ(with([](auto&) {}), "\"1.0.0\"");
  EXPECT_EQ(with([](auto& c) { c.package_name = "wrong"; }), VALIDATION);
  EXPECT_EQ(with([](auto& c) { c.signatories.insert(kBob); }), VALIDATION);
  EXPECT_EQ(with([](auto& c) { c.stakeholders.erase(kBob); }), VALIDATION);
  EXPECT_EQ(with([](auto& c) { c.key.reset(); }), VALIDATION);
  EXPECT_EQ(with([](auto& c) { c.key->maintainers = {kBob}; }), VALIDATION);
  EXPECT_EQ(with([](auto& c) { c.template_id.module = "N"; }), "WRONGLY_TYPED_CONTRACT");
  EXPECT_EQ(with([](auto& c) { c.template_id.entity = "U"; }), "WRONGLY_TYPED_CONTRACT");
  EXPECT_EQ(with([](auto& c) { c.argument = Value::record({Value::party(kAlice)}); }), TRANSLATION);
  EXPECT_EQ(with([](auto& c) { c.argument = base_with({Value::text("more")}); }), TRANSLATION);
  // The package that made it need not be there.
  EXPECT_EQ(with([](auto& c) { c.template_id.package = std::string(64, '1'); }), "\"1.0.0\"");
  authentic_ = false;
  EXPECT_EQ(with([](auto&) {}), AUTHENTICATION);
}

// A contract of the same transaction, made and used by two versions of its package.
TEST_F(Versions, ContractsOfTheSameTransaction) {
  add({"1.0.0", ""});
  add({"2.0.0", ", x: Option Int64"});
  add({.number = "3.0.0", .name = "renamed"});
  auto mix = [&](const std::string& as, const std::string& type, const std::string& use) {
    std::string text = "metadata ('mix" + as +
                       "' : '1.0.0') module X { record @serializable Root = { p: Party, q: Party } ; "
                       "record @serializable Go = {} ; template (this : Root) = { signatories Cons @Party [X:Root {p} "
                       "this] (Nil @Party) ; "
                       "choice @nonConsuming Go (self) (g : X:Go) : " +
                       type +
                       " , controllers Cons @Party [X:Root {p} this] (Nil @Party) to "
                       "ubind c: ContractId 'ONE':M:T <- create @'ONE':M:T ('ONE':M:T { sig = X:Root {p} this, obs = "
                       "X:Root {q} this, n = 7 }) in " +
                       use + " ; } ; }";
    for (auto [name, version] : {std::pair{"ONE", "1.0.0"}, std::pair{"TWO", "2.0.0"}, std::pair{"THREE", "3.0.0"}})
      for (std::size_t at; (at = text.find(std::string("'") + name + "'")) != std::string::npos;)
        text.replace(at + 1, std::string_view(name).size(), ids_.at(version));
    add(text, as);
    return outcome(submit(CreateAndExerciseCommand{{ids_.at(as), "X", "Root"},
                                                   Value::record({Value::party(kAlice), Value::party(kBob)}),
                                                   "Go",
                                                   Value::record({})},
                          {{"app", ids_.at("2.0.0")}}));
  };
  const std::string two = "(COERCE_CONTRACT_ID @'ONE':M:T @'TWO':M:T c)",
                    three = "(COERCE_CONTRACT_ID @'ONE':M:T @'THREE':M:T c)";
  const std::string face = "(COERCE_CONTRACT_ID @'ONE':M:T @'face':F:I c)";
  EXPECT_EQ(
      mix("a", "Option Int64",
          "ubind t: 'TWO':M:T <- fetch_template @'TWO':M:T " + two + " in upure @(Option Int64) ('TWO':M:T {x} t)"),
      "None");
  EXPECT_EQ(mix("b", "Text", "exercise @'TWO':M:T Which " + two + " ('TWO':M:Which {})"), "\"2.0.0\"");
  EXPECT_EQ(mix("c", "Text", "exercise @'ONE':M:T Which c ('ONE':M:Which {})"), "\"1.0.0\"");
  EXPECT_EQ(mix("d", "Int64", "ubind t: 'THREE':M:T <- fetch_template @'THREE':M:T " + three + " in upure @Int64 1"),
            AUTHENTICATION);
  // Through an interface it is the preferred version's code.
  EXPECT_EQ(mix("e", "Text", "exercise_interface @'face':F:I Ask " + face + " (X:Root {p} this)"), "\"2.0.0\"");
  EXPECT_EQ(mix("f", "Text",
                "ubind i: 'face':F:I <- fetch_interface @'face':F:I " + face +
                    " in upure @Text (call_method @'face':F:I name i)"),
            "\"2.0.0\"");
  // from_interface goes to the version that it names.
  EXPECT_EQ(mix("g", "Bool",
                "ubind i: 'face':F:I <- fetch_interface @'face':F:I " + face +
                    " in upure @Bool (case from_interface @'face':F:I @'ONE':M:T i of None -> False | Some t -> True)"),
            "True");
  EXPECT_EQ(mix("h", "Text", "exercise_by_key @'TWO':M:T Which (X:Root {p} this) ('TWO':M:Which {})"), "\"2.0.0\"");
}

TEST_F(Versions, NamesArePreferences) {
  add({"1.0.0", ""});
  add({"2.0.0", ", x: Option Int64"});
  const Identifier by_name{"#app", "M", "T"};
  auto which = [&](PackagePreference preference) {
    return outcome(
        submit(CreateAndExerciseCommand{by_name, base_with({}), "Which", Value::record({})}, std::move(preference)));
  };
  // The result of the second root is seen.
  EXPECT_EQ(which({}), "\"2.0.0\"");
  EXPECT_EQ(which({{"app", ids_.at("1.0.0")}}), "\"1.0.0\"");
  auto unknown = submit(CreateCommand{{"#nothing", "M", "T"}, base_with({})});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().id, "PACKAGE_NOT_FOUND");
  // An interface choice at the root runs the preferred version, whichever made the contract.
  auto id = created("1.0.0", base_with({}));
  const Identifier face{ids_.at("face"), "F", "I"};
  for (const char* version : {"1.0.0", "2.0.0"}) {
    auto r = submit(ExerciseCommand{face, id, "Ask", Value::party(kAlice)}, {{"app", ids_.at(version)}});
    EXPECT_EQ(outcome(r), std::string("\"") + version + "\"");
    ASSERT_TRUE(r);
    EXPECT_EQ(r->transaction.at(0).exercise()->template_id, t(version));
  }
  // On a ledger, a name that stands for nothing is an error, in a command and for a contract.
  auto no_name = submit(CreateCommand{by_name, base_with({})}, {}, true);
  ASSERT_FALSE(no_name);
  EXPECT_EQ(no_name.error().to_string(),
            "PACKAGE_NOT_FOUND: Couldn't find package #app while looking for template #app:M:T");
  auto no_package = submit(ExerciseCommand{face, id, "Ask", Value::party(kAlice)}, {}, true);
  ASSERT_FALSE(no_package);
  EXPECT_EQ(no_package.error().id, "UNRESOLVED_PACKAGE_NAME");
  EXPECT_EQ(no_package.error().resources, (eval::Resources{{"PACKAGE_NAME", "app"}}));
  EXPECT_EQ(outcome(submit(ExerciseCommand{face, id, "Ask", Value::party(kAlice)}, {{"app", ids_.at("2.0.0")}}, true)),
            "\"2.0.0\"");
  // A view says which version it wants; none is an error there.
  Engine engine(store_);
  ReplayContext context;
  context.authorizers = {kAlice};
  context.node_seed = Bytes(32, 's');
  const ReplayExercise ask{t("1.0.0"), face, id, "Ask", Value::party(kAlice)};
  auto refused = engine.reinterpret(ask, context, *this);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().id, "UNRESOLVED_PACKAGE_NAME");
  context.package_preference = {{"app", ids_.at("2.0.0")}};
  EXPECT_EQ(outcome(engine.reinterpret(ask, context, *this)), "\"2.0.0\"");
}

}  // namespace
}  // namespace synod::lf
