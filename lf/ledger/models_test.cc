// Submissions against the example model and the ping model, in memory: what the recorded console session did, step by
// step.
#include <gtest/gtest.h>

#include "lf/ledger/test_support.h"

namespace synod::lf {
namespace {

using testing::ContractsInMemory;

const Party kBank = "Bank::1220aa", kAlice = "Alice::1220bb", kBob = "Bob::1220cc";

class Models : public ::testing::Test {
 protected:
  static std::shared_ptr<PackageStore> packages() {
    static auto store = testing::load_dars({"canton-builtin-admin-workflow-ping.dar", "CantonExamples-3.2.0.dar"});
    return store;
  }
  void SetUp() override {
    if (!packages()) GTEST_SKIP() << "SKIPPED: needs the DARs in ../shared or $SYNOD_SHARED";
    static auto shared_engine = std::make_shared<Engine>(packages());
    engine = shared_engine;
    examples = testing::package_id(*packages(), "CantonExamples");
    ping = testing::package_id(*packages(), "canton-builtin-admin-workflow-ping");
  }
  SubmitContext context(PartySet submitters) {
    SubmitContext c;
    c.submitters = std::move(submitters);
    c.ledger_time = c.preparation_time = Timestamp{1'795'368'346'527'792 + clock++};
    c.submission_seed = Bytes(32, 's');
    c.participant_id = "participant1::1220dd";
    return c;
  }
  Result<InterpretationResult> submit(PartySet submitters, std::vector<Command> commands) {
    SubmitContext c = context(std::move(submitters));
    auto result = engine->submit(commands, c, contracts);
    if (result) active = testing::apply(*result, c.ledger_time, contracts);
    return result;
  }
  Value amount(const char* value) {
    return Value::record({Value::numeric(*parse_numeric(value, 10)), Value::text("USD")});
  }
  Value iou(const Party& payer, const Party& owner, const char* value) {
    return Value::record({Value::party(payer), Value::party(owner), amount(value), Value::list({})});
  }
  Identifier id(const char* module, const char* entity) { return {examples, module, entity}; }

  std::shared_ptr<Engine> engine;
  std::string examples, ping;
  ContractsInMemory contracts;
  std::vector<ContractId> active;
  std::int64_t clock = 0;
};

TEST_F(Models, IouIsCreatedTransferredAndCalled) {
  auto created = submit({kBank}, {CreateCommand{id("Iou", "Iou"), iou(kBank, kAlice, "100.0")}});
  ASSERT_TRUE(created) << created.error().to_string();
  ASSERT_EQ(created->transaction.nodes.size(), 1u);
  EXPECT_EQ(created->transaction.at(0).informees(), (PartySet{kAlice, kBank}));
  EXPECT_EQ(created->transaction.at(0).create()->package_name, "CantonExamples");
  EXPECT_TRUE(created->used_packages->contains(examples));
  ASSERT_EQ(active.size(), 1u);

  auto moved =
      submit({kAlice}, {ExerciseCommand{id("Iou", "Iou"), active[0], "Transfer", Value::record({Value::party(kBob)})}});
  ASSERT_TRUE(moved) << moved.error().to_string();
  const Transaction& tx = moved->transaction;
  ASSERT_EQ(tx.nodes.size(), 2u);
  const ExerciseNode& e = *tx.at(0).exercise();
  EXPECT_TRUE(e.consuming);
  EXPECT_EQ(e.acting_parties, PartySet{kAlice});
  EXPECT_EQ(e.children, std::vector<NodeId>{1});
  EXPECT_EQ(e.result->as_contract_id(), tx.at(1).create()->contract_id);
  EXPECT_EQ(tx.at(1).parent, 0);
  EXPECT_EQ(tx.at(1).informees(), (PartySet{kBank, kBob}));
  EXPECT_EQ(moved->input_contracts.size(), 1u);
  EXPECT_EQ(contracts.hashes.size(), 1u);

  auto called = submit({kBob}, {ExerciseCommand{id("Iou", "Iou"), active.at(0), "Call", Value::record({})}});
  ASSERT_TRUE(called) << called.error().to_string();
  EXPECT_EQ(called->transaction.at(1).create()->template_id.entity, "GetCash");
  EXPECT_EQ(called->transaction.at(1).create()->signatories, (PartySet{kBank, kBob}));
}

TEST_F(Models, PaintOfferIsAcceptedWithAnIou) {
  ASSERT_TRUE(submit({kBank}, {CreateCommand{id("Iou", "Iou"), iou(kBank, kAlice, "100.0")}}));
  ContractId money = active.at(0);
  auto offer = submit(
      {kBob},
      {CreateCommand{id("Paint", "OfferToPaintHouseByPainter"),
                     Value::record({Value::party(kAlice), Value::party(kBob), Value::party(kBank), amount("100.0")})}});
  ASSERT_TRUE(offer) << offer.error().to_string();
  auto accepted = submit({kAlice}, {ExerciseCommand{id("Paint", "OfferToPaintHouseByPainter"), active.at(0),
                                                    "AcceptByOwner", Value::record({Value::contract_id(money)})}});
  ASSERT_TRUE(accepted) << accepted.error().to_string();
  const Transaction& tx = accepted->transaction;
  ASSERT_EQ(tx.nodes.size(), 4u);
  EXPECT_EQ(tx.at(0).exercise()->children, (std::vector<NodeId>{1, 3}));
  EXPECT_EQ(tx.at(1).exercise()->choice, "Transfer");
  EXPECT_EQ(tx.at(2).parent, 1);
  EXPECT_EQ(tx.at(3).create()->template_id.entity, "PaintHouse");
  EXPECT_EQ(tx.at(0).exercise()->result->as_contract_id(), tx.at(2).create()->contract_id);
  EXPECT_EQ(accepted->input_contracts.size(), 2u);
}

TEST_F(Models, CreateAndExerciseAndSeveralRoots) {
  auto both = submit({kBank}, {CreateCommand{id("Iou", "Iou"), iou(kBank, kBank, "1.0")},
                               CreateAndExerciseCommand{id("Iou", "Iou"), iou(kBank, kBank, "2.0"), "Transfer",
                                                        Value::record({Value::party(kBob)})}});
  ASSERT_TRUE(both) << both.error().to_string();
  EXPECT_EQ(both->transaction.roots, (std::vector<NodeId>{0, 1, 2}));
  EXPECT_EQ(active.size(), 2u);
  EXPECT_NE(both->transaction.at(0).seed, both->transaction.at(1).seed);
}

TEST_F(Models, PingIsAnswered) {
  auto created =
      submit({kAlice}, {CreateCommand{{"#canton-builtin-admin-workflow-ping", "Canton.Internal.Ping", "Ping"},
                                      Value::record({Value::text("1"), Value::party(kAlice), Value::party(kBob)})}});
  ASSERT_TRUE(created) << created.error().to_string();
  auto answered = submit(
      {kBob}, {ExerciseCommand{{ping, "Canton.Internal.Ping", "Ping"}, active.at(0), "Respond", Value::record({})}});
  ASSERT_TRUE(answered) << answered.error().to_string();
  EXPECT_EQ(answered->transaction.at(0).exercise()->result->kind(), ValueKind::unit);
}

// The texts are those of the recorded phases e10 and e11.
TEST_F(Models, RefusalsSayWhatCantonSays) {
  auto unauthorized = submit({kBank}, {CreateCommand{id("Iou", "Iou"), iou(kAlice, kBank, "1.0")}});
  ASSERT_FALSE(unauthorized);
  EXPECT_EQ(unauthorized.error().id, "DAML_AUTHORIZATION_ERROR");
  EXPECT_EQ(unauthorized.error().category, ErrorCategory::invalid_argument);
  EXPECT_EQ(unauthorized.error().cause, "Interpretation error: Error: node NodeId(0) (" + examples +
                                            ":Iou:Iou) requires authorizers " + kAlice + ", but only " + kBank +
                                            " were given");

  auto negative = submit({kBank}, {CreateCommand{id("Iou", "Iou"), iou(kBank, kAlice, "-1.0")}});
  ASSERT_FALSE(negative);
  EXPECT_EQ(negative.error().id, "DAML_FAILURE");
  EXPECT_EQ(negative.error().category, ErrorCategory::invalid_state_other);
  EXPECT_EQ(negative.error().cause,
            "Interpretation error: Error: User failure: "
            "UNHANDLED_EXCEPTION/DA.Exception.PreconditionFailed:PreconditionFailed (error category 9): "
            "Template precondition violated: Iou {payer = '" +
                kBank + "', owner = '" + kAlice +
                "', amount = Amount {value = -1.0, currency = \"USD\"}, viewers = []}");

  ASSERT_TRUE(submit({kBank}, {CreateCommand{id("Iou", "Iou"), iou(kBank, kAlice, "1.0")}}));
  ContractId gone = active.at(0);
  contracts.remove(gone);
  auto missing = submit({kAlice}, {ExerciseCommand{id("Iou", "Iou"), gone, "Call", Value::record({})}});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().id, "CONTRACT_NOT_FOUND");
  EXPECT_EQ(missing.error().category, ErrorCategory::invalid_state_missing);
  EXPECT_EQ(missing.error().cause, "Contract could not be found with id " + gone.to_hex());
}

TEST_F(Models, IllTypedCommandsAreRefused) {
  auto short_record = submit({kBank}, {CreateCommand{id("Iou", "Iou"), Value::record({Value::party(kBank)})}});
  ASSERT_FALSE(short_record);
  EXPECT_EQ(short_record.error().id, "COMMAND_PREPROCESSING_FAILED");
  auto unknown_choice = submit(
      {kBank}, {CreateAndExerciseCommand{id("Iou", "Iou"), iou(kBank, kBank, "1.0"), "Burn", Value::record({})}});
  ASSERT_FALSE(unknown_choice);
  EXPECT_EQ(unknown_choice.error().id, "COMMAND_PREPROCESSING_FAILED");
  auto unknown_template = submit({kBank}, {CreateCommand{id("Iou", "Nothing"), Value::record({})}});
  ASSERT_FALSE(unknown_template);
  auto unknown_package = submit({kBank}, {CreateCommand{{std::string(64, '0'), "A", "B"}, Value::record({})}});
  ASSERT_FALSE(unknown_package);
  EXPECT_EQ(unknown_package.error().id, "PACKAGE_NOT_FOUND");
}

TEST_F(Models, SpentContractsCannotBeUsedTwice) {
  ASSERT_TRUE(submit({kBank}, {CreateCommand{id("Iou", "Iou"), iou(kBank, kAlice, "1.0")}}));
  Command call = ExerciseCommand{id("Iou", "Iou"), active.at(0), "Call", Value::record({})};
  auto twice = submit({kAlice}, {call, call});
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().id, "CONTRACT_NOT_ACTIVE");
}

TEST_F(Models, TheSameInputGivesTheSameTransaction) {
  SubmitContext c = context({kBank});
  std::vector<Command> commands{CreateCommand{id("Iou", "Iou"), iou(kBank, kAlice, "100.0")}};
  auto one = engine->submit(commands, c, contracts), two = engine->submit(commands, c, contracts);
  ASSERT_TRUE(one && two);
  EXPECT_EQ(one->transaction.at(0).create()->contract_id, two->transaction.at(0).create()->contract_id);
  EXPECT_EQ(one->transaction.at(0).seed, two->transaction.at(0).seed);
  c.submission_seed[0] ^= 1;
  auto three = engine->submit(commands, c, contracts);
  EXPECT_NE(one->transaction.at(0).create()->contract_id, three->transaction.at(0).create()->contract_id);
}

}  // namespace
}  // namespace synod::lf
