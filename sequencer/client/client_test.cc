// The whole client against sequencers on real sockets.
#include "sequencer/client/client.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <future>

#include "base/event_loop.h"
#include "base/testing/expect_log.h"
#include "sequencer/client/fake_synchronizer.h"

namespace synod::sequencer::client {
namespace {

using testing::FakeSequencer;
using testing::FakeSynchronizer;

// Long enough for a machine that is busy with something else; nothing waits as long where all is well.
constexpr std::chrono::seconds kPatience(60);

class ClientTest : public ::testing::Test {
 protected:
  void TearDown() override {
    on_loop([&] {
      if (client) client->stop();
    });
    client.reset();
    loop->stop();
  }
  void add_sequencers(int count) {
    world = std::make_unique<FakeSynchronizer>(count);
    for (int i = 0; i < count; ++i) {
      sequencers.push_back(std::make_unique<FakeSequencer>(*world, i));
      config.endpoints.push_back({"s" + std::to_string(i), sequencers.back()->address(), std::nullopt});
    }
    state.emplace(world->genesis.synchronizer, topology::StaticParameters{});
    ASSERT_TRUE(state->import(world->genesis.snapshot));
  }
  void connect(bool subscribe = true, std::optional<ResumePoint> resume = std::nullopt) {
    Handlers handlers;
    handlers.on_connected = [this](const auto&, const auto&) { connected.set_value(); };
    handlers.snapshot_at = [this](Timestamp t) { return state->snapshot_at(t); };
    handlers.on_event = [this](Delivered d) {
      std::lock_guard lock(mutex);
      events.push_back(d);
      changed.notify_all();
      if (process) client->processed(d.event.timestamp);
    };
    handlers.on_fatal = [this](const Error& error) {
      std::lock_guard lock(mutex);
      fatal = error;
      changed.notify_all();
    };
    client = std::make_unique<SequencerClient>(
        config, ClientParts{world->member, world->keys, loop, clock, system_random()}, std::move(handlers));
    on_loop([&] {
      client->start();
      if (subscribe) client->subscribe(resume);
    });
    ASSERT_EQ(connected.get_future().wait_for(kPatience), std::future_status::ready);
  }
  void on_loop(std::function<void()> task) {
    std::promise<void> done;
    loop->post([&] {
      task();
      done.set_value();
    });
    done.get_future().get();
  }
  template <typename T>
  T ask(std::function<void(std::function<void(T)>)> question) {
    auto promise = std::make_shared<std::promise<T>>();
    auto future = promise->get_future();
    loop->post([&question, promise] { question([promise](T value) { promise->set_value(std::move(value)); }); });
    return future.get();
  }
  std::shared_future<Result<Timestamp>> send(const std::string& id, Duration lifetime = Duration::seconds(60)) {
    auto promise = std::make_shared<std::promise<Result<Timestamp>>>();
    loop->post([this, id, lifetime, promise] {
      client->send({id, {}, system_clock()->now() + lifetime, std::nullopt}, {},
                   [promise](Result<Timestamp> r) { promise->set_value(std::move(r)); });
    });
    return promise->get_future().share();
  }
  // False if it does not become true.
  static bool eventually(const std::function<bool()>& condition) {
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > give_up) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
  }
  // Waits until there is exactly one subscription, at this sequencer.
  bool subscribed_at(std::size_t index) {
    return eventually([&] {
      bool there = true;
      on_loop([&] {
        const auto connections = client->connections();
        for (std::size_t i = 0; i < connections.size(); ++i) there = there && connections[i].subscribed == (i == index);
      });
      return there;
    });
  }
  bool all_serving() {
    return eventually([&] {
      bool all = true;
      on_loop([&] {
        for (const auto& c : client->connections()) all = all && c.state == "serving";
      });
      return all;
    });
  }
  void wait_events(std::size_t count) {
    std::unique_lock lock(mutex);
    ASSERT_TRUE(changed.wait_for(lock, kPatience, [&] { return events.size() >= count; }))
        << events.size() << " of " << count;
  }

