// Programs in LF text, run as a choice: evaluation, builtins, exceptions, interfaces, limits.
#include <gtest/gtest.h>

#include "lf/ledger/test_support.h"
#include "lf/text/assembler.h"

namespace synod::lf {
namespace {

const Party kAlice = "Alice::1220aa", kBob = "Bob::1220bb";

class Programs : public ::testing::Test {
 protected:
  // A template with a choice `Go` that runs `update : Update type` and returns its result.
  static std::string module_text(const std::string& type, const std::string& update, const std::string& definitions) {
    return "metadata ('program' : '1.0.0') module Main {"
           " record @serializable T = { p: Party } ; record @serializable Go = {} ;"
           " record @serializable Bad = { text: Text } ; exception Bad = { message \\(e: Main:Bad) -> Main:Bad {text} "
           "e } ;" +
           definitions +
           " template (this : T) = { signatories Cons @Party [Main:T {p} this] (Nil @Party) ;"
           " choice @nonConsuming Go (self) (arg : Main:Go) : " +
           type + ", controllers Cons @Party [Main:T {p} this] (Nil @Party) to " + update + " ; } ; }";
  }

  Result<InterpretationResult> run(const std::string& type, const std::string& update,
                                   const std::string& definitions = "") {
    auto entry = assemble_package(module_text(type, update, definitions));
    if (!entry) return fail(entry.error());
    auto store = std::make_shared<PackageStore>();
    store->add(entry->package);
    Engine engine(store);
    SubmitContext c;
    c.submitters = {kAlice};
    c.ledger_time = c.preparation_time = Timestamp{1'000'000};
    c.submission_seed = Bytes(32, 's');
    c.participant_id = "participant1::1220dd";
    std::vector<Command> commands{CreateAndExerciseCommand{
        {entry->package->id(), "Main", "T"}, Value::record({Value::party(kAlice)}), "Go", Value::record({})}};
    return engine.submit(commands, c, contracts_, limits_);
  }
  std::string outcome(const Result<InterpretationResult>& r) {
    if (!r) return r.error().id + ": " + r.error().cause;
    return r->transaction.at(1).exercise()->result->to_string();
  }
  std::string update(const std::string& type, const std::string& u, const std::string& definitions = "") {
    return outcome(run(type, u, definitions));
  }
  std::string pure(const std::string& type, const std::string& expression, const std::string& definitions = "") {
    return update(type, "upure @(" + type + ") (" + expression + ")", definitions);
  }

