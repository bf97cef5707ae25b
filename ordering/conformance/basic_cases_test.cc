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
  ASSERT_TRUE(first->wait_for_record("a29"));
  world().stop();
  ASSERT_TRUE(started());
  submit_all("b", 30);
  ASSERT_TRUE(first->wait_for_record("b29"));
  ASSERT_TRUE(second->wait_for_record("b29"));
  const auto left = first->blocks(), right = second->blocks();
  ASSERT_EQ(left.size(), right.size());
  for (std::size_t i = 0; i < left.size(); ++i) EXPECT_TRUE(same(left[i], right[i])) << "at height " << i;
  EXPECT_TRUE(first->chained() && second->chained());
  EXPECT_EQ(left.front().height, Height(0));

  auto late = std::make_shared<Collector>();
  auto three = follow(*other_client, Height(0), late);
  ASSERT_TRUE(late->wait_for_record("b29"));
  EXPECT_EQ(late->sequence(), first->sequence());
  // A driver that knows nothing of the time before sees the same, and its records are ordered behind.
  auto fresh = world().connect();
  ASSERT_TRUE(submit_until_accepted(*fresh, "new"));
  auto after = std::make_shared<Collector>();
  auto four = follow(*fresh, Height(0), after);
  ASSERT_TRUE(after->wait_for_record("new"));
  ASSERT_TRUE(first->wait_for_record("new"));
  const auto whole = after->blocks();
  for (std::size_t i = 0; i < left.size(); ++i) EXPECT_TRUE(same(left[i], whole[i])) << "at height " << i;
}

TEST_P(OrderingConformance, ResumesAtAnyHeight) {
  submit_all("r", 20);
  auto all = std::make_shared<Collector>();
  auto whole = follow(*log_, Height(0), all);
  ASSERT_TRUE(all->wait_for_record("r19"));
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
  submit_all("later", 1);
  ASSERT_TRUE(all->wait_for_record("later0"));  // accepted is not ordered: both could share a block
  ASSERT_TRUE(submit_until_accepted(*log_, "later1"));
  ASSERT_TRUE(future->wait_for_record("later1"));
  EXPECT_EQ(future->blocks().size(), 1u);
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
  ASSERT_TRUE(submit_until_accepted(*log_, "last"));
  ASSERT_TRUE(seen->wait_for_record("last"));
  auto sequence = seen->sequence();
  std::set<Bytes> ordered(sequence.begin(), sequence.end());
  if (!world().traits().accepted_is_durable) {
    for (const Bytes& record : accepted) {
      if (!ordered.insert(record).second) continue;
      ASSERT_TRUE(submit_until_accepted(*log_, record));
      ASSERT_TRUE(seen->wait_for_record(record));
    }
    sequence = seen->sequence();
    ordered = std::set<Bytes>(sequence.begin(), sequence.end());
  }
  for (const Bytes& record : accepted) EXPECT_TRUE(ordered.contains(record)) << record.substr(0, 10);
  EXPECT_TRUE(seen->chained());
  EXPECT_FALSE(seen->end());

  auto again = std::make_shared<Collector>();
  auto second = follow(*log_, Height(0), again);
  // What the second sees must begin with this; the first may see more meanwhile: records of unknown outcome come late.
  const auto left = seen->blocks();
  ASSERT_TRUE(again->wait_for_height(left.back().height));
  const auto right = again->blocks();
  ASSERT_GE(right.size(), left.size());
  for (std::size_t i = 0; i < left.size(); ++i) ASSERT_TRUE(same(left[i], right[i])) << "at height " << i;
}

TEST_P(OrderingConformance, ARecordWaitsForAnEngineThatIsGoneAndBack) {
  const auto log = world().connect({.submit_timeout = Duration::seconds(300)});  // whatever a start takes
  ASSERT_TRUE(submit_until_accepted(*log, "before"));
  ASSERT_TRUE(ready(*log));
  world().kill();
  // Until the connection's end is known a record may be written to it and become unknown.
  ASSERT_TRUE(disconnected(*log));
  EXPECT_FALSE(log->health().last_error.empty());
  auto result = std::make_shared<std::atomic<int>>(-1);
  log->submit("during", [result](SubmitResult r) { *result = static_cast<int>(r.outcome); });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(*result, -1);
  ASSERT_TRUE(started());
  auto seen = std::make_shared<Collector>();
  auto subscription = follow(*log, Height(0), seen);
  ASSERT_TRUE(seen->wait_for_record("during"));
  EXPECT_TRUE(eventually([&] { return *result == static_cast<int>(SubmitOutcome::accepted); })) << *result;
  EXPECT_TRUE(ready(*log));
}

