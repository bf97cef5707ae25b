// Exceptions: what is thrown from where, what can be caught, and what a caught one leaves of the transaction. The cases
// are those of Canton's ExceptionTest and RollbackTest; also the order in which the parts of an expression are
// evaluated, which decides what is thrown first.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lf/ledger/test_support.h"
#include "lf/text/assembler.h"
#include "lf/typing/check_package.h"

namespace synod::lf {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const Party kAlice = "alice::1220aa";

constexpr const char* kModel = R"(metadata ('exceptions' : '1.0.0') module M {
  record @serializable E = { why: Text } ; exception E = { message \(e: M:E) -> M:E {why} e } ;
  record @serializable F = { why: Text } ; exception F = { message \(e: M:F) -> M:F {why} e } ;
  record @serializable Worse = {} ; exception Worse = { message \(e: M:Worse) -> throw @Text @M:E (M:E { why = "in message" }) } ;
  record @serializable Worst = {} ; exception Worst = { message \(e: M:Worst) ->
    FAIL_WITH_STATUS @Text "THE_STATUS" INVALID_GIVEN_CURRENT_SYSTEM_STATE_OTHER "something" (TEXTMAP_EMPTY @Text) } ;
  record @serializable Pair = { a: Int64, b: Int64 } ;
  record @serializable Void = {} ;
  record @serializable Seen = { n: Int64 } ;
  val t : Text -> Int64 = \(x: Text) -> throw @Int64 @M:E (M:E { why = x }) ;
  val say : Text -> Int64 = \(x: Text) -> TRACE @Int64 x 1 ;
  val handled : AnyException -> Text = \(e: AnyException) -> case from_any_exception @M:E e of
    None -> "another" | Some x -> APPEND_TEXT "E: " (M:E {why} x) ;
  val wrap : (Unit -> Text) -> Update Text = \(body: Unit -> Text) ->
    try @Text (upure @Text (APPEND_TEXT "fine: " (body ()))) catch e -> Some @(Update Text) (upure @Text (M:handled e)) ;
  val add3 : Int64 -> Int64 -> Int64 -> Int64 = \(a: Int64) (b: Int64) (c: Int64) -> ADD_INT64 a (ADD_INT64 b c) ;
  val f : Int64 -> Int64 -> Int64 = TRACE @(Int64 -> Int64 -> Int64) "f" ADD_INT64 ;

