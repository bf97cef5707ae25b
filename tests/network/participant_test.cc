// A participant whose disk or sequencer fails: nothing is acknowledged that is not stored, nothing follows upon what
// failed, and what passes by itself needs nobody.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/testing/expect_log.h"
#include "base/testing/shared_files.h"
#include "canton/sequencer_api_v30.grpc.pb.h"
#include "lf/archive/dar.h"
#include "lf/text/assembler.h"
#include "mediator/mediator_node.h"
#include "participant/ledger/columns.h"
#include "participant/participant_node.h"
#include "rpc/stream_writer.h"
#include "rpc/unary.h"
#include "tests/network/faulty_store.h"
#include "tests/network/test_network.h"

namespace synod::testing {
namespace {

namespace api = com::digitalasset::canton::sequencer::api::v30;
using lf::Value;
using participant::Completion;
using participant::ParticipantStatus;

constexpr auto kPatience = std::chrono::seconds(120);

template <typename T>
T answer(const std::function<void(std::function<void(T)>)>& question) {
  auto promise = std::make_shared<std::promise<T>>();
  auto future = promise->get_future();
  question([promise](T value) { promise->set_value(std::move(value)); });
  if (future.wait_for(kPatience) == std::future_status::ready) return future.get();
  return fail(internal_error("the test got no answer"));
}

bool has_command(const storage::WriteBatch& batch) {
  return std::any_of(batch.operations().begin(), batch.operations().end(),
                     [](const auto& one) { return one.column == participant::kSubmissionsColumn && one.value; });
}

class ParticipantInNetwork : public ::testing::Test {
 protected:
  void SetUp() override { make_network(nullptr); }
  void TearDown() override {
    if (node) node->stop({});
    if (mediator) mediator->stop();
  }
  void make_network(std::function<TestNetworkConfig::Services(TestNetworkConfig::Services)> instead) {
    network = std::make_unique<TestNetwork>(TestNetworkConfig{1, 1, false, std::move(instead)});
  }
  void start_mediator() {
    mediator::MediatorNodeConfig config;
    config.client = network->client_config();
    mediator = std::make_unique<mediator::MediatorNode>(
        config, mediator::MediatorParts{network->member_id(0), network->keys(), mediator_disk, system_clock(),
                                        system_random()});
    mediator->start();
  }
  void start_participant() {
    participant::ParticipantConfig config;
    config.name = "alpha";
    for (const auto& endpoint : network->client_config().endpoints)
      config.sequencers.push_back({endpoint.address, endpoint.fallback});
    config.connect_timeout = connect_timeout;
    config.min_retry_delay = Duration::milliseconds(10);
    config.max_retry_delay = Duration::milliseconds(100);
    auto opened = participant::ParticipantNode::open(
        config,
        participant::ParticipantNode::Parts{crypto::memory_key_store(), store, system_clock(), system_random()});
    ASSERT_TRUE(opened) << opened.error().to_string();
    node = std::move(*opened);
    node->start([this](Status) { ++readiness; });
  }
  void start_connected_participant() {
    start_participant();
    ASSERT_TRUE(connected());
  }
  // With the program and a party.
  void prepare() {
    start_connected_participant();
    const auto bytes = lf::assemble_dar(read_file("examples/ping.lf")).value();
    const auto uploaded = answer<Result<std::string>>([&](auto done) { node->packages().upload(bytes, {}, done); });
    ASSERT_TRUE(uploaded) << uploaded.error().to_string();
    ping = {lf::decode_dar(bytes)->main().id(), "Ping", "Ping"};
    const auto party = answer<Result<participant::PartyDetails>>(
        [&](auto done) { node->parties().allocate({"Alice", "", {}}, done); });
    ASSERT_TRUE(party) << party.error().to_string();
    alice = party->party;
  }

  bool eventually(const std::function<bool(const ParticipantStatus&)>& holds) const {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (!holds(node->status())) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
  }
  bool connected() const {
    return eventually([](const ParticipantStatus& status) { return status.connected; });
  }
  bool has_problem(const std::string& id) const {
    return eventually([&](const ParticipantStatus& status) { return status.problem && status.problem->id == id; });
  }

