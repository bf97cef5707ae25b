// What clients and scripts are told of an interpretation that fails: id, text, resources, context. The texts are those
// of Canton's Pretty.scala and ValueTranslator.scala, the resources those of CommandExecutionErrors.scala.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "lf/eval/fatal.h"
#include "lf/ledger/test_support.h"
#include "lf/text/assembler.h"
#include "lf/typing/check_package.h"

namespace synod::lf {
namespace {

using ::testing::StartsWith;

const Party kAlice = "alice::1220aa";

constexpr const char* kModel = R"(metadata ('errors' : '1.0.0') module M {
  record @serializable Void = {} ;
  variant @serializable Deep = End: Unit | More: M:Deep ;
  record @serializable View = { t: Text, d: M:Deep } ;
  interface (this : Base) = { viewtype M:View ; } ;
  interface (this : Face) = { viewtype M:View ; requires M:Base ; } ;
  enum @serializable Color = Red | Green ;
  variant @serializable Shape = Dot: Unit | Circle: Numeric 2 ;
  record @serializable Inner = { x: Option Int64, s: M:Shape } ;
  val deep : Int64 -> M:Deep = \(n: Int64) -> case EQUAL @Int64 n 0 of
    True -> M:Deep:End () | False -> M:Deep:More (M:deep (SUB_INT64 n 1)) ;
  val text : Int64 -> Text = \(n: Int64) -> case EQUAL @Int64 n 98 of True -> HEX_TO_TEXT "00" | False -> "" ;
  record @serializable T = { p: Party, n: Int64, c: M:Color, i: M:Inner, l: List Text } ;
  template (this : T) = {
    precondition LESS @Int64 (M:T {n} this) 100 ;
    signatories Cons @Party [M:T {p} this] (Nil @Party) ;
    choice Spend (self) (v: M:Void) : Unit , controllers Cons @Party [M:T {p} this] (Nil @Party) to upure @Unit () ;
    choice @nonConsuming Fail (self) (v: M:Void) : Unit , controllers Cons @Party [M:T {p} this] (Nil @Party)
      to FAIL_WITH_STATUS @(Update Unit) "MINE" INVALID_GIVEN_CURRENT_SYSTEM_STATE_OTHER "no" (TEXTMAP_INSERT @Text "k" "v" (TEXTMAP_EMPTY @Text)) ;
    choice @nonConsuming Throw (self) (v: M:Void) : Unit , controllers Cons @Party [M:T {p} this] (Nil @Party)
      to upure @Unit (case DIV_INT64 1 0 of _ -> ()) ;
    implements M:Base { view = M:View { t = M:text (M:T {n} this), d = M:deep (M:T {n} this) } ; } ;
  } ;
  record @serializable K = { p: Party, n: Int64 } ;
  template (this : K) = {
    signatories Cons @Party [M:K {p} this] (Nil @Party) ;
    choice @nonConsuming Look (self) (v: M:Void) : Unit , controllers Cons @Party [M:K {p} this] (Nil @Party) to upure @Unit () ;
    key @M:K this (\(k: M:K) -> case EQUAL @Int64 (M:K {n} k) 0 of True -> Nil @Party | False -> Cons @Party [M:K {p} k] (Nil @Party)) ;
  } ;
  record @serializable Pair = { p: Party, a: ContractId M:T, b: ContractId M:T, m: GenMap Int64 Int64, o: Option Int64 } ;
  template (this : Pair) = {
    signatories Cons @Party [M:Pair {p} this] (Nil @Party) ;
    choice @nonConsuming Same (self) (v: M:Void) : Bool , controllers Cons @Party [M:Pair {p} this] (Nil @Party)
      to upure @Bool (EQUAL @(ContractId M:T) (M:Pair {a} this) (M:Pair {b} this)) ;
    choice @nonConsuming Less (self) (v: M:Void) : Bool , controllers Cons @Party [M:Pair {p} this] (Nil @Party)
      to upure @Bool (LESS @(ContractId M:T) (M:Pair {a} this) (M:Pair {b} this)) ;
  } ;
  val t : Party -> Int64 -> Update (ContractId M:T) = \(p: Party) (n: Int64) -> create @M:T (M:T {
    p = p, n = n, c = M:Color:Red, i = M:Inner { x = Some @Int64 1, s = M:Shape:Circle 1.50 },
    l = Cons @Text ["a", "b"] (Nil @Text) }) ;
  val bob : Unit -> Party = \(u: Unit) -> case TEXT_TO_PARTY "bob::1220bb" of Some p -> p | None -> ERROR @Party "" ;
  record @serializable E = {} ; exception E = { message \(e: M:E) -> "thrown" } ;
  record @serializable Root = { p: Party, other: ContractId M:T } ;
  template (this : Root) = {
    signatories Cons @Party [M:Root {p} this] (Nil @Party) ;
$CHOICES
  } ;
})";

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
  return text;
}