  interface (this : I) = { viewtype M:Seen ; method party : Party ;
    choice Body (self) (v: M:Void) : Unit , controllers Cons @Party [call_method @M:I party this] (Nil @Party)
      to upure @Unit (throw @Unit @M:E (M:E { why = "" })) ;
    choice Controllers (self) (v: M:Void) : Unit , controllers throw @(List Party) @M:E (M:E { why = "" }) to upure @Unit () ;
    choice Observers (self) (v: M:Void) : Unit , controllers Cons @Party [call_method @M:I party this] (Nil @Party)
      , observers throw @(List Party) @M:E (M:E { why = "" }) to upure @Unit () ;
  } ;
  record @serializable T = { p: Party, n: Int64 } ;
  template (this : T) = {
    precondition case EQUAL @Int64 (M:T {n} this) -1 of True -> throw @Bool @M:E (M:E { why = "precondition" }) | False -> True ;
    signatories case EQUAL @Int64 (M:T {n} this) -2 of True -> throw @(List Party) @M:E (M:E { why = "signatories" })
      | False -> Cons @Party [M:T {p} this] (Nil @Party) ;
    observers case EQUAL @Int64 (M:T {n} this) -3 of True -> throw @(List Party) @M:E (M:E { why = "observers" }) | False -> Nil @Party ;
    choice Body (self) (v: M:Void) : Unit , controllers Cons @Party [M:T {p} this] (Nil @Party)
      to upure @Unit (throw @Unit @M:E (M:E { why = "" })) ;
    choice Controllers (self) (v: M:Void) : Unit , controllers throw @(List Party) @M:E (M:E { why = "" }) to upure @Unit () ;
    choice Observers (self) (v: M:Void) : Unit , controllers Cons @Party [M:T {p} this] (Nil @Party)
      , observers throw @(List Party) @M:E (M:E { why = "" }) to upure @Unit () ;
    choice Two (self) (v: M:Void) : Unit , controllers Cons @Party [M:T {p} this] (Nil @Party)
      to ubind x: Unit <- M:make (M:T {p} this) 400 in M:make (M:T {p} this) 500 ;
    choice Fails (self) (v: M:Void) : Unit , controllers Cons @Party [M:T {p} this] (Nil @Party)
      to ubind x: Unit <- M:make (M:T {p} this) 400 ; y: Unit <- throw @(Update Unit) @M:E (M:E { why = "" })
         in M:make (M:T {p} this) 500 ;
    choice @nonConsuming Look (self) (v: M:Void) : Unit , controllers Cons @Party [M:T {p} this] (Nil @Party) to upure @Unit () ;
    implements M:I { view = M:Seen { n = M:T {n} this } ; method party = M:T {p} this ; } ;
    key @Int64 (case EQUAL @Int64 (M:T {n} this) -4 of True -> throw @Int64 @M:E (M:E { why = "key" }) | False -> M:T {n} this)
      (\(k: Int64) -> case EQUAL @Int64 k -5 of True -> throw @(List Party) @M:E (M:E { why = "maintainers" }) | False ->
         Cons @Party [case TEXT_TO_PARTY "alice::1220aa" of Some p -> p | None -> ERROR @Party ""] (Nil @Party)) ;
  } ;
  record @serializable Leak = { c: ContractId M:T } ;
  exception Leak = { message \(e: M:Leak) -> "a contract that is not there any more" } ;
  val leak : Update (ContractId M:T) -> Update (ContractId M:T) = \(u: Update (ContractId M:T)) ->
    try @(ContractId M:T) (ubind c: ContractId M:T <- u in throw @(Update (ContractId M:T)) @M:Leak (M:Leak { c = c }))
    catch e -> case from_any_exception @M:Leak e of
      None -> None @(Update (ContractId M:T)) | Some l -> Some @(Update (ContractId M:T)) (upure @(ContractId M:T) (M:Leak {c} l)) ;
  val make : Party -> Int64 -> Update Unit = \(p: Party) (n: Int64) ->
    ubind c: ContractId M:T <- create @M:T (M:T { p = p, n = n }) in upure @Unit () ;
  val caught : Update Unit -> Update Unit = \(u: Update Unit) -> try @Unit u catch e -> Some @(Update Unit) (upure @Unit ()) ;
  val missed : Update Unit -> Update Unit = \(u: Update Unit) -> try @Unit u catch e -> None @(Update Unit) ;
  val fail : Update Unit = throw @(Update Unit) @M:E (M:E { why = "oops" }) ;
  record @serializable Root = { p: Party } ;
  template (this : Root) = {
    signatories Cons @Party [M:Root {p} this] (Nil @Party) ;
$CHOICES
  } ;
})";

struct Case {
  const char* type;
  const char* update;  // P is the party
  const char* want;
};