  std::shared_ptr<EventLoop> loop = std::make_shared<EventLoop>("client");
  std::unique_ptr<FakeSynchronizer> world;
  std::vector<std::unique_ptr<FakeSequencer>> sequencers;
  std::optional<topology::TopologyState> state;
  ClientConfig config;
  std::shared_ptr<Clock> clock = system_clock();
  std::unique_ptr<SequencerClient> client;
  std::promise<void> connected;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Delivered> events;
  std::optional<Error> fatal;
  bool process = true;
};

TEST_F(ClientTest, SendsAndReceives) {
  add_sequencers(1);
  connect();
  const auto result = send("hello").get();
  ASSERT_TRUE(result) << result.error().to_string();
  wait_events(1);
  EXPECT_EQ(events[0].event.timestamp, *result);
  EXPECT_EQ(events[0].event.message_id, "hello");
}

TEST_F(ClientTest, OnboardsDownloadsAndAsksTheTime) {
  add_sequencers(2);
  for (auto& s : sequencers) s->wrong.inactive = true;
  config.trust_threshold = 2;
  connect(false);
  EXPECT_FALSE(ask<Result<bool>>([&](auto done) { client->verify_active(done); }).value());
  for (auto& s : sequencers) s->wrong.inactive = false;
  EXPECT_TRUE(ask<Status>([&](auto done) { client->onboard({}, Duration::seconds(5), done); }));
  using Items = Result<std::vector<topology::StoredTransaction>>;
  const auto items = ask<Items>([&](auto done) { client->download_topology(done); });
  ASSERT_TRUE(items) << items.error().to_string();
  EXPECT_EQ(items->size(), world->genesis.snapshot.size());
  using Time = Result<std::optional<Timestamp>>;
  EXPECT_EQ(ask<Time>([&](auto done) { client->get_time(done); }).value(), Timestamp{17});
}

TEST_F(ClientTest, ADyingSequencerLosesNothing) {
  add_sequencers(2);
  connect();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(send("before" + std::to_string(i)).get());
  std::vector<std::shared_future<Result<Timestamp>>> under_way;
  for (int i = 0; i < 20; ++i) under_way.push_back(send("during" + std::to_string(i)));
  sequencers[0]->kill();
  for (auto& f : under_way) EXPECT_TRUE(f.get());
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(send("after" + std::to_string(i)).get());
  sequencers[0]->restart();
  sequencers[1]->kill();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(send("other" + std::to_string(i)).get());
  wait_events(80);
  for (std::size_t i = 1; i < 80; ++i) EXPECT_EQ(events[i].event.previous_timestamp, events[i - 1].event.timestamp);
}

// The end of the connection is what moves it: every timer that could would come only after the test has given up.
TEST_F(ClientTest, FailOverWaitsForNoTimer) {
  add_sequencers(2);
  config.call_timeout = Duration::seconds(600);
  config.amplification.patience = Duration::seconds(600);
  config.probe_timeout = Duration::seconds(600);
  config.keepalive_interval = Duration::seconds(600);
  connect();
  ASSERT_TRUE(send("warm").get());
  for (int round = 0; round < 4; ++round) {
    const int victim = round % 2;
    sequencers[victim]->kill();
    const auto sent = send("round" + std::to_string(round));
    ASSERT_EQ(sent.wait_for(kPatience), std::future_status::ready);
    ASSERT_TRUE(sent.get());
    sequencers[victim]->restart();
    ASSERT_TRUE(all_serving());
  }
}

TEST_F(ClientTest, WhatASequencerSwallowedIsSentAgainWhenItDies) {
  add_sequencers(2);
  for (auto& s : sequencers) s->wrong.swallow_sends = true;
  connect();
  const auto sent = send("lost");
  int victim = -1;
  ASSERT_TRUE(eventually([&] {
    for (int i = 0; i < 2; ++i) {
      if (sequencers[i]->sends > 0) victim = i;
    }
    return victim >= 0;
  }));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // let the answer arrive
  sequencers[1 - victim]->wrong.swallow_sends = false;
  sequencers[victim]->kill();
  EXPECT_TRUE(sent.get());
}

TEST_F(ClientTest, ASubscriptionReturnsFromTheFallback) {
  add_sequencers(2);
  config.endpoints[1].fallback = true;
  config.return_delay = Duration::milliseconds(50);
  connect();
  EXPECT_TRUE(subscribed_at(0));  // also when the fallback was faster at first
  ASSERT_TRUE(send("at home").get());
  sequencers[0]->kill();
  ASSERT_TRUE(send("away").get());
  EXPECT_TRUE(subscribed_at(1));
  sequencers[0]->restart();
  EXPECT_TRUE(subscribed_at(0));
  ASSERT_TRUE(send("at home again").get());
  wait_events(3);
  for (std::size_t i = 1; i < 3; ++i) EXPECT_EQ(events[i].event.previous_timestamp, events[i - 1].event.timestamp);
}

// It may have stopped following the log, say with a full disk: its stream would stay open, and silent.
TEST_F(ClientTest, ASequencerThatDoesNotServeIsLeftUnlessThereIsNoOther) {
  add_sequencers(2);
  config.endpoints[1].fallback = true;
  config.return_delay = Duration::milliseconds(50);
  connect();
  EXPECT_TRUE(subscribed_at(0));
  ASSERT_TRUE(send("at home").get());
  const auto serves = [&](std::size_t index, bool yes) {
    auto& health = sequencers[index]->server->health();
    yes ? health.set_serving("sequencer-health-check-service")
        : health.set_not_serving("sequencer-health-check-service", "for a test");
  };
  serves(0, false);
  EXPECT_TRUE(subscribed_at(1));
  ASSERT_TRUE(send("away").get());
  serves(1, false);
  serves(0, true);
  EXPECT_TRUE(subscribed_at(0));
  serves(0, false);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_TRUE(subscribed_at(0)) << "where else?";
  serves(0, true);
  ASSERT_TRUE(send("at home again").get());
  wait_events(3);
  for (std::size_t i = 1; i < 3; ++i) EXPECT_EQ(events[i].event.previous_timestamp, events[i - 1].event.timestamp);
}

TEST_F(ClientTest, SequencersComeAndGoWhileItRuns) {
  add_sequencers(3);
  const auto all = config.endpoints;
  config.endpoints = {all[0]};
  connect();
  ASSERT_TRUE(send("at the first").get());
  on_loop([&] { client->set_endpoints({all[0], all[1]}); });
  sequencers[0]->kill();
  ASSERT_TRUE(send("at the second").get());
  std::vector<std::shared_future<Result<Timestamp>>> under_way;
  for (int i = 0; i < 20; ++i) under_way.push_back(send("moving" + std::to_string(i)));
  on_loop([&] { client->set_endpoints({all[2]}); });
  for (auto& result : under_way) EXPECT_TRUE(result.get());
  on_loop([&] {
    ASSERT_EQ(client->connections().size(), 1u);
    EXPECT_EQ(client->connections()[0].address, all[2].address);
  });
  EXPECT_TRUE(subscribed_at(0));
  sequencers[1]->kill();
  ASSERT_TRUE(send("at the third").get());
  wait_events(23);
  for (std::size_t i = 1; i < 23; ++i) EXPECT_EQ(events[i].event.previous_timestamp, events[i - 1].event.timestamp);
}

// Long before a keepalive would notice.
TEST_F(ClientTest, AFrozenSequencerIsFoundOutWhenAReceiptIsLate) {
  add_sequencers(2);
  config.endpoints[1].fallback = true;
  config.amplification.patience = Duration::milliseconds(50);
  config.probe_timeout = Duration::milliseconds(100);
  config.return_delay = Duration::milliseconds(50);
  connect();
  EXPECT_TRUE(subscribed_at(0));
  ASSERT_TRUE(send("before").get());
  sequencers[0]->wrong.frozen = sequencers[0]->wrong.swallow_sends = true;
  EXPECT_TRUE(send("frozen").get());
  EXPECT_TRUE(subscribed_at(1));
}

TEST_F(ClientTest, AnOverloadedSequencerIsPassedBy) {
  add_sequencers(2);
  sequencers[0]->wrong.overloaded = true;
  connect();
  ASSERT_TRUE(all_serving());  // or it would not even be asked
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(send("m" + std::to_string(i)).get());
  EXPECT_GT(sequencers[0]->sends, 0);
}

TEST_F(ClientTest, ExpiredTokensAreRenewed) {
  add_sequencers(1);
  sequencers[0]->wrong.expire_tokens = true;
  connect();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(send("m" + std::to_string(i)).get());
  EXPECT_GE(sequencers[0]->logins, 3);
}

class ClockThatIsAhead final : public Clock {
 public:
  Timestamp now() const override { return clock_->now() + kAhead; }
  std::int64_t monotonic_micros() const override { return clock_->monotonic_micros(); }
  static constexpr Duration kAhead = Duration::seconds(3 * 3600);