struct Failure {
  std::string update;  // $P is the party
  std::string error;   // ID: text, without what Canton writes before all texts; see `seen`
  std::string about;   // resources: TYPE=name ...
};

class Errors : public ::testing::Test {
 protected:
  void load(const std::vector<std::string>& updates, const char* type = "Unit") {
    std::string choices;
    for (std::size_t i = 0; i < updates.size(); ++i)
      choices += "choice @nonConsuming C" + std::to_string(i) + " (self) (v: M:Void) : " + type +
                 " , controllers Cons @Party [M:Root {p} this] (Nil @Party) to " +
                 replaced(updates[i], "$P", "(M:Root {p} this)") + " ;\n";
    auto entry = assemble_package(replaced(kModel, "$CHOICES", choices), {.version = kLf23});
    ASSERT_TRUE(entry) << entry.error().to_string();
    package_ = entry->package->id();
    auto store = std::make_shared<PackageStore>();
    store->add(entry->package);
    auto checked = check_package(*entry->package, *store);
    ASSERT_TRUE(checked) << checked.error().to_string();
    engine_ = std::make_unique<Engine>(store);
  }
  Result<InterpretationResult> submit(Command command) {
    SubmitContext c;
    c.submitters = {kAlice};
    c.submission_seed = Bytes(32, 's');
    c.participant_id = "participant1::1220dd";
    c.exercise_trace = trace_;
    return engine_->submit({std::move(command)}, c, contracts_);
  }
  Result<InterpretationResult> choice(std::size_t n, const ContractId& other = global()) {
    return submit(CreateAndExerciseCommand{type("Root"),
                                           Value::record({Value::party(kAlice), Value::contract_id(other)}),
                                           "C" + std::to_string(n), Value::record({})});
  }
  Identifier type(const char* name) const { return {package_, "M", name}; }
  static ContractId global() { return *ContractId::from_bytes(Bytes(1, '\0') + Bytes(32, 'g') + "suffix"); }

  // With names in place of the ids of this package ($PKG, $8) and of contracts ($CID).
  std::string seen(std::string text) const {
    text = replaced(replaced(text, package_, "$PKG"), package_.substr(0, 8), "$8");
    return std::regex_replace(text, std::regex("0[01][0-9a-f]{24,}"), "$$CID");
  }
  std::string error(const Result<InterpretationResult>& r) const {
    if (r) return "no error";
    return seen(r.error().id + ": " + replaced(r.error().cause, "Interpretation error: Error: ", ""));
  }
  std::string resources(const Result<InterpretationResult>& r) const {
    std::string out;
    if (!r)
      for (const auto& [what, name] : r.error().resources) out += (out.empty() ? "" : " ") + what + "=" + name;
    return seen(out);
  }
  void expect(const std::vector<Failure>& rows) {
    std::vector<std::string> updates;
    for (const auto& row : rows) updates.push_back(row.update);
    load(updates);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      auto r = choice(i);
      EXPECT_EQ(error(r), rows[i].error) << rows[i].update;
      EXPECT_EQ(resources(r), rows[i].about) << rows[i].update;
    }
  }
  std::string encoded(const Value& v) const { return eval::resource_of(v); }

  std::string package_;
  std::unique_ptr<Engine> engine_;
  testing::ContractsInMemory contracts_;
  std::size_t trace_ = 0;
};