class Exceptions : public ::testing::Test {
 protected:
  // Runs each as a choice; `look` sees what came of it.
  template <typename Look>
  void run(const std::vector<Case>& cases, bool effectful_rollback, Look&& look) {
    std::string choices;
    for (std::size_t i = 0; i < cases.size(); ++i) {
      std::string update = cases[i].update;
      for (std::size_t at = 0; (at = update.find("$P", at)) != std::string::npos;)
        update.replace(at, 2, "(M:Root {p} this)");
      choices += "choice @nonConsuming C" + std::to_string(i) + " (self) (v: M:Void) : " + cases[i].type +
                 " , controllers Cons @Party [M:Root {p} this] (Nil @Party) to " + update + " ;\n";
    }
    std::string text = kModel;
    text.replace(text.find("$CHOICES"), 8, choices);
    auto entry = assemble_package(text, {.version = kLf23});
    ASSERT_TRUE(entry) << entry.error().to_string();
    auto store = std::make_shared<PackageStore>();
    store->add(entry->package);
    auto checked = check_package(*entry->package, *store);
    ASSERT_TRUE(checked) << checked.error().to_string();
    Engine engine(store);
    for (std::size_t i = 0; i < cases.size(); ++i) {
      SubmitContext c;
      c.submitters = {kAlice};
      c.submission_seed = Bytes(32, 's');
      c.participant_id = "participant1::1220dd";
      c.allow_effectful_rollback = effectful_rollback;
      traced_.clear();
      c.trace = [&](std::string_view said) { traced_ += (traced_.empty() ? "" : " ") + std::string(said); };
      testing::ContractsInMemory contracts;
      auto result = engine.submit({CreateAndExerciseCommand{{entry->package->id(), "M", "Root"},
                                                            Value::record({Value::party(kAlice)}),
                                                            "C" + std::to_string(i),
                                                            Value::record({})}},
                                  c, contracts);
      EXPECT_THAT(look(result), StartsWith(cases[i].want)) << cases[i].update;
    }
  }
  static std::string outcome(const Result<InterpretationResult>& r) {
    if (r) return r->transaction.at(1).exercise()->result->to_string();
    constexpr std::string_view kBefore = "Interpretation error: Error: User failure: ";
    const std::string& cause = r.error().cause;
    return cause.starts_with(kBefore) ? cause.substr(kBefore.size()) : r.error().id;
  }
  // What the choice did: creates as numbers, X[..] exercises, R[..] rollbacks.
  static std::string shape(const Transaction& tx, const std::vector<NodeId>& nodes) {
    std::string out;
    for (NodeId id : nodes) {
      const Node& node = tx.at(id);
      if (!out.empty()) out += " ";
      if (node.create()) out += std::to_string(node.create()->argument.as_record()[1].as_int64());
      if (node.exercise()) out += "X[" + shape(tx, node.exercise()->children) + "]";
      if (node.rollback()) out += "R[" + shape(tx, node.rollback()->children) + "]";
      if (node.fetch()) out += "F";
    }
    return out;
  }
  static std::string shape_or_error(const Result<InterpretationResult>& r) {
    return r ? shape(r->transaction, r->transaction.at(1).exercise()->children) : r.error().id;
  }

  std::string traced_;
};

TEST_F(Exceptions, WhatIsThrownFirst) {
  run(
      {
          {"Text", "M:wrap (\\(u: Unit) -> \"yes\")", "\"fine: yes\""},
          {"Text", "M:wrap (\\(u: Unit) -> throw @Text @M:E (M:E { why = \"x\" }))", "\"E: x\""},
          {"Text", "M:wrap (\\(u: Unit) -> throw @Text @M:F (M:F { why = \"x\" }))", "\"another\""},
          {"Text", "M:wrap (\\(u: Unit) -> INT64_TO_TEXT (DIV_INT64 1 0))", "\"another\""},
          {"Text", "M:wrap (\\(u: Unit) -> INT64_TO_TEXT (ADD_INT64 (M:t \"left\") (M:t \"right\")))", "\"E: right\""},
          {"Text", "M:wrap (\\(u: Unit) -> throw @Text @M:F (throw @M:F @M:E (M:E { why = \"inner\" })))",
           "\"E: inner\""},
          {"Text", "M:wrap (\\(u: Unit) -> ERROR @Text (INT64_TO_TEXT (M:t \"argument\")))", "\"E: argument\""},
          {"Bool",
           "upure @Bool (EQUAL @AnyException (to_any_exception @M:E (M:E { why = \"a\" })) (to_any_exception @M:E (M:E "
           "{ "
           "why = \"a\" })))",
           "True"},
          {"Bool",
           "upure @Bool (EQUAL @AnyException (to_any_exception @M:E (M:E { why = \"a\" })) (to_any_exception @M:F (M:F "
           "{ "
           "why = \"a\" })))",
           "False"},
      },
      false, [](const auto& r) { return outcome(r); });
}