TEST_P(OrderingConformance, ARecordThatWasNeverSentIsRefusedAndOneThatWasIsUnknown) {
  auto impatient = world().connect({.submit_timeout = Duration::seconds(1)});
  ASSERT_TRUE(submit_until_accepted(*impatient, "fine"));
  world().pause();
  const auto stuck = submit_and_wait(*impatient, "stuck");
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
  EXPECT_EQ(submit_and_wait(*log_, Bytes(1, '\0')).outcome, SubmitOutcome::accepted);
  const Bytes big(largest, 'x');
  EXPECT_EQ(submit_and_wait(*log_, big).outcome, SubmitOutcome::accepted);
  const auto larger = submit_and_wait(*log_, Bytes(largest + 1, 'x'));
  ASSERT_EQ(larger.outcome, SubmitOutcome::refused);
  EXPECT_EQ(larger.error->id, "ORDERING_RECORD_TOO_LARGE");
  EXPECT_EQ(submit_and_wait(*log_, Bytes()).outcome, SubmitOutcome::refused);
  ASSERT_TRUE(seen->wait_for_record(big));
  EXPECT_EQ(seen->sequence(), (std::vector<Bytes>{Bytes(1, '\0'), big}));
}

TEST_P(OrderingConformance, ASlowSinkHoldsNoMoreThanItsWindow) {
  const Bytes filling(200'000, 'f');
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(submit_until_accepted(*log_, std::to_string(i) + filling));
  {
    // The newest block is a small one: orderers are asked how far they are, and some answer with the whole block.
    auto all = std::make_shared<Collector>();
    auto whole = follow(*log_, Height(0), all);
    ASSERT_TRUE(all->wait_for_record("199" + filling));
    ASSERT_TRUE(submit_until_accepted(*log_, "small"));
    ASSERT_TRUE(all->wait_for_record("small"));
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
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(submit_until_accepted(*log_, std::to_string(i) + filling));
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
  ASSERT_TRUE(seen->wait_for_record("x2"));
  ASSERT_TRUE(world().replace_history());
  // A log that is merely shorter may be an orderer that is behind; the other history shows once it has grown past what
  // was read. With pauses, since a block may hold many records.
  for (int i = 0; i < 200 && !seen->wait_for_end(std::chrono::milliseconds(100)); ++i)
    ASSERT_TRUE(submit_until_accepted(*log_, "y" + std::to_string(i)));
  ASSERT_TRUE(seen->end());
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
  std::atomic<int> accepted = 0;
  for (int i = 0; i < count; ++i)
    log_->submit("f" + std::to_string(i), [&](SubmitResult r) { accepted += r.outcome == SubmitOutcome::accepted; });
  ASSERT_TRUE(seen->wait_for_record("f" + std::to_string(count - 1)));
  const auto sequence = seen->sequence();
  ASSERT_EQ(sequence.size(), static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) ASSERT_EQ(sequence[static_cast<std::size_t>(i)], "f" + std::to_string(i));
  if (world().traits().shares_blocks) {
    EXPECT_LT(seen->blocks().size(), static_cast<std::size_t>(count)) << "under load records share blocks";
  }
  EXPECT_TRUE(eventually([&] { return accepted == count; })) << accepted;
}

TEST_P(OrderingConformance, ARoundThroughAnIdleEngineIsShort) {
  auto seen = std::make_shared<Collector>();
  auto subscription = follow(*log_, Height(0), seen);
  submit_all("warm", 20);
  std::vector<std::int64_t> micros;
  for (int i = 0; i < 100; ++i) {
    const Bytes record = "round" + std::to_string(i);
    const auto begin = std::chrono::steady_clock::now();
    log_->submit(record, [](SubmitResult) {});
    ASSERT_TRUE(seen->wait_for_record(record));
    micros.push_back(
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin).count());
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::sort(micros.begin(), micros.end());
  ::testing::Test::RecordProperty("round_p50_us", static_cast<int>(micros[50]));
  std::cout << "round through an idle engine: p50 " << micros[50] << " us, p99 " << micros[98] << " us\n";
  EXPECT_LT(micros[50], 2'500'000) << "blocks are not pushed: it is the seconds of polling that one waits for";
}

}  // namespace
}  // namespace synod::ordering::conformance