TEST_F(Errors, TextsAndResources) {
  const std::string t = "ubind c: ContractId M:T <- M:t $P 1 ; ";
  const std::string as_base = "(COERCE_CONTRACT_ID @M:T @M:Base c)";
  const std::string key = "(M:K { p = $P, n = 0 })";
  const Value none_of_key = Value::record({Value::party(kAlice), Value::int64(0)});
  const Value some_of_key = Value::record({Value::party(kAlice), Value::int64(1)});
  expect({
      {"ubind c: ContractId M:T <- M:t $P 100 in upure @Unit ()",
       "TEMPLATE_PRECONDITION_VIOLATED: Update failed due to precondition violation when creating M:T@$8 with M:T@$8{ "
       "p "
       "= 'alice::1220aa', n = 100, c = M:Color@$8:Red, i = M:Inner@$8{ x = Option(1), s = M:Shape@$8:Circle(1.50) }, "
       "l "
       "= [\"a\", \"b\"] }",
       ""},
      {t + "x: Unit <- exercise @M:T Spend c (M:Void {}) in exercise @M:T Spend c (M:Void {})",
       "CONTRACT_NOT_ACTIVE: Update failed due to fetch of an inactive contract $CID (M:T@$8).\nThe contract had been "
       "consumed in sub-transaction #NodeId(3):",
       "TEMPLATE_ID=$PKG:M:T CONTRACT_ID=$CID"},
      {"ubind c: ContractId M:T <- M:t (M:bob ()) 1 in upure @Unit ()",
       "DAML_AUTHORIZATION_ERROR: node NodeId(2) ($PKG:M:T) requires authorizers bob::1220bb, but only alice::1220aa "
       "were given",
       ""},
      {t + "r: M:Root <- fetch_template @M:Root (COERCE_CONTRACT_ID @M:T @M:Root c) in upure @Unit ()",
       "WRONGLY_TYPED_CONTRACT: Update failed due to wrongly typed contract id $CID\nExpected contract of type "
       "M:Root@$8 but got M:T@$8",
       "CONTRACT_ID=$CID TEMPLATE_ID=$PKG:M:Root TEMPLATE_ID=$PKG:M:T"},
      {t + "f: M:Face <- fetch_interface @M:Face (COERCE_CONTRACT_ID @M:T @M:Face c) in upure @Unit ()",
       "CONTRACT_DOES_NOT_IMPLEMENT_INTERFACE: Update failed due to contract $CID not implementing an "
       "interface\nExpected contract to implement interface M:Face@$8 but contract has type M:T@$8",
       "CONTRACT_ID=$CID TEMPLATE_ID=$PKG:M:T INTERFACE_ID=$PKG:M:Face"},
      {t + "b: M:Base <- fetch_interface @M:Base " + as_base +
           " in upure @Unit (case unsafe_from_required_interface @M:Base @M:Face " + as_base + " b of _ -> ())",
       "CONTRACT_DOES_NOT_IMPLEMENT_REQUIRING_INTERFACE: Update failed due to contract $CID not implementing the "
       "requiring interface\nExpected contract to implement interface M:Face@$8 requirring the interface M:Base@$8 but "
       "contract has type M:T@$8",
       "CONTRACT_ID=$CID TEMPLATE_ID=$PKG:M:T INTERFACE_ID=$PKG:M:Base INTERFACE_ID=$PKG:M:Face"},
      {"ubind c: ContractId M:K <- create @M:K " + key + " in upure @Unit ()",
       "CREATE_EMPTY_CONTRACT_KEY_MAINTAINERS: Update failed due to a contract key with an empty set of maintainers "
       "when creating M:K@$8 with { <no-label> = 'alice::1220aa', <no-label> = 0 }\nThe computed key is { <no-label> = "
       "'alice::1220aa', <no-label> = 0 }",
       "TEMPLATE_ID=$PKG:M:K CONTRACT_ARG=" + encoded(none_of_key)},
      {"exercise_by_key @M:K Look " + key + " (M:Void {})",
       "FETCH_EMPTY_CONTRACT_KEY_MAINTAINERS: Update failed due to a contract key with an empty set of maintainers "
       "when "
       "fetching or looking up by key errors / M:K@$8\nThe provided shared key is { <no-label> = 'alice::1220aa', "
       "<no-label> = 0 }",
       "TEMPLATE_ID=$PKG:M:K CONTRACT_KEY=" + encoded(none_of_key) + " PACKAGE_NAME=errors"},
      {"exercise_by_key @M:K Look (M:K { p = $P, n = 1 }) (M:Void {})",
       "CONTRACT_KEY_NOT_FOUND: Update failed due to fetch-by-key or exercise-by-key which did not find a contract "
       "with "
       "key { <no-label> = 'alice::1220aa', <no-label> = 1 } (M:K@$8)",
       "TEMPLATE_ID=$PKG:M:K CONTRACT_KEY=" + encoded(some_of_key) + " PACKAGE_NAME=errors"},
      {"try @Unit (" + t +
           "x: Unit <- exercise @M:T Spend c (M:Void {}) in throw @(Update Unit) @M:E (M:E {})) catch e "
           "-> Some @(Update Unit) (upure @Unit ())",
       "DAML_EFFECTFUL_ROLLBACK_ERROR: Tried to rollback side-effectful node(s): Create of M:T@$8 ( $CID ), "
       "\nConsuming "
       "exercise of Spend on M:T@$8 ( $CID )",
       ""},
      {"ERROR @(Update Unit) \"mine\"", "INTERPRETATION_USER_ERROR: User abort: mine", "EXCEPTION_TEXT=mine"},
      {"upure @Unit (case EQUAL @(Int64 -> Int64) (\\(x: Int64) -> x) (\\(x: Int64) -> x) of _ -> ())",
       "NON_COMPARABLE_VALUES: functions are not comparable", ""},
  });
}

