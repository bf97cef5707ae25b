#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "base/testing/shared_files.h"
#include "lf/archive/dar.h"
#include "lf/package_store.h"
#include "lf/text/assembler.h"
#include "testnet/script_participants.h"
#include "tests/e2e/command_line.h"

namespace synod::testnet {
namespace {

using lf::PartySet;
using lf::Value;
using namespace lf::script;
using ::testing::Contains;
using ::testing::ElementsAre;

const PackageNameVersion kAccounts{"synod-example-accounts", "1.0.0"};

// One network for all tests; they run one after the other and leave it as they found it, but for contracts.
class LedgerServices : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const auto examples = synod::testing::shared_path("dars/CantonExamples-3.2.0.dar");
    if (!examples) return;
    network_ = std::make_unique<e2e::TestNetwork>();
    const auto up = network_->testnet("up --detach");
    ASSERT_EQ(up.exit_code, 0) << up.output;
    const auto file = network_->folder() + "/accounts.dar";
    const auto built =
        e2e::synod("dar build examples/accounts.lf --lf-version 2.3 --dependency '" + *examples + "' -o " + file);
    ASSERT_EQ(built.exit_code, 0) << built.output;
    const auto bytes = e2e::read_text(file);
    const auto dar = lf::decode_dar(bytes);
    ASSERT_TRUE(dar);
    packages_ = std::make_shared<lf::PackageStore>();
    for (const auto& entry : dar->entries) packages_->add(entry.package);
    package_ = dar->main().id();
    for (const auto& at : {coke(), pepsi()}) {
      const auto uploaded = at->upload(bytes);
      ASSERT_TRUE(uploaded) << uploaded.error().to_string();
    }
    const auto bank = coke()->allocate_party("Bank", {});
    ASSERT_TRUE(bank) << bank.error().to_string();
    bank_ = *bank;
    const auto olga = pepsi()->allocate_party("Olga", {});
    ASSERT_TRUE(olga) << olga.error().to_string();
    olga_ = *olga;
    eventually([] {
      const auto parties = coke()->known_parties({});
      return parties && std::any_of(parties->begin(), parties->end(), [](auto& p) { return p.party == olga_; });
    });
  }
  static void TearDownTestSuite() { network_.reset(); }
  void SetUp() override {
    if (!network_) GTEST_SKIP() << "SKIPPED: needs CantonExamples in ../shared/dars";
  }

  static std::unique_ptr<ApiScriptLedger> ledger(int port) {
    ApiScriptLedger::Options options;
    options.address = "127.0.0.1:" + std::to_string(port);
    return std::make_unique<ApiScriptLedger>(packages_, options);
  }
  static std::unique_ptr<ApiScriptLedger> coke() { return ledger(network_->first_port() + 2); }
  static std::unique_ptr<ApiScriptLedger> pepsi() { return ledger(network_->first_port() + 6); }

