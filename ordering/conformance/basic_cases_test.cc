// What every ordering driver must do when little goes wrong.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <thread>

#include "ordering/conformance/conformance.h"

namespace synod::ordering::conformance {
namespace {

TEST_P(OrderingConformance, TwoSubscribersAgreeAtEveryHeightAndAfterARestart) {
  auto first = std::make_shared<Collector>(), second = std::make_shared<Collector>();
  auto one = follow(*log_, Height(0), first);
  auto other_client = world().connect();
  auto two = follow(*other_client, Height(0), second);
  submit_all("a", 30);
  ASSERT_TRUE(appears(*first, "a29"));
  world().stop();
  ASSERT_TRUE(started());
  submit_all("b", 30);
  ASSERT_TRUE(appears(*first, "b29"));
  ASSERT_TRUE(second->wait_for_record("b29"));
  const auto left = first->blocks();
  EXPECT_TRUE(one_log(left, second->blocks()));
  EXPECT_TRUE(first->chained() && second->chained());
  EXPECT_EQ(left.front().height, Height(0));

  auto late = std::make_shared<Collector>();
  auto three = follow(*other_client, Height(0), late);
  ASSERT_TRUE(late->wait_for_record("b29"));
  EXPECT_TRUE(one_log(late->blocks(), left));
  // A driver that knows nothing of the time before sees the same, and its records are ordered behind.
  auto fresh = world().connect();
  auto after = std::make_shared<Collector>();
  auto four = follow(*fresh, Height(0), after);
  ASSERT_TRUE(ordered(*fresh, *after, "new"));
  ASSERT_TRUE(first->wait_for_record("new"));
  const auto whole = after->blocks();
  EXPECT_GT(whole.size(), left.size());
  EXPECT_TRUE(one_log(left, whole));
}

TEST_P(OrderingConformance, ResumesAtAnyHeight) {
  submit_all("r", 20);
  auto all = std::make_shared<Collector>();
  auto whole = follow(*log_, Height(0), all);
  ASSERT_TRUE(appears(*all, "r19"));
  const auto blocks = all->blocks();
  for (std::size_t from = 0; from < blocks.size(); ++from) {
    auto tail = std::make_shared<Collector>();
    auto subscription = follow(*log_, Height(static_cast<std::int64_t>(from)), tail);
    ASSERT_TRUE(tail->wait_for_height(blocks.back().height));
    ASSERT_TRUE(same(tail->blocks().front(), blocks[from]));
  }
  // A height that does not exist yet is waited for.
  auto future = std::make_shared<Collector>();
  auto subscription = follow(*log_, Height(blocks.back().height.value + 2), future);
  ASSERT_TRUE(ordered(*log_, *all, "later0"));  // accepted is not ordered: both could share a block
  ASSERT_TRUE(ordered(*log_, *all, "later1"));
  ASSERT_TRUE(future->wait_for_record("later1"));
  const auto later = future->blocks();
  EXPECT_EQ(later.front().height, Height(blocks.back().height.value + 2));
  ASSERT_TRUE(all->wait_for_height(later.front().height));
  EXPECT_TRUE(same(later.front(), all->blocks()[blocks.size() + 1]));
}

// Where an engine may forget what it has accepted, the caller submits again what does not appear.
TEST_P(OrderingConformance, NothingAcceptedIsLostByAKillDuringSubmit) {
  auto seen = std::make_shared<Collector>();
  auto subscription = follow(*log_, Height(0), seen);
  std::atomic<bool> over = false;
  std::atomic<std::size_t> count = 0;
  std::vector<Bytes> accepted;
  // Whatever way the test ends, the thread ends with it.
  struct Joined : std::thread {
    using std::thread::thread;
    std::atomic<bool>* over = nullptr;
    ~Joined() {
      if (over) *over = true;
      if (joinable()) join();
    }
  };
  Joined submitter([&] {
    for (int i = 0; !over; ++i) {
      const Bytes record = "k" + std::to_string(i) + Bytes(static_cast<std::size_t>(i % 5000), '.');
      while (!over && !submit_until_accepted(*log_, record, 1)) {
      }
      if (over) break;
      accepted.push_back(record);
      ++count;
    }
  });
  submitter.over = &over;
  std::mt19937 random(7);
  for (int kill = 0; kill < world().traits().kills; ++kill) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20 + random() % 60));
    // Between two kills something was accepted, however slow the machine: otherwise the kill would show nothing.
    const std::size_t before = count;
    ASSERT_TRUE(eventually([&] { return count >= before + 5; }));
    world().kill();
    ASSERT_TRUE(started());
  }
  over = true;
  submitter.join();
  ASSERT_GT(accepted.size(), world().traits().kills * 4u);
  ASSERT_TRUE(ordered(*log_, *seen, "last"));
  auto sequence = seen->sequence();
  std::set<Bytes> there(sequence.begin(), sequence.end());
  if (forgetful()) {
    for (const Bytes& record : accepted) {
      if (there.contains(record)) continue;
      ASSERT_TRUE(ordered(*log_, *seen, record));
    }
    sequence = seen->sequence();
    there = std::set<Bytes>(sequence.begin(), sequence.end());
  }
  for (const Bytes& record : accepted) EXPECT_TRUE(there.contains(record)) << record.substr(0, 10);
  EXPECT_TRUE(seen->chained());
  EXPECT_FALSE(seen->end());

  auto again = std::make_shared<Collector>();
  auto second = follow(*log_, Height(0), again);
  // What the second sees must begin with this; the first may see more meanwhile: records of unknown outcome come late.
  const auto left = seen->blocks();
  ASSERT_TRUE(again->wait_for_height(left.back().height));
  EXPECT_TRUE(one_log(left, again->blocks()));
}

