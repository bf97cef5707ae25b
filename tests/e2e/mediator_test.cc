// Mediators that come to a verdict together, that come and go, and that take over from each other.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <iostream>
#include <thread>

#include "canton/topology_admin_v30.grpc.pb.h"
#include "ledger/commands.pb.h"
#include "ordering/engines/postgres_engine.h"
#include "synod/admin.grpc.pb.h"
#include "testnet/applications.h"
#include "testnet/ledger_client.h"
#include "testnet/mediator_group.h"
#include "testnet/process.h"
#include "testnet/status.h"
#include "testnet/topology_admin.h"
#include "tests/e2e/command_line.h"
#include "tests/e2e/ping_load.h"
#include "tests/e2e/watch.h"

namespace synod::e2e {
namespace {

using synod::admin::v1::NodeStatus;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using testnet::NetworkPlan;
using testnet::NodePlan;
using testnet::Role;

namespace canton = ::com::digitalasset::canton::protocol::v30;
namespace topology_api = ::com::digitalasset::canton::topology::admin::v30;

constexpr Duration kPatience = Duration::seconds(300);

class Mediators : public ::testing::Test {
 protected:
  void bring_up(std::unique_ptr<TestNetwork> network) {
    network_ = std::move(network);
    ASSERT_NO_FATAL_FAILURE(run("up --detach"));
    load_plan();
  }
  void load_plan() {
    auto plan = testnet::load_plan(network_->network_file(), network_->data());
    ASSERT_TRUE(plan) << plan.error().to_string();
    plan_ = std::move(*plan);
  }
  void begin_load() {
    load_ = PingLoad::start(plan_);
    ASSERT_TRUE(load_);
    ASSERT_NO_FATAL_FAILURE(expect_progress("the start"));
  }
  void run(const std::string& command) {
    const Ran ran = network_->testnet(command);
    ASSERT_EQ(ran.exit_code, 0) << command << ": " << ran.output;
  }
  void expect_progress(const std::string& after) {
    ASSERT_TRUE(load_->wait_answered(3)) << "after " << after << ": " << load_->state();
  }
  const NodePlan& node(const std::string& name) const { return **plan_.find(name); }
  NodeStatus wait_for(const std::string& name, const std::function<bool(const NodeStatus&)>& condition) const {
    return wait_for_status(node(name), condition);
  }
  // A participant tells of a second verdict on the same request only in its details.
  void watch_for_second_verdicts() {
    for (const NodePlan* participant : plan_.with_role(Role::participant)) {
      grpc::ClientContext context;
      context.set_deadline(testnet::until(kPatience));
      synod::admin::v1::SetLogLevelRequest request;
      request.set_level("debug");
      synod::admin::v1::SetLogLevelResponse response;
      ASSERT_TRUE(synod::admin::v1::NodeService::NewStub(testnet::admin_channel(participant->admin_port))
                      ->SetLogLevel(&context, request, &response)
                      .ok());
    }
  }
  void settle() {
    ASSERT_TRUE(load_->finish()) << load_->state();
    EXPECT_EQ(disagreement(plan_), "");
    EXPECT_THAT(load_->audit(), IsEmpty());
    EXPECT_THAT(unexplained(plan_), IsEmpty());
    for (const NodePlan* participant : plan_.with_role(Role::participant))
      EXPECT_THAT(read_text(participant->log_file()),
                  AllOf(HasSubstr("DEBUG participant"), Not(HasSubstr("which is not in flight"))))
          << participant->name << " got a verdict twice, or does not tell";
  }
  void TearDown() override {
    if (HasFailure() && network_) std::cout << network_->testnet("logs -n 40").output;
    load_.reset();
  }

