// Builtin functions at their limits. The cases are those of Canton's SBuiltinTest and ComparisonSBuiltinTest, in our
// notation; where a limit lies is what the reference says.
#include <gtest/gtest.h>

#include "lf/ledger/test_support.h"
#include "lf/text/assembler.h"
#include "lf/typing/check_package.h"

namespace synod::lf {
namespace {

const Party kAlice = "Alice::1220aa";

struct Row {
  std::string type, expression, want;
};

std::string repeated(std::string_view text, int n) {
  std::string out;
  for (int i = 0; i < n; ++i) out += text;
  return out;
}
std::string quoted(const std::string& text) { return "\"" + text + "\""; }
std::string zeros(int n) { return repeated("0", n); }
std::string nines(int n) { return repeated("9", n); }

// Rows whose expressions are evaluated together: one package, a choice for each.
class Builtins : public ::testing::Test {
 protected:
  void add(const std::string& type, const std::string& expression, const std::string& want) {
    rows_.push_back({type, expression, want});
  }
  // An arithmetic error, whose message names the function and its arguments as the machine writes them.
  void raises(const std::string& type, const std::string& expression, const std::string& shown) {
    rows_.push_back({type, expression, "ArithmeticError while evaluating (" + shown + ")."});
  }
  void fails(const std::string& type, const std::string& expression) { raises(type, expression, expression); }

  void TearDown() override {
    std::string text =
        "metadata ('builtins' : '1.0.0') module M { record @serializable T = { p: Party } ; "
        "record @serializable Go = {} ; record @serializable Empty = {} ; record Pair (a: *) (b: *) = { fst: a, snd: b "
        "} "
        "; "
        "variant Either (a: *) (b: *) = Left: a | Right: b ; enum @serializable Color = Red | Green | Blue ; "
        "val flag : Bool -> Text = \\(b: Bool) -> case b of True -> \"y\" | False -> \"n\" ; "
        "val order : forall t. t -> t -> Text = /\\t. \\(a: t) (b: t) -> IMPLODE_TEXT (Cons @Text [M:flag (LESS @t a "
        "b), "
        "M:flag (LESS_EQ @t a b), M:flag (EQUAL @t a b), M:flag (GREATER_EQ @t a b), M:flag (GREATER @t a b)] (Nil "
        "@Text)) ; "
        "val party : Text -> Party = \\(t: Text) -> case TEXT_TO_PARTY t of Some p -> p | None -> ERROR @Party \"no\" "
        "; ";
    std::string choices;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      text += "val v" + std::to_string(i) + " : Unit -> " + rows_[i].type + " = \\(u: Unit) -> " + rows_[i].expression +
              " ; ";
      choices += " choice @nonConsuming C" + std::to_string(i) + " (self) (arg : M:Go) : " + rows_[i].type +
                 ", controllers Cons @Party [M:T {p} this] (Nil @Party) to upure @(" + rows_[i].type + ") (M:v" +
                 std::to_string(i) + " ()) ;";
    }
    text += "template (this : T) = { signatories Cons @Party [M:T {p} this] (Nil @Party) ;" + choices + " } ; }";
    auto entry = assemble_package(text, {.version = kLf23});
    ASSERT_TRUE(entry) << entry.error().to_string();
    auto store = std::make_shared<PackageStore>();
    store->add(entry->package);
    auto checked = check_package(*entry->package, *store);
    ASSERT_TRUE(checked) << checked.error().to_string();
    Engine engine(store);
    testing::ContractsInMemory contracts;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      SubmitContext c;
      c.submitters = {kAlice};
      c.submission_seed = Bytes(32, 's');
      c.participant_id = "participant1::1220dd";
      auto result = engine.submit({CreateAndExerciseCommand{{entry->package->id(), "M", "T"},
                                                            Value::record({Value::party(kAlice)}),
                                                            "C" + std::to_string(i),
                                                            Value::record({})}},
                                  c, contracts);
      EXPECT_EQ(outcome(result), rows_[i].want) << rows_[i].expression.substr(0, 200);
    }
  }
  // The value; the message of an arithmetic error; or the error's id.
  static std::string outcome(const Result<InterpretationResult>& r) {
    if (r) return r->transaction.at(1).exercise()->result->to_string();
    const std::string& cause = r.error().cause;
    auto at = cause.find("ArithmeticError while");
    return at == std::string::npos ? r.error().id : cause.substr(at);
  }

 private:
  std::vector<Row> rows_;
};

const std::string kMax = "9223372036854775807", kMin = "-9223372036854775808";