 private:
  std::shared_ptr<Clock> clock_ = system_clock();
};

// What it sends is not refused for ever, and once it has a receipt it knows the time.
TEST_F(ClientTest, AMemberWhoseClockIsHoursAheadGoesByTheSynchronizersTime) {
  add_sequencers(2);
  clock = std::make_shared<ClockThatIsAhead>();
  connect();
  const auto time = [&] {
    Timestamp now;
    on_loop([&] { now = client->now(); });
    return now;
  };
  const auto send_by_its_time = [&](const std::string& id) {
    auto promise = std::make_shared<std::promise<Result<Timestamp>>>();
    auto future = promise->get_future();
    loop->post([this, id, promise] {
      client->send({id, {}, client->now() + Duration::seconds(60), std::nullopt}, {},
                   [promise](Result<Timestamp> r) { promise->set_value(std::move(r)); });
    });
    EXPECT_EQ(future.wait_for(kPatience), std::future_status::ready) << id;
    return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready && future.get().has_value();
  };
  EXPECT_GT(time(), system_clock()->now() + Duration::seconds(3600));  // it cannot know better
  EXPECT_TRUE(send_by_its_time("first"));
  EXPECT_EQ(sequencers[0]->repeatable + sequencers[1]->repeatable, 0);
  wait_events(1);
  EXPECT_LT(time(), system_clock()->now() + Duration::seconds(3600));
  EXPECT_TRUE(send_by_its_time("second"));
  EXPECT_GE(sequencers[0]->repeatable + sequencers[1]->repeatable, 1);
}

TEST_F(ClientTest, TimesOutWhenTimePassesWithoutReceipt) {
  add_sequencers(1);
  config.tick_delay = Duration::milliseconds(20);
  connect();
  ASSERT_TRUE(send("first").get());  // it is logged in now
  const int before = sequencers[0]->sends;
  sequencers[0]->wrong.swallow_sends = true;
  const auto sent = send("lost", Duration::seconds(1));  // the tick is due after that
  ASSERT_TRUE(eventually([&] { return sequencers[0]->sends > before; }));
  sequencers[0]->wrong.swallow_sends = false;  // the tick gets through
  ASSERT_EQ(sent.wait_for(kPatience), std::future_status::ready);
  const auto result = sent.get();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().id, "SEQUENCER_SUBMISSION_TIMED_OUT");
}