TEST_F(Exceptions, NotCaught) {
  const char* e = "UNHANDLED_EXCEPTION/M:E (error category 9): x";
  run(
      {
          {"Int64", "upure @Int64 (ADD_INT64 10 (M:t \"x\"))", e},
          {"Int64", "try @Int64 (upure @Int64 (ADD_INT64 10 (M:t \"x\"))) catch e -> None @(Update Int64)", e},
          {"Int64", "upure @Int64 (throw @Int64 @M:Worse (M:Worse {}))",
           "UNHANDLED_EXCEPTION/M:Worse (error category 9): <Failed to calculate message as M:E was thrown during "
           "conversion>"},
          {"Int64", "upure @Int64 (throw @Int64 @M:Worst (M:Worst {}))", "THE_STATUS (error category 9): something"},
          {"Int64", "upure @Int64 (DIV_INT64 1 0)",
           "UNHANDLED_EXCEPTION/DA.Exception.ArithmeticError:ArithmeticError (error category 9): ArithmeticError while "
           "evaluating (DIV_INT64 1 0)."},
          // What is no exception is not caught at all.
          {"Text", "M:wrap (\\(u: Unit) -> ERROR @Text \"no\")", "INTERPRETATION_USER_ERROR"},
          {"Text",
           "M:wrap (\\(u: Unit) -> FAIL_WITH_STATUS @Text \"ID\" INVALID_INDEPENDENT_OF_SYSTEM_STATE \"no\" "
           "(TEXTMAP_EMPTY "
           "@Text))",
           "ID (error category 8): no"},
          {"Text", "M:wrap (\\(u: Unit) -> CODE_POINTS_TO_TEXT (Cons @Int64 [-1] (Nil @Int64)))",
           "DAML_INTERPRETATION_ERROR"},
          {"Text", "M:wrap (\\(u: Unit) -> HEX_TO_TEXT \"x\")", "INTERPRETATION_CRYPTO_ERROR_MALFORMED_BYTE_ENCODING"},
          {"Text",
           "M:wrap (\\(u: Unit) -> case EQUAL @(Int64 -> Int64) (ADD_INT64 1) (ADD_INT64 1) of True -> \"\" | False -> "
           "\"\")",
           "NON_COMPARABLE_VALUES"},
      },
      false, [](const auto& r) { return outcome(r); });
}

TEST_F(Exceptions, NestedHandlers) {
  auto nested = [&](const std::string& handler) {
    return "ubind x: Int64 <- try @Int64 (ubind x: Int64 <- try @Int64 (upure @Int64 (M:t \"x\")) catch e -> (" +
           handler +
           ") in upure @Int64 (ADD_INT64 200 x)) catch e -> Some @(Update Int64) (upure @Int64 88) in upure @Int64 "
           "(ADD_INT64 100 x)";
  };
  const std::string takes = nested("Some @(Update Int64) (upure @Int64 77)"), leaves = nested("None @(Update Int64)"),
                    throws = nested("throw @(Option (Update Int64)) @M:E (M:E { why = \"y\" })"),
                    takes_and_throws = nested("Some @(Update Int64) (upure @Int64 (M:t \"z\"))"),
                    later = nested(
                        "Some @(Update Int64) (uembed_expr @Int64 (throw @(Update Int64) @M:E (M:E { why = \"z\" })))");
  run({{"Int64", takes.c_str(), "377"},
       {"Int64", leaves.c_str(), "188"},
       {"Int64", throws.c_str(), "188"},
       {"Int64", takes_and_throws.c_str(), "188"},
       {"Int64", later.c_str(), "188"}},
      false, [](const auto& r) { return outcome(r); });
}

