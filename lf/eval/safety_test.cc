// Programs that ask for too much: they stop with an error that says which budget, and nothing they build overflows the
// C++ stack.
#include <gtest/gtest.h>

#include "lf/ledger/test_support.h"
#include "lf/ledger/value_codec.h"
#include "lf/text/assembler.h"

namespace synod::lf {
namespace {

const Party kAlice = "Alice::1220aa";

class Safety : public ::testing::Test {
 protected:
  // The error or the result of a choice that computes `expression : type`.
  std::string run(const std::string& type, const std::string& expression) {
    const std::string text =
        "metadata ('program' : '1.0.0') module Main {"
        " record @serializable T = { p: Party } ; record @serializable Go = {} ;"
        " variant @serializable Nat = Z: Unit | S: Main:Nat ;"
        " val list : Int64 -> List Int64 -> List Int64 = \\(n: Int64) (acc: List Int64) -> case LESS_EQ @Int64 n 0 of"
        "   True -> acc | False -> Main:list (SUB_INT64 n 1) (Cons @Int64 [n] acc) ;"
        " val nat : Int64 -> Main:Nat -> Main:Nat = \\(n: Int64) (acc: Main:Nat) -> case LESS_EQ @Int64 n 0 of"
        "   True -> acc | False -> Main:nat (SUB_INT64 n 1) (Main:Nat:S acc) ;"
        " val sum : List Int64 -> Int64 = \\(l: List Int64) -> case l of Nil -> 0 | Cons h t -> ADD_INT64 h (Main:sum "
        "t) ;"
        " val loop : Int64 -> Int64 = \\(n: Int64) -> Main:loop (ADD_INT64 n 1) ;"
        " val deep : Int64 -> Int64 = \\(n: Int64) -> ADD_INT64 1 (Main:deep n) ;"
        " val double : Int64 -> Text -> Text = \\(n: Int64) (t: Text) -> case LESS_EQ @Int64 n 0 of"
        "   True -> t | False -> Main:double (SUB_INT64 n 1) (APPEND_TEXT t t) ;"
        " val same : Text -> Text -> Int64 -> Int64 = \\(a: Text) (b: Text) (n: Int64) -> case EQUAL @Text a b of"
        "   True -> Main:same a b (ADD_INT64 n 1) | False -> n ;"
        " val keep : List (List Int64) -> Int64 -> Int64 = \\(kept: List (List Int64)) (n: Int64) ->"
        "   Main:keep (Cons @(List Int64) [Main:list 1000 (Nil @Int64)] kept) n ;"
        " template (this : T) = { signatories Cons @Party [Main:T {p} this] (Nil @Party) ;"
        " choice @nonConsuming Go (self) (arg : Main:Go) : " +
        type + ", controllers Cons @Party [Main:T {p} this] (Nil @Party) to upure @(" + type + ") (" + expression +
        ") ; } ; }";
    auto entry = assemble_package(text);
    if (!entry) return entry.error().to_string();
    auto store = std::make_shared<PackageStore>();
    store->add(entry->package);
    Engine engine(store);
    SubmitContext c;
    c.submitters = {kAlice};
    c.submission_seed = Bytes(32, 's');
    c.participant_id = "participant1::1220dd";
    testing::ContractsInMemory contracts;
    auto r = engine.submit(
        {CreateAndExerciseCommand{
            {entry->package->id(), "Main", "T"}, Value::record({Value::party(kAlice)}), "Go", Value::record({})}},
        c, contracts, limits_);
    if (!r) return r.error().id + ": " + r.error().cause;
    return r->transaction.at(1).exercise()->result->to_string();
  }
  static std::string exceeded(const std::string& what, const std::string& setting) {
    return "INTERPRETATION_TIME_EXCEEDED: Interpretation aborted: its budget of " + what +
           " is used up. Split the work into several commands, or raise interpretation." + setting +
           " in the participant's configuration";
  }