  std::unique_ptr<TestNetwork> network_;
  NetworkPlan plan_;
  std::unique_ptr<PingLoad> load_;
};

// How long mediators have, from now on.
Status set_timeouts(const NetworkPlan& plan, Duration response, Duration reaction) {
  topology_api::ListSynchronizerParametersStateRequest query;
  query.mutable_base_query()->mutable_head_state();
  topology_api::ListSynchronizerParametersStateResponse found;
  grpc::ClientContext context;
  context.set_deadline(testnet::until(kPatience));
  const auto channel = testnet::admin_channel(testnet::topology_manager(plan).public_port);
  SYNOD_RETURN_IF_ERROR(
      testnet::done(topology_api::TopologyManagerReadService::NewStub(channel)->ListSynchronizerParametersState(
                        &context, query, &found),
                    "reading the parameters"));
  SYNOD_TRY(const auto groups, testnet::mediator_groups(plan, kPatience));
  canton::TopologyMapping mapping;
  auto& state = *mapping.mutable_synchronizer_parameters_state();
  state.set_synchronizer_id(groups.front().synchronizer);
  *state.mutable_synchronizer_parameters() = found.results(0).item();
  const auto set = [](google::protobuf::Duration& to, Duration value) {
    to.set_seconds(value.micros / 1'000'000);
    to.set_nanos(static_cast<std::int32_t>(value.micros % 1'000'000 * 1000));
  };
  set(*state.mutable_synchronizer_parameters()->mutable_confirmation_response_timeout(), response);
  set(*state.mutable_synchronizer_parameters()->mutable_mediator_reaction_timeout(), reaction);
  return testnet::authorize(plan, mapping, testnet::TopologyChange::put, kPatience, "changing the timeouts");
}

// Parties and contracts beside the load.
class Onlooker {
 public:
  Status prepare(const NetworkPlan& plan) {
    SYNOD_TRY(application_, testnet::load_ping(""));
    const auto participants = plan.with_role(Role::participant);
    for (std::size_t i = 0; i < 2; ++i) {
      ledgers_[i] =
          std::make_unique<testnet::LedgerClient>("127.0.0.1:" + std::to_string(participants[i]->public_port), "");
      SYNOD_TRY(parties_[i], ledgers_[i]->allocate_party("onlooker"));
    }
    for (std::size_t i = 0; i < 2; ++i)
      SYNOD_RETURN_IF_ERROR(ledgers_[i]->await_party(parties_[1 - i], Duration::seconds(120)));
    return {};
  }
  Result<testnet::LedgerTransaction> create() {
    return ledgers_[0]->submit(parties_[0], application_.create_ping("seen", parties_[0], parties_[1]), kPatience);
  }
  Result<testnet::LedgerTransaction> respond(const std::string& contract) {
    return ledgers_[1]->submit(parties_[1], application_.respond(contract), kPatience);
  }
  std::vector<std::string> active(std::size_t side) {
    auto found = ledgers_[side]->active(parties_[side], application_.ping());
    if (!found) ADD_FAILURE() << found.error().to_string();
    return found ? *found : std::vector<std::string>();
  }

