// What a sequencer reads of its cache: at a restart nothing that grows with the events, for its subscribers only what
// they get.
#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <future>
#include <set>

#include "base/event_loop.h"
#include "sequencer/subscriptions.h"
#include "sequencer/testing/counting_store.h"
#include "sequencer/testing/world.h"

namespace synod::sequencer {
namespace {

using testing::CountingStore;
using testing::World;

TEST(Cache, ARestartReadsAsMuchAfterManyEventsAsAfterFew) {
  World world;
  const auto& alpha = world.participants[0];
  const auto& beta = world.participants[1];
  const auto reads_at_restart = [&](int events) {
    World one;
    std::vector<std::vector<SealedEntry>> blocks(20);
    for (int i = 0; i < events; ++i) {
      auto& block = blocks[static_cast<std::size_t>(i) % blocks.size()];
      block.push_back(one.submission(alpha, {World::envelope("event", {{beta}})}, {.message_id = std::to_string(i)}));
    }
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      one.sequence(World::kStart + Duration::milliseconds(static_cast<std::int64_t>(i)), std::move(blocks[i]));
    }
    EXPECT_EQ(one.events(beta).size(), static_cast<std::size_t>(events));
    const CountingStore counting(one.store);
    auto opened = SequencerCore::open({one.genesis.synchronizer, one.sequencers[0]}, one.initial(), counting);
    EXPECT_TRUE(opened);
    EXPECT_EQ((*opened).core->status().blocks_applied, 0u);
    EXPECT_EQ((*opened).core->next_height(), ordering::Height(20));
    EXPECT_EQ(counting.reads(kEventColumn), 0u);
    EXPECT_EQ(counting.reads(kInboxColumn), 0u);
    return counting.reads();
  };
  EXPECT_EQ(reads_at_restart(40), reads_at_restart(800));
}

// Members made up: reading needs no keys of theirs.
class SubscribersTest : public ::testing::Test {
 protected:
  static constexpr std::size_t kIdle = 500;

  struct Sink final : EventSink {
    bool push(const Bytes& event, const std::string&) override {
      std::lock_guard lock(mutex);
      ++events;
      bytes += event.size();
      changed.notify_all();
      return !full;
    }
    void end(std::optional<Error>) override {
      std::lock_guard lock(mutex);
      ended = true;
    }
    bool wait(std::size_t count) {
      std::unique_lock lock(mutex);
      return changed.wait_for(lock, std::chrono::seconds(60), [&] { return events >= count; });
    }
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t events = 0;
    std::size_t bytes = 0;
    bool full = false;  // it never reads
    bool ended = false;
  };

  SubscribersTest()
      : counting(world.store),
        reader(counting, world.genesis.synchronizer),
        signer(1u << 20),
        loop("subscribers"),
        subscriptions({}, loop, system_clock(), reader, signer) {
    signer.use(SigningHistory(world.core->topology(), world.sequencers[0], *world.network.keys));
  }
  ~SubscribersTest() override {
    subscriptions.close_all();
    loop.stop();
  }

  static protocol::Member member(std::size_t index) {
    return protocol::Member::participant(
        protocol::UniqueId::create("member" + std::to_string(index), std::string(68, 'a')).value());
  }
  static MemberNumber number(std::size_t index) { return MemberNumber(static_cast<std::uint32_t>(1000 + index)); }
  // So many events for one member, in the store.
  void store_events(std::size_t index, std::size_t count) {
    storage::WriteBatch writes;
    for (std::size_t i = 0; i < count; ++i) {
      EventRecord record;
      record.timestamp = time = time.next();
      record.sender = member(index);
      record.message_id = std::to_string(i);
      record.outcome = Receipt{};
      put_event(writes, time, record.serialize());
      put_inbox(writes, number(index), time, std::nullopt, {});
    }
    ASSERT_TRUE(world.store->write(writes, storage::Sync::no));
  }
  std::pair<std::shared_ptr<Sink>, SubscriptionId> subscribe(std::size_t index, bool full = false) {
    auto sink = std::make_shared<Sink>();
    sink->full = full;
    const auto id = subscriptions.add(member(index), number(index), Timestamp::min(),
                                      system_clock()->now() + Duration::seconds(3600), sink);
    return {sink, id};
  }
  // Until the executor has done all that it was given before.
  void settle() {
    std::promise<void> done;
    loop.post([&] { done.set_value(); });
    done.get_future().get();
  }