  participant::CommandSubmission command(const std::string& id, lf::Command what) const {
    participant::CommandSubmission out;
    out.user_id = "tester";
    out.command_id = id;
    out.act_as = {alice};
    out.commands.push_back(std::move(what));
    return out;
  }
  participant::CommandSubmission create(const std::string& id) const {
    return command(id,
                   lf::CreateCommand{ping, Value::record({Value::text(id), Value::party(alice), Value::party(alice)})});
  }
  Status submit(participant::CommandSubmission what) {
    return answer<Status>([&](auto done) { node->commands().submit(std::move(what), done); });
  }
  std::shared_future<Result<Completion>> submit_and_wait(participant::CommandSubmission what) {
    auto promise = std::make_shared<std::promise<Result<Completion>>>();
    node->commands().submit_and_wait(std::move(what), Duration::seconds(60),
                                     [promise](Result<Completion> done) { promise->set_value(std::move(done)); });
    return promise->get_future().share();
  }
  // Of a command that creates a contract, once it is taken: right after a fault the participant may not have begun
  // again.
  std::string outcome_in_the_end(const std::string& id) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    for (;;) {
      const std::string done = outcome(submit_and_wait(create(id)));
      if (done != "NOT_CONNECTED_TO_ANY_SYNCHRONIZER" || std::chrono::steady_clock::now() > until) return done;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  static std::string outcome(const std::shared_future<Result<Completion>>& future) {
    if (future.wait_for(kPatience) != std::future_status::ready) return "nothing";
    const auto& done = future.get();
    if (!done) return done.error().id;
    return done->rejection ? done->rejection->id : "committed";
  }

  std::unique_ptr<TestNetwork> network;
  std::unique_ptr<mediator::MediatorNode> mediator;
  std::shared_ptr<storage::MemoryStore> disk =
      std::make_shared<storage::MemoryStore>(storage::MemoryStoreOptions{participant::ParticipantCore::columns()});
  std::shared_ptr<FaultyStore> store = std::make_shared<FaultyStore>(disk);
  std::shared_ptr<storage::MemoryStore> mediator_disk =
      std::make_shared<storage::MemoryStore>(storage::MemoryStoreOptions{mediator::mediator_columns()});
  Duration connect_timeout = participant::ParticipantConfig().connect_timeout;
  std::atomic<int> readiness = 0;  // how often the participant said that it is ready, or never will be
  std::unique_ptr<participant::ParticipantNode> node;
  lf::Identifier ping;
  std::string alice;
};

TEST_F(ParticipantInNetwork, AcceptsNoCommandThatIsNotStored) {
  prepare();
  const auto undecided = submit_and_wait(create("first"));  // there is no mediator yet
  ASSERT_TRUE(eventually([](const ParticipantStatus& status) { return status.in_flight_requests == 1; }));
  expect_log("will try again");
  store->on_write([](const storage::WriteBatch& batch) -> Status {
    if (has_command(batch)) return fail(storage::storage_full("no space for a command"));
    return {};
  });
  const auto refused = submit(create("second"));
  ASSERT_FALSE(refused) << "acknowledged, but not stored";
  EXPECT_EQ(refused.error().id, "STORAGE_FULL");
  ASSERT_EQ(outcome(undecided), "STORAGE_FULL") << "whoever waits is told at once";
  EXPECT_EQ(undecided.get().error().category, ErrorCategory::deadline_exceeded_state_unknown);

  ASSERT_TRUE(connected()) << "what is not about commands can be stored";
  const auto also_refused = submit_and_wait(create("third"));
  ASSERT_EQ(outcome(also_refused), "STORAGE_FULL");
  EXPECT_EQ(also_refused.get().error().category, ErrorCategory::background_degradation) << "it was certainly not sent";

  store->on_write(nullptr);
  start_mediator();
  ASSERT_TRUE(connected());
  EXPECT_EQ(outcome_in_the_end("second"), "committed") << "it is no duplicate";
  EXPECT_EQ(outcome_in_the_end("third"), "committed");
}

TEST_F(ParticipantInNetwork, StopsWhenTheDiskIsFullAndGoesOnWhenThereIsSpace) {
  start_mediator();
  prepare();
  ASSERT_EQ(outcome(submit_and_wait(create("before"))), "committed");
  const auto end = node->ledger().ledger_end();
  expect_log("will try again");
  const auto attempts = std::make_shared<std::atomic<int>>(0);
  store->on_write([attempts](const storage::WriteBatch&) -> Status {
    ++*attempts;
    return {};
  });
  disk->set_full(true);
  EXPECT_FALSE(submit(create("while full")));
  ASSERT_TRUE(has_problem("STORAGE_FULL"));
  EXPECT_FALSE(node->health());
  EXPECT_EQ(submit(create("too late")).error().id, "NOT_CONNECTED_TO_ANY_SYNCHRONIZER");
  const auto update = node->ledger().update_at(end);
  EXPECT_TRUE(update && *update) << "it can be read";
  const int before = *attempts;
  ASSERT_TRUE(eventually([&](const ParticipantStatus&) { return *attempts >= before + 3; }));
  EXPECT_EQ(seen_log("will try again"), 1u) << "while nothing changes there is nothing to say";
  store->on_write(nullptr);
  disk->set_full(false);
  ASSERT_TRUE(connected());
  EXPECT_EQ(outcome_in_the_end("while full"), "committed");
  EXPECT_TRUE(node->health());
}

TEST_F(ParticipantInNetwork, IsAnsweredByAMediatorThatHadAFullDisk) {
  start_mediator();
  prepare();
  ASSERT_EQ(outcome(submit_and_wait(create("before"))), "committed");
  expect_log("will try again");
  mediator_disk->set_full(true);
  const auto waiting = submit_and_wait(create("meanwhile"));
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (mediator->status().problem.find("STORAGE_FULL") == std::string::npos) {
    ASSERT_LT(std::chrono::steady_clock::now(), until);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  mediator_disk->set_full(false);
  // Either it is back before the request's deadline, or it says that the deadline has passed; the next one succeeds.
  EXPECT_NE(outcome(waiting), "nothing");
  EXPECT_EQ(outcome_in_the_end("after"), "committed");
  EXPECT_EQ(mediator->status().problem, "");
}

TEST_F(ParticipantInNetwork, NothingFollowsUponAnEventThatFailed) {
  start_mediator();
  prepare();
  ASSERT_EQ(outcome(submit_and_wait(create("one"))), "committed");
  const auto end = node->ledger().ledger_end();
  std::vector<lf::ContractId> contracts;
  ASSERT_TRUE(node->ledger().active_contracts(end, [&](const participant::ActiveContract& active) {
    contracts.push_back(active.contract.contract_id);
    return true;
  }));
  ASSERT_EQ(contracts.size(), 1u);
  expect_log("cannot go on");
  // Once the command is stored, nobody can read any more where a contract stands.
  const auto accepted = std::make_shared<std::atomic<bool>>(false);
  store->on_write([accepted](const storage::WriteBatch& batch) -> Status {
    if (has_command(batch)) *accepted = true;
    return {};
  });
  store->on_get([accepted](storage::Column column) -> Status {
    if (*accepted && column == participant::kLifecycleColumn) return fail(storage::storage_failed("a bad sector"));
    return {};
  });
  const auto waiting =
      submit_and_wait(command("end it", lf::ExerciseCommand{ping, contracts[0], "Archive", Value::record({})}));
  EXPECT_EQ(outcome(waiting), "STORAGE_FAILED");
  ASSERT_TRUE(has_problem("STORAGE_FAILED"));
  store->on_get(nullptr);
  EXPECT_EQ(submit(create("later")).error().id, "NOT_CONNECTED_TO_ANY_SYNCHRONIZER");
  network->kill_sequencer(0);
  network->start_sequencer(0);
  EXPECT_EQ(node->ledger().ledger_end(), end);
  EXPECT_EQ(node->status().problem->id, "STORAGE_FAILED") << "that sequencers are well mends nothing";
  EXPECT_EQ(seen_log("cannot go on"), 1u);
}

// How often a sequencer that a joining member meets is out of order.
struct Moods {
  std::atomic<int> verifications = 0;  // to be refused
  std::atomic<int> onboardings = 0;
  std::atomic<int> downloads = 0;        // of the topology itself
  std::atomic<bool> speechless = false;  // subscriptions get no events
};

class MoodyConnect final : public api::SequencerConnectService::CallbackService {
 public:
  using S = api::SequencerConnect;
  MoodyConnect(std::shared_ptr<grpc::Service> real, std::shared_ptr<Moods> moods)
      : holder_(std::move(real)),
        real_(dynamic_cast<api::SequencerConnectService::CallbackService&>(*holder_)),
        moods_(std::move(moods)) {}

  grpc::ServerUnaryReactor* Handshake(grpc::CallbackServerContext* c, const S::HandshakeRequest* q,
                                      S::HandshakeResponse* r) override {
    return real_.Handshake(c, q, r);
  }
  grpc::ServerUnaryReactor* GetSynchronizerId(grpc::CallbackServerContext* c, const S::GetSynchronizerIdRequest* q,
                                              S::GetSynchronizerIdResponse* r) override {
    return real_.GetSynchronizerId(c, q, r);
  }
  grpc::ServerUnaryReactor* GetSynchronizerParameters(grpc::CallbackServerContext* c,
                                                      const S::GetSynchronizerParametersRequest* q,
                                                      S::GetSynchronizerParametersResponse* r) override {
    return real_.GetSynchronizerParameters(c, q, r);
  }
  grpc::ServerUnaryReactor* VerifyActive(grpc::CallbackServerContext* c, const S::VerifyActiveRequest* q,
                                         S::VerifyActiveResponse* r) override {
    if (moods_->verifications-- > 0) {
      return rpc::answer_now(c, r, [](rpc::CallContext&) -> Result<S::VerifyActiveResponse> {
        return fail(unavailable("SEQUENCER_MOODY", "not now"));
      });
    }
    return real_.VerifyActive(c, q, r);
  }
  grpc::ServerUnaryReactor* RegisterOnboardingTopologyTransactions(
      grpc::CallbackServerContext* c, const S::RegisterOnboardingTopologyTransactionsRequest* q,
      S::RegisterOnboardingTopologyTransactionsResponse* r) override {
    if (moods_->onboardings-- > 0) {
      return rpc::answer_now(c, r, [](rpc::CallContext&) -> Result<S::RegisterOnboardingTopologyTransactionsResponse> {
        return fail(Error("SEQUENCER_OVERLOADED", ErrorCategory::contention_on_shared_resources, "too much"));
      });
    }
    return real_.RegisterOnboardingTopologyTransactions(c, q, r);
  }

 private:
  std::shared_ptr<grpc::Service> holder_;
  api::SequencerConnectService::CallbackService& real_;
  std::shared_ptr<Moods> moods_;
};

class MoodySequencer final : public api::SequencerService::CallbackService {
 public:
  MoodySequencer(std::shared_ptr<grpc::Service> real, std::shared_ptr<Moods> moods)
      : holder_(std::move(real)),
        real_(dynamic_cast<api::SequencerService::CallbackService&>(*holder_)),
        moods_(std::move(moods)) {}

  grpc::ServerUnaryReactor* SendAsync(grpc::CallbackServerContext* c, const api::SendAsyncRequest* q,
                                      api::SendAsyncResponse* r) override {
    return real_.SendAsync(c, q, r);
  }
  grpc::ServerUnaryReactor* AcknowledgeSigned(grpc::CallbackServerContext* c, const api::AcknowledgeSignedRequest* q,
                                              api::AcknowledgeSignedResponse* r) override {
    return real_.AcknowledgeSigned(c, q, r);
  }
  grpc::ServerUnaryReactor* GetTime(grpc::CallbackServerContext* c, const api::GetTimeRequest* q,
                                    api::GetTimeResponse* r) override {
    return real_.GetTime(c, q, r);
  }
  grpc::ServerUnaryReactor* DownloadTopologyStateForInitHash(
      grpc::CallbackServerContext* c, const api::DownloadTopologyStateForInitHashRequest* q,
      api::DownloadTopologyStateForInitHashResponse* r) override {
    return real_.DownloadTopologyStateForInitHash(c, q, r);
  }
  grpc::ServerWriteReactor<api::DownloadTopologyStateForInitResponse>* DownloadTopologyStateForInit(
      grpc::CallbackServerContext* c, const api::DownloadTopologyStateForInitRequest* q) override {
    if (moods_->downloads-- > 0) {
      return rpc::stream_answer<api::DownloadTopologyStateForInitResponse>(
          c, {}, [](rpc::CallContext&, auto stream) { stream->abort(unavailable("SEQUENCER_MOODY", "not now")); });
    }
    return real_.DownloadTopologyStateForInit(c, q);
  }
  grpc::ServerWriteReactor<api::SubscriptionResponse>* Subscribe(grpc::CallbackServerContext* c,
                                                                 const api::SubscriptionRequest* q) override {
    if (moods_->speechless) {
      return rpc::stream_answer<api::SubscriptionResponse>(c, {}, [](rpc::CallContext&, auto stream) {
        stream->abort(unavailable("SEQUENCER_MOODY", "nothing to say"));
      });
    }
    return real_.Subscribe(c, q);
  }

 private:
  std::shared_ptr<grpc::Service> holder_;
  api::SequencerService::CallbackService& real_;
  std::shared_ptr<Moods> moods_;
};

class JoiningParticipant : public ParticipantInNetwork {
 protected:
  void SetUp() override {
    make_network([this](TestNetworkConfig::Services services) {
      for (auto& service : services) {
        if (dynamic_cast<api::SequencerConnectService::CallbackService*>(service.get()))
          service = std::make_shared<MoodyConnect>(service, moods);
        else if (dynamic_cast<api::SequencerService::CallbackService*>(service.get()))
          service = std::make_shared<MoodySequencer>(service, moods);
      }
      return services;
    });
  }
  std::shared_ptr<Moods> moods = std::make_shared<Moods>();
};

TEST_F(JoiningParticipant, TriesAgainUntilItIsLetIn) {
  moods->verifications = 3;
  moods->onboardings = 2;
  expect_log("will try again");
  start_connected_participant();
  EXPECT_LT(moods->verifications, 0);
  EXPECT_LT(moods->onboardings, 0);
  EXPECT_GE(seen_log("will try again"), 5u) << "on a busy machine a call may fail of itself";
  EXPECT_GE(seen_log("SEQUENCER_MOODY"), 1u) << "and why";
  EXPECT_FALSE(node->status().problem);
}

TEST_F(JoiningParticipant, DownloadsTheTopologyAgainUntilItHasIt) {
  moods->downloads = 5;
  start_connected_participant();
  EXPECT_LT(moods->downloads, 0);
  EXPECT_TRUE(eventually([&](const ParticipantStatus&) { return readiness == 1; }));
  EXPECT_FALSE(node->status().problem);
}

// It has joined and has the topology, but nothing tells it that its own part of it is effective.
TEST_F(JoiningParticipant, GoesOnWaitingUntilItIsActiveAndSaysSo) {
  connect_timeout = Duration::milliseconds(300);
  moods->speechless = true;
  expect_log("goes on waiting");
  expect_log("will try again");  // on a slow machine joining takes longer as well
  start_participant();
  const auto complained = [&] { return seen_log("goes on waiting"); };
  ASSERT_TRUE(eventually([&](const ParticipantStatus&) { return complained() >= 2; })) << "once is not enough";
  EXPECT_FALSE(node->status().connected);
  EXPECT_FALSE(node->health());
  EXPECT_EQ(readiness, 0) << "it has neither succeeded nor given up";
  EXPECT_EQ(submit(create("too early")).error().id, "NOT_CONNECTED_TO_ANY_SYNCHRONIZER");
  moods->speechless = false;
  ASSERT_TRUE(connected());
  EXPECT_FALSE(node->status().problem);
  EXPECT_TRUE(node->health());
  EXPECT_TRUE(eventually([&](const ParticipantStatus&) { return readiness == 1; }));
}

}  // namespace
}  // namespace synod::testing
