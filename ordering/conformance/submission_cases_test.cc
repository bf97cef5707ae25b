// What is ordered, and what those who submit hear of it.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "ordering/conformance/conformance.h"

namespace synod::ordering::conformance {
namespace {

using std::chrono::milliseconds;

TEST_P(OrderingConformance, BinaryRecordsComeBackByteForByte) {
  Bytes all;
  for (int c = 0; c < 256; ++c) all.push_back(static_cast<char>(c));
  const std::vector<Bytes> records{all,
                                   Bytes("\0\0\0", 3),
                                   Bytes("\xff\xfe\x80", 3),
                                   "'; DROP TABLE blocks; --",
                                   "\\x00",
                                   Bytes("\x0a\x03\x08\x01\x10", 5),
                                   all + all};
  auto seen = std::make_shared<Collector>();
  auto subscription = follow(*log_, Height(0), seen);
  for (const Bytes& record : records) ASSERT_TRUE(submit_until_accepted(*log_, record));
  ASSERT_TRUE(seen->wait_for_record(records.back()));
  EXPECT_EQ(seen->sequence(), records);
}

TEST_P(OrderingConformance, TheSameRecordTwiceIsOrderedTwice) {
  auto seen = std::make_shared<Collector>();
  auto subscription = follow(*log_, Height(0), seen);
  ASSERT_TRUE(submit_until_accepted(*log_, "twin"));
  ASSERT_TRUE(submit_until_accepted(*log_, "twin"));
  ASSERT_TRUE(submit_until_accepted(*log_, "last"));
  ASSERT_TRUE(seen->wait_for_record("last"));
  EXPECT_EQ(seen->sequence(), (std::vector<Bytes>{"twin", "twin", "last"}));
}

TEST_P(OrderingConformance, AnEmptyRecordIsRefusedAndLeavesNoTrace) {
  auto seen = std::make_shared<Collector>();
  auto subscription = follow(*log_, Height(0), seen);
  const auto refused = submit_and_wait(*log_, Bytes());
  ASSERT_EQ(refused.outcome, SubmitOutcome::refused);
  EXPECT_EQ(refused.error->id, "ORDERING_REFUSED");
  submit_all("after", 1);
  ASSERT_TRUE(seen->wait_for_record("after0"));
  EXPECT_EQ(seen->sequence(), std::vector<Bytes>{"after0"});
}

TEST_P(OrderingConformance, ATooLargeRecordIsRefusedAtOnceEvenWithoutTheEngine) {
  world().cut();
  auto answered = std::make_shared<std::atomic<bool>>(false);
  log_->submit(Bytes(log_->max_record_bytes() + 1, 'x'), [answered](SubmitResult result) {
    *answered = result.outcome == SubmitOutcome::refused && result.error->id == "ORDERING_RECORD_TOO_LARGE";
  });
  EXPECT_TRUE(*answered);
}

TEST_P(OrderingConformance, LargeAndSmallRecordsKeepTheirOrder) {
  auto seen = std::make_shared<Collector>();
  auto subscription = follow(*log_, Height(0), seen);
  const std::size_t large = std::min<std::size_t>(log_->max_record_bytes(), 1u << 20);
  std::vector<Bytes> records;
  for (int i = 0; i < 16; ++i)
    records.push_back("i" + std::to_string(i) + Bytes(i % 2 ? large - 10 : 10, static_cast<char>('a' + i)));
  std::atomic<int> accepted = 0;
  for (const Bytes& record : records)
    log_->submit(record, [&](SubmitResult r) { accepted += r.outcome == SubmitOutcome::accepted; });
  ASSERT_TRUE(seen->wait_for_record(records.back()));
  EXPECT_EQ(seen->sequence(), records);
  EXPECT_TRUE(eventually([&] { return accepted == 16; }));
}

TEST_P(OrderingConformance, SeveralDriversShareOneOrder) {
  auto other = world().connect();
  auto first = std::make_shared<Collector>(), second = std::make_shared<Collector>();
  auto one = follow(*log_, Height(0), first);
  auto two = follow(*other, Height(0), second);
  const auto submit = [](OrderingLog& log, const std::string& prefix) {
    for (int i = 0; i < 40; ++i) EXPECT_TRUE(submit_until_accepted(log, prefix + std::to_string(i)));
  };
  std::thread left([&] { submit(*log_, "l"); });
  std::thread right([&] { submit(*other, "r"); });
  left.join();
  right.join();
  for (const auto& seen : {first, second}) {
    ASSERT_TRUE(seen->wait_for_record("l39"));
    ASSERT_TRUE(seen->wait_for_record("r39"));
  }
  const auto sequence = first->sequence();
  EXPECT_EQ(sequence, second->sequence());
  EXPECT_EQ(sequence.size(), 80u);
  EXPECT_EQ(std::set<Bytes>(sequence.begin(), sequence.end()).size(), 80u);
}

// Who waits for the answer before the next submission finds both in that order.
TEST_P(OrderingConformance, WhatIsSubmittedAfterABlockWasSeenComesLater) {
  auto other = world().connect();
  auto seen = std::make_shared<Collector>();
  auto subscription = follow(*log_, Height(0), seen);
  for (int i = 0; i < 10; ++i) {
    OrderingLog& log = i % 2 ? *other : *log_;
    ASSERT_TRUE(submit_until_accepted(log, "t" + std::to_string(i)));
    ASSERT_TRUE(seen->wait_for_record("t" + std::to_string(i)));
  }
  const auto sequence = seen->sequence();
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(sequence[i], "t" + std::to_string(i));
}

TEST_P(OrderingConformance, TooMuchPendingIsRefusedAsOverloaded) {
  auto small = world().connect({.submit_timeout = Duration::seconds(60), .max_pending_bytes = 10'000});
  ASSERT_TRUE(submit_until_accepted(*small, "works"));
  world().stall();
  std::atomic<int> overloaded = 0, others = 0;
  for (int i = 0; i < 15; ++i)
    small->submit(Bytes(1000, 'o'), [&](SubmitResult r) {
      ++(r.outcome == SubmitOutcome::refused && r.error->id == "ORDERING_OVERLOADED" ? overloaded : others);
    });
  EXPECT_EQ(overloaded, 5);
  EXPECT_EQ(others, 0);
  EXPECT_EQ(small->health().pending_submissions, 10u);
  world().heal();
  EXPECT_TRUE(eventually([&] { return others == 10; }));
  EXPECT_TRUE(submit_until_accepted(*small, "works again"));
}

TEST_P(OrderingConformance, StoppedDuringSubmitEveryoneHearsOnce) {
  submit_all("before", 1);
  world().stall();
  std::atomic<int> unknown = 0, refused = 0, accepted = 0;
  for (int i = 0; i < 50; ++i)
    log_->submit("s" + std::to_string(i), [&](SubmitResult r) {
      ++(r.outcome == SubmitOutcome::unknown ? unknown : r.outcome == SubmitOutcome::refused ? refused : accepted);
    });
  std::this_thread::sleep_for(milliseconds(100));
  log_->stop(Duration::seconds(5));
  EXPECT_TRUE(eventually([&] { return unknown + refused == 50; }));
  EXPECT_GT(unknown, 0) << "some were on their way";
  EXPECT_EQ(accepted, 0);
}

TEST_P(OrderingConformance, StoppingTwiceIsFineAndNothingIsTakenAfterwards) {
  submit_all("before", 1);
  log_->stop(Duration::seconds(5));
  log_->stop(Duration::seconds(5));
  const auto late = submit_and_wait(*log_, "late");
  EXPECT_EQ(late.outcome, SubmitOutcome::refused);
  EXPECT_EQ(log_->health().state, Health::State::stopped);
  EXPECT_EQ(log_->health().pending_submissions, 0u);
  EXPECT_FALSE(prune_and_wait(*log_, Height(1)));
}

TEST_P(OrderingConformance, HealthTellsHeadAndLeader) {
  auto seen = std::make_shared<Collector>();
  auto subscription = follow(*log_, Height(0), seen);
  submit_all("h", 3);
  ASSERT_TRUE(seen->wait_for_record("h2"));
  ASSERT_TRUE(ready(*log_));
  EXPECT_TRUE(eventually([&] { return log_->health().head == seen->blocks().back().height; }));
  EXPECT_EQ(log_->health().leader.find("127.0.0.1:") == 0, world().traits().names_leader) << log_->health().leader;
  EXPECT_EQ(log_->health().last_error, "");
  EXPECT_TRUE(eventually([&] { return log_->health().pending_submissions == 0; }));
  auto idle = world().connect();  // learns the head without a subscription
  EXPECT_TRUE(eventually([&] { return idle->health().head == log_->health().head; }));
}

TEST_P(OrderingConformance, PruningThroughTheDriverSaysWhetherThereIsSuchAThing) {
  submit_all("p", 3);
  const Status pruned = prune_and_wait(*log_, Height(1));
  EXPECT_EQ(pruned.has_value(), world().traits().driver_prunes) << (pruned ? "" : pruned.error().to_string());
  if (!pruned) {
    EXPECT_EQ(pruned.error().category, ErrorCategory::unsupported);
  }
}

TEST_P(OrderingConformance, SequencingTimeDoesNotGoBack) {
  auto seen = std::make_shared<Collector>();
  auto subscription = follow(*log_, Height(0), seen);
  std::optional<Timestamp> last;
  for (int i = 0; i < 5; ++i) {
    submit_all("q" + std::to_string(i) + "-", 1);
    ASSERT_TRUE(seen->wait_for_record("q" + std::to_string(i) + "-0"));
    const auto now = log_->sequencing_time();
    if (last) {
      ASSERT_TRUE(now);
      EXPECT_GE(*now, *last);
    }
    last = now;
  }
}

}  // namespace
}  // namespace synod::ordering::conformance