TEST_F(Errors, CryptographyNamesTheText) {
  const std::string key =
      "\"3056301006072a8648ce3d020106052b8104000a03420004bb50e2d89a4ed70663d080659fe0ad4b9bc3e06c17a227433966cb59ceee02"
      "0decddbf6e00192011648d13b1c00af770c0c1bb609d4d3a5c98a43772e0e18ef4\"";
  const auto pure = [](const std::string& e) { return "upure @Unit (case " + e + " of _ -> ())"; };
  const std::string encoding = "INTERPRETATION_CRYPTO_ERROR_MALFORMED_BYTE_ENCODING: Invalid byte encoding format for ";
  expect({
      {pure("SHA256_HEX \"xy\""), encoding + "xy:\ncan not parse hex string", "CRYPTO_VALUE=xy"},
      {pure("KECCAK256_TEXT \"xy\""), encoding + "xy:\ncan not parse hex string", "CRYPTO_VALUE=xy"},
      {pure("HEX_TO_TEXT \"xy\""), encoding + "xy:\ncan not parse hex string argument", "CRYPTO_VALUE=xy"},
      // Of several malformed texts it is the first one that counts; in a message that is hashed here, that one.
      {pure("SECP256K1_WITH_ECDSA_BOOL \"xs\" \"xm\" \"xk\""), encoding + "xs:\ncan not parse signature hex string",
       "CRYPTO_VALUE=xs"},
      {pure("SECP256K1_WITH_ECDSA_BOOL \"00\" \"xm\" \"xk\""), encoding + "xm:\ncan not parse message hex string",
       "CRYPTO_VALUE=xm"},
      {pure("SECP256K1_WITH_ECDSA_BOOL \"00\" \"00\" \"xk\""),
       encoding + "xk:\ncan not parse DER encoded public key hex string", "CRYPTO_VALUE=xk"},
      {pure("SECP256K1_BOOL \"xs\" \"xm\" \"xk\""), encoding + "xm:\ncan not parse message hex string",
       "CRYPTO_VALUE=xm"},
      {pure("SECP256K1_VALIDATE_KEY \"1234\""),
       "INTERPRETATION_CRYPTO_ERROR_MALFORMED_KEY: Malformed public key for 1234:\nnot a public key on an elliptic "
       "curve",
       "CRYPTO_VALUE=1234"},
      {pure("SECP256K1_BOOL \"1234\" \"00\" " + key),
       "INTERPRETATION_CRYPTO_ERROR_MALFORMED_SIGNATURE: Malformed signature for 1234:\nerror decoding signature "
       "bytes.",
       "CRYPTO_VALUE=1234"},
  });
}

