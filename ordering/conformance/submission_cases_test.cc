// What is ordered, and what those who submit hear of it.
#include <gtest/gtest.h>

#include <algorithm>
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
  for (const Bytes& record : records) ASSERT_TRUE(ordered(*log_, *seen, record));
  EXPECT_EQ(first_of_each(seen->sequence()), records);
  EXPECT_TRUE(as_submitted(seen->sequence()));
}

TEST_P(OrderingConformance, TheSameRecordTwiceIsOrderedTwice) {
  auto seen = std::make_shared<Collector>();
  auto subscription = follow(*log_, Height(0), seen);
  const auto twins = [&] {
    const auto sequence = seen->sequence();
    return std::count(sequence.begin(), sequence.end(), "twin");
  };
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(submit(*log_, "twin"));
  // An engine that may have forgotten one is given it again.
  while (!eventually([&] { return twins() >= 2; }, forgetful() ? kForgotten : kPatience)) {
    ASSERT_TRUE(forgetful());
    ASSERT_TRUE(submit(*log_, "twin"));
  }
  ASSERT_TRUE(ordered(*log_, *seen, "last"));
  EXPECT_EQ(first_of_each(seen->sequence()), (std::vector<Bytes>{"twin", "last"}));
  EXPECT_TRUE(as_submitted(seen->sequence()));
}

TEST_P(OrderingConformance, AnEmptyRecordIsRefusedAndLeavesNoTrace) {
  auto seen = std::make_shared<Collector>();
  auto subscription = follow(*log_, Height(0), seen);
  const auto refused = submit_and_wait(*log_, Bytes());
  ASSERT_EQ(refused.outcome, SubmitOutcome::refused);
  EXPECT_EQ(refused.error->id, "ORDERING_REFUSED");
  ASSERT_TRUE(ordered(*log_, *seen, "after"));
  EXPECT_TRUE(as_submitted(seen->sequence()));
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
  const AtOnce mixed = submit_at_once(*seen, [large](const std::string& prefix) {
    std::vector<Bytes> records;
    for (int i = 0; i < 16; ++i)
      records.push_back(prefix + std::to_string(i) + Bytes(i % 2 ? large - 20 : 10, static_cast<char>('a' + i)));
    return records;
  });
  EXPECT_TRUE(mixed.accepted);
  EXPECT_TRUE(mixed.ordered == mixed.submitted) << mixed.ordered.size() << " of " << mixed.submitted.size();
}

TEST_P(OrderingConformance, SeveralDriversShareOneOrder) {
  auto other = world().connect();
  auto first = std::make_shared<Collector>(), second = std::make_shared<Collector>();
  auto one = follow(*log_, Height(0), first);
  auto two = follow(*other, Height(0), second);
  const auto submit_forty = [&](OrderingLog& log, const std::string& prefix) {
    for (int i = 0; i < 40; ++i) EXPECT_TRUE(submit(log, prefix + std::to_string(i)));
  };
  std::thread left([&] { submit_forty(*log_, "l"); });
  std::thread right([&] { submit_forty(*other, "r"); });
  left.join();
  right.join();
  for (const auto& seen : {first, second})
    for (const char* prefix : {"l", "r"})
      for (int i = 0; i < 40; ++i) ASSERT_TRUE(appears(*seen, prefix + std::to_string(i)));
  EXPECT_TRUE(one_log(first->blocks(), second->blocks()));
  EXPECT_TRUE(as_submitted(first->sequence()));
}

// Who waits for the answer before the next submission finds both in that order.
TEST_P(OrderingConformance, WhatIsSubmittedAfterABlockWasSeenComesLater) {
  auto other = world().connect();
  auto seen = std::make_shared<Collector>();
  auto subscription = follow(*log_, Height(0), seen);
  for (int i = 0; i < 10; ++i) {
    OrderingLog& log = i % 2 ? *other : *log_;
    ASSERT_TRUE(ordered(log, *seen, "t" + std::to_string(i)));
  }
  const auto sequence = first_of_each(seen->sequence());
  ASSERT_EQ(sequence.size(), 10u);
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
  std::atomic<int> unknown = 0, refused = 0, accepted = 0;
  // A busy machine may not get round to sending any; it is given more time then.
  for (int wait = 100; wait <= 10'000 && unknown == 0; wait *= 10) {
    world().heal();
    const auto log = world().connect();
    ASSERT_TRUE(submit_until_accepted(*log, "before"));
    ASSERT_TRUE(ready(*log));
    world().stall();
    const int before = refused;
    for (int i = 0; i < 50; ++i)
      log->submit("s" + std::to_string(i), [&](const SubmitResult& r) {
        ++(r.outcome == SubmitOutcome::unknown ? unknown : r.outcome == SubmitOutcome::refused ? refused : accepted);
      });
    std::this_thread::sleep_for(milliseconds(wait));
    log->stop(Duration::seconds(5));
    EXPECT_TRUE(eventually([&] { return unknown + refused == before + 50; }));
  }
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
  for (const char* record : {"h0", "h1", "h2"}) ASSERT_TRUE(ordered(*log_, *seen, record));
  ASSERT_TRUE(ready(*log_));
  EXPECT_TRUE(eventually([&] { return log_->health().head == seen->blocks().back().height; }));
  EXPECT_TRUE(eventually([&] {
    const std::string leader = log_->health().leader;
    return world().traits().names_leader ? leader.starts_with("127.0.0.1:") : leader.empty();
  })) << log_->health().leader;
  EXPECT_TRUE(eventually([&] { return log_->health().last_error.empty(); })) << log_->health().last_error;
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
    ASSERT_TRUE(ordered(*log_, *seen, "q" + std::to_string(i)));
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