TEST_P(OrderingConformance, ARecordWaitsForAnEngineThatIsGoneAndBack) {
  const auto log = world().connect({.submit_timeout = Duration::seconds(300)});  // whatever a start takes
  ASSERT_TRUE(submit_until_accepted(*log, "before"));
  ASSERT_TRUE(ready(*log));
  world().kill();
  // Until the connection's end is known a record may be written to it and become unknown.
  ASSERT_TRUE(disconnected(*log));
  EXPECT_TRUE(eventually([&] { return !log->health().last_error.empty(); }));
  const auto result = submit_while_away(*log, "during");
  EXPECT_EQ(*result, -1);
  ASSERT_TRUE(started());
  auto seen = std::make_shared<Collector>();
  auto subscription = follow(*log, Height(0), seen);
  EXPECT_TRUE(eventually([&] { return *result != -1; }));
  // Several orderers may still be choosing a leader, and end the connection over it.
  if (!forgetful() || *result != static_cast<int>(SubmitOutcome::unknown)) {
    EXPECT_EQ(*result, static_cast<int>(SubmitOutcome::accepted));
  }
  ASSERT_TRUE(appears(*seen, "during"));
  EXPECT_TRUE(ready(*log));
}

TEST_P(OrderingConformance, ARecordThatWasNeverSentIsRefusedAndOneThatWasIsUnknown) {
  auto impatient = world().connect({.submit_timeout = Duration::seconds(2)});
  ASSERT_TRUE(submit_until_accepted(*impatient, "fine"));
  world().pause();
  const auto stuck = submit_to_hanging(*impatient, "stuck");
  ASSERT_EQ(stuck.outcome, SubmitOutcome::unknown);
  EXPECT_EQ(stuck.error->id, "ORDERING_UNAVAILABLE");
  world().resume();
  world().kill();
  ASSERT_TRUE(disconnected(*impatient));
  // With several orderers the end of one connection may be known later than that of another.
  SubmitResult never;
  ASSERT_TRUE(eventually([&] {
    never = submit_and_wait(*impatient, "never");
    return never.outcome != SubmitOutcome::unknown;
  }));
  ASSERT_EQ(never.outcome, SubmitOutcome::refused);
  EXPECT_EQ(never.error->id, "ORDERING_UNAVAILABLE");
}

TEST_P(OrderingConformance, TakesTheSmallestAndTheLargestRecordAndNoLarger) {
  auto seen = std::make_shared<Collector>();
  auto subscription = follow(*log_, Height(0), seen);
  const std::size_t largest = log_->max_record_bytes();
  EXPECT_TRUE(ordered(*log_, *seen, Bytes(1, '\0')));
  const Bytes big(largest, 'x');
  const auto patient = world().connect({.submit_timeout = Duration::seconds(300)});  // it is copied many times
  EXPECT_TRUE(ordered(*patient, *seen, big));
  const auto larger = submit_and_wait(*log_, Bytes(largest + 1, 'x'));
  ASSERT_EQ(larger.outcome, SubmitOutcome::refused);
  EXPECT_EQ(larger.error->id, "ORDERING_RECORD_TOO_LARGE");
  EXPECT_EQ(submit_and_wait(*log_, Bytes()).outcome, SubmitOutcome::refused);
  EXPECT_EQ(first_of_each(seen->sequence()), (std::vector<Bytes>{Bytes(1, '\0'), big}));
  EXPECT_TRUE(as_submitted(seen->sequence()));
}

