// Contracts used under another version of their package.
#include <gtest/gtest.h>

#include "lf/ledger/test_support.h"
#include "lf/text/assembler.h"

namespace synod::lf {
namespace {

const Party kAlice = "Alice::1220aa", kBob = "Bob::1220bb";

std::string model(const std::string& version, const std::string& fields, const std::string& signatories,
                  const std::string& worth) {
  return "metadata ('coins' : '" + version +
         "') module Main {"
         " record @serializable Coin = { p: Party, q: Party, n: Int64" +
         fields +
         " } ; record @serializable Look = {} ;"
         " template (this : Coin) = { signatories Cons @Party [" +
         signatories +
         "] (Nil @Party) ;"
         " choice @nonConsuming Look (self) (arg : Main:Look) : Int64, controllers Cons @Party [Main:Coin {p} this] "
         "(Nil @Party)"
         " to upure @Int64 (" +
         worth + ") ; } ; }";
}

class Upgrades : public ::testing::Test {
 protected:
  Upgrades() : store_(std::make_shared<PackageStore>()) {
    one_ = add(model("1.0.0", "", "Main:Coin {p} this", "Main:Coin {n} this"));
    two_ = add(model("2.0.0", ", m: Option Int64", "Main:Coin {p} this",
                     "case Main:Coin {m} this of None -> MUL_INT64 2 (Main:Coin {n} this) | Some m -> m"));
    greedy_ = add(model("3.0.0", "", "Main:Coin {p} this, Main:Coin {q} this", "0"));
    engine_ = std::make_unique<Engine>(store_);
  }
  std::string add(const std::string& text) {
    auto entry = assemble_package(text);
    EXPECT_TRUE(entry) << (entry ? "" : entry.error().to_string());
    store_->add(entry->package);
    return entry->package->id();
  }
  Identifier coin(const std::string& package) { return {package, "Main", "Coin"}; }
  Result<InterpretationResult> submit(Command command) {
    SubmitContext c;
    c.submitters = {kAlice};
    c.submission_seed = Bytes(32, 's');
    c.participant_id = "participant1::1220dd";
    auto r = engine_->submit({std::move(command)}, c, contracts_);
    if (r)
      if (auto ids = testing::apply(*r, Timestamp{1}, contracts_); !ids.empty()) last_ = ids[0];
    return r;
  }
  Result<InterpretationResult> look(const std::string& package) {
    return submit(ExerciseCommand{coin(package), last_, "Look", Value::record({})});
  }
  void create(const std::string& package, std::vector<Value> fields) {
    auto r = submit(CreateCommand{coin(package), Value::record(std::move(fields))});
    ASSERT_TRUE(r) << r.error().to_string();
  }

  std::shared_ptr<PackageStore> store_;
  std::string one_, two_, greedy_;
  std::unique_ptr<Engine> engine_;
  testing::ContractsInMemory contracts_;
  ContractId last_;
};

const Value kFive = Value::int64(5), kNine = Value::int64(9);

TEST_F(Upgrades, MissingTrailingFieldsAreNone) {
  create(one_, {Value::party(kAlice), Value::party(kBob), kFive});
  auto r = look(two_);
  ASSERT_TRUE(r) << r.error().to_string();
  const ExerciseNode& e = *r->transaction.at(0).exercise();
  EXPECT_EQ(e.template_id.package, two_);
  EXPECT_EQ(e.result->as_int64(), 10);
  EXPECT_EQ(r->input_contracts.begin()->second.template_id.package, one_);
}

TEST_F(Upgrades, SurplusFieldsMayOnlyBeNone) {
  create(two_, {Value::party(kAlice), Value::party(kBob), kFive, Value::none()});
  auto r = look(one_);
  ASSERT_TRUE(r) << r.error().to_string();
  EXPECT_EQ(r->transaction.at(0).exercise()->result->as_int64(), 5);

  create(two_, {Value::party(kAlice), Value::party(kBob), kFive, Value::some(kNine)});
  auto refused = look(one_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().id, "INTERPRETATION_UPGRADE_ERROR_TRANSLATION_FAILED");
}

TEST_F(Upgrades, SignatoriesMustNotChange) {
  create(one_, {Value::party(kAlice), Value::party(kBob), kFive});
  auto refused = look(greedy_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().id, "INTERPRETATION_UPGRADE_ERROR_VALIDATION_FAILED");
}

TEST_F(Upgrades, AnotherTemplateIsWronglyTyped) {
  create(one_, {Value::party(kAlice), Value::party(kBob), kFive});
  std::string other =
      add("metadata ('other' : '1.0.0') module Main { record @serializable Note = { p: Party } ; record @serializable "
          "Look = {} ;"
          " template (this : Note) = { signatories Cons @Party [Main:Note {p} this] (Nil @Party) ;"
          " choice @nonConsuming Look (self) (arg : Main:Look) : Unit, controllers Cons @Party [Main:Note {p} this] "
          "(Nil @Party) to upure @Unit () ; } ; }");
  auto refused = submit(ExerciseCommand{{other, "Main", "Note"}, last_, "Look", Value::record({})});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().id, "WRONGLY_TYPED_CONTRACT");
}

}  // namespace
}  // namespace synod::lf
