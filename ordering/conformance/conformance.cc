#include "ordering/conformance/conformance.h"

#include <chrono>
#include <thread>

namespace synod::ordering::conformance {

std::unique_ptr<EngineWorld> OrderingConformance::world_;

void OrderingConformance::TearDownTestSuite() { world_.reset(); }

void OrderingConformance::SetUp() {
  if (!world_) world_ = GetParam()();
  if (const std::string missing = world_->missing(); !missing.empty()) GTEST_SKIP() << "SKIPPED: " << missing;
  world_->heal();
  const Status begun = world_->begin();
  ASSERT_TRUE(begun) << begun.error().to_string();
  log_ = world_->connect();
  ASSERT_TRUE(log_);
}

::testing::AssertionResult OrderingConformance::ready(OrderingLog& log) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::microseconds(world().traits().patience.micros);
  while (log.health().state != Health::State::ready) {
    if (std::chrono::steady_clock::now() > give_up)
      return ::testing::AssertionFailure() << to_string(log.health().state) << ": " << log.health().last_error;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return ::testing::AssertionSuccess();
}

}  // namespace synod::ordering::conformance