TEST_F(ClientTest, AwaitedTimeComes) {
  add_sequencers(1);
  config.tick_delay = Duration::milliseconds(20);
  connect();
  const Timestamp awaited = system_clock()->now() + Duration::milliseconds(30);
  on_loop([&] { client->await_time(awaited); });
  wait_events(1);
  EXPECT_GE(events.back().event.timestamp, awaited);
}

TEST_F(ClientTest, ResumesAfterAnEvent) {
  add_sequencers(1);
  for (int i = 0; i < 5; ++i) world->append(std::nullopt, {});
  const auto hash = crypto::hash(crypto::HashPurpose::sequenced_event, world->events[2].content);
  connect(true, ResumePoint{world->events[2].timestamp, hash});
  wait_events(2);
  EXPECT_EQ(events[0].event.timestamp, world->events[3].timestamp);
}

TEST_F(ClientTest, AForkIsFatalWhenThereIsNobodyElse) {
  synod::testing::expect_log("FORK");
  synod::testing::expect_log("delivers what cannot be right");
  add_sequencers(1);
  for (int i = 0; i < 5; ++i) world->append(std::nullopt, {});
  const auto hash = crypto::hash(crypto::HashPurpose::sequenced_event, world->events[2].content);
  sequencers[0]->wrong.fork_events = true;
  connect(true, ResumePoint{world->events[2].timestamp, hash});
  std::unique_lock lock(mutex);
  ASSERT_TRUE(changed.wait_for(lock, kPatience, [&] { return fatal.has_value(); }));
  EXPECT_EQ(fatal->id, "SEQUENCER_FORK_DETECTED");
}