 private:
  testnet::PingApplication application_;
  std::unique_ptr<testnet::LedgerClient> ledgers_[2];
  std::string parties_[2];
};

std::string outcome(const Result<testnet::LedgerTransaction>& submitted) {
  return submitted ? "committed" : submitted.error().id;
}

TEST_F(Mediators, OfThreeOneMayDieAndWithTwoDeadTransactionsTimeOutWithoutATrace) {
  ASSERT_NO_FATAL_FAILURE(
      bring_up(std::make_unique<TestNetwork>("  - {name: coke, nodes: [sequencer, participant, mediator]}\n"
                                             "  - {name: pepsi, nodes: [sequencer, participant, mediator]}\n"
                                             "  - {name: consortium, nodes: [orderer, topology-manager, mediator]}\n"
                                             "mediator-groups:\n"
                                             "  - {threshold: 2, mediators: [coke, pepsi, consortium]}\n")));
  const NodeStatus founded = testnet::ask(node("coke-mediator"), kPatience).value();
  EXPECT_EQ(founded.mediator_group().threshold(), 2u);
  EXPECT_EQ(founded.mediator_group().active(), 3u);
  ASSERT_NO_FATAL_FAILURE(watch_for_second_verdicts());
  ASSERT_NO_FATAL_FAILURE(begin_load());
  Onlooker onlooker;
  const Status prepared = onlooker.prepare(plan_);
  ASSERT_TRUE(prepared) << prepared.error().to_string();
  const auto before = onlooker.create();
  ASSERT_TRUE(before) << before.error().to_string();
  const std::string contract = before->created("Ping");

  ASSERT_NO_FATAL_FAILURE(run("kill coke-mediator"));
  ASSERT_NO_FATAL_FAILURE(expect_progress("kill coke-mediator"));
  EXPECT_TRUE(load_->undisturbed()) << load_->state();

  const Status shortened = set_timeouts(plan_, Duration::seconds(3), Duration::seconds(1));
  ASSERT_TRUE(shortened) << shortened.error().to_string();
  ASSERT_NO_FATAL_FAILURE(expect_progress("the timeouts were changed"));
  ASSERT_NO_FATAL_FAILURE(run("kill pepsi-mediator"));
  // At the participant that submits, and at the one that only confirmed.
  auto created = std::async(std::launch::async, [&] { return onlooker.create(); });
  EXPECT_EQ(outcome(onlooker.respond(contract)), "LOCAL_VERDICT_TIMEOUT");
  EXPECT_EQ(outcome(created.get()), "LOCAL_VERDICT_TIMEOUT");
  for (const std::size_t side : {0, 1})
    EXPECT_THAT(onlooker.active(side), UnorderedElementsAre(contract)) << "nothing came, and nothing went";

  // Enough again for a machine that is busy.
  const Status prolonged = set_timeouts(plan_, Duration::seconds(30), Duration::seconds(30));
  ASSERT_TRUE(prolonged) << prolonged.error().to_string();
  const std::int64_t meanwhile = testnet::ask(node("consortium-mediator"), kPatience).value().sequencing_time_micros();
  ASSERT_NO_FATAL_FAILURE(run("restart coke-mediator"));
  ASSERT_NO_FATAL_FAILURE(expect_progress("restart coke-mediator"));
  ASSERT_NO_FATAL_FAILURE(run("restart pepsi-mediator"));
  for (const char* back : {"coke-mediator", "pepsi-mediator"}) {
    const NodeStatus status =
        wait_for(back, [&](const NodeStatus& s) { return s.healthy() && s.sequencing_time_micros() >= meanwhile; });
    EXPECT_GE(status.sequencing_time_micros(), meanwhile) << status.ShortDebugString();
  }
  // The contract is not locked by what timed out.
  EXPECT_EQ(outcome(onlooker.respond(contract)), "committed");
  // The two that were away are enough now.
  ASSERT_NO_FATAL_FAILURE(run("kill consortium-mediator"));
  ASSERT_NO_FATAL_FAILURE(expect_progress("kill consortium-mediator"));
  ASSERT_NO_FATAL_FAILURE(run("restart consortium-mediator"));
  for (const std::size_t side : {0, 1}) EXPECT_THAT(onlooker.active(side), IsEmpty());
  settle();
}

TEST_F(Mediators, ComeAndGoUnderLoadAndFormASecondGroup) {
  ASSERT_NO_FATAL_FAILURE(bring_up(std::make_unique<TestNetwork>()));
  ASSERT_NO_FATAL_FAILURE(watch_for_second_verdicts());
  ASSERT_NO_FATAL_FAILURE(begin_load());
  const Ran too_many = network_->testnet("add-mediator coke --threshold 3");
  EXPECT_EQ(too_many.exit_code, 1);
  EXPECT_THAT(too_many.output, HasSubstr("MEDIATOR_THRESHOLD"));
  ASSERT_NO_FATAL_FAILURE(run("add-mediator coke --threshold 2"));
  ASSERT_NO_FATAL_FAILURE(run("add-mediator pepsi"));
  ASSERT_NO_FATAL_FAILURE(expect_progress("add-mediator"));
  ASSERT_NO_FATAL_FAILURE(load_plan());
  ASSERT_THAT(plan_.with_role(Role::mediator), SizeIs(3));
  ASSERT_NO_FATAL_FAILURE(run("kill consortium-mediator"));
  ASSERT_NO_FATAL_FAILURE(expect_progress("kill consortium-mediator"));
  ASSERT_NO_FATAL_FAILURE(run("remove-mediator consortium-mediator"));
  const Ran too_few = network_->testnet("remove-mediator coke-mediator");
  EXPECT_EQ(too_few.exit_code, 1);
  EXPECT_THAT(too_few.output, HasSubstr("MEDIATOR_THRESHOLD"));

  ASSERT_NO_FATAL_FAILURE(run("add-mediator bottler --group 1"));
  ASSERT_NO_FATAL_FAILURE(load_plan());
  const NodeStatus second = wait_for("bottler-mediator", [](const NodeStatus& s) { return s.approved() > 0; });
  EXPECT_GT(second.approved(), 0) << "participants choose it, too";
  EXPECT_EQ(second.mediator_group().index(), 1u);
  ASSERT_NO_FATAL_FAILURE(expect_progress("add-mediator --group 1"));
  EXPECT_TRUE(load_->undisturbed()) << load_->state();
  settle();

  // Stopped and started again, the network is what it has become.
  load_.reset();
  ASSERT_NO_FATAL_FAILURE(run("down"));
  ASSERT_NO_FATAL_FAILURE(run("up --detach"));
  EXPECT_EQ(network_->run("ping --count 4 --json").exit_code, 0);
  ASSERT_NO_FATAL_FAILURE(run("remove-mediator bottler-mediator"));
  ASSERT_NO_FATAL_FAILURE(run("remove-mediator coke-mediator --threshold 1"));
  const Ran last = network_->testnet("remove-mediator pepsi-mediator");
  EXPECT_EQ(last.exit_code, 1);
  EXPECT_THAT(last.output, HasSubstr("LAST_MEDIATOR"));
  EXPECT_EQ(network_->run("ping --count 2 --json").exit_code, 0);
}

// One mediator in two processes, with a database that they share.
class MediatorReplicas : public Mediators {
 protected:
  void SetUp() override {
    const std::string missing = ordering::engines::missing_for_postgres();
    if (!missing.empty()) GTEST_SKIP() << "SKIPPED: " << missing;
    ASSERT_NO_FATAL_FAILURE(bring_up(std::make_unique<TestNetwork>(
        "  - {name: coke, nodes: [sequencer, participant]}\n"
        "  - {name: pepsi, nodes: [sequencer, participant]}\n"
        "  - {name: consortium, nodes: [orderer, mediator, topology-manager], mediator-replicas: 2}\n")));
    ASSERT_NO_FATAL_FAILURE(watch_for_second_verdicts());
    ASSERT_NO_FATAL_FAILURE(begin_load());
  }
  static const std::string& other(const std::string& replica) { return replica == kFirst ? kSecond : kFirst; }
  bool is_active(const std::string& replica) const {
    const auto status = testnet::ask(node(replica), kPatience);
    return status && status->active();
  }
  void expect_passive(const std::string& replica) const {
    const NodeStatus status =
        wait_for(replica, [](const NodeStatus& s) { return s.healthy() && s.has_active() && !s.active(); });
    EXPECT_TRUE(status.healthy() && !status.active()) << status.ShortDebugString();
  }
  void expect_active(const std::string& replica) const {
    const NodeStatus status = wait_for(replica, [](const NodeStatus& s) { return s.healthy() && s.active(); });
    EXPECT_TRUE(status.healthy() && status.active()) << status.ShortDebugString();
  }