TEST_F(Builtins, Int64) {
  add("Int64", "ADD_INT64 " + kMax + " -1", "9223372036854775806");
  fails("Int64", "ADD_INT64 " + kMax + " 1");
  add("Int64", "ADD_INT64 " + kMin + " 1", "-9223372036854775807");
  fails("Int64", "ADD_INT64 " + kMin + " -1");
  add("Int64", "SUB_INT64 " + kMax + " 1", "9223372036854775806");
  fails("Int64", "SUB_INT64 " + kMax + " -1");
  add("Int64", "SUB_INT64 " + kMin + " -1", "-9223372036854775807");
  fails("Int64", "SUB_INT64 " + kMin + " 1");
  fails("Int64", "SUB_INT64 0 " + kMin);
  add("Int64", "MUL_INT64 2147483648 2147483648", "4611686018427387904");
  fails("Int64", "MUL_INT64 4294967296 2147483648");
  add("Int64", "MUL_INT64 4294967296 -2147483648", kMin);
  fails("Int64", "MUL_INT64 4294967296 -4294967296");
  fails("Int64", "MUL_INT64 " + kMin + " -1");
  for (auto [a, b, quotient, remainder] :
       {std::array{"10", "3", "3", "1"}, std::array{"10", "-3", "-3", "1"}, std::array{"-10", "3", "-3", "-1"},
        std::array{"-10", "-3", "3", "-1"}, std::array{"1", "9223372036854775807", "0", "1"},
        std::array{"9223372036854775807", "-1", "-9223372036854775807", "0"}}) {
    add("Int64", std::string("DIV_INT64 ") + a + " " + b, quotient);
    add("Int64", std::string("MOD_INT64 ") + a + " " + b, remainder);
  }
  fails("Int64", "DIV_INT64 " + kMin + " -1");
  add("Int64", "MOD_INT64 " + kMin + " -1", "0");
  fails("Int64", "DIV_INT64 7 0");
  fails("Int64", "MOD_INT64 7 0");
  for (auto [base, exponent, power] :
       {std::array{"1", "0", "1"}, std::array{"0", "0", "1"}, std::array{"-1", "1", "-1"}, std::array{"-1", "2", "1"},
        std::array{"64", "9", "18014398509481984"}, std::array{"-128", "9", "-9223372036854775808"},
        std::array{"-2", "63", "-9223372036854775808"}, std::array{"2", "62", "4611686018427387904"},
        std::array{"-1", "7460902372018496325", "-1"}, std::array{"0", "7460902372018496325", "0"},
        std::array{"1", "7460902372018496325", "1"}, std::array{"17", "11", "34271896307633"},
        std::array{"-13", "7", "-62748517"}})
    add("Int64", std::string("EXP_INT64 ") + base + " " + exponent, power);
  for (const char* failing : {"EXP_INT64 1 -1", "EXP_INT64 0 -1", "EXP_INT64 128 9", "EXP_INT64 -128 10",
                              "EXP_INT64 2 63", "EXP_INT64 3 7460902372018496325", "EXP_INT64 2 7460902372018496325"})
    fails("Int64", failing);
  add("Text", "INT64_TO_TEXT " + kMin, quoted(kMin));
  for (const char* good : {"-9223372036854775808", "-22", "0", "42", "9223372036854775807"})
    add("Option Int64", std::string("TEXT_TO_INT64 \"") + good + "\"", std::string("Some ") + good);
  add("Option Int64", "TEXT_TO_INT64 \"+9223372036854775807\"", "Some " + kMax);
  add("Option Int64", "TEXT_TO_INT64 \"" + zeros(20) + "42\"", "Some 42");
  add("Option Int64", "TEXT_TO_INT64 \"-003\"", "Some -3");
  add("Option Int64", "TEXT_TO_INT64 \"-0\"", "Some 0");
  for (const char* bad : {"", "+", "-", "pi", "0x11", "1.0", "2.", "1L", "+-1", "-+1", "++1", " 1", "1 ",
                          "9223372036854775808", "-9223372036854775809", "11111111111111111111", "\xD9\xA1"})
    add("Option Int64", std::string("TEXT_TO_INT64 \"") + bad + "\"", "None");
  add("Option Int64", "TEXT_TO_INT64 \"" + zeros(100'000) + "1\"", "Some 1");
  add("Option Int64", "TEXT_TO_INT64 \"" + repeated("1", 100'000) + "\"", "None");
}

TEST_F(Builtins, Numeric) {
  const std::string max0 = nines(38) + ".", max37 = "9." + nines(37), tiny37 = "0." + zeros(36) + "1";
  const std::string max10 = nines(28) + "." + nines(10);
  auto shown = [](const std::string& digits) { return digits + ".0"; };
  add("Numeric 0", "ADD_NUMERIC @0 " + max0 + " -1.", nines(37) + "8.");
  raises("Numeric 0", "ADD_NUMERIC @0 " + max0 + " 1.", "ADD_NUMERIC " + shown(nines(38)) + " 1.0");
  add("Numeric 37", "ADD_NUMERIC @37 " + max37 + " -" + tiny37, "9." + nines(36) + "8");
  raises("Numeric 37", "ADD_NUMERIC @37 " + max37 + " " + tiny37, "ADD_NUMERIC " + max37 + " " + tiny37);
  raises("Numeric 10", "ADD_NUMERIC @10 -" + max10 + " -0.0000000001", "ADD_NUMERIC -" + max10 + " -0.0000000001");
  raises("Numeric 0", "SUB_NUMERIC @0 -" + max0 + " 1.", "SUB_NUMERIC -" + shown(nines(38)) + " 1.0");
  add("Numeric 37", "SUB_NUMERIC @37 -" + max37 + " -" + tiny37, "-9." + nines(36) + "8");
  add("Numeric 10", "SUB_NUMERIC @10 8765432109876543210987654321.0987654321 2.0000000000",
      "8765432109876543210987654319.0987654321");

  add("Numeric 0", "MUL_NUMERIC @0 @0 @0 1. 1" + zeros(18) + ". 1" + zeros(19) + ".", "1" + zeros(37) + ".");
  raises("Numeric 0", "MUL_NUMERIC @0 @0 @0 1. 1" + zeros(19) + ". 1" + zeros(19) + ".",
         "MUL_NUMERIC 1.0 1" + zeros(19) + ".0 1" + zeros(19) + ".0");
  const std::string under = "3.1622776601683793319988935444327185337", over = "3.1622776601683793319988935444327185338";
  const std::string one37 = "1." + zeros(37);
  add("Bool",
      "LESS @(Numeric 37) 9.9" + zeros(36) + " (MUL_NUMERIC @37 @37 @37 " + one37 + " " + under + " " + under + ")",
      "True");
  raises("Numeric 37", "MUL_NUMERIC @37 @37 @37 " + one37 + " " + over + " " + over,
         "MUL_NUMERIC 1.0 " + over + " " + over);
  add("Numeric 10", "MUL_NUMERIC @10 @10 @10 1.0000000000 1.1000000000 2.2000000000", "2.4200000000");
  for (auto [a, b, half] :
       {std::array{"0.5", "0.1", "0.0"}, std::array{"1.5", "0.1", "0.2"}, std::array{"2.5", "0.1", "0.2"},
        std::array{"-0.5", "0.1", "0.0"}, std::array{"-1.5", "0.1", "-0.2"}, std::array{"-2.5", "0.1", "-0.2"}})
    add("Numeric 1", std::string("MUL_NUMERIC @1 @1 @1 1.0 ") + a + " " + b, half);

  add("Numeric 10", "DIV_NUMERIC @10 @10 @10 1.0000000000 1.1000000000 2.2000000000", "0.5000000000");
  add("Numeric 1", "DIV_NUMERIC @1 @1 @1 1.0 1" + zeros(36) + ".0 0.2", "5" + zeros(36) + ".0");
  raises("Numeric 1", "DIV_NUMERIC @1 @1 @1 1.0 1" + zeros(36) + ".0 0.1", "DIV_NUMERIC 1.0 1" + zeros(36) + ".0 0.1");
  raises("Numeric 10", "DIV_NUMERIC @10 @10 @10 1.0000000000 1.0000000000 0.0000000000", "DIV_NUMERIC 1.0 1.0 0.0");
  add("Numeric 0", "DIV_NUMERIC @0 @0 @0 1. 1. 2.", "0.");
  add("Numeric 0", "DIV_NUMERIC @0 @0 @0 1. 3. 2.", "2.");
  add("Numeric 0", "DIV_NUMERIC @0 @0 @0 1. 5. 2.", "2.");
  add("Numeric 0", "DIV_NUMERIC @0 @0 @0 1. -5. 2.", "-2.");
  add("Numeric 0", "DIV_NUMERIC @0 @0 @0 1. 5. -3.", "-2.");
  add("Numeric 37", "DIV_NUMERIC @0 @0 @37 " + one37 + " 1. 3.", "0." + repeated("3", 37));

  const std::string big = "8765432109876543210987654321.0987654321";
  add("Numeric 10", "ROUND_NUMERIC @10 -27 " + big, "9" + zeros(27) + "." + zeros(10));
  add("Numeric 10", "ROUND_NUMERIC @10 10 " + big, big);
  raises("Numeric 10", "ROUND_NUMERIC @10 -28 " + big, "ROUND_NUMERIC -28 " + big);
  raises("Numeric 10", "ROUND_NUMERIC @10 11 " + big, "ROUND_NUMERIC 11 " + big);
  raises("Numeric 10", "ROUND_NUMERIC @10 " + kMax + " " + big, "ROUND_NUMERIC " + kMax + " " + big);
  raises("Numeric 10", "ROUND_NUMERIC @10 " + kMin + " " + big, "ROUND_NUMERIC " + kMin + " " + big);
  add("Numeric 10", "ROUND_NUMERIC @10 -1 45.0000000000", "40.0000000000");
  add("Numeric 10", "ROUND_NUMERIC @10 -1 55.0000000000", "60.0000000000");
  add("Numeric 10", "ROUND_NUMERIC @10 0 -2.5000000000", "-2.0000000000");
  raises("Numeric 0", "ROUND_NUMERIC @0 -37 " + max0, "ROUND_NUMERIC -37 " + shown(nines(38)));  // would be 10^38

  raises("Numeric 1", "CAST_NUMERIC @0 @1 1.0 " + max0, "CAST_NUMERIC 1.0 " + shown(nines(38)));
  raises("Numeric 37", "CAST_NUMERIC @0 @37 " + one37 + " 10.", "CAST_NUMERIC 1.0 10.0");
  raises("Numeric 0", "CAST_NUMERIC @1 @0 1. 0.1", "CAST_NUMERIC 1.0 0.1");
  raises("Numeric 36", "CAST_NUMERIC @37 @36 1." + zeros(36) + " " + tiny37, "CAST_NUMERIC 1.0 " + tiny37);
  add("Numeric 0", "CAST_NUMERIC @1 @0 1. 1.0", "1.");
  add("Numeric 20", "CAST_NUMERIC @10 @20 1." + zeros(20) + " 0.0000100000", "0.00001" + zeros(15));
  add("Numeric 10", "CAST_NUMERIC @20 @10 1." + zeros(10) + " 0.00001" + zeros(15), "0.0000100000");

  add("Numeric 1", "SHIFT_NUMERIC @0 @1 1.0 " + max0, nines(37) + ".9");
  add("Numeric 37", "SHIFT_NUMERIC @0 @37 " + one37 + " 10.", "0." + zeros(35) + "10");
  add("Numeric 10", "SHIFT_NUMERIC @20 @10 1." + zeros(10) + " 0.00001" + zeros(15), "100000." + zeros(10));

  add("Numeric 10", "INT64_TO_NUMERIC @10 1.0000000000 -113", "-113.0000000000");
  raises("Numeric 37", "INT64_TO_NUMERIC @37 " + one37 + " 10", "INT64_TO_NUMERIC 1.0 10");
  add("Int64", "NUMERIC_TO_INT64 @3 -9223372036854775808.999", kMin);
  raises("Int64", "NUMERIC_TO_INT64 @0 -9223372036854775809.", "NUMERIC_TO_INT64 -9223372036854775809.0");
  add("Int64", "NUMERIC_TO_INT64 @13 9223372036854775807.9999999999999", kMax);
  raises("Int64", "NUMERIC_TO_INT64 @1 9223372036854775808.0", "NUMERIC_TO_INT64 9223372036854775808.0");
  add("Int64", "NUMERIC_TO_INT64 @37 -1." + nines(37), "-1");

  add("Text", "NUMERIC_TO_TEXT @10 161803398.8749900000", quoted("161803398.87499"));
  add("Text", "NUMERIC_TO_TEXT @10 -0.0000000001", quoted("-0.0000000001"));
  add("Text", "NUMERIC_TO_TEXT @10 0.0000000000", quoted("0.0"));
  add("Text", "NUMERIC_TO_TEXT @0 100.", quoted("100.0"));
  add("Text", "NUMERIC_TO_TEXT @37 " + max37, quoted(max37));
  auto parsed = [&](const std::string& text, const std::string& want) {
    add("Option (Numeric 10)", "TEXT_TO_NUMERIC @10 1.0000000000 " + quoted(text), want);
  };
  parsed(max10, "Some " + max10);
  parsed("-" + max10, "Some -" + max10);
  parsed(zeros(20) + repeated("1", 28), "Some " + repeated("1", 28) + "." + zeros(10));
  parsed("0.0005" + zeros(20), "Some 0.0005000000");
  for (const char* zero : {"+0.0", "0.0", "0", "-0"}) parsed(zero, "Some 0.0000000000");
  parsed("42", "Some 42.0000000000");
  parsed("1." + zeros(100'000), "Some 1.0000000000");
  parsed("-" + zeros(100'000) + "3.0", "Some -3.0000000000");
  for (const std::string& bad :
       {std::string(""), std::string("."), std::string(".5"), std::string("2."), std::string("pi"), std::string("0x11"),
        std::string("1E10"), std::string("1L"), std::string("+-1"), std::string("1.0.0"), std::string(" 1"),
        repeated("1", 29), "-" + repeated("1", 29), "0." + zeros(10) + "1", "42" + zeros(24) + "2019"})
    parsed(bad, "None");
}

TEST_F(Builtins, Text) {
  add("List Text", "EXPLODE_TEXT \"a¶‱😂\"", "[\"a\", \"¶\", \"‱\", \"😂\"]");
  add("List Text", "EXPLODE_TEXT \"\"", "[]");
  add("List Text", "EXPLODE_TEXT \"e\xCC\x81\"", "[\"e\", \"\xCC\x81\"]");  // a letter and a combining accent: two
  add("Text", "IMPLODE_TEXT (Cons @Text [\"a\", \"\", \"¶\", \"‱\", \"😂\"] (Nil @Text))", "\"a¶‱😂\"");
  add("Text", "APPEND_TEXT \"a¶\" \"‱😂\"", "\"a¶‱😂\"");
  add("List Int64", "TEXT_TO_CODE_POINTS \"a¶‱😂\"", "[97, 182, 8241, 128514]");
  for (std::int64_t p : {0x1, 0x61, 0x7f, 0x80, 0xe9, 0x7ff, 0x800, 0x8ee0, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x1d81a,
                         0x1ffff, 0x20000, 0xdffff, 0xeae2d, 0x10ffff})
    add("List Int64",
        "TEXT_TO_CODE_POINTS (CODE_POINTS_TO_TEXT (Cons @Int64 [39, " + std::to_string(p) + ", 39] (Nil @Int64)))",
        "[39, " + std::to_string(p) + ", 39]");
  for (const char* p : {"55296", "56319", "56320", "57343", "1114112", "-1", "-2147483648", "9223372036854775807",
                        "-9223372036854775808", "4294967393"})
    add("Text", std::string("CODE_POINTS_TO_TEXT (Cons @Int64 [39, ") + p + "] (Nil @Int64))",
        "DAML_INTERPRETATION_ERROR");
  // The machine can make a text with a zero character, but no value of the ledger can have one.
  add("Int64",
      "FOLDL @Int64 @Int64 ADD_INT64 0 (TEXT_TO_CODE_POINTS (CODE_POINTS_TO_TEXT (Cons @Int64 [0, 7] (Nil @Int64))))",
      "7");
  add("Text", "CODE_POINTS_TO_TEXT (Cons @Int64 [65, 0] (Nil @Int64))", "MALFORMED_TEXT");
  add("TextMap Int64",
      "TEXTMAP_INSERT @Int64 (CODE_POINTS_TO_TEXT (Cons @Int64 [0] (Nil @Int64))) 1 (TEXTMAP_EMPTY @Int64)",
      "MALFORMED_TEXT");
  add("Option Party", "TEXT_TO_PARTY \"alice\"", "Some 'alice'");
  add("Option Party", "TEXT_TO_PARTY \"Alice_1-2:3 x\"", "Some 'Alice_1-2:3 x'");
  for (const char* bad : {"", "bad%char", "a/b", "é", "a\\nb"})
    add("Option Party", std::string("TEXT_TO_PARTY \"") + bad + "\"", "None");
  add("Option Party", "TEXT_TO_PARTY " + quoted(repeated("p", 255)), "Some '" + repeated("p", 255) + "'");
  add("Option Party", "TEXT_TO_PARTY " + quoted(repeated("p", 256)), "None");
  add("Text", "PARTY_TO_TEXT (M:party \"alice\")", "\"alice\"");
}

TEST_F(Builtins, Time) {
  for (auto [text, micros] :
       {std::pair{"0001-01-01T00:00:00.000000Z", "-62135596800000000"},
        std::pair{"1969-07-21T02:56:15.000000Z", "-14159025000000"}, std::pair{"1970-01-01T00:00:00.000000Z", "0"},
        std::pair{"2000-12-31T23:00:00.000000Z", "978303600000000"},
        std::pair{"9999-12-31T23:59:59.999999Z", "253402300799999999"}}) {
    add("Int64", std::string("TIMESTAMP_TO_UNIX_MICROSECONDS ") + text, micros);
    add("Bool", std::string("EQUAL @Timestamp ") + text + " (UNIX_MICROSECONDS_TO_TIMESTAMP " + micros + ")", "True");
  }
  for (const char* outside : {"-62135596800000001", "253402300800000000", kMin.c_str(), kMax.c_str()})
    fails("Timestamp", std::string("UNIX_MICROSECONDS_TO_TIMESTAMP ") + outside);
  for (auto [text, days] :
       {std::pair{"0001-01-01", "-719162"}, std::pair{"1969-07-21", "-164"}, std::pair{"1970-01-01", "0"},
        std::pair{"2001-01-01", "11323"}, std::pair{"9999-12-31", "2932896"}}) {
    add("Int64", std::string("DATE_TO_UNIX_DAYS ") + text, days);
    add("Bool", std::string("EQUAL @Date ") + text + " (UNIX_DAYS_TO_DATE " + days + ")", "True");
    add("Text", std::string("DATE_TO_TEXT (UNIX_DAYS_TO_DATE ") + days + ")", quoted(text));
  }
  for (const char* outside : {"-719163", "2932897", "-2147483648", "4294967296", kMin.c_str(), kMax.c_str()})
    fails("Date", std::string("UNIX_DAYS_TO_DATE ") + outside);
  add("Text", "TIMESTAMP_TO_TEXT 2000-12-31T23:00:00.000000Z", quoted("2000-12-31T23:00:00Z"));
  add("Text", "TIMESTAMP_TO_TEXT 2000-12-31T23:00:00.120000Z", quoted("2000-12-31T23:00:00.120Z"));
  add("Text", "TIMESTAMP_TO_TEXT 2000-12-31T23:00:00.000001Z", quoted("2000-12-31T23:00:00.000001Z"));
  add("Text", "TIMESTAMP_TO_TEXT 0001-01-01T00:00:00.000000Z", quoted("0001-01-01T00:00:00Z"));
}

TEST_F(Builtins, ListsAndMaps) {
  auto list = [](const std::string& items) { return "(Cons @Int64 [" + items + "] (Nil @Int64))"; };
  const std::string f = "(\\(x: Int64) (y: Int64) -> ADD_INT64 3 (MUL_INT64 x y))";
  const std::string g = "(\\(x: Int64) -> let z: Int64 = 3 in \\(y: Int64) -> ADD_INT64 z (MUL_INT64 x y))";
  for (const auto& step : {f, g}) {
    add("Int64", "FOLDL @Int64 @Int64 " + step + " 5 (Nil @Int64)", "5");
    add("Int64", "FOLDL @Int64 @Int64 " + step + " 5 " + list("7, 11, 13"), "5476");
    add("Int64", "FOLDR @Int64 @Int64 " + step + " 5 (Nil @Int64)", "5");
    add("Int64", "FOLDR @Int64 @Int64 " + step + " 5 " + list("7, 11, 13"), "5260");
  }
  const std::string parity = "(\\(x: Int64) (y: Int64) -> EQUAL @Int64 (MOD_INT64 x 2) (MOD_INT64 y 2))";
  auto equal_list = [&](const std::string& a, const std::string& b, const char* want) {
    add("Bool", "EQUAL_LIST @Int64 " + parity + " " + a + " " + b, want);
  };
  equal_list("(Nil @Int64)", "(Nil @Int64)", "True");
  equal_list(list("1, 2, 3"), list("5, 6, 7"), "True");
  equal_list("(Nil @Int64)", list("1"), "False");
  equal_list(list("1"), list("1, 2"), "False");
  equal_list(list("1, 2, 3"), list("5, 6, 4"), "False");

  const std::string words[] = {"slant", "visit", "ranch", "first", "patch",
                               "trend", "sweat", "enter", "cover", "favor"};
  std::string text_map = "(TEXTMAP_EMPTY @Int64)", gen_map = "(GENMAP_EMPTY @Text @Int64)";
  for (std::size_t i = 0; i < std::size(words); ++i) {
    std::string entry = quoted(words[i]) + " " + std::to_string(i);
    text_map = "(TEXTMAP_INSERT @Int64 " + entry + " " + text_map + ")";
    gen_map = "(GENMAP_INSERT @Text @Int64 " + entry + " " + gen_map + ")";
  }
  const std::string keys =
      "[\"cover\", \"enter\", \"favor\", \"first\", \"patch\", \"ranch\", \"slant\", \"sweat\", \"trend\", \"visit\"]";
  add("List Text", "GENMAP_KEYS @Text @Int64 " + gen_map, keys);
  add("List Int64", "GENMAP_VALUES @Text @Int64 " + gen_map, "[8, 7, 9, 3, 4, 2, 0, 6, 5, 1]");
  add("List Text",
      "FOLDR @<key: Text, value: Int64> @(List Text) (\\(e: <key: Text, value: Int64>) (l: List Text) -> Cons @Text "
      "[(e).key] l) (Nil @Text) (TEXTMAP_TO_LIST @Int64 " +
          text_map + ")",
      keys);
  add("Int64", "TEXTMAP_SIZE @Int64 (TEXTMAP_EMPTY @Int64)", "0");
  add("Int64", "TEXTMAP_SIZE @Int64 " + text_map, "10");
  add("Int64", "GENMAP_SIZE @Text @Int64 " + gen_map, "10");
  for (auto [lookup, insert, remove, map, size] :
       {std::array<std::string, 5>{"TEXTMAP_LOOKUP @Int64", "TEXTMAP_INSERT @Int64", "TEXTMAP_DELETE @Int64", text_map,
                                   "TEXTMAP_SIZE @Int64"},
        std::array<std::string, 5>{"GENMAP_LOOKUP @Text @Int64", "GENMAP_INSERT @Text @Int64",
                                   "GENMAP_DELETE @Text @Int64", gen_map, "GENMAP_SIZE @Text @Int64"}}) {
    add("Option Int64", lookup + " \"trend\" " + map, "Some 5");
    add("Option Int64", lookup + " \"nothing\" " + map, "None");
    add("Option Int64", lookup + " \"trend\" (" + insert + " \"trend\" 77 " + map + ")", "Some 77");
    add("Int64", size + " (" + insert + " \"trend\" 77 " + map + ")", "10");
    add("Option Int64", lookup + " \"trend\" (" + remove + " \"trend\" " + map + ")", "None");
    add("Int64", size + " (" + remove + " \"trend\" " + map + ")", "9");
    add("Int64", size + " (" + remove + " \"nothing\" " + map + ")", "10");
  }
  // A key must be comparable even where nothing is there to compare it with.
  const std::string type = "(M:Either (Int64 -> Int64) Int64)";
  const std::string left = "(M:Either:Left @(Int64 -> Int64) @Int64 (\\(x: Int64) -> x))";
  const std::string right = "(M:Either:Right @(Int64 -> Int64) @Int64 1)";
  const std::string empty = "(GENMAP_EMPTY @" + type + " @Int64)";
  const std::string one = "(GENMAP_INSERT @" + type + " @Int64 " + right + " 0 " + empty + ")";
  for (const auto& map : {empty, one}) {
    add("Int64", "GENMAP_SIZE @" + type + " @Int64 (GENMAP_INSERT @" + type + " @Int64 " + left + " 0 " + map + ")",
        "NON_COMPARABLE_VALUES");
    add("Option Int64", "GENMAP_LOOKUP @" + type + " @Int64 " + left + " " + map, "NON_COMPARABLE_VALUES");
    add("Int64", "GENMAP_SIZE @" + type + " @Int64 (GENMAP_DELETE @" + type + " @Int64 " + left + " " + map + ")",
        "NON_COMPARABLE_VALUES");
  }
  add("Option Int64", "GENMAP_LOOKUP @" + type + " @Int64 " + right + " " + one, "Some 0");
}

struct Ascending {
  const char* type;
  std::vector<const char*> values;
};

TEST_F(Builtins, Order) {
  const char* text_b = "(TEXTMAP_INSERT @Int64 \"b\" 1 (TEXTMAP_EMPTY @Int64))";
  const Ascending kinds[] = {
      {"Unit", {"()"}},
      {"Bool", {"False", "True"}},
      {"Int64", {"-9223372036854775808", "-3", "0", "1", "9223372036854775807"}},
      {"Numeric 10", {"-10000.0000000000", "0.0000000000", "10000.0000000000"}},
      {"Numeric 0", {"-10000.", "0.", "10000."}},
      {"Text", {"\"\"", "\"a bit of text\"", "\"some other text\"", "\"some other text again\"", "\"｡\"", "\"😂\""}},
      {"Date", {"1969-07-21", "1970-01-01", "2020-02-02"}},
      {"Timestamp", {"1969-07-21T02:56:15.000000Z", "1970-01-01T00:00:00.000000Z", "2020-02-02T20:20:02.020000Z"}},
      {"Party", {"(M:party \"party1\")", "(M:party \"party2\")", "(M:party \"party20\")"}},
      {"M:Color", {"(M:Color:Red)", "(M:Color:Green)", "(M:Color:Blue)"}},
      {"M:Go", {"(M:Go {})"}},
      {"TypeRep", {"(type_rep @M:Color)", "(type_rep @M:Go)", "(type_rep @M:T)"}},
      {"M:Pair Int64 Int64",
       {"(M:Pair @Int64 @Int64 {fst = 0, snd = 0})", "(M:Pair @Int64 @Int64 {fst = 0, snd = 1})",
        "(M:Pair @Int64 @Int64 {fst = 1, snd = 0})"}},
      {"M:Either Text Int64",
       {"(M:Either:Left @Text @Int64 \"a\")", "(M:Either:Left @Text @Int64 \"b\")", "(M:Either:Right @Text @Int64 -1)",
        "(M:Either:Right @Text @Int64 1)"}},
      {"<fst: Int64, snd: Int64>", {"<fst = 0, snd = 0>", "<snd = 1, fst = 0>", "<fst = 1, snd = 0>"}},
      {"Option Text", {"(None @Text)", "(Some @Text \"A\")", "(Some @Text \"B\")"}},
      {"Option (Option Int64)",
       {"(None @(Option Int64))", "(Some @(Option Int64) (None @Int64))", "(Some @(Option Int64) (Some @Int64 0))"}},
      {"List Int64",
       {"(Nil @Int64)", "(Cons @Int64 [0] (Nil @Int64))", "(Cons @Int64 [0,0] (Nil @Int64))",
        "(Cons @Int64 [0,0,1] (Nil @Int64))", "(Cons @Int64 [0,1,1] (Nil @Int64))", "(Cons @Int64 [1] (Nil @Int64))",
        "(Cons @Int64 [1,0] (Nil @Int64))"}},
      {"TextMap Int64",
       {"(TEXTMAP_EMPTY @Int64)", "(TEXTMAP_INSERT @Int64 \"a\" 1 (TEXTMAP_EMPTY @Int64))",
        "(TEXTMAP_INSERT @Int64 \"a\" 1 (TEXTMAP_INSERT @Int64 \"b\" 1 (TEXTMAP_EMPTY @Int64)))",
        "(TEXTMAP_INSERT @Int64 \"a\" 1 (TEXTMAP_INSERT @Int64 \"b\" 2 (TEXTMAP_EMPTY @Int64)))",
        "(TEXTMAP_INSERT @Int64 \"a\" 2 (TEXTMAP_EMPTY @Int64))",
        "(TEXTMAP_INSERT @Int64 \"a\" 2 (TEXTMAP_INSERT @Int64 \"b\" 1 (TEXTMAP_EMPTY @Int64)))", text_b}},
      {"GenMap Text Int64",
       {"(GENMAP_EMPTY @Text @Int64)", "(GENMAP_INSERT @Text @Int64 \"a\" 1 (GENMAP_EMPTY @Text @Int64))",
        "(GENMAP_INSERT @Text @Int64 \"a\" 1 (GENMAP_INSERT @Text @Int64 \"b\" 1 (GENMAP_EMPTY @Text @Int64)))",
        "(GENMAP_INSERT @Text @Int64 \"a\" 2 (GENMAP_EMPTY @Text @Int64))",
        "(GENMAP_INSERT @Text @Int64 \"b\" 1 (GENMAP_EMPTY @Text @Int64))"}},
      {"Any",
       {"(to_any @M:Color (M:Color:Red))", "(to_any @M:Color (M:Color:Blue))", "(to_any @M:Go (M:Go {}))",
        "(to_any @M:T (M:T {p = M:party \"a\"}))", "(to_any @M:T (M:T {p = M:party \"b\"}))"}},
  };
  for (const auto& kind : kinds) {
    for (std::size_t i = 0; i < kind.values.size(); ++i)
      for (std::size_t j = 0; j < kind.values.size(); ++j) {
        const bool results[] = {i < j, i <= j, i == j, i >= j, i > j};
        std::string want;
        for (bool b : results) want += b ? 'y' : 'n';
        const std::string both = std::string(kind.values[i]) + " " + kind.values[j];
        add("Text", "M:order @(" + std::string(kind.type) + ") " + both, "\"" + want + "\"");
        if (i > j + 1 || j > i + 1) continue;
        const char* functions[] = {"LESS", "LESS_EQ", "EQUAL", "GREATER_EQ", "GREATER"};  // also with the type known
        for (std::size_t k = 0; k < 5; ++k)
          add("Bool", std::string(functions[k]) + " @(" + kind.type + ") " + both, results[k] ? "True" : "False");
      }
  }
}

// What has functions in it can be compared up to the first of them.
TEST_F(Builtins, FunctionsAreNotComparable) {
  const std::string f = "(\\(x: Int64) -> x)", type = "(Int64 -> Int64)";
  for (const char* builtin : {"EQUAL", "LESS", "LESS_EQ", "GREATER", "GREATER_EQ"}) {
    const std::string b = builtin;
    const bool equal = b == "EQUAL" || b == "LESS_EQ" || b == "GREATER_EQ", less = b == "LESS" || b == "LESS_EQ";
    add("Bool", b + " @" + type + " " + f + " " + f, "NON_COMPARABLE_VALUES");
    add("Bool", b + " @" + type + " " + f + " (ADD_INT64 1)", "NON_COMPARABLE_VALUES");
    add("Bool", b + " @(Int64 -> Int64 -> Int64) ADD_INT64 SUB_INT64", "NON_COMPARABLE_VALUES");
    add("Bool", b + " @(Update Unit) (upure @Unit ()) (upure @Unit ())", "NON_COMPARABLE_VALUES");
    add("Bool", b + " @(Option " + type + ") (None @" + type + ") (Some @" + type + " " + f + ")",
        less ? "True" : "False");
    add("Bool", b + " @(Option " + type + ") (None @" + type + ") (None @" + type + ")", equal ? "True" : "False");
    add("Bool", b + " @(Option " + type + ") (Some @" + type + " " + f + ") (Some @" + type + " " + f + ")",
        "NON_COMPARABLE_VALUES");
    const std::string pair = "M:Pair @Int64 @" + type + " ";
    add("Bool",
        b + " @(M:Pair Int64 " + type + ") (" + pair + "{fst = 1, snd = " + f + "}) (" + pair + "{fst = 2, snd = " + f +
            "})",
        less ? "True" : "False");
    add("Bool",
        b + " @(M:Pair Int64 " + type + ") (" + pair + "{fst = 1, snd = " + f + "}) (" + pair + "{fst = 1, snd = " + f +
            "})",
        "NON_COMPARABLE_VALUES");
    add("Bool", b + " @(List " + type + ") (Cons @" + type + " [" + f + "] (Nil @" + type + ")) (Nil @" + type + ")",
        !less && !(b == "EQUAL") ? "True" : "False");
  }
}

TEST_F(Builtins, Conversions) {
  add("Option M:Go", "from_any @M:Go (to_any @M:Go (M:Go {}))", "Some {}");
  add("Option M:Go", "from_any @M:Go (to_any @M:Empty (M:Empty {}))", "None");  // the type counts, not the shape
  add("Option M:Empty", "from_any @M:Empty (to_any @M:Empty (M:Empty {}))", "Some {}");
  add("Bool", "EQUAL @TypeRep (type_rep @M:Go) (type_rep @M:Go)", "True");
  add("Bool", "EQUAL @TypeRep (type_rep @M:Go) (type_rep @M:Empty)", "False");
  add("Bool", "EQUAL @Any (to_any @M:Go (M:Go {})) (to_any @M:Empty (M:Empty {}))", "False");
  add("Text", "TRACE @Text \"said\" \"result\"", quoted("result"));
  add("Text", "ERROR @Text \"stop\"", "INTERPRETATION_USER_ERROR");
  add("Unit",
      "FAIL_WITH_STATUS @Unit \"ID\" INVALID_INDEPENDENT_OF_SYSTEM_STATE \"why\" (TEXTMAP_INSERT @Text \"k\" \"v\" "
      "(TEXTMAP_EMPTY @Text))",
      "DAML_FAILURE");
  add("Text", "SHA256_TEXT \"a¶‱😂\"", quoted("8f1cc14a85321115abcd2854e34f9ca004f4f199d367c3c9a84a355f287cec2e"));
  const std::string empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  add("Text", "SHA256_TEXT \"\"", quoted(empty));
  add("Text", "SHA256_TEXT " + quoted(empty),
      quoted("cd372fb85148700fa88095e3492d3f9f5beb43e555e5ff26d95f5a6adc36f8e6"));
  add("Text", "SHA256_HEX \"\"", quoted(empty));
  add("Text", "SHA256_HEX " + quoted(empty),
      quoted("5df6e0e2761359d30a8275058e299fcc0381534545f55cf43e41983f5d4c9456"));
  for (auto [input, digest] :
       {std::pair{"00", "bc36789e7a1e281436464229828f817d6612f7b477d66591ff96a9e064bcc98a"},
        std::pair{"0000", "54a8c0ab653c15bfb48b47fd011ba2b9617af01cb45cab344acd57c924d56798"},
        std::pair{"deadbeef", "d4fd4e189132273036449fc9e11198c739161b4c0116a9a2dccdfa1c492006f1"},
        std::pair{"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                  "a332df1e58a99d8dcb0767dab2d23985ef337d59fadbe040f56e1c642b314973"}})
    add("Text", std::string("KECCAK256_TEXT \"") + input + "\"", quoted(digest));
  for (const char* function : {"SHA256_HEX", "KECCAK256_TEXT", "HEX_TO_TEXT"})
    for (const char* bad : {"0", "000", "0g", "DeadBeef", "input", "a¶‱😂", " 00"})
      add("Text", std::string(function) + " \"" + bad + "\"", "INTERPRETATION_CRYPTO_ERROR_MALFORMED_BYTE_ENCODING");
  // Bytes that are not UTF-8 become replacement characters, as many as the reference's platform makes of them.
  for (auto [hex, replacements] :
       {std::pair{"ff", 1}, std::pair{"c0af", 2}, std::pair{"c3", 1}, std::pair{"e2", 1}, std::pair{"e280", 1},
        std::pair{"e08080", 3}, std::pair{"eda080", 1}, std::pair{"f0", 1}, std::pair{"f09080", 1},
        std::pair{"f0808080", 4}, std::pair{"f4908080", 4}, std::pair{"f5808080", 4}, std::pair{"80", 1}})
    add("Text", std::string("HEX_TO_TEXT \"41") + hex + "42\"",
        quoted("A" + repeated("\xEF\xBF\xBD", replacements) + "B"));
  for (auto [plain, hex] : {std::pair{"", ""}, std::pair{"Hello world!", "48656c6c6f20776f726c6421"},
                            std::pair{"a¶‱😂", "61c2b6e280b1f09f9882"}}) {
    add("Text", std::string("TEXT_TO_HEX \"") + plain + "\"", quoted(hex));
    add("Text", std::string("HEX_TO_TEXT \"") + hex + "\"", quoted(plain));
  }
}

TEST_F(Builtins, Signatures) {
  const std::string key =
      "3056301006072a8648ce3d020106052b8104000a03420004bb50e2d89a4ed70663d080659fe0ad4b9bc3e06c17a227433966cb59ceee02"
      "0decddbf6e00192011648d13b1c00af770c0c1bb609d4d3a5c98a43772e0e18ef4";
  const std::string signature =
      "3045022100ab8115cb910b82e933cfb8b16818d2e01bedb5976e7c243a89b473bd844aecd302203e07c2d5a8366d2566d23d15d22fa1e3"
      "df800da0510b8a0f7ebf987dc15f2a82";
  // Of the curve P-256 instead of secp256k1.
  const std::string other =
      "3059301306072a8648ce3d020106082a8648ce3d030107034200046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d8"
      "98"
      "c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
  const std::string order = "00fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
  auto check = [&](const std::string& sig, const std::string& message, const std::string& by, const char* want) {
    add("Bool", "SECP256K1_BOOL " + quoted(sig) + " " + quoted(message) + " " + quoted(by), want);
    add("Bool", "SECP256K1_WITH_ECDSA_BOOL " + quoted(sig) + " (SHA256_HEX " + quoted(message) + ") " + quoted(by),
        want);
  };
  check(signature, "616263", key, "True");
  check(signature, "616264", key, "False");
  check(signature, "616263", other, "False");
  check("3006020100020101", "616263", key, "False");  // zero is a number like another
  const char* malformed = "INTERPRETATION_CRYPTO_ERROR_MALFORMED_SIGNATURE";
  check("00", "616263", key, malformed);
  check("", "616263", key, malformed);
  check(signature + "00", "616263", key, malformed);               // more than a signature
  check("3081" + signature.substr(2), "616263", key, malformed);   // its length in more bytes than needed
  check("30060201ff020101", "616263", key, malformed);             // negative
  check("30260221" + order + "020101", "616263", key, malformed);  // not below the order of the curve
  const char* encoding = "INTERPRETATION_CRYPTO_ERROR_MALFORMED_BYTE_ENCODING";
  check("DeadBeef", "616263", key, encoding);
  check(signature, "616263", "DeadBeef", encoding);
  add("Bool", "SECP256K1_BOOL " + quoted(signature) + " \"DeadBeef\" " + quoted(key), encoding);
  const char* bad_key = "INTERPRETATION_CRYPTO_ERROR_MALFORMED_KEY";
  check(signature, "616263", "deadbeef", bad_key);
  check(signature, "616263", key + "00", bad_key);
  add("Bool", "SECP256K1_VALIDATE_KEY " + quoted(key), "True");
  add("Bool", "SECP256K1_VALIDATE_KEY " + quoted(other), "False");
  add("Bool", "SECP256K1_VALIDATE_KEY \"deadbeef\"", bad_key);
  add("Bool", "SECP256K1_VALIDATE_KEY \"x\"", encoding);
  const std::string off_curve = key.substr(0, key.size() - 1) + "5";
  add("Bool", "SECP256K1_VALIDATE_KEY " + quoted(off_curve), bad_key);
}

}  // namespace
}  // namespace synod::lf