TEST_F(ClientTest, ABadSignatureMovesTheSubscription) {
  synod::testing::expect_log("delivers what cannot be right");
  add_sequencers(2);
  sequencers[0]->wrong.wrong_signature = true;
  world->append(std::nullopt, {});
  connect();
  wait_events(1);
  EXPECT_TRUE(send("x").get());
}

TEST_F(ClientTest, OneLiarOfThreeIsOutvoted) {
  synod::testing::expect_log("delivers what cannot be right");
  add_sequencers(3);
  config.trust_threshold = 2;
  config.liveness_margin = 1;
  sequencers[1]->wrong.fork_events = true;
  connect();
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(send("m" + std::to_string(i)).get());
  wait_events(10);
  for (const auto& e : events) EXPECT_NE(e.event.message_id, "forged");
}

TEST_F(ClientTest, AcknowledgesWhatHasBeenProcessed) {
  add_sequencers(1);
  config.acknowledge_interval = Duration::milliseconds(30);
  connect();
  ASSERT_TRUE(send("x").get());
  ASSERT_TRUE(eventually([&] { return sequencers[0]->acknowledgements > 0; }));
  // It may be sent again until the answer is there; after that nothing is acknowledged twice.
  EXPECT_TRUE(eventually([&] {
    const int before = sequencers[0]->acknowledgements;
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    return sequencers[0]->acknowledgements == before;
  }));
}

TEST_F(ClientTest, AQuietMemberAsksForAnEventSoThatPruningDoesNotWaitForIt) {
  add_sequencers(1);
  config.acknowledge_interval = Duration::milliseconds(30);
  config.quiet_interval = Duration::milliseconds(60);
  connect();
  wait_events(3);  // nobody has sent anything
  EXPECT_TRUE(eventually([&] { return sequencers[0]->acknowledgements > 2; }));
}

TEST_F(ClientTest, UnprocessedEventsHoldTheStreamBack) {
  add_sequencers(1);
  config.max_unprocessed_bytes = 2000;
  process = false;
  for (int i = 0; i < 200; ++i) world->append(std::nullopt, {});
  connect();
  wait_events(3);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  {
    std::lock_guard lock(mutex);
    EXPECT_LT(events.size(), 30u);
    process = true;
  }
  on_loop([&] { client->processed(events.back().event.timestamp); });
  wait_events(200);
}

}  // namespace
}  // namespace synod::sequencer::client