  Limits limits_;
};

TEST_F(Safety, EveryBudgetStopsALoop) {
  limits_.max_steps = 500'000;
  EXPECT_EQ(run("Int64", "Main:loop 0"), exceeded("steps", "max-steps"));
  limits_ = Limits();
  limits_.max_bytes = 8 << 20;
  EXPECT_EQ(run("Int64", "Main:keep (Nil @(List Int64)) 0"), exceeded("memory", "max-memory"));
  EXPECT_EQ(run("Int64", "Main:deep 0"), exceeded("memory", "max-memory"));
  EXPECT_EQ(run("Text", "Main:double 40 \"x\""), exceeded("memory", "max-memory"));
  limits_ = Limits();
  limits_.max_frames = 10'000;
  EXPECT_EQ(run("Int64", "Main:deep 0"), exceeded("evaluation depth", "max-depth"));
}

TEST_F(Safety, LongTextsCannotHideWork) {
  limits_.max_steps = 5'000'000;  // two texts of 4 MiB: some 65,000 steps each time they are compared
  EXPECT_EQ(run("Int64", "Main:same (Main:double 22 \"x\") (Main:double 22 \"x\") 0"), exceeded("steps", "max-steps"));
}

TEST_F(Safety, AMillionLevelsDeep) {
  const std::string million = "1000000", nat = "(Main:nat " + million + " (Main:Nat:Z ()))";
  EXPECT_EQ(run("Int64", "Main:sum (Main:list " + million + " (Nil @Int64))"), "500000500000");
  EXPECT_EQ(run("Bool", "EQUAL @Main:Nat " + nat + " " + nat), "True");
  EXPECT_EQ(run("Bool", "LESS @Main:Nat " + nat + " (Main:Nat:S " + nat + ")"), "True");
  EXPECT_EQ(run("Int64", "GENMAP_SIZE @Main:Nat @Int64 (GENMAP_INSERT @Main:Nat @Int64 " + nat +
                             " 1 (GENMAP_EMPTY @Main:Nat @Int64))"),
            "1");
  EXPECT_EQ(run("Main:Nat", nat).substr(0, 13), "VALUE_NESTING");
}

TEST_F(Safety, MapsOfMapsCompareLazily) {
  const std::string map =
      "(GENMAP_INSERT @Int64 @(GenMap Int64 Int64) 1 (GENMAP_INSERT @Int64 @Int64 1 2 "
      "(GENMAP_EMPTY @Int64 @Int64)) (GENMAP_EMPTY @Int64 @(GenMap Int64 Int64)))";
  const std::string other =
      "(GENMAP_INSERT @Int64 @(GenMap Int64 Int64) 1 (GENMAP_INSERT @Int64 @Int64 1 3 "
      "(GENMAP_EMPTY @Int64 @Int64)) (GENMAP_EMPTY @Int64 @(GenMap Int64 Int64)))";
  EXPECT_EQ(run("Bool", "EQUAL @(GenMap Int64 (GenMap Int64 Int64)) " + map + " " + map), "True");
  EXPECT_EQ(run("Bool", "LESS @(GenMap Int64 (GenMap Int64 Int64)) " + map + " " + other), "True");
  EXPECT_EQ(run("Bool", "LESS @(GenMap Int64 (GenMap Int64 Int64)) (GENMAP_EMPTY @Int64 @(GenMap Int64 Int64)) " + map),
            "True");
}

// On the wire: Some (Some (... unit)), as deep as somebody cares to write.
TEST_F(Safety, DeepBytesAreRefusedNotFollowed) {
  for (int depth : {99, 101, 100'000}) {
    Bytes inner = encode_value(Value::unit());
    const Bytes one = encode_value(Value::some(Value::unit()));
    // Each level adds the same two tags, with a length that grows; build from the inside out by hand.
    std::string out(inner.rbegin(), inner.rend());
    auto length = [](std::size_t n) {
      std::string s;
      do {
        s.push_back(static_cast<char>((n & 0x7f) | (n > 0x7f ? 0x80 : 0)));
      } while (n >>= 7);
      return std::string(s.rbegin(), s.rend());
    };
    const char outer_tag = one[0], inner_tag = one[2];
    for (int i = 0; i < depth; ++i) {
      out += length(out.size());
      out += inner_tag;
      out += length(out.size());
      out += outer_tag;
    }
    auto decoded = decode_value(Bytes(out.rbegin(), out.rend()));
    EXPECT_EQ(decoded.has_value(), depth < 100) << depth;
  }
}

// Found by fuzzing: an enumeration without a name, and a date whose text overflowed.
TEST_F(Safety, WireValuesOutOfRangeAreRefused) {
  for (const Value& v : {Value::enumeration(""), Value::variant("", Value::unit()), Value::date(Date{INT32_MAX}),
                         Value::date(Date{-719'163}), Value::date(Date{2'932'897})})
    EXPECT_FALSE(decode_value(encode_value(v))) << static_cast<int>(v.kind());
  for (const Value& v : {Value::enumeration("Red"), Value::date(Date{-719'162}), Value::date(Date{2'932'896})})
    EXPECT_TRUE(decode_value(encode_value(v))) << static_cast<int>(v.kind());
}

}  // namespace
}  // namespace synod::lf