const std::vector<Case> kRollbacks = {
    {"Unit", "upure @Unit ()", ""},
    {"Unit", "ubind a: Unit <- M:make $P 100 ; b: Unit <- M:make $P 200 in upure @Unit ()", "100 200"},
    {"Unit", "ubind a: Unit <- M:caught (M:caught (ubind a: Unit <- M:make $P 100 in M:make $P 200)) in M:make $P 300",
     "100 200 300"},
    {"Unit",
     "ubind a: Unit <- M:caught (ubind a: Unit <- M:make $P 100 ; b: Unit <- M:make $P 200 in M:fail) in M:make $P 300",
     "R[100 200] 300"},
    {"Unit",
     "ubind a: Unit <- M:caught (M:missed (ubind a: Unit <- M:make $P 100 ; b: Unit <- M:make $P 200 in M:fail)) in "
     "M:make "
     "$P 300",
     "R[100 200] 300"},
    {"Unit",
     "ubind c: ContractId M:T <- create @M:T (M:T { p = $P, n = 100 }) ; a: Unit <- M:caught (ubind x: Unit <- "
     "exercise @M:T "
     "Two c (M:Void {}) in M:make $P 200) in M:make $P 300",
     "100 X[400 500] 200 300"},
    {"Unit",
     "ubind c: ContractId M:T <- create @M:T (M:T { p = $P, n = 100 }) ; a: Unit <- M:caught (ubind x: Unit <- "
     "exercise @M:T "
     "Fails c (M:Void {}) in M:make $P 200) in M:make $P 300",
     "100 R[X[400]] 300"},
    // What was consumed below a rollback is there again.
    {"Unit",
     "ubind c: ContractId M:T <- create @M:T (M:T { p = $P, n = 100 }) ; a: Unit <- M:caught (ubind x: Unit <- "
     "exercise @M:T "
     "Two c (M:Void {}) in M:fail) in exercise @M:T Two c (M:Void {})",
     "100 R[X[400 500]] X[400 500]"},
    // No empty rollbacks, none at the beginning or end of another.
    {"Unit", "M:caught M:fail", ""},
    {"Unit", "M:caught (ubind a: Unit <- M:caught (ubind a: Unit <- M:make $P 1 in M:fail) in M:fail)", "R[1]"},
    {"Unit",
     "M:caught (ubind a: Unit <- M:caught (ubind a: Unit <- M:make $P 1 in M:fail) ; b: Unit <- M:make $P 2 in M:fail)",
     "R[1] R[2]"},
    {"Unit",
     "M:caught (ubind a: Unit <- M:make $P 1 ; b: Unit <- M:caught (ubind a: Unit <- M:make $P 2 in M:fail) in M:fail)",
     "R[1 2]"},
    {"Unit",
     "M:caught (ubind a: Unit <- M:make $P 1 ; b: Unit <- M:caught (ubind a: Unit <- M:make $P 2 in M:fail) ; c: Unit "
     "<- "
     "M:make $P 3 in M:fail)",
     "R[1 R[2] 3]"},
};

TEST_F(Exceptions, RollbacksBeforeProtocol35) {
  run(kRollbacks, true, [](const auto& r) { return shape_or_error(r); });
}