  World world;
  CountingStore counting;
  EventReader reader;
  EventSigner signer;
  EventLoop loop;
  Subscriptions subscriptions;
  Timestamp time = World::kStart;
};

TEST_F(SubscribersTest, FiveHundredIdleOnesCostNothing) {
  for (std::size_t i = 0; i < kIdle; ++i) subscribe(i);
  const auto busy = subscribe(kIdle).first;
  settle();
  settle();
  const std::size_t before = counting.reads();
  for (int round = 0; round < 10; ++round) {
    store_events(kIdle, 10);
    subscriptions.notify({member(kIdle)});
    ASSERT_TRUE(busy->wait(static_cast<std::size_t>(round + 1) * 10));
  }
  settle();
  // 100 events: each an entry and the event itself, and a scan a round. With a read for each idle one it would be
  // 5,000.
  EXPECT_LE(counting.reads() - before, 10u * (10 + 10 + 2));
}

TEST_F(SubscribersTest, OneThatNeverReadsHoldsNothingAndNobodyUp) {
  store_events(0, 3000);
  store_events(1, 3000);
  const auto [stuck, id] = subscribe(0, true);
  const auto healthy = subscribe(1).first;
  ASSERT_TRUE(healthy->wait(3000));
  for (int i = 0; i < 100; ++i) subscriptions.notify({member(0)});
  settle();
  settle();
  // One event was pushed, as many as were taken; what follows waits in the store, not in memory.
  EXPECT_EQ(stuck->events, 1u);
  const std::size_t before = counting.reads();
  for (int i = 0; i < 100; ++i) subscriptions.notify({member(0)});
  settle();
  EXPECT_EQ(counting.reads(), before);
  // It wakes up after all.
  stuck->full = false;
  subscriptions.drained(id);
  ASSERT_TRUE(stuck->wait(3000));
  EXPECT_EQ(stuck->events, 3000u);
}

// Starts timers only; each time one starts, something else happens first, as it may on another thread.
class InterruptedExecutor final : public Executor {
 public:
  void post(std::function<void()>) override {}
  TimerId after(Duration, std::function<void()>) override {
    if (meanwhile) meanwhile();
    open.insert(++last);
    return last;
  }
  void cancel(TimerId timer) override { open.erase(timer); }
  std::function<void()> meanwhile;
  std::set<TimerId> open;
  TimerId last = 0;
};

TEST_F(SubscribersTest, OneThatEndsWhileItIsAddedLeavesNoTimer) {
  InterruptedExecutor executor;
  Subscriptions some({}, executor, system_clock(), reader, signer);
  const auto add = [&] {
    const auto sink = std::make_shared<Sink>();
    some.add(member(0), number(0), Timestamp::min(), system_clock()->now() + Duration::seconds(3600), sink);
    return sink;
  };
  EXPECT_FALSE(add()->ended);
  EXPECT_EQ(executor.open.size(), 1u);
  executor.meanwhile = [&] { some.close(member(0)); };
  EXPECT_TRUE(add()->ended);
  EXPECT_TRUE(executor.open.empty());
}

TEST_F(SubscribersTest, ManyAtDifferentPositionsGetTheirOwnRest) {
  constexpr std::size_t kEvents = 200;
  store_events(0, kEvents);
  std::vector<std::shared_ptr<Sink>> sinks;
  SubscriptionLimits limits;
  Subscriptions many({100}, loop, system_clock(), reader, signer);
  for (std::size_t i = 0; i < 50; ++i) {
    sinks.push_back(std::make_shared<Sink>());
    const Timestamp from{World::kStart.micros + 1 + static_cast<std::int64_t>(i * 4)};
    many.add(member(0), number(0), from, system_clock()->now() + Duration::seconds(3600), sinks.back());
  }
  for (std::size_t i = 0; i < 50; ++i) EXPECT_TRUE(sinks[i]->wait(kEvents - i * 4)) << i;
  settle();
  for (std::size_t i = 0; i < 50; ++i) EXPECT_EQ(sinks[i]->events, kEvents - i * 4);
  many.close_all();
}

}  // namespace
}  // namespace synod::sequencer
