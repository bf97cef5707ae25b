#include "ordering/conformance/single_fault.h"

#include <atomic>
#include <thread>

#include "ordering/conformance/conformance.h"

namespace synod::ordering::conformance {

void SingleFault::begin(std::unique_ptr<EngineWorld> world) {
  world_ = std::move(world);
  if (const std::string missing = world_->missing(); !missing.empty()) GTEST_SKIP() << "SKIPPED: " << missing;
  const Status begun = world_->begin();
  ASSERT_TRUE(begun) << begun.error().to_string();
  log_ = world_->connect({});
  ASSERT_TRUE(log_);
  seen_ = std::make_shared<Collector>();
  subscription_ = log_->subscribe(Height(0), seen_);
  subscription_->request(1'000'000);
}

::testing::AssertionResult SingleFault::ordered(const Bytes& record, std::chrono::seconds patience) {
  const auto give_up = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < give_up) {
    submit_until_accepted(*log_, record, 1);
    if (seen_->wait_for_record(record, std::chrono::seconds(2))) return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure() << record << " was not ordered; " << log_->health().last_error;
}

void SingleFault::dies_under_load(const std::string& name, const std::function<bool()>& kill,
                                  const std::function<Status()>& start) {
  std::atomic<bool> over = false;
  std::vector<Bytes> accepted;
  std::atomic<std::size_t> count = 0;
  std::thread load([&] {
    for (int i = 0; !over; ++i) {
      const Bytes record = name + " load " + std::to_string(i);
      if (!submit_until_accepted(*log_, record, 1)) continue;
      accepted.push_back(record);
      ++count;
    }
  });
  EXPECT_TRUE(eventually([&] { return count >= 20; })) << count;
  const bool killed = kill();
  EXPECT_TRUE(killed) << name;
  EXPECT_TRUE(ordered("after the kill of " + name));
  if (killed) {
    const Status started = start();
    EXPECT_TRUE(started) << started.error().to_string();
  }
  over = true;
  load.join();
  EXPECT_GE(accepted.size(), 20u);
  EXPECT_TRUE(ordered("with " + name + " again"));
  if (!world_->traits().accepted_is_durable) return;
  for (const Bytes& record : accepted) EXPECT_TRUE(seen_->wait_for_record(record)) << record << " is lost";
}

void SingleFault::expect_one_history() {
  EXPECT_TRUE(seen_->chained());
  EXPECT_FALSE(seen_->end());
  ASSERT_TRUE(ordered("the last one"));
  auto other = world_->connect({});
  auto again = std::make_shared<Collector>();
  auto subscription = other->subscribe(Height(0), again);
  subscription->request(1'000'000);
  ASSERT_TRUE(again->wait_for_record("the last one"));
  EXPECT_TRUE(one_log(seen_->blocks(), again->blocks()));
}

}  // namespace synod::ordering::conformance