// A contract whose creation was rolled back is not there, even if its id is known.
TEST_F(Exceptions, WhatARollbackCreatedCannotBeUsed) {
  const std::string create = "create @M:T (M:T { p = $P, n = 7 })";
  const std::string leaked = "ubind c: ContractId M:T <- M:leak (" + create + ") in ";
  const std::string by_key = "exercise_by_key @M:T Look 7 (M:Void {})";
  const std::vector<std::pair<std::string, const char*>> rows = {
      {leaked + "ubind t: M:T <- fetch_template @M:T c in upure @Unit ()", "CONTRACT_NOT_FOUND"},
      {leaked + "exercise @M:T Look c (M:Void {})", "CONTRACT_NOT_FOUND"},
      {leaked + "exercise_interface @M:I Body (COERCE_CONTRACT_ID @M:T @M:I c) (M:Void {})", "CONTRACT_NOT_FOUND"},
      {leaked + by_key, "CONTRACT_KEY_NOT_FOUND"},
      {leaked + "upure @Unit ()", "R[7]"},
      // Archived below the same rollback.
      {"ubind c: ContractId M:T <- M:leak (ubind c: ContractId M:T <- " + create +
           " ; x: Unit <- exercise @M:T Two c (M:Void {}) in upure @(ContractId M:T) c) in exercise @M:T Look c "
           "(M:Void {})",
       "CONTRACT_NOT_FOUND"},
      // In a try block that ended well, inside of one that did not.
      {"ubind c: ContractId M:T <- M:leak (try @(ContractId M:T) (" + create +
           ") catch e -> None @(Update (ContractId M:T))) in exercise @M:T Look c (M:Void {})",
       "CONTRACT_NOT_FOUND"},
      // The other way round: what came after the rollback, or before it, stays.
      {"ubind c: ContractId M:T <- try @(ContractId M:T) (ubind lost: ContractId M:T <- M:leak (" + create + ") in " +
           create + ") catch e -> None @(Update (ContractId M:T)) ; x: Unit <- exercise @M:T Look c (M:Void {}) in " +
           by_key,
       "R[7] 7 X[] X[]"},
      {"ubind c: ContractId M:T <- " + create +
           " ; lost: ContractId M:T <- M:leak (ubind x: Unit <- "
           "exercise @M:T Two c (M:Void {}) in " +
           create + ") in " + by_key,
       "7 R[X[400 500] 7] X[]"},
  };
  std::vector<Case> cases;
  for (const auto& [update, want] : rows) cases.push_back({"Unit", update.c_str(), want});
  run(cases, true, [](const auto& r) { return shape_or_error(r); });
}

// From protocol version 35 on a try block may take back reads, but no creates and archives.
TEST_F(Exceptions, RollbacksFromProtocol35) {
  std::vector<Case> cases = kRollbacks;
  for (auto& c : cases)
    if (std::string_view(c.want).find("R[") != std::string_view::npos) c.want = "DAML_EFFECTFUL_ROLLBACK_ERROR";
  cases.push_back(
      {"Unit",
       "ubind c: ContractId M:T <- create @M:T (M:T { p = $P, n = 1 }) ; a: Unit <- M:caught (ubind x: M:T <- "
       "fetch_template @M:T c in M:fail) in M:make $P 2",
       "1 R[F] 2"});
  cases.push_back(
      {"Unit",
       "ubind c: ContractId M:T <- create @M:T (M:T { p = $P, n = 1 }) ; a: Unit <- M:caught (ubind x: Unit <- "
       "exercise @M:T Look c (M:Void {}) in M:fail) in M:make $P 2",
       "1 R[X[]] 2"});
  cases.push_back(
      {"Unit",
       "ubind c: ContractId M:T <- create @M:T (M:T { p = $P, n = 1 }) in M:caught (exercise @M:T Body c (M:Void "
       "{}))",
       "DAML_EFFECTFUL_ROLLBACK_ERROR"});
  run(cases, false, [](const auto& r) { return shape_or_error(r); });
}

