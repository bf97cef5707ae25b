// Connections that break or hang, and an engine that is away for a while. Nothing here needs an operator.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "ordering/conformance/absence.h"
#include "ordering/conformance/conformance.h"

namespace synod::ordering::conformance {
namespace {

using std::chrono::milliseconds;

TEST_P(OrderingConformance, AfterACutTheStreamGoesOnWhereItWas) {
  auto seen = std::make_shared<Collector>();
  auto subscription = follow(*log_, Height(0), seen);
  for (int round = 0; round < 3; ++round) {
    const std::string prefix = "c" + std::to_string(round) + "-";
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(ordered(*log_, *seen, prefix + std::to_string(i)));
    world().cut();
    std::this_thread::sleep_for(milliseconds(50));
    world().heal();
  }
  ASSERT_TRUE(ordered(*log_, *seen, "end"));
  EXPECT_TRUE(seen->chained());
  EXPECT_TRUE(as_submitted(seen->sequence())) << "no more often: every one was accepted before the next cut";
}

TEST_P(OrderingConformance, ARecordSubmittedWhileCutOffIsOrderedAfterwards) {
  const auto log = world().connect({.submit_timeout = Duration::seconds(300)});
  ASSERT_TRUE(submit_until_accepted(*log, "before"));
  ASSERT_TRUE(ready(*log));
  world().cut();
  ASSERT_TRUE(disconnected(*log));
  const auto result = submit_while_away(*log, "during");
  EXPECT_EQ(*result, -1);
  EXPECT_EQ(log->health().pending_submissions, 1u);
  world().heal();
  auto seen = std::make_shared<Collector>();
  auto subscription = follow(*log, Height(0), seen);
  EXPECT_TRUE(appears(*seen, "during"));
}

TEST_P(OrderingConformance, HealthSaysWhyWhileCutOffAndNothingAfterwards) {
  submit_all("before", 1);
  ASSERT_TRUE(ready(*log_));
  world().cut();
  EXPECT_TRUE(disconnected(*log_));
  EXPECT_TRUE(eventually([&] { return !log_->health().last_error.empty(); }));
  world().heal();
  ASSERT_TRUE(ready(*log_));
  submit_all("after", 1);
  EXPECT_TRUE(eventually([&] { return log_->health().last_error.empty(); })) << log_->health().last_error;
}

TEST_P(OrderingConformance, ADriverMayBeStartedBeforeTheEngineIsReachable) {
  world().cut();
  auto early = world().connect({.submit_timeout = Duration::seconds(300)});
  auto seen = std::make_shared<Collector>();
  auto subscription = follow(*early, Height(0), seen);
  const auto outcome = std::make_shared<std::atomic<int>>(-1);
  early->submit("early", [outcome](const SubmitResult& r) { *outcome = static_cast<int>(r.outcome); });
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_EQ(early->health().state, Health::State::connecting);
  EXPECT_EQ(*outcome, -1);
  world().heal();
  EXPECT_TRUE(appears(*seen, "early"));
  EXPECT_TRUE(ready(*early));
}

TEST_P(OrderingConformance, ACutInTheMiddleOfCatchingUpLosesNothing) {
  const Bytes filling(100'000, 'u');
  std::vector<Bytes> records;
  for (int i = 0; i < 60; ++i) records.push_back(std::to_string(i) + filling);
  auto all = std::make_shared<Collector>();
  auto whole = follow(*log_, Height(0), all);
  for (const Bytes& record : records) ASSERT_TRUE(ordered(*log_, *all, record));  // each in a block of its own
  auto reader = world().connect({.window_bytes = 300'000});
  auto seen = std::make_shared<Collector>();
  auto subscription = reader->subscribe(Height(0), seen);
  for (int i = 0; i < 5; ++i) {
    subscription->request(8);
    ASSERT_TRUE(seen->wait([&](const Collector&) { return true; }));
    ASSERT_TRUE(seen->wait_for_height(Height(8 * i + 7)));
    world().cut();
    std::this_thread::sleep_for(milliseconds(20));
    world().heal();
  }
  subscription->request(1'000'000);
  ASSERT_TRUE(seen->wait_for_record(records.back()));
  EXPECT_TRUE(seen->chained());
  EXPECT_EQ(first_of_each(seen->sequence()), records);
  EXPECT_TRUE(one_log(seen->blocks(), all->blocks()));
}

TEST_P(OrderingConformance, NothingAcceptedIsLostByCutsUnderLoad) {
  auto seen = std::make_shared<Collector>();
  auto subscription = follow(*log_, Height(0), seen);
  std::atomic<bool> over = false;
  std::atomic<int> count = 0;
  std::vector<Bytes> accepted;
  std::thread submitter([&] {
    for (int i = 0; !over; ++i) {
      const Bytes record = "u" + std::to_string(i);
      if (!submit_until_accepted(*log_, record, 1)) continue;
      accepted.push_back(record);
      ++count;
    }
  });
  for (int i = 0; i < 5; ++i) {
    const int before = count;
    EXPECT_TRUE(eventually([&] { return count >= before + 5; }));
    world().cut();
    std::this_thread::sleep_for(milliseconds(30));
    world().heal();
  }
  over = true;
  submitter.join();
  EXPECT_GE(accepted.size(), 25u);
  ASSERT_TRUE(ordered(*log_, *seen, "last"));
  for (const Bytes& record : accepted) EXPECT_TRUE(appears(*seen, record));
  const auto blocks = seen->blocks();
  EXPECT_TRUE(seen->chained());
  auto again = std::make_shared<Collector>();
  auto second = follow(*log_, Height(0), again);
  ASSERT_TRUE(again->wait_for_height(blocks.back().height));
  EXPECT_TRUE(one_log(again->blocks(), blocks));
}

TEST_P(OrderingConformance, AConnectionThatHangsMakesSubmissionsUnknownAndRecovers) {
  auto impatient = world().connect({.submit_timeout = Duration::seconds(2)});
  ASSERT_TRUE(submit_until_accepted(*impatient, "fine"));
  world().stall();
  const auto stuck = submit_to_hanging(*impatient, "stuck");
  ASSERT_EQ(stuck.outcome, SubmitOutcome::unknown);
  EXPECT_EQ(stuck.error->id, "ORDERING_UNAVAILABLE");
  world().heal();
  auto seen = std::make_shared<Collector>();
  auto subscription = follow(*impatient, Height(0), seen);
  EXPECT_TRUE(ordered(*impatient, *seen, "fine again"));
  EXPECT_TRUE(seen->chained());
}

TEST_P(OrderingConformance, ASubscriptionSurvivesAHangingConnection) {
  auto seen = std::make_shared<Collector>();
  auto subscription = follow(*log_, Height(0), seen);
  for (const char* record : {"a0", "a1", "a2"}) ASSERT_TRUE(ordered(*log_, *seen, record));
  world().stall();
  std::this_thread::sleep_for(milliseconds(300));
  world().heal();
  for (const char* record : {"b0", "b1", "b2"}) ASSERT_TRUE(ordered(*log_, *seen, record));
  EXPECT_TRUE(seen->chained());
  EXPECT_TRUE(as_submitted(seen->sequence()));
}

// Cut off, behind connections that hang, and stopped altogether: long enough for everything that runs out in between.
TEST_P(OrderingConformance, AnEngineThatWasAwayForLongIsFoundAgainWithoutHelp) {
  // A minute each, here for all engines one after the other, takes a quarter of an hour; absence_test.cc always
  // has one for each.
  const milliseconds away = std::getenv("SYNOD_LONG_TESTS") ? kLongAbsence : milliseconds(1'500);
  Sequencer sequencer(world());
  for (const Absence absence : {Absence::cut, Absence::stall, Absence::pause}) sequencer.lives_through(absence, away);
}

TEST_P(OrderingConformance, StoppingWhileTheEngineIsAwayEndsEverything) {
  auto seen = std::make_shared<Collector>();
  auto subscription = follow(*log_, Height(0), seen);
  ASSERT_TRUE(ordered(*log_, *seen, "a"));
  world().cut();
  std::this_thread::sleep_for(milliseconds(100));
  std::atomic<int> answers = 0;
  for (int i = 0; i < 20; ++i) log_->submit("x" + std::to_string(i), [&](SubmitResult) { ++answers; });
  log_->stop(Duration::seconds(5));
  EXPECT_TRUE(seen->wait_for_end());
  EXPECT_EQ(seen->end()->id, "ORDERING_STOPPED");
  EXPECT_TRUE(eventually([&] { return answers == 20; })) << answers;
}

TEST_P(OrderingConformance, APausedEngineGoesOnAsIfNothingWere) {
  std::atomic<int> accepted = 0, answered = 0;
  const auto log = world().connect({.submit_timeout = Duration::seconds(300)});
  auto seen = std::make_shared<Collector>();
  auto subscription = follow(*log, Height(0), seen);
  for (const char* record : {"a0", "a1", "a2"}) ASSERT_TRUE(submit_until_accepted(*log, record));
  world().pause();
  for (int i = 0; i < 10; ++i)
    log->submit("p" + std::to_string(i), [&](const SubmitResult& r) {
      accepted += r.outcome == SubmitOutcome::accepted;
      ++answered;
    });
  std::this_thread::sleep_for(milliseconds(300));
  world().resume();
  EXPECT_TRUE(eventually([&] { return answered == 10; })) << answered;
  // Several orderers may find that their leader was silent for too long, and end the connection over it.
  if (!forgetful()) {
    EXPECT_EQ(accepted, 10);
  }
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(appears(*seen, "p" + std::to_string(i)));
  EXPECT_TRUE(seen->chained());
}

}  // namespace
}  // namespace synod::ordering::conformance