  template <typename F>
  static void eventually(F&& holds) {
    for (int i = 0; i < 1200; ++i) {
      if (holds()) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    ADD_FAILURE() << "it never happened";
  }

  static lf::Identifier type(const char* name) { return {package_, "Accounts", name}; }
  static Value number(std::int64_t n) { return Value::record({Value::party(bank_), Value::int64(n)}); }
  // The last exercise's result, or the error's id.
  static std::string submit(ApiScriptLedger& at, const std::string& who, lf::Command command) {
    auto result = at.submit({{who}, {}, {}, {}, {}, {{std::move(command), false}}});
    if (!result) return result.error().id;
    if (const auto* refusal = std::get_if<Refusal>(&*result)) return refusal->error.id;
    const auto& tree = std::get<TransactionTree>(*result);
    return tree.back().created ? "created" : tree.back().result.to_string();
  }
  static lf::Command account(std::int64_t n, std::int64_t balance) {
    return lf::CreateCommand{type("Account"), Value::record({Value::party(bank_), Value::party(olga_), Value::int64(n),
                                                             Value::int64(balance)})};
  }
  static lf::Command by_number(std::int64_t n, const std::string& choice) {
    return lf::ExerciseByKeyCommand{type("Account"), number(n), choice, Value::record({})};
  }
  static std::vector<std::int64_t> found(ApiScriptLedger& at, const std::string& who, std::int64_t n) {
    std::vector<std::int64_t> out;
    const auto contracts = at.query_by_key({who}, type("Account"), number(n), 10);
    EXPECT_TRUE(contracts);
    if (contracts)
      for (const auto& contract : *contracts) out.push_back(contract.argument.as_record()[3].as_int64());
    return out;
  }

  static inline std::unique_ptr<e2e::TestNetwork> network_;
  static inline std::shared_ptr<lf::PackageStore> packages_;
  static inline std::string package_, bank_, olga_;
};

TEST_F(LedgerServices, ContractsAreFoundByKeyAtBothOrganisations) {
  const auto here = coke(), there = pepsi();
  EXPECT_EQ(submit(*here, bank_, account(1, 100)), "created");
  EXPECT_EQ(submit(*here, bank_, account(1, 200)), "created");
  eventually([&] { return found(*there, olga_, 1).size() == 2; });
  EXPECT_EQ(submit(*there, olga_, by_number(1, "Read")), "200") << "the newest";
  EXPECT_EQ(submit(*here, bank_, by_number(1, "Archive")), "()");
  eventually([&] { return found(*there, olga_, 1) == std::vector<std::int64_t>{100}; });
  EXPECT_EQ(submit(*there, olga_, by_number(1, "Read")), "100");
  EXPECT_EQ(submit(*here, bank_, by_number(1, "Archive")), "()");
  EXPECT_EQ(submit(*here, bank_, by_number(1, "Archive")), "CONTRACT_KEY_NOT_FOUND");
}

TEST_F(LedgerServices, UsersHaveRights) {
  const auto here = coke();
  const UserRight act{"CanActAs", bank_}, read{"CanReadAs", bank_};
  ASSERT_TRUE(here->create_user({"teller", bank_}, {act}, {}).value());
  EXPECT_FALSE(here->create_user({"teller", bank_}, {}, {}).value()) << "there is one already";
  EXPECT_THAT(*here->grant_rights("teller", {act, read}, {}).value(), ElementsAre(read));
  EXPECT_THAT(*here->revoke_rights("teller", {act}, {}).value(), ElementsAre(act));
  EXPECT_THAT(*here->rights("teller", {}).value(), ElementsAre(read));
  EXPECT_FALSE(here->user("nobody", {}).value());
  EXPECT_FALSE(here->rights("nobody", {}).value());
  std::vector<std::string> ids;
  const auto users = here->users({}).value();
  for (const auto& user : users) ids.push_back(user.id);
  EXPECT_THAT(ids, ElementsAre("participant_admin", "teller"));
  EXPECT_TRUE(here->delete_user("teller", {}).value());
  EXPECT_FALSE(here->delete_user("teller", {}).value());
  EXPECT_EQ(here->user("not a user id!", {}).error().id, "INVALID_FIELD");
}

TEST_F(LedgerServices, PackagesAreVettedAndUnvetted) {
  const auto here = coke(), there = pepsi();
  EXPECT_THAT(there->vetted_packages().value(), Contains(kAccounts));
  ASSERT_TRUE(there->unvet({kAccounts}, {}));
  eventually([&] { return submit(*here, bank_, account(7, 1)) == "PACKAGE_NOT_VETTED_BY_RECIPIENTS"; });
  ASSERT_TRUE(there->vet({kAccounts}, {}));
  eventually([&] { return submit(*here, bank_, account(7, 3)) == "created"; });
  EXPECT_EQ(there->vet({{"no-such-package", "1.0.0"}}, {}).error().id, "UNRESOLVED_VETTING_REFERENCE");
  EXPECT_TRUE(there->unvet({{"no-such-package", "1.0.0"}}, {})) << "just in case";
}

TEST_F(LedgerServices, EachPartysCommandsGoToItsParticipant) {
  ApiScriptLedger::Options at_coke, at_pepsi;
  at_coke.address = "127.0.0.1:" + std::to_string(network_->first_port() + 2);
  at_pepsi.address = "127.0.0.1:" + std::to_string(network_->first_port() + 6);
  ScriptParticipants both(packages_, at_coke, {{"pepsi", at_pepsi}});
  const auto branch = both.allocate_party("Branch", {}).value();
  const auto otto = both.allocate_party("Otto", {"pepsi"}).value();
  const auto create = [&](const PartySet& who) {
    return both.submit({who,
                        {},
                        {},
                        {},
                        {},
                        {{lf::CreateCommand{type("Account"), Value::record({Value::party(branch), Value::party(otto),
                                                                            Value::int64(5), Value::int64(50)})},
                          false}}});
  };
  ASSERT_TRUE(std::holds_alternative<TransactionTree>(*create({branch})));
  const auto key = Value::record({Value::party(branch), Value::int64(5)});
  eventually([&] { return both.query_by_key({otto}, type("Account"), key, 1)->size() == 1; });
  const Submission by_key{
      {otto}, {}, {}, {}, {}, {{lf::ExerciseByKeyCommand{type("Account"), key, "Read", Value::record({})}, false}}};
  const auto read = both.submit(by_key);
  ASSERT_TRUE(std::holds_alternative<TransactionTree>(*read)) << std::get<Refusal>(*read).error.to_string();
  EXPECT_EQ(create({branch, otto}).error().id, "PARTIES_ON_DIFFERENT_PARTICIPANTS");
  EXPECT_TRUE(both.allocate_party("Nobody", {"fanta"})) << "nobody of that name: the default one";

  // Users are a participant's own.
  const ParticipantName pepsi_name = "pepsi";
  ASSERT_TRUE(both.create_user({"clerk", otto}, {}, pepsi_name).value());
  EXPECT_FALSE(both.user("clerk", {}).value());
  EXPECT_TRUE(both.delete_user("clerk", {}).value() == std::nullopt);
  EXPECT_EQ(both.grant_rights("clerk", {{"CanReadAs", branch}}, pepsi_name).value()->size(), 1u);
  EXPECT_FALSE(both.rights("clerk", {}).value());
  EXPECT_EQ(both.rights("clerk", pepsi_name).value()->size(), 1u);
  EXPECT_TRUE(std::ranges::any_of(both.users(pepsi_name).value(), [](auto& user) { return user.id == "clerk"; }));
  EXPECT_TRUE(std::ranges::any_of(both.known_parties(pepsi_name).value(),
                                  [&](auto& party) { return party.party == otto && party.local; }));
  EXPECT_TRUE(std::ranges::any_of(both.known_parties({}).value(),
                                  [&](auto& party) { return party.party == otto && !party.local; }));
  // Who asks for a user learns where its party acts.
  ScriptParticipants stranger(packages_, at_coke, {{"pepsi", at_pepsi}});
  EXPECT_TRUE(std::holds_alternative<Refusal>(*stranger.submit(by_key))) << "coke does not host Otto";
  ASSERT_TRUE(stranger.user("clerk", pepsi_name).value());
  EXPECT_TRUE(std::holds_alternative<TransactionTree>(*stranger.submit(by_key)));

  // Vetting is over when every participant knows of it.
  const std::string pepsi_id = pepsi()->participant_id().value();
  ASSERT_TRUE(both.unvet({kAccounts}, pepsi_name));
  EXPECT_THAT(coke()->vetted_packages_of(pepsi_id).value(), ::testing::Not(Contains(kAccounts)));
  ASSERT_TRUE(both.vet({kAccounts}, pepsi_name));
  EXPECT_THAT(coke()->vetted_packages_of(pepsi_id).value(), Contains(kAccounts));
  eventually([&] { return std::holds_alternative<TransactionTree>(*create({branch})); });
}

TEST_F(LedgerServices, ARestartChangesNothing) {
  const auto here = coke();
  auto there = pepsi();
  EXPECT_EQ(submit(*here, bank_, account(9, 10)), "created");
  eventually([&] { return found(*there, olga_, 9).size() == 1; });
  const UserRight read{"CanReadAs", olga_};
  ASSERT_TRUE(there->create_user({"keeper", olga_}, {read}, {}).value());
  const PackageNameVersion other{"daml-prim-DA-Types", "1.0.0"};
  ASSERT_THAT(there->vetted_packages().value(), Contains(other));
  ASSERT_TRUE(there->unvet({other}, {}));
  there.reset();  // nobody looks after an idle connection, and the server would wait for it to close
  const auto restarted = network_->testnet("restart pepsi-participant");
  ASSERT_EQ(restarted.exit_code, 0) << restarted.output;
  network_->wait_well();
  there = pepsi();
  EXPECT_EQ(submit(*there, olga_, by_number(9, "Read")), "10");
  EXPECT_EQ(there->user("keeper", {}).value()->primary_party, olga_);
  EXPECT_THAT(*there->rights("keeper", {}).value(), ElementsAre(read));
  EXPECT_THAT(there->vetted_packages().value(), ::testing::Not(Contains(other)));
  EXPECT_THAT(there->vetted_packages().value(), Contains(kAccounts));
}

// Time stands still at 1970 until somebody sets it.
TEST(StaticTime, IsSetForwardAndGovernsTheLedger) {
  e2e::TestNetwork network;
  e2e::write_text(network.folder() + "/network.yaml",
                  "network: static\nstatic-time: true\nfirst-port: " + std::to_string(network.first_port()) +
                      "\norganisations:\n  - {name: coke, nodes: [sequencer, participant]}\n"
                      "  - {name: consortium, nodes: [orderer, mediator, topology-manager]}\n");
  const auto up = network.testnet("up --detach");
  ASSERT_EQ(up.exit_code, 0) << up.output;
  const auto dar = lf::decode_dar(lf::assemble_dar(e2e::read_text("examples/ping.lf")).value()).value();
  const auto packages = std::make_shared<lf::PackageStore>();
  packages->add(dar.entries.front().package);
  ApiScriptLedger::Options options;
  options.address = "127.0.0.1:" + std::to_string(network.first_port() + 2);
  ApiScriptLedger ledger(packages, options);
  ASSERT_TRUE(ledger.upload(lf::assemble_dar(e2e::read_text("examples/ping.lf")).value()));
  const auto alice = ledger.allocate_party("Alice", {}).value();
  const auto ping = [&] {
    const lf::Command create =
        lf::CreateCommand{{dar.main().id(), "Ping", "Ping"},
                          Value::record({Value::text("static"), Value::party(alice), Value::party(alice)})};
    return std::holds_alternative<TransactionTree>(*ledger.submit({{alice}, {}, {}, {}, {}, {{create, false}}}));
  };
  EXPECT_EQ(ledger.time().value(), Timestamp{0});
  EXPECT_TRUE(ping());
  const Timestamp later{1'640'995'200'000'000};  // 2022-01-01
  ASSERT_TRUE(ledger.set_time(later));
  EXPECT_EQ(ledger.time().value(), later);
  EXPECT_TRUE(ping());
  EXPECT_EQ(ledger.time().value(), later) << "nothing but setting moves it";
  EXPECT_EQ(ledger.set_time(Timestamp{0}).error().id, "INVALID_ARGUMENT");
}

}  // namespace
}  // namespace synod::testnet
