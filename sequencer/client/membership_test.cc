// Joining and following, with a node that only counts, against sequencers on real sockets.
#include "sequencer/client/membership.h"

#include <gtest/gtest.h>

#include <future>

#include "base/event_loop.h"
#include "base/testing/expect_log.h"
#include "sequencer/client/fake_synchronizer.h"

namespace synod::sequencer::client {
namespace {

using ::synod::testing::expect_log;
using ::synod::testing::seen_log;
using testing::FakeSequencer;
using testing::FakeSynchronizer;

constexpr std::chrono::seconds kMemberPatience(60);

TEST(RetryDelayTest, DoublesUntilAllWasWellForLongEnough) {
  RetryDelay delay(Duration::seconds(1), Duration::seconds(5));
  std::vector<std::int64_t> seconds;
  for (int i = 0; i < 4; ++i) seconds.push_back(delay.next(0).micros / 1'000'000);
  EXPECT_EQ(seconds, (std::vector<std::int64_t>{1, 2, 4, 5}));
  delay.well(10'000'000);
  EXPECT_EQ(delay.next(15'000'000), Duration::seconds(5)) << "it was well for a moment only";
  delay.well(20'000'000);
  EXPECT_EQ(delay.next(25'000'001), Duration::seconds(1));
  EXPECT_EQ(delay.next(99'000'000), Duration::seconds(2)) << "it has not been well since";
}

TEST(MayPassTest, WhatNobodyHasToMend) {
  using enum ErrorCategory;
  for (const auto category : {transient_server_failure, contention_on_shared_resources, deadline_exceeded_state_unknown,
                              authentication, background_degradation}) {
    EXPECT_TRUE(may_pass(Error("X", category, "")));
  }
  for (const auto category : {internal, malicious_or_faulty, permission, invalid_argument, invalid_state_missing}) {
    EXPECT_FALSE(may_pass(Error("X", category, "")));
  }
}

class MembershipTest : public ::testing::Test {
 protected:
  MembershipTest() {
    config.log_component = "test";
    config.client.endpoints = {{"s0", sequencer->address(), std::nullopt}};
    config.min_retry_delay = Duration::milliseconds(5);
    config.max_retry_delay = Duration::milliseconds(20);
  }
  void TearDown() override {
    stop();
    loop->stop();
  }

  void start() {
    on_loop([&] {
      membership.emplace(config, ClientParts{world.member, world.keys, loop, system_clock(), system_random()},
                         handlers());
      membership->start();
    });
  }
  void stop() {
    on_loop([&] { membership.reset(); });
    topology_of_attempt.reset();
  }
  MembershipHandlers handlers() {
    MembershipHandlers h;
    h.load = [this]() -> Result<std::optional<protocol::PhysicalSynchronizerId>> {
      ++loads;
      topology_of_attempt = stored_topology;
      return stored_synchronizer;
    };
    h.connected = [this](const auto&, const auto&) -> Result<bool> { return stored_synchronizer.has_value(); };
    if (introduces) {
      h.introduce = [](const auto&) -> Result<std::vector<topology::SignedTransaction>> {
        return std::vector<topology::SignedTransaction>();
      };
    }
    h.import = [this](const auto& id, const auto& parameters, const auto& snapshot) -> Status {
      SYNOD_RETURN_IF_ERROR(import_fault);
      topology::TopologyState state(id, parameters);
      SYNOD_TRY(const auto writes, state.import(snapshot));
      stored_topology = topology_of_attempt = std::make_shared<topology::TopologyState>(std::move(state));
      stored_synchronizer = id;
      return {};
    };
    h.resume = [this] { return stored_resume; };
    h.following = [this]() -> Status {
      ++followed;
      return {};
    };
    h.snapshot_at = [this](Timestamp at) { return topology_of_attempt->snapshot_at(at); };
    h.on_event = [this](const Delivered& delivered) -> Status {
      if (fault) return fail(*fault);
      stored_resume = ResumePoint{delivered.event.timestamp, delivered.content_hash};
      events.push_back(delivered.event.timestamp);
      return {};
    };
    h.on_problem = [this](const std::optional<Error>& now) { problem = now; };
    h.on_failed = [this](const Error&, bool again) {
      ++failures;
      ended = !again;
    };
    h.others_deal_with = [this](const Error& error) { return error.id == lost_store; };
    h.forget = [this] { topology_of_attempt.reset(); };
    h.probe_store = [this]() -> Status {
      ++probes;
      return probe_fault;
    };
    return h;
  }

