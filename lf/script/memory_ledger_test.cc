// What only a ledger in memory can tell, and scripts cannot bring about: contracts of other ledgers, and contracts
// whose create was rolled back. Facts: IdeLedger.scala, IdeLedgerClient.scala.
#include "lf/script/memory_ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lf/script/submit_error.h"
#include "lf/text/assembler.h"

namespace synod::lf::script {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const Party kAlice = "Alice";

constexpr const char* kModel = R"(metadata ('ledger' : '1.0.0') module M {
  record @serializable T = { p: Party } ; record @serializable Use = {} ; record @serializable Leak = {} ;
  record @serializable Left = { id: ContractId M:T } ; exception Left = { message \(e: M:Left) -> "left" } ;
  template (this : T) = {
    signatories Cons @Party [M:T {p} this] (Nil @Party) ;
    choice @nonConsuming Use (self) (u: M:Use) : Int64 , controllers Cons @Party [M:T {p} this] (Nil @Party) to upure @Int64 1 ;
    choice @nonConsuming Leak (self) (u: M:Leak) : ContractId M:T , controllers Cons @Party [M:T {p} this] (Nil @Party)
      to try @(ContractId M:T) (ubind id: ContractId M:T <- create @M:T this in throw @(Update (ContractId M:T)) @M:Left (M:Left { id = id }))
         catch e -> case from_any_exception @M:Left e of
             None -> None @(Update (ContractId M:T)) | Some l -> Some @(Update (ContractId M:T)) (upure @(ContractId M:T) (M:Left {id} l)) ;
  } ;
})";

class MemoryLedgers : public ::testing::Test {
 protected:
  void SetUp() override {
    auto entry = assemble_package(kModel);
    ASSERT_TRUE(entry) << entry.error().to_string();
    type_ = {entry->package->id(), "M", "T"};
    packages_ = std::make_shared<PackageStore>();
    packages_->add(entry->package);
    engine_ = std::make_unique<Engine>(packages_);
  }
  std::unique_ptr<MemoryLedger> ledger() {
    auto out = std::make_unique<MemoryLedger>(packages_, *engine_, MemoryLedger::Options{true, {}});
    EXPECT_TRUE(out->allocate_party(kAlice, {}));
    return out;
  }
  static SubmitResult submit(MemoryLedger& at, std::vector<Command> commands,
                             std::vector<Disclosure> disclosures = {}) {
    Submission submission{{kAlice}, {}, std::move(disclosures), {}, {}, {}};
    for (auto& c : commands) submission.commands.push_back({std::move(c), false});
    return at.submit(submission).value();
  }
  Command create() const { return CreateCommand{type_, Value::record({Value::party(kAlice)})}; }
  Command on(const ContractId& id, const char* choice) const {
    return ExerciseCommand{type_, id, choice, Value::record({})};
  }

  Identifier type_;
  std::shared_ptr<PackageStore> packages_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(MemoryLedgers, AContractOfAnotherLedgerIsNotKnown) {
  auto here = ledger(), there = ledger();
  submit(*there, {create()});  // so that its contracts have other ids
  const ContractId foreign = std::get<TransactionTree>(submit(*there, {create()})).at(0).contract_id;
  auto refused = std::get<Refusal>(submit(*here, {on(foreign, "Use")}));
  EXPECT_EQ(refused.error.id, "CONTRACT_NOT_FOUND");
  EXPECT_EQ(error_class(refused), "Internal");
  EXPECT_EQ(error_text(refused), "CRASH: contract " + foreign.to_hex() + " not found");
}

TEST_F(MemoryLedgers, WhatIsDisclosedMustBeActiveHere) {
  auto here = ledger(), there = ledger();
  submit(*there, {create()});
  const ContractId foreign = std::get<TransactionTree>(submit(*there, {create()})).at(0).contract_id;
  const auto found = there->query_contract({kAlice}, type_, foreign).value();
  const Disclosure disclosure{type_, foreign, found->blob};
  auto refused = std::get<Refusal>(submit(*here, {create()}, {disclosure}));  // although nothing uses it
  ASSERT_TRUE(refused.lookup);
  EXPECT_EQ(refused.lookup->why, LookupFailure::Why::not_active);
  EXPECT_EQ(refused.lookup->template_id, type_);
  EXPECT_EQ(error_class(refused), "ContractNotActive");
}

TEST_F(MemoryLedgers, AnIdThatOutlivesItsRollbackIsNotActive) {
  auto at = ledger();
  const ContractId id = std::get<TransactionTree>(submit(*at, {create()})).at(0).contract_id;
  const auto leaked = std::get<TransactionTree>(submit(*at, {on(id, "Leak")}));
  const ContractId gone = leaked.at(0).result.as_contract_id();
  auto refused = std::get<Refusal>(submit(*at, {on(gone, "Use")}));
  ASSERT_TRUE(refused.lookup);
  EXPECT_EQ(refused.lookup->why, LookupFailure::Why::not_active);
  EXPECT_EQ(error_class(refused), "ContractNotActive");
  EXPECT_THAT(error_text(refused), StartsWith("Script failed due to a fetch of an inactive contract " + gone.to_hex()));
  EXPECT_THAT(error_text(refused), HasSubstr("The create of this contract has been rolled back"));
  EXPECT_EQ(at->query({kAlice}, type_)->size(), 1u);
}

}  // namespace
}  // namespace synod::lf::script