// Signatories, observers, keys: an exception in them can be caught where a contract is created, not where it is used.
// In a choice it is only the body whose exceptions are caught.
TEST_F(Exceptions, InPartsOfTemplates) {
  std::vector<Case> cases;
  std::vector<std::string> texts;
  for (int n = -1; n >= -5; --n) texts.push_back("M:caught (M:make $P " + std::to_string(n) + ")");
  for (const auto& text : texts) cases.push_back({"Unit", text.c_str(), "()"});
  const std::string made = "ubind c: ContractId M:T <- create @M:T (M:T { p = $P, n = 1 }) in M:caught (";
  std::vector<std::string> choices;
  for (const char* name : {"Body", "Controllers", "Observers"}) {
    choices.push_back(made + "exercise @M:T " + name + " c (M:Void {}))");
    choices.push_back(made + "exercise_interface @M:I " + name + " (COERCE_CONTRACT_ID @M:T @M:I c) (M:Void {}))");
  }
  for (std::size_t i = 0; i < choices.size(); ++i)
    cases.push_back({"Unit", choices[i].c_str(), i < 2 ? "()" : "UNHANDLED_EXCEPTION/M:E"});
  run(cases, true, [](const auto& r) { return outcome(r); });
}

// Arguments from the last to the first, then the function; a record's fields likewise, in the order of the text.
TEST_F(Exceptions, ArgumentsFromTheRight) {
  run(
      {
          {"Int64", "upure @Int64 (ADD_INT64 (M:say \"1\") (M:say \"2\"))", "2 1"},
          {"Int64", "upure @Int64 (M:add3 (M:say \"1\") (M:say \"2\") (M:say \"3\"))", "3 2 1"},
          {"Int64",
           "upure @Int64 ((TRACE @(Int64 -> Int64 -> Int64) \"function\" (M:add3 (M:say \"0\"))) (M:say \"1\") (M:say "
           "\"2\"))",
           "2 1 0 function"},
          {"M:Pair", "upure @M:Pair (M:Pair { a = M:say \"a\", b = M:say \"b\" })", "b a"},
          {"M:Pair", "upure @M:Pair (M:Pair { M:Pair { a = M:say \"a\", b = M:say \"b\" } with a = M:say \"new\" })",
           "new b a"},
          {"M:Pair",
           "upure @M:Pair (M:Pair { M:Pair { M:Pair { a = 1, b = 2 } with a = M:say \"first\" } with b = M:say "
           "\"second\" })",
           "second first"},
          {"Int64", "upure @Int64 ((<z = M:say \"z\", a = M:say \"a\">).z)", "a z"},
          {"Int64", "upure @Int64 ((<<z = M:say \"z\", a = M:say \"a\"> with a = M:say \"new\">).a)", "new a z"},
          {"List Int64",
           "upure @(List Int64) (Cons @Int64 [M:say \"1\", M:say \"2\"] (Cons @Int64 [M:say \"3\"] (Nil @Int64)))",
           "3 2 1"},
          {"Int64", "upure @Int64 (let x: Int64 = M:say \"1\" in let y: Int64 = M:say \"2\" in ADD_INT64 x y)", "1 2"},
          {"Int64", "upure @Int64 (case M:say \"scrutinee\" of _ -> M:say \"body\")", "scrutinee body"},
          {"Unit",
           "ubind c: ContractId M:T <- create @M:T (M:T { p = $P, n = 1 }) in exercise @M:T Look (TRACE @(ContractId "
           "M:T) "
           "\"id\" c) (TRACE @M:Void \"argument\" (M:Void {}))",
           "argument id"},
          {"Unit",
           "ubind c: ContractId M:T <- create @M:T (M:T { p = $P, n = 1 }) in exercise_by_key @M:T Look (M:say "
           "\"key\") (TRACE "
           "@M:Void \"argument\" (M:Void {}))",
           "argument key"},
          {"Int64",
           "ubind a: Int64 <- upure @Int64 (M:say \"1\") ; b: Int64 <- upure @Int64 (M:say \"2\") in upure @Int64 "
           "(M:say "
           "\"3\")",
           "1 2 3"},
      },
      false, [this](const auto&) { return traced_; });
}

}  // namespace
}  // namespace synod::lf
