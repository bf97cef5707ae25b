#include "ordering/conformance/absence.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <thread>

#include "ordering/conformance/fabric_world.h"
#include "ordering/conformance/kafka_world.h"
#include "ordering/conformance/postgres_world.h"
#include "ordering/conformance/solo_world.h"

namespace synod::ordering::conformance {

Sequencer::Sequencer(EngineWorld& world)
    : world_(world), log_(world.connect({.submit_timeout = Duration::seconds(2)})) {
  subscription_ = log_->subscribe(Height(0), seen_);
  subscription_->request(1'000'000);
}

void Sequencer::lives_through(Absence absence, std::chrono::milliseconds away) {
  const std::string name = std::vector{"cut", "stall", "pause"}[static_cast<std::size_t>(absence)];
  SCOPED_TRACE(name);
  const bool forgetful = !world_.traits().accepted_is_durable;
  ASSERT_TRUE(order(*log_, *seen_, "before " + name, forgetful));
  if (absence == Absence::cut) world_.cut();
  if (absence == Absence::stall) world_.stall();
  if (absence == Absence::pause) world_.pause();
  const auto back = std::chrono::steady_clock::now() + away;
  // What callbacks refer to outlives a test that has failed.
  struct Counts {
    std::atomic<int> begun = 0, answered = 0, accepted = 0;
  };
  const auto counts = std::make_shared<Counts>();
  while (std::chrono::steady_clock::now() < back) {
    log_->submit(name + std::to_string(++counts->begun), [counts](const SubmitResult& result) {
      counts->accepted += result.outcome == SubmitOutcome::accepted;
      ++counts->answered;
    });
    std::this_thread::sleep_for(away / 10);
  }
  EXPECT_TRUE(eventually([&] { return counts->answered > 0; })) << "nobody waits for ever";
  EXPECT_EQ(counts->accepted, 0);
  if (absence == Absence::cut) {
    EXPECT_TRUE(eventually([&] { return log_->health().state == Health::State::connecting; }));
    EXPECT_TRUE(eventually([&] { return !log_->health().last_error.empty(); }));
  }
  if (absence == Absence::pause)
    world_.resume();
  else
    world_.heal();
  const std::chrono::milliseconds patience(world_.traits().patience.micros / 1000);
  EXPECT_TRUE(eventually([&] { return log_->health().state == Health::State::ready; }, patience))
      << log_->health().last_error;
  ASSERT_TRUE(order(*log_, *seen_, "after " + name, forgetful));
  EXPECT_TRUE(eventually([&] { return counts->answered == counts->begun; }));
  EXPECT_TRUE(seen_->chained());
  EXPECT_FALSE(seen_->end());
}

namespace {

// All engines at the same time, which takes hardly longer than one of them.
TEST(LongAbsence, EnginesThatWereAwayForAMinuteAreFoundAgainWithoutHelp) {
  struct Case {
    const char* name;
    std::function<std::unique_ptr<EngineWorld>()> make;
    Absence absence;
    std::string missing = {};
  };
  using engines::FabricConsensus;
  std::vector<Case> cases{
      {"solo", [] { return std::make_unique<SoloWorld>(); }, Absence::pause},
      {"postgres", [] { return std::make_unique<PostgresWorld>(); }, Absence::pause},
      {"kafka", [] { return std::make_unique<KafkaWorld>(1); }, Absence::pause},
      {"fabric", [] { return std::make_unique<FabricWorld>(FabricConsensus::etcdraft, 3); }, Absence::stall},
      {"fabric-bft", [] { return std::make_unique<FabricWorld>(FabricConsensus::smartbft, 4); }, Absence::pause},
  };
  // An engine lives as long as the thread that started it.
  std::vector<std::thread> threads;
  for (Case& one : cases)
    threads.emplace_back([&one] {
      SCOPED_TRACE(one.name);
      const auto world = one.make();
      one.missing = world->missing();
      if (!one.missing.empty()) return;
      const Status begun = world->begin();
      ASSERT_TRUE(begun) << begun.error().to_string();
      Sequencer(*world).lives_through(one.absence, kLongAbsence);
    });
  for (std::thread& thread : threads) thread.join();
  for (const Case& one : cases)
    if (!one.missing.empty()) GTEST_SKIP() << "SKIPPED: without " << one.name << ": " << one.missing;
}

}  // namespace
}  // namespace synod::ordering::conformance