// A contract id without suffix, against one that it may turn out to be.
TEST_F(Errors, LocalAgainstGlobalContractIds) {
  load({"ubind c: ContractId M:T <- M:t $P 1 in upure @Bool (EQUAL @(ContractId M:T) c (M:Root {other} this))",
        "ubind c: ContractId M:T <- M:t $P 1 in upure @Bool (LESS @(ContractId M:T) (M:Root {other} this) c)"},
       "Bool");
  for (std::size_t i = 0; i < 2; ++i) {
    auto first = choice(i);
    ASSERT_TRUE(first) << first.error().to_string();
    const ContractId local = first->transaction.at(2).create()->contract_id;
    const ContractId same = *ContractId::from_bytes(local.bytes() + "suffix");
    auto second = choice(i, same);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().id, "CONTRACT_ID_COMPARABILITY");
    EXPECT_EQ(second.error().cause, "Interpretation error: Error: The global contract ID " + same.to_hex() +
                                        " conflicts with a local contract ID");
    EXPECT_EQ(second.error().resources, (eval::Resources{{"CONTRACT_ID", same.to_hex()}}));
  }
}

// Stored contracts, as another participant may hand them over.
class StoredContracts : public Errors {
 protected:
  void SetUp() override { load({}); }
  static ContractId v2(char local, const Bytes& suffix) {
    return *ContractId::from_bytes(Bytes(1, '\1') + Bytes(12, local) + suffix);
  }
  // The outcome of a choice on a Pair whose stored argument was exchanged for this one.
  Result<InterpretationResult> use(const char* choice, Value argument) {
    const Value plain = Value::record(
        {Value::party(kAlice), Value::contract_id(global()), Value::contract_id(global()), Value::gen_map({})});
    auto made = submit(CreateCommand{type("Pair"), plain});
    EXPECT_TRUE(made) << made.error().to_string();
    const ContractId id = testing::apply(*made, Timestamp{1}, contracts_).at(0);
    ContractInstance contract = *contracts_.find(id);
    contract.argument = std::move(argument);
    contracts_.add(contract);
    return submit(ExerciseCommand{type("Pair"), id, choice, Value::record({})});
  }
  static std::string answer(const Result<InterpretationResult>& r) {
    return r ? r->transaction.at(0).exercise()->result->to_string() : r.error().id;
  }
  static std::vector<Value> pair(const ContractId& a, const ContractId& b, std::vector<std::pair<Value, Value>> map) {
    return {Value::party(kAlice), Value::contract_id(a), Value::contract_id(b), Value::gen_map(std::move(map))};
  }
};