TEST_P(OrderingConformance, ASlowSinkHoldsNoMoreThanItsWindow) {
  const Bytes filling(200'000, 'f');
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(submit(*log_, std::to_string(i) + filling));
  {
    // The newest block is a small one: orderers are asked how far they are, and some answer with the whole block.
    auto all = std::make_shared<Collector>();
    auto whole = follow(*log_, Height(0), all);
    ASSERT_TRUE(appears(*all, "199" + filling));
    ASSERT_TRUE(ordered(*log_, *all, "small"));
  }
  auto reader = world().connect({.window_bytes = 512u << 10});
  auto slow = std::make_shared<Collector>();
  const std::size_t before = world().bytes_received();
  auto subscription = reader->subscribe(Height(0), slow);
  std::this_thread::sleep_for(std::chrono::seconds(1));  // a driver without a window would have them all
  EXPECT_TRUE(slow->blocks().empty()) << "nothing was requested";
  // Sockets hold some megabytes.
  EXPECT_LT(world().bytes_received(), before + (24u << 20)) << "40 MB lie in the log";
  subscription->request(3);
  ASSERT_TRUE(slow->wait_for_height(Height(2)));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(slow->blocks().size(), 3u);
  subscription->request(1'000'000);
  ASSERT_TRUE(slow->wait_for_record("199" + filling));
  EXPECT_TRUE(slow->chained());
}

TEST_P(OrderingConformance, APrunedHeightFailsCleanly) {
  if (!world().traits().prunes) return expect_no_pruning();
  const Bytes filling(20'000, 'f');
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(submit(*log_, std::to_string(i) + filling));
  ASSERT_TRUE(world().prune(*log_, Height(15)));
  auto pruned = std::make_shared<Collector>();
  auto subscription = follow(*log_, Height(1), pruned);
  ASSERT_TRUE(pruned->wait_for_end());
  EXPECT_EQ(pruned->end()->id, "ORDERING_HEIGHT_PRUNED");
  auto kept = std::make_shared<Collector>();
  auto second = follow(*log_, Height(15), kept);
  ASSERT_TRUE(kept->wait_for_record("19" + filling));
  world().stop();
  ASSERT_TRUE(started());
  ASSERT_TRUE(submit_until_accepted(*log_, "after"));
  ASSERT_TRUE(kept->wait_for_record("after"));
  EXPECT_TRUE(kept->chained());
}

TEST_P(OrderingConformance, AnotherHistoryEndsTheSubscription) {
  auto seen = std::make_shared<Collector>();
  auto subscription = follow(*log_, Height(0), seen);
  submit_all("x", 3);
  ASSERT_TRUE(appears(*seen, "x2"));
  ASSERT_TRUE(world().replace_history());
  // A log that is merely shorter may be an orderer that is behind; the other history shows once it has grown past what
  // was read. With pauses, since a block may hold many records.
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  for (int i = 0; !seen->wait_for_end(std::chrono::milliseconds(100)); ++i) {
    ASSERT_LT(std::chrono::steady_clock::now(), give_up) << "of another history " << i << " records, and no end";
    ASSERT_TRUE(submit_until_accepted(*log_, "y" + std::to_string(i)));
  }
  EXPECT_EQ(seen->end()->id, "ORDERING_FORKED");
}

TEST_P(OrderingConformance, StopsUnderLoadAndAnswersEverySubmissionOnce) {
  auto seen = std::make_shared<Collector>();
  auto subscription = follow(*log_, Height(0), seen);
  std::atomic<int> answers = 0;
  const int count = 3000;
  for (int i = 0; i < count; ++i) log_->submit(Bytes(500, 'l'), [&](SubmitResult) { ++answers; });
  log_->stop(Duration::seconds(5));
  EXPECT_TRUE(eventually([&] { return answers == count; })) << answers;
  ASSERT_TRUE(seen->wait_for_end());
  EXPECT_EQ(seen->end()->id, "ORDERING_STOPPED");
  EXPECT_EQ(submit_and_wait(*log_, "late").outcome, SubmitOutcome::refused);
  auto late = std::make_shared<Collector>();
  auto second = follow(*log_, Height(0), late);
  ASSERT_TRUE(late->wait_for_end());
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(seen->ends(), 1);
  EXPECT_EQ(answers, count);
}

TEST_P(OrderingConformance, EveryRecordOfAFloodIsOrderedOnceWhenNothingFails) {
  auto seen = std::make_shared<Collector>();
  auto subscription = follow(*log_, Height(0), seen);
  const int count = world().traits().flood;
  const AtOnce flood = submit_at_once(*seen, [count](const std::string& prefix) {
    std::vector<Bytes> records;
    for (int i = 0; i < count; ++i) records.push_back(prefix + std::to_string(i));
    return records;
  });
  ASSERT_TRUE(flood.accepted);
  ASSERT_EQ(flood.ordered.size(), static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < flood.ordered.size(); ++i) ASSERT_EQ(flood.ordered[i], flood.submitted[i]);
  if (world().traits().shares_blocks) {
    EXPECT_LT(flood.blocks, static_cast<std::size_t>(count)) << "under load records share blocks";
  }
}

TEST_P(OrderingConformance, ARoundThroughAnIdleEngineIsShort) {
  auto seen = std::make_shared<Collector>();
  auto subscription = follow(*log_, Height(0), seen);
  submit_all("warm", 20);
  std::vector<std::int64_t> micros;
  for (int i = 0; i < 100; ++i) {
    const Bytes record = "round" + std::to_string(i);
    const auto begin = std::chrono::steady_clock::now();
    ASSERT_TRUE(ordered(*log_, *seen, record));
    micros.push_back(
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin).count());
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::sort(micros.begin(), micros.end());
  ::testing::Test::RecordProperty("round_p50_us", static_cast<int>(micros[50]));
  std::cout << "round through an idle engine: p50 " << micros[50] << " us, p99 " << micros[98] << " us\n";
  // A busy machine holds up some; polling would hold up all, since each begins when the one before was seen.
  EXPECT_LT(micros[10], 2'500'000) << "blocks are not pushed: it is the seconds of polling that one waits for";
}

}  // namespace
}  // namespace synod::ordering::conformance