  void on_loop(const std::function<void()>& task) {
    std::promise<void> done;
    loop->post([&] {
      task();
      done.set_value();
    });
    done.get_future().get();
  }
  // `condition` is evaluated on the loop. False if it does not become true.
  bool eventually(const std::function<bool()>& condition) {
    const auto give_up = std::chrono::steady_clock::now() + kMemberPatience;
    for (bool holds = false; std::chrono::steady_clock::now() < give_up;) {
      on_loop([&] { holds = condition(); });
      if (holds) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }
  bool follows() {
    return eventually([&] { return followed > 0; });
  }
  // One event for the member.
  void happens() {
    std::vector<std::function<void()>> wake;
    {
      std::lock_guard lock(world.mutex);
      world.append(std::nullopt, protocol::CompressedBatch::compress({}));
      for (auto& [id, listener] : world.listeners) wake.push_back(listener);
    }
    for (auto& w : wake) w();
  }
  bool has_events(std::size_t count) {
    return eventually([&] { return events.size() >= count; });
  }
  static Error full_disk() { return Error("STORAGE_FULL", ErrorCategory::background_degradation, "no space"); }

  FakeSynchronizer world{1};
  std::unique_ptr<FakeSequencer> sequencer = std::make_unique<FakeSequencer>(world, 0);
  std::shared_ptr<EventLoop> loop = std::make_shared<EventLoop>("membership");
  MembershipConfig config;
  std::optional<Membership> membership;
  bool introduces = true;

  // On the loop only, while there is a membership. What is stored:
  std::optional<protocol::PhysicalSynchronizerId> stored_synchronizer;
  std::optional<ResumePoint> stored_resume;
  std::shared_ptr<topology::TopologyState> stored_topology;
  // What an attempt has in memory:
  std::shared_ptr<topology::TopologyState> topology_of_attempt;
  // What happened:
  std::vector<Timestamp> events;
  std::optional<Error> problem;
  int loads = 0, followed = 0, failures = 0, probes = 0;
  bool ended = false;
  // What is to go wrong:
  std::optional<Error> fault;
  Status import_fault, probe_fault;
  std::string lost_store = "none";
};

TEST_F(MembershipTest, IntroducesItselfOnceAndThenGoesOnWhereItWas) {
  sequencer->wrong.inactive = true;
  start();
  ASSERT_TRUE(follows());
  EXPECT_EQ(sequencer->onboardings, 1);
  EXPECT_EQ(sequencer->downloads, 1);
  happens();
  happens();
  ASSERT_TRUE(has_events(2));
  stop();

  happens();
  followed = 0;
  sequencer->wrong.inactive = true;  // nobody asks
  start();
  ASSERT_TRUE(follows());
  ASSERT_TRUE(has_events(3));
  EXPECT_EQ(sequencer->onboardings, 1);
  EXPECT_EQ(sequencer->downloads, 1);
  on_loop([&] {
    EXPECT_EQ(events.size(), 3u);
    EXPECT_TRUE(events[0] < events[1] && events[1] < events[2]) << "each once, in order";
    EXPECT_EQ(failures, 0);
    EXPECT_FALSE(problem);
  });
}

TEST_F(MembershipTest, OneThatIsActiveAlreadyDoesNotIntroduceItself) {
  start();
  ASSERT_TRUE(follows());
  EXPECT_EQ(sequencer->onboardings, 0);
}

TEST_F(MembershipTest, TriesAgainAfterWhatMayPass) {
  expect_log("will try again");
  sequencer->wrong.inactive = true;
  sequencer->wrong.refused_onboardings = 3;
  start();
  ASSERT_TRUE(follows());
  EXPECT_EQ(sequencer->onboardings, 4);
  on_loop([&] {
    EXPECT_GE(failures, 3);
    EXPECT_EQ(loads, failures + 1) << "each attempt begins with what is stored";
    EXPECT_EQ(probes, failures);
    EXPECT_FALSE(problem);
  });
}

// Its registration was taken, the answer was lost, and what it asks next knows of it before it is in force.
TEST_F(MembershipTest, GoesOnWhenItsEarlierRegistrationTakesEffect) {
  sequencer->wrong.inactive = true;
  sequencer->wrong.knows_newcomer = true;
  config.client.call_timeout = Duration::seconds(60);
  start();
  ASSERT_TRUE(eventually([&] { return sequencer->onboardings == 1; }));
  sequencer->wrong.inactive = false;
  ASSERT_TRUE(follows());
  EXPECT_EQ(sequencer->onboardings, 1);
  on_loop([&] { EXPECT_EQ(failures, 0); });
}

TEST_F(MembershipTest, OneThatWasOffboardedLearnsSo) {
  expect_log("cannot go on");
  sequencer->wrong.inactive = true;
  sequencer->wrong.knows_newcomer = true;
  config.client.call_timeout = Duration::seconds(2);
  expect_log("will try again");  // within it the connection may not come up
  start();
  ASSERT_TRUE(eventually([&] { return ended; }));
  on_loop([&] {
    ASSERT_TRUE(problem);
    EXPECT_NE(problem->cause.find("previously been offboarded"), std::string::npos) << problem->cause;
  });
}

TEST_F(MembershipTest, ARefusalIsFinalForOneThatIntroducesItself) {
  expect_log("cannot go on");
  config.client.call_timeout = Duration::milliseconds(300);  // as long as the client itself asks again
  expect_log("will try again");                              // within it the connection may not come up
  sequencer->wrong.refused_downloads = -1;
  start();
  ASSERT_TRUE(eventually([&] { return ended; }));
  on_loop([&] {
    ASSERT_TRUE(problem);
    EXPECT_EQ(problem->category, ErrorCategory::permission);
    EXPECT_TRUE(membership->failed());
    EXPECT_EQ(followed, 0);
  });
}

TEST_F(MembershipTest, OneWhomOthersLetInGoesOnAsking) {
  introduces = false;
  config.refusals_are_final = false;
  config.client.call_timeout = Duration::milliseconds(300);
  sequencer->wrong.inactive = true;  // nobody asks
  sequencer->wrong.refused_downloads = -1;
  start();
  ASSERT_TRUE(eventually([&] { return failures >= 2; }));
  on_loop([&] {
    EXPECT_TRUE(problem) << "why it does not follow yet";
    EXPECT_FALSE(ended);
  });
  sequencer->wrong.refused_downloads = 0;
  ASSERT_TRUE(follows());
  EXPECT_EQ(sequencer->onboardings, 0);
  on_loop([&] { EXPECT_FALSE(problem); });
  EXPECT_EQ(seen_log("cannot follow"), 0u) << "no warning";
}

TEST_F(MembershipTest, AnEventThatCannotBeStoredComesAgainWhenThereIsSpace) {
  expect_log("will try again");
  start();
  ASSERT_TRUE(follows());
  happens();
  ASSERT_TRUE(has_events(1));
  on_loop([&] {
    fault = full_disk();
    probe_fault = fail(full_disk());
  });
  happens();
  happens();
  ASSERT_TRUE(eventually([&] { return probes >= 3; }));
  on_loop([&] {
    EXPECT_EQ(failures, 1) << "nothing follows upon what failed, and asking the disk is no attempt";
    EXPECT_EQ(loads, 1);
    ASSERT_TRUE(problem);
    EXPECT_EQ(problem->id, "STORAGE_FULL");
    EXPECT_EQ(membership->client(), nullptr);
    EXPECT_FALSE(topology_of_attempt) << "what is in memory is ahead of the store";
    fault.reset();
    probe_fault = {};
  });
  ASSERT_TRUE(has_events(3));
  on_loop([&] {
    EXPECT_EQ(events.size(), 3u);
    EXPECT_EQ(followed, 2);
    EXPECT_FALSE(problem);
  });
}

TEST_F(MembershipTest, StopsWhereItIsAfterWhatDoesNotPass) {
  expect_log("cannot go on");
  start();
  ASSERT_TRUE(follows());
  on_loop([&] { fault = Error("STORAGE_FAILED", ErrorCategory::internal, "a bad sector"); });
  happens();
  ASSERT_TRUE(eventually([&] { return ended; }));
  on_loop([&] { fault.reset(); });
  happens();
  sequencer->kill();
  sequencer->restart();
  happens();
  for (int i = 0; i < 10; ++i) on_loop([] {});
  on_loop([&] {
    EXPECT_EQ(events.size(), 0u) << "nothing follows upon what failed";
    EXPECT_EQ(failures, 1);
    ASSERT_TRUE(problem) << "that sequencers are well mends nothing";
    EXPECT_EQ(problem->id, "STORAGE_FAILED");
    EXPECT_TRUE(topology_of_attempt) << "it stays readable";
  });
  EXPECT_EQ(seen_log("cannot go on"), 1u);
}

// A replica whose store has gone to another one; an unexpected line of the log would fail this test.
TEST_F(MembershipTest, WhatOthersDealWithIsLeftToThemToSay) {
  lost_store = "STORAGE_LOCKED";
  start();
  ASSERT_TRUE(follows());
  on_loop([&] { fault = Error("STORAGE_LOCKED", ErrorCategory::invalid_state_other, "another has it"); });
  happens();
  ASSERT_TRUE(eventually([&] { return ended; }));
  on_loop([&] { EXPECT_EQ(failures, 1); });
}

TEST_F(MembershipTest, ATopologyThatCannotBeStoredIsDownloadedAgain) {
  expect_log("will try again");
  import_fault = fail(full_disk());
  start();
  ASSERT_TRUE(eventually([&] { return failures >= 2; }));
  on_loop([&] { import_fault = {}; });
  ASSERT_TRUE(follows());
  EXPECT_GE(sequencer->downloads, 3);
}

TEST_F(MembershipTest, TellsWhenNoSequencerCanBeReached) {
  start();
  ASSERT_TRUE(follows());
  sequencer->kill();
  ASSERT_TRUE(eventually([&] { return problem && problem->id == "NOT_CONNECTED_TO_ANY_SYNCHRONIZER"; }));
  sequencer->restart();
  EXPECT_TRUE(eventually([&] { return !problem; }));
  on_loop([&] { EXPECT_EQ(failures, 0) << "the client finds the sequencers again"; });
}

TEST_F(MembershipTest, NewEndpointsAreForTheNextAttemptsToo) {
  expect_log("will try again");
  start();
  ASSERT_TRUE(follows());
  on_loop([&] {
    fault = full_disk();
    probe_fault = fail(full_disk());
  });
  happens();
  ASSERT_TRUE(eventually([&] { return failures == 1 && probes > 0; }));
  FakeSequencer elsewhere(world, 0);
  on_loop([&] { membership->set_endpoints({{"s0", elsewhere.address(), std::nullopt}}); });
  sequencer->kill();
  on_loop([&] {
    fault.reset();
    probe_fault = {};
  });
  EXPECT_TRUE(has_events(1));
  stop();  // before the sequencer goes
}

}  // namespace
}  // namespace synod::sequencer::client