TEST_F(StoredContracts, RelativeContractIds) {
  const ContractId absolute = v2('a', "\xff one"), other = v2('a', "\xff two");
  const ContractId relative = v2('a', "\x01 one"), relative2 = v2('a', "\x01 two"), elsewhere = v2('b', "\x01 one");
  const auto same = [&](const ContractId& a, const ContractId& b) {
    return answer(use("Same", Value::record(pair(a, b, {}))));
  };
  EXPECT_EQ(same(absolute, absolute), "True");
  EXPECT_EQ(same(absolute, other), "False");
  EXPECT_EQ(same(relative, relative), "True");
  EXPECT_EQ(same(relative, elsewhere), "False");
  EXPECT_EQ(same(relative, relative2), "CONTRACT_ID_COMPARABILITY");
  EXPECT_EQ(same(absolute, relative), "CONTRACT_ID_COMPARABILITY");
  EXPECT_EQ(answer(use("Less", Value::record(pair(relative, absolute, {})))), "CONTRACT_ID_COMPARABILITY");
  EXPECT_EQ(answer(use("Less", Value::record(pair(absolute, other, {})))), "True");
  EXPECT_THAT(
      error(use("Less", Value::record(pair(v2('a', ""), other, {})))),
      StartsWith("INTERPRETATION_UPGRADE_ERROR_TRANSLATION_FAILED: Translation of contract $CID to a value of type "
                 "M:Pair@$8 fails.\nReason: Encountered non-suffixed Contract ID $CID\nThe contract is "));
  // Commands may have none of them.
  auto command = submit(ExerciseCommand{type("Pair"), relative, "Same", Value::record({})});
  EXPECT_EQ(error(command),
            "COMMAND_PREPROCESSING_FAILED: Illegal Contract ID \"$CID\", relative Contract IDs are forbidden");
  command = submit(CreateCommand{type("Pair"), Value::record(pair(global(), relative, {}))});
  EXPECT_EQ(error(command),
            "COMMAND_PREPROCESSING_FAILED: Illegal Contract ID \"$CID\", relative Contract IDs are forbidden");
}

TEST_F(StoredContracts, MustBeInNormalForm) {
  const auto entry = [](int n) { return std::pair(Value::int64(n), Value::int64(n)); };
  EXPECT_EQ(answer(use("Same", Value::record(pair(global(), global(), {entry(1), entry(2)})))), "True");
  const std::string failed =
      "INTERPRETATION_UPGRADE_ERROR_TRANSLATION_FAILED: Translation of contract $CID to a value of type M:Pair@$8 "
      "fails.\nReason: ";
  const std::string of = "\nThe contract is purportedly an instance of M:Pair@$8\nIts contract argument is:  ";
  for (const auto& map : {std::vector{entry(2), entry(1)}, std::vector{entry(1), entry(1)}}) {
    const std::string text = map[0] == map[1] ? "GenMap(1 -> 1, 1 -> 1)" : "GenMap(2 -> 2, 1 -> 1)";
    EXPECT_EQ(error(use("Same", Value::record(pair(global(), global(), map)))),
              failed + "Invalid value " + text + " Unexpected non-strictly ordered GenMap value" + of +
                  "{ <no-label> = 'alice::1220aa', <no-label> = $CID, <no-label> = $CID, <no-label> = " + text + " }");
  }
  const std::string plain =
      "{ <no-label> = 'alice::1220aa', <no-label> = $CID, <no-label> = $CID, <no-label> = "
      "GenMap() }";
  EXPECT_EQ(error(use("Same", Value::record(pair(global(), global(), {}), true))),
            failed + "Invalid value " + plain + " Unexpected trailing None in record." + of + plain);
  auto surplus = pair(global(), global(), {});
  surplus.insert(surplus.end(), {Value::none(), Value::some(Value::int64(1))});
  EXPECT_THAT(error(use("Same", Value::record(surplus))),
              StartsWith(failed + "Type-checking fails  Found an optional contract field with a value of Some at index "
                                  "5, may not be dropped during downgrading.\n  Expected"));
  surplus.back() = Value::int64(1);
  EXPECT_EQ(
      error(use("Same", Value::record(surplus))),
      failed +
          "Type-checking fails  Found non-optional extra field at index 5, cannot remove for downgrading.\n  "
          "Expected type: M:Pair\n  Actual value: { <no-label> = 'alice::1220aa', <no-label> = $CID, <no-label> = "
          "$CID, <no-label> = GenMap(), <no-label> = None, <no-label> = 1 }" +
          of +
          "{ <no-label> = 'alice::1220aa', <no-label> = $CID, <no-label> = $CID, <no-label> = GenMap(), "
          "<no-label> = None, <no-label> = 1 }");
  EXPECT_THAT(error(use("Same", Value::record({Value::party(kAlice)}))),
              StartsWith(failed + "Type-checking fails  Unexpected non-optional extra template field type encountered "
                                  "during upgrading.\n  Expected"));
  EXPECT_THAT(
      error(use("Same", Value::record({Value::int64(1)}))),
      StartsWith(failed + "Type-checking fails  mismatching type: Party and value: 1\n  Expected type: Party\n  "
                          "Actual value: 1\n"));
}

