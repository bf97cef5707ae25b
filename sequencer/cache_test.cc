// What a sequencer reads of its cache: at a restart nothing that grows with the events, for its subscribers only what
// they get.
#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <future>
#include <map>
#include <set>
#include <utility>

#include "base/event_loop.h"
#include "protocol/signed_content.h"
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
    bool push(const std::vector<Event>& pushed) override {
      std::lock_guard lock(mutex);
      for (const Event& event : pushed) {
        ++events;
        last = *event.signed_bytes;
        bytes += last.size();
      }
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
    Bytes last;
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
  std::vector<NewEvent> store_events(std::size_t index, std::size_t count) {
    std::vector<NewEvent> events;
    storage::WriteBatch writes;
    for (std::size_t i = 0; i < count; ++i) {
      EventRecord record;
      record.timestamp = time = time.next();
      record.sender = member(index);
      record.message_id = std::to_string(i);
      record.outcome = Receipt{};
      const Bytes serialized = record.serialize();
      const std::optional<Timestamp> previous = std::exchange(last_event[index], time);
      put_event(writes, time, serialized);
      put_inbox(writes, number(index), time, previous, {});
      events.push_back(
          {std::make_shared<const EventRecord>(record), serialized.size(), {{member(index), previous, {}}}});
    }
    EXPECT_TRUE(world.store->write(writes, storage::Sync::no));
    return events;
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
  std::map<std::size_t, std::optional<Timestamp>> last_event;
};

TEST_F(SubscribersTest, FiveHundredIdleOnesCostNothing) {
  for (std::size_t i = 0; i < kIdle; ++i) subscribe(i);
  const auto busy = subscribe(kIdle).first;
  settle();
  settle();
  const std::size_t before = counting.reads();
  for (int round = 0; round < 10; ++round) {
    subscriptions.notify(store_events(kIdle, 10));
    ASSERT_TRUE(busy->wait(static_cast<std::size_t>(round + 1) * 10));
  }
  settle();
  EXPECT_EQ(counting.reads(), before);
}

TEST_F(SubscribersTest, NewEventsComeFromMemoryAndAreTheSameAsFromTheStore) {
  const auto follower = subscribe(0).first;
  settle();
  settle();
  const std::size_t before = counting.reads();
  subscriptions.notify(store_events(0, 3));
  ASSERT_TRUE(follower->wait(3));
  EXPECT_EQ(counting.reads(), before);
  EventSigner another(1u << 20);  // the first has the signed event in its cache
  another.use(SigningHistory(world.core->topology(), world.sequencers[0], *world.network.keys));
  const auto stored = reader.read(number(0), member(0), time, 1, 1);
  ASSERT_TRUE(stored);
  ASSERT_EQ(stored->size(), 1u);
  const auto from_store = another.sign(number(0), stored->front());
  ASSERT_TRUE(from_store);
  const auto content = [](const Bytes& bytes) { return protocol::SignedContent::parse(bytes).value().content; };
  EXPECT_EQ(content(follower->last), content(**from_store));
}

TEST_F(SubscribersTest, OneThatMissedEventsReadsThem) {
  const auto follower = subscribe(0).first;
  settle();
  settle();
  store_events(0, 2);  // nobody is told
  subscriptions.notify(store_events(0, 1));
  ASSERT_TRUE(follower->wait(3));
  subscriptions.notify(store_events(0, 1));
  ASSERT_TRUE(follower->wait(4));
  settle();
  EXPECT_EQ(follower->events, 4u);  // none twice
}

TEST_F(SubscribersTest, MoreThanIsHeldInMemoryIsReadFromTheStore) {
  SubscriptionLimits limits;
  limits.fresh_bytes = 1;
  Subscriptions small(limits, loop, system_clock(), reader, signer);
  const auto sink = std::make_shared<Sink>();
  small.add(member(0), number(0), Timestamp::min(), system_clock()->now() + Duration::seconds(3600), sink);
  settle();
  settle();
  const std::size_t before = counting.reads();
  small.notify(store_events(0, 5));
  ASSERT_TRUE(sink->wait(5));
  EXPECT_GT(counting.reads(), before);
  small.close_all();
  settle();
}

// Another sequencer has to serve what this one cannot sign, not what comes before.
TEST_F(SubscribersTest, EventsBeforeOneThatCannotBeSignedAreSent) {
  store_events(0, 2);
  ASSERT_TRUE(subscribe(0).first->wait(2));
  signer.use(SigningHistory());  // what was signed before is still known
  store_events(0, 2);
  const auto late = subscribe(0).first;
  settle();
  settle();
  std::lock_guard lock(late->mutex);
  EXPECT_EQ(late->events, 2u);
  EXPECT_TRUE(late->ended);
}

// The receipt of a request can wait; whoever got the request itself begins to work.
TEST_F(SubscribersTest, WhoeverGetsMostIsServedFirst) {
  std::vector<std::size_t> order;
  struct Noting final : EventSink {
    Noting(std::vector<std::size_t>& o, std::size_t i) : order(o), index(i) {}
    bool push(const std::vector<Event>&) override {
      order.push_back(index);
      return true;
    }
    void end(std::optional<Error>) override {}
    std::vector<std::size_t>& order;  // on the executor only
    const std::size_t index;
  };
  for (std::size_t i = 0; i < 3; ++i) {
    subscriptions.add(member(i), number(i), Timestamp::min(), system_clock()->now() + Duration::seconds(3600),
                      std::make_shared<Noting>(order, i));
  }
  settle();
  settle();
  Delivery delivery;
  delivery.batch.envelopes = {Bytes(10, 'a'), Bytes(500, 'b')};
  for (std::size_t i : {1, 2})
    delivery.batch.recipients.push_back(protocol::Recipients::together({protocol::Recipient(member(i))}));
  EventRecord record;
  record.timestamp = time.next();
  record.outcome = std::move(delivery);
  NewEvent event{std::make_shared<const EventRecord>(std::move(record)), 600, {}};
  event.readers = {{member(0), {}, {}}, {member(1), {}, {0}}, {member(2), {}, {1}}};
  subscriptions.notify({event});
  settle();
  EXPECT_EQ(order, (std::vector<std::size_t>{2, 1, 0}));
}

TEST_F(SubscribersTest, OneThatNeverReadsHoldsNothingAndNobodyUp) {
  store_events(0, 3000);
  store_events(1, 3000);
  const auto [stuck, id] = subscribe(0, true);
  const auto healthy = subscribe(1).first;
  ASSERT_TRUE(healthy->wait(3000));
  const auto tell = [&] { subscriptions.notify(store_events(0, 1)); };
  for (int i = 0; i < 100; ++i) tell();
  settle();
  settle();
  // One read was pushed; what follows waits in the store, not in memory.
  EXPECT_EQ(stuck->events, SubscriptionLimits().events_per_read);
  const std::size_t before = counting.reads();
  for (int i = 0; i < 100; ++i) tell();
  settle();
  EXPECT_EQ(counting.reads(), before);
  // It wakes up after all.
  stuck->full = false;
  subscriptions.drained(id);
  ASSERT_TRUE(stuck->wait(3200));
  EXPECT_EQ(stuck->events, 3200u);
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