  static inline const std::string kFirst = "consortium-mediator", kSecond = "consortium-mediator-2";
};

TEST_F(MediatorReplicas, OneTakesOverFromTheOtherByItself) {
  std::string active = is_active(kFirst) ? kFirst : kSecond;
  for (int round = 0; round < 2; ++round) {
    const std::string passive = other(active);
    ASSERT_NO_FATAL_FAILURE(expect_active(active));
    ASSERT_NO_FATAL_FAILURE(expect_passive(passive));
    EXPECT_EQ(testnet::ask(node(active), kPatience)->member(), testnet::ask(node(passive), kPatience)->member());
    ASSERT_NO_FATAL_FAILURE(run("kill " + active));
    ASSERT_NO_FATAL_FAILURE(expect_progress("kill " + active));
    expect_active(passive);
    ASSERT_NO_FATAL_FAILURE(run("restart " + active));
    expect_passive(active);
    active = passive;
  }
  EXPECT_TRUE(load_->undisturbed()) << "nobody noticed: " << load_->state();
  settle();
}

// Whoever was active must not go on as if nothing had happened: the other may be active meanwhile.
TEST_F(MediatorReplicas, GoOnWhenTheirDatabaseIsBack) {
  for (int round = 0; round < 2; ++round) {
    ASSERT_NO_FATAL_FAILURE(run("kill consortium-mediator-database"));
    if (round == 0) {
      for (const std::string& replica : {kFirst, kSecond}) {
        const NodeStatus status = wait_for(replica, [](const NodeStatus& s) {
          return !s.healthy() && s.reason().find("store") != std::string::npos;  // it may name the connection first
        });
        EXPECT_FALSE(status.healthy()) << status.ShortDebugString();
        EXPECT_THAT(status.reason(), HasSubstr("store")) << "says why";
      }
    }
    ASSERT_NO_FATAL_FAILURE(run("restart consortium-mediator-database"));
    ASSERT_NO_FATAL_FAILURE(expect_progress("restart consortium-mediator-database"));
  }
  const auto one_is_active = [&] { return is_active(kFirst) != is_active(kSecond); };
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(120);
  while (!one_is_active() && std::chrono::steady_clock::now() < give_up)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_TRUE(one_is_active());
  for (const std::string& replica : {kFirst, kSecond})
    EXPECT_THAT(read_text(node(replica).log_file()), Not(HasSubstr(" ERROR "))) << "it was no error of " << replica;
  settle();
}

}  // namespace
}  // namespace synod::e2e