// A view is a ledger value, even if the program looks at no part of it.
TEST_F(Errors, ViewsAreLedgerValues) {
  const auto view = [](const char* n) {
    return std::string("upure @Unit (case view_interface @M:Base (to_interface @M:Base @M:T (M:T { p = $P, n = ") + n +
           ", c = M:Color:Red, i = M:Inner { x = None @Int64, s = M:Shape:Dot () }, l = Nil @Text })) of _ -> ())";
  };
  expect({{view("200"), "VALUE_NESTING: Value exceeds maximum nesting value of 100", ""},
          {view("98"), "MALFORMED_TEXT: Text is malformed: Text contains null character", ""},
          {view("97"), "no error", ""}});
}

TEST_F(Errors, FailuresTellWhereTheyHappened) {
  const std::string t = "ubind c: ContractId M:T <- M:t $P 1 ; ";
  load({t + "x: Unit <- exercise @M:T Fail c (M:Void {}) in upure @Unit ()",
        t + "x: Unit <- exercise @M:T Throw c (M:Void {}) in upure @Unit ()", "throw @(Update Unit) @M:E (M:E {})"});
  const auto context = [&](const Result<InterpretationResult>& r) {
    std::string out;
    if (!r)
      for (const auto& [key, value] : r.error().context) out += key + "=" + value + "|";
    return std::regex_replace(seen(out), std::regex("contract 00[0-9a-f]{8} "), "contract $$C ");
  };
  EXPECT_EQ(context(choice(0)), "error_id=MINE|k=v|");
  trace_ = 10;
  const std::string command = "    in create-and-exercise command $8:M:Root:C";
  EXPECT_EQ(
      context(choice(0)),
      "error_id=MINE|k=v|exercise_trace=    in choice $8:M:T:Fail on contract $C (#3)\n    in choice $8:M:Root:C0 "
      "on contract $C (#1)\n" +
          command + "0.\n|");
  const std::string arithmetic = "error_id=UNHANDLED_EXCEPTION/DA.Exception.ArithmeticError:ArithmeticError|";
  EXPECT_EQ(context(choice(1)), arithmetic +
                                    "exercise_trace=    in choice $8:M:T:Throw on contract $C (#3)\n    in choice "
                                    "$8:M:Root:C1 on contract $C (#1)\n" +
                                    command + "1.\n|");
  EXPECT_EQ(context(choice(2)),
            "error_id=UNHANDLED_EXCEPTION/M:E|exercise_trace=    in choice $8:M:Root:C2 on contract "
            "$C (#1)\n" +
                command + "2.\n|");
  trace_ = 1;
  EXPECT_EQ(context(choice(0)),
            "error_id=MINE|k=v|exercise_trace=    in choice $8:M:T:Fail on contract $C (#3)\n    "
            "...\n" +
                command + "0.\n|");
}

}  // namespace
}  // namespace synod::lf