  testing::ContractsInMemory contracts_;
  Limits limits_;
};

TEST_F(Programs, Integers) {
  EXPECT_EQ(pure("Int64", "ADD_INT64 40 2"), "42");
  EXPECT_EQ(pure("Int64", "DIV_INT64 -7 2"), "-3");
  EXPECT_EQ(pure("Int64", "MOD_INT64 -7 2"), "-1");
  EXPECT_EQ(pure("Int64", "EXP_INT64 2 62"), "4611686018427387904");
  const std::string failure =
      "DAML_FAILURE: Interpretation error: Error: User failure: "
      "UNHANDLED_EXCEPTION/DA.Exception.ArithmeticError:ArithmeticError (error category 9): ";
  EXPECT_EQ(pure("Int64", "DIV_INT64 1 0"), failure + "ArithmeticError while evaluating (DIV_INT64 1 0).");
  EXPECT_EQ(pure("Int64", "MUL_INT64 9223372036854775807 2"),
            failure + "ArithmeticError while evaluating (MUL_INT64 9223372036854775807 2).");
  EXPECT_EQ(pure("Int64", "DIV_INT64 -9223372036854775808 -1"),
            failure + "ArithmeticError while evaluating (DIV_INT64 -9223372036854775808 -1).");
  EXPECT_EQ(pure("Int64", "MOD_INT64 -9223372036854775808 -1"), "0");
  EXPECT_EQ(pure("Option Int64", "TEXT_TO_INT64 \"+5\""), "Some 5");
  EXPECT_EQ(pure("Option Int64", "TEXT_TO_INT64 \"9223372036854775808\""), "None");
}

TEST_F(Programs, Numerics) {
  EXPECT_EQ(pure("Numeric 2", "MUL_NUMERIC @2 @2 @2 0.00 1.15 0.50"), "0.58");  // 0.575: half to even is up here
  EXPECT_EQ(pure("Numeric 2", "MUL_NUMERIC @2 @2 @2 0.00 1.05 0.50"), "0.52");  // 0.525 goes down
  EXPECT_EQ(pure("Numeric 3", "DIV_NUMERIC @1 @1 @3 0.000 2.0 3.0"), "0.667");
  EXPECT_EQ(pure("Numeric 2", "ROUND_NUMERIC @2 -1 25.00"), "20.00");
  EXPECT_EQ(pure("Int64", "NUMERIC_TO_INT64 @2 -1.99"), "-1");
  EXPECT_EQ(pure("Text", "NUMERIC_TO_TEXT @4 20.0000"), "\"20.0\"");
  EXPECT_EQ(pure("Option (Numeric 2)", "TEXT_TO_NUMERIC @2 0.00 \"+0012.50000\""), "Some 12.50");
  EXPECT_EQ(pure("Option (Numeric 2)", "TEXT_TO_NUMERIC @2 0.00 \"1.005\""), "None");
  EXPECT_EQ(pure("Numeric 1", "CAST_NUMERIC @3 @1 0.0 1.500"), "1.5");
  EXPECT_NE(pure("Numeric 1", "CAST_NUMERIC @3 @1 0.0 1.250").find("ArithmeticError"), std::string::npos);
}

TEST_F(Programs, TextsGoByCodePoints) {
  EXPECT_EQ(pure("List Text", "EXPLODE_TEXT \"aé€😀\""), "[\"a\", \"é\", \"€\", \"😀\"]");
  EXPECT_EQ(pure("List Int64", "TEXT_TO_CODE_POINTS \"é😀\""), "[233, 128512]");
  EXPECT_EQ(pure("Text", "CODE_POINTS_TO_TEXT (Cons @Int64 [233, 128512] (Nil @Int64))"), "\"é😀\"");
  EXPECT_EQ(pure("Bool", "LESS @Text \"�\" \"😀\""), "True");
  EXPECT_EQ(pure("Text", "SHA256_TEXT \"\""), "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"");
  EXPECT_EQ(pure("Text", "TIMESTAMP_TO_TEXT 1970-01-01T00:00:00.500Z"), "\"1970-01-01T00:00:00.500Z\"");
}

// The digests are the published ones of the empty input and of "abc"; the key and signature are a made up pair.
TEST_F(Programs, Cryptography) {
  EXPECT_EQ(pure("Text", "KECCAK256_TEXT \"\""),
            "\"c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470\"");
  EXPECT_EQ(pure("Text", "KECCAK256_TEXT \"616263\""),
            "\"4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45\"");
  EXPECT_EQ(pure("Text", "SHA256_HEX \"616263\""),
            "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"");
  EXPECT_EQ(pure("Text", "HEX_TO_TEXT (TEXT_TO_HEX \"hé\")"), "\"hé\"");
  EXPECT_EQ(pure("Text", "SHA256_HEX \"xy\"").substr(0, 51), "INTERPRETATION_CRYPTO_ERROR_MALFORMED_BYTE_ENCODING");
  const std::string key =
      "\"3056301006072a8648ce3d020106052b8104000a03420004bb50e2d89a4ed70663d080659fe0ad4b9bc3e06c17a227433966cb59ceee02"
      "0decddbf6e00192011648d13b1c00af770c0c1bb609d4d3a5c98a43772e0e18ef4\"";
  const std::string signature =
      "\"3045022100ab8115cb910b82e933cfb8b16818d2e01bedb5976e7c243a89b473bd844aecd302203e07c2d5a8366d2566d23d15d22fa1e3"
      "df800da0510b8a0f7ebf987dc15f2a82\"";
  EXPECT_EQ(pure("Bool", "SECP256K1_BOOL " + signature + " \"616263\" " + key), "True");
  EXPECT_EQ(pure("Bool", "SECP256K1_BOOL " + signature + " \"616264\" " + key), "False");
  EXPECT_EQ(pure("Bool", "SECP256K1_WITH_ECDSA_BOOL " + signature + " (SHA256_HEX \"616263\") " + key), "True");
  EXPECT_EQ(pure("Bool", "SECP256K1_BOOL \"00\" \"616263\" " + key).substr(0, 46),
            "INTERPRETATION_CRYPTO_ERROR_MALFORMED_SIGNATUR");
  EXPECT_EQ(pure("Bool", "SECP256K1_BOOL " + signature + " \"616263\" \"00\"").substr(0, 40),
            "INTERPRETATION_CRYPTO_ERROR_MALFORMED_KE");
}

TEST_F(Programs, FunctionsArePartialAndOverApplied) {
  const std::string defs =
      " val add3 : Int64 -> Int64 -> Int64 -> Int64 = \\(a: Int64) (b: Int64) (c: Int64) -> ADD_INT64 a (ADD_INT64 "
      "(MUL_INT64 b 10) (MUL_INT64 c 100)) ;"
      " val pick : Bool -> Int64 -> Int64 = \\(b: Bool) -> case b of True -> (\\(x: Int64) -> ADD_INT64 x 1) | False "
      "-> SUB_INT64 0 ;";
  EXPECT_EQ(
      pure("Int64", "let f: (Int64 -> Int64 -> Int64) = Main:add3 1 in let g: (Int64 -> Int64) = f 2 in g 3", defs),
      "321");
  EXPECT_EQ(pure("Int64", "Main:pick True 4", defs), "5");
  EXPECT_EQ(pure("Int64", "Main:pick False 4", defs), "-4");
  EXPECT_EQ(pure("Int64", "FOLDL @Int64 @Int64 ADD_INT64 0 (Cons @Int64 [1,2,3] (Nil @Int64))"), "6");
  EXPECT_EQ(pure("Text", "FOLDR @Text @Text APPEND_TEXT \"!\" (Cons @Text [\"a\", \"b\"] (Nil @Text))"), "\"ab!\"");
  EXPECT_EQ(pure("Bool",
                 "EQUAL_LIST @Int64 (EQUAL @Int64) (Cons @Int64 [1,2] (Nil @Int64)) (Cons @Int64 [1,2] (Nil @Int64))"),
            "True");
}

TEST_F(Programs, Maps) {
  const std::string map =
      "GENMAP_INSERT @Int64 @Text 2 \"b\" (GENMAP_INSERT @Int64 @Text 1 \"a\" (GENMAP_INSERT @Int64 @Text 3 \"c\" "
      "(GENMAP_EMPTY @Int64 @Text)))";
  EXPECT_EQ(pure("GenMap Int64 Text", map), "Map(1 -> \"a\", 2 -> \"b\", 3 -> \"c\")");
  EXPECT_EQ(pure("List Int64", "GENMAP_KEYS @Int64 @Text (GENMAP_DELETE @Int64 @Text 2 (" + map + "))"), "[1, 3]");
  EXPECT_EQ(pure("Option Text", "GENMAP_LOOKUP @Int64 @Text 3 (" + map + ")"), "Some \"c\"");
  EXPECT_EQ(pure("Bool", "EQUAL @(GenMap Int64 Text) (" + map + ") (" + map + ")"), "True");
  EXPECT_EQ(pure("Int64", "TEXTMAP_SIZE @Int64 (TEXTMAP_INSERT @Int64 \"k\" 1 (TEXTMAP_EMPTY @Int64))"), "1");
}

TEST_F(Programs, ExceptionsAreCaught) {
  EXPECT_EQ(update("Int64",
                   "try @Int64 (upure @Int64 (throw @Int64 @Main:Bad (Main:Bad {text = \"oops\"}))) catch e -> Some "
                   "@(Update Int64) (upure @Int64 7)"),
            "7");
  EXPECT_EQ(update("Text",
                   "try @Text (upure @Text (throw @Text @Main:Bad (Main:Bad {text = \"oops\"}))) "
                   "catch e -> Some @(Update Text) (upure @Text (ANY_EXCEPTION_MESSAGE e))"),
            "\"oops\"");
  EXPECT_EQ(update("Text",
                   "try @Text (upure @Text (INT64_TO_TEXT (DIV_INT64 1 0))) catch e -> Some @(Update Text) (upure "
                   "@Text (ANY_EXCEPTION_MESSAGE e))"),
            "\"ArithmeticError while evaluating (DIV_INT64 1 0).\"");
  const std::string uncaught =
      "DAML_FAILURE: Interpretation error: Error: User failure: UNHANDLED_EXCEPTION/Main:Bad (error category 9): oops";
  EXPECT_EQ(update("Int64",
                   "try @Int64 (upure @Int64 (throw @Int64 @Main:Bad (Main:Bad {text = \"oops\"}))) catch e -> None "
                   "@(Update Int64)"),
            uncaught);
  EXPECT_EQ(update("Int64",
                   "try @Int64 (try @Int64 (upure @Int64 (throw @Int64 @Main:Bad (Main:Bad {text = \"a\"}))) catch e "
                   "-> None @(Update Int64)) "
                   "catch e -> Some @(Update Int64) (upure @Int64 9)"),
            "9");
  // ERROR is not an exception.
  EXPECT_EQ(
      update("Int64",
             "try @Int64 (upure @Int64 (ERROR @Int64 \"stop\")) catch e -> Some @(Update Int64) (upure @Int64 7)"),
      "INTERPRETATION_USER_ERROR: Interpretation error: Error: User abort: stop");
}

TEST_F(Programs, RolledBackEffectsAreRefused) {
  auto r = run("Int64",
               "try @Int64 (ubind c : ContractId Main:T <- create @Main:T this in upure @Int64 (throw @Int64 @Main:Bad "
               "(Main:Bad {text = \"x\"}))) "
               "catch e -> Some @(Update Int64) (upure @Int64 7)");
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().id, "DAML_EFFECTFUL_ROLLBACK_ERROR");
}

TEST_F(Programs, RolledBackFetchesStayInTheTransaction) {
  auto r = run("Int64",
               "ubind c : ContractId Main:T <- create @Main:T this ; n : Int64 <- try @Int64 (ubind t : Main:T <- "
               "fetch_template @Main:T c in "
               "upure @Int64 (throw @Int64 @Main:Bad (Main:Bad {text = \"x\"}))) catch e -> Some @(Update Int64) "
               "(upure @Int64 7) in "
               "ubind d : ContractId Main:T <- create @Main:T this in upure @Int64 n");
  ASSERT_TRUE(r) << r.error().to_string();
  const Transaction& tx = r->transaction;
  ASSERT_EQ(tx.nodes.size(), 6u);
  EXPECT_EQ(tx.at(1).exercise()->children, (std::vector<NodeId>{2, 3, 5}));
  ASSERT_TRUE(tx.at(3).rollback());
  EXPECT_TRUE(tx.at(4).fetch());
  EXPECT_EQ(outcome(r), "7");
}

TEST_F(Programs, TheOrderOfEffectsIsThatOfTheBlock) {
  // The first statement of a block is evaluated with the block, the others when it runs; a pure failure in between
  // wins.
  EXPECT_EQ(
      update("Unit",
             "ubind a : Int64 <- upure @Int64 1 ; b : Int64 <- uembed_expr @Int64 (upure @Int64 (ADD_INT64 a 1)) in "
             "(case EQUAL @Int64 b 2 of True -> upure @Unit () | False -> ERROR @(Update Unit) \"wrong\")"),
      "()");
  EXPECT_EQ(update("Int64",
                   "let u : Update Int64 = (ubind x : Int64 <- upure @Int64 1 in ERROR @(Update Int64) \"late\") in "
                   "upure @Int64 5"),
            "5");
  EXPECT_EQ(update("Int64",
                   "let u : Update Int64 = (ubind x : Int64 <- ERROR @(Update Int64) \"early\" in upure @Int64 2) in "
                   "upure @Int64 5"),
            "INTERPRETATION_USER_ERROR: Interpretation error: Error: User abort: early");
}

TEST_F(Programs, TimeIsPinnedOrNarrowed) {
  auto pinned = run("Timestamp", "uget_time");
  ASSERT_TRUE(pinned);
  EXPECT_TRUE(pinned->used_time);
  EXPECT_EQ(pinned->time_bounds.min.micros, 1'000'000);
  EXPECT_EQ(pinned->time_bounds.max.micros, 1'000'000);
  auto narrowed = run("Bool", "ledger_time_lt 1970-01-01T00:00:05Z");
  ASSERT_TRUE(narrowed);
  EXPECT_EQ(narrowed->time_bounds.max.micros, 4'999'999);
  EXPECT_EQ(narrowed->time_bounds.min, Timestamp::min());
}

TEST_F(Programs, LoopsEndWithTheBudget) {
  limits_.max_steps = 1'000'000;
  const std::string loop = " val loop : Int64 -> Int64 = \\(n: Int64) -> Main:loop (ADD_INT64 n 1) ;";
  EXPECT_EQ(pure("Int64", "Main:loop 0", loop).substr(0, 27), "INTERPRETATION_TIME_EXCEEDE");
  const std::string deep = " val deep : Int64 -> Int64 = \\(n: Int64) -> ADD_INT64 1 (Main:deep n) ;";
  limits_.max_steps = 1'000'000'000;
  limits_.max_bytes = 32 << 20;
  EXPECT_EQ(pure("Int64", "Main:deep 0", deep).substr(0, 27), "INTERPRETATION_TIME_EXCEEDE");
  const std::string self = " val self : Int64 = ADD_INT64 1 Main:self ;";
  EXPECT_EQ(pure("Int64", "Main:self", self).substr(0, 25), "DAML_INTERPRETATION_ERROR");
}

TEST_F(Programs, LongAndDeepValuesDoNotOverflow) {
  const std::string defs =
      " variant @serializable Nat = Z: Unit | S: Main:Nat ;"
      " val list : Int64 -> List Int64 -> List Int64 = \\(n: Int64) (acc: List Int64) -> case LESS_EQ @Int64 n 0 of "
      "True -> acc | False -> Main:list (SUB_INT64 n 1) (Cons @Int64 [n] acc) ;"
      " val nat : Int64 -> Main:Nat -> Main:Nat = \\(n: Int64) (acc: Main:Nat) -> case LESS_EQ @Int64 n 0 of True -> "
      "acc | False -> Main:nat (SUB_INT64 n 1) (Main:Nat:S acc) ;"
      " val sum : List Int64 -> Int64 = \\(l: List Int64) -> case l of Nil -> 0 | Cons h t -> ADD_INT64 h (Main:sum t) "
      ";";
  EXPECT_EQ(pure("Int64", "Main:sum (Main:list 100000 (Nil @Int64))", defs), "5000050000");
  EXPECT_EQ(pure("Bool", "EQUAL @Main:Nat (Main:nat 100000 (Main:Nat:Z ())) (Main:nat 100000 (Main:Nat:Z ()))", defs),
            "True");
  EXPECT_EQ(pure("Bool", "EQUAL @(List Int64) (Main:list 100000 (Nil @Int64)) (Main:list 100000 (Nil @Int64))", defs),
            "True");
  EXPECT_EQ(pure("Main:Nat", "Main:nat 150 (Main:Nat:Z ())", defs).substr(0, 13), "VALUE_NESTING");
  EXPECT_EQ(pure("Main:Nat", "Main:nat 99 (Main:Nat:Z ())", defs).substr(0, 4), "S(S(");
}

TEST_F(Programs, SharedPartsCannotHideSize) {
  limits_.max_steps = 5'000'000;
  limits_.max_bytes = 64 << 20;
  const std::string defs =
      " variant @serializable Tree = Leaf: Unit | Pair: Main:Two ; record @serializable Two = { l: Main:Tree, r: "
      "Main:Tree } ;"
      " val grow : Int64 -> Main:Tree -> Main:Tree = \\(n: Int64) (t: Main:Tree) -> case LESS_EQ @Int64 n 0 of True -> "
      "t"
      " | False -> Main:grow (SUB_INT64 n 1) (Main:Tree:Pair (Main:Two { l = t, r = t })) ;";
  EXPECT_EQ(pure("Main:Tree", "Main:grow 40 (Main:Tree:Leaf ())", defs).substr(0, 27), "INTERPRETATION_TIME_EXCEEDE");
  EXPECT_EQ(pure("Bool", "EQUAL @Main:Tree (Main:grow 40 (Main:Tree:Leaf ())) (Main:grow 40 (Main:Tree:Leaf ()))", defs)
                .substr(0, 27),
            "INTERPRETATION_TIME_EXCEEDE");
}

TEST_F(Programs, InterfacesDispatch) {
  const std::string defs =
      " record @serializable View = { owner: Party } ;"
      " record @serializable Poke = { by: Int64 } ;"
      " interface (this : Token) = { viewtype Main:View ; method worth : Int64 ;"
      "   choice @nonConsuming Poke (self) (arg : Main:Poke) : Int64, controllers Cons @Party [Main:View {owner} "
      "(view_interface @Main:Token this)] (Nil @Party)"
      "     to upure @Int64 (ADD_INT64 (Main:Poke {by} arg) (call_method @Main:Token worth this)) ; } ;"
      " record @serializable Coin = { p: Party, n: Int64 } ;"
      " template (this : Coin) = { signatories Cons @Party [Main:Coin {p} this] (Nil @Party) ;"
      "   implements Main:Token { view = Main:View { owner = Main:Coin {p} this } ; method worth = Main:Coin {n} this "
      "; } ; } ;";
  auto r = run("Int64",
               "ubind c : ContractId Main:Coin <- create @Main:Coin (Main:Coin { p = Main:T {p} this, n = 30 }) ;"
               " x : Int64 <- exercise_interface @Main:Token Poke (COERCE_CONTRACT_ID @Main:Coin @Main:Token c) "
               "(Main:Poke { by = 12 }) ;"
               " t : Main:Token <- fetch_interface @Main:Token (COERCE_CONTRACT_ID @Main:Coin @Main:Token c)"
               " in (case from_interface @Main:Token @Main:Coin t of None -> upure @Int64 0 | Some coin -> upure "
               "@Int64 (ADD_INT64 x (Main:Coin {n} coin)))",
               defs);
  EXPECT_EQ(outcome(r), "72");
  ASSERT_TRUE(r);
  const ExerciseNode& poke = *r->transaction.at(3).exercise();
  EXPECT_EQ(poke.interface_id->entity, "Token");
  EXPECT_EQ(poke.template_id.entity, "Coin");
  EXPECT_EQ(r->transaction.at(4).fetch()->interface_id->entity, "Token");
}

}  // namespace
}  // namespace synod::lf
