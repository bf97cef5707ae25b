#include "ordering/conformance/conformance.h"

#include <chrono>

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

::testing::AssertionResult OrderingConformance::reaches(OrderingLog& log, Health::State state) {
  const std::chrono::microseconds patience(world().traits().patience.micros);
  if (eventually([&] { return log.health().state == state; }, std::chrono::ceil<std::chrono::milliseconds>(patience)))
    return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << to_string(log.health().state) << ": " << log.health().last_error;
}

void OrderingConformance::expect_no_pruning() {
  submit_all("kept", 3);
  const Status pruned = prune_and_wait(*log_, Height(1));
  ASSERT_FALSE(pruned);
  EXPECT_EQ(pruned.error().category, ErrorCategory::unsupported) << pruned.error().to_string();
  EXPECT_FALSE(pruned.error().cause.empty());
  auto all = std::make_shared<Collector>();
  auto subscription = follow(*log_, Height(0), all);
  EXPECT_TRUE(all->wait_for_record("kept2")) << "and everything is still there";
}

}  // namespace synod::ordering::conformance
