#include "ordering/conformance/conformance.h"

#include <algorithm>
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

::testing::AssertionResult OrderingConformance::reaches(OrderingLog& log, Health::State state) {
  const std::chrono::microseconds patience(world().traits().patience.micros);
  if (eventually([&] { return log.health().state == state; }, std::chrono::ceil<std::chrono::milliseconds>(patience)))
    return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << to_string(log.health().state) << ": " << log.health().last_error;
}

::testing::AssertionResult OrderingConformance::submitted(const Bytes& record, int times) {
  if (times == 0) return ::testing::AssertionFailure() << record.substr(0, 20) << ": " << log_->health().last_error;
  std::lock_guard lock(mutex_);
  submissions_[record] += times;
  return ::testing::AssertionSuccess();
}

::testing::AssertionResult OrderingConformance::submit(OrderingLog& log, const Bytes& record) {
  return submitted(record, submissions_until_accepted(log, record));
}

::testing::AssertionResult OrderingConformance::ordered(OrderingLog& log, Collector& seen, const Bytes& record) {
  return submitted(record, order(log, seen, record, forgetful()));
}

::testing::AssertionResult OrderingConformance::appears(Collector& seen, const Bytes& record) {
  if (seen.wait_for_record(record, forgetful() ? kForgotten : kPatience)) return ::testing::AssertionSuccess();
  if (forgetful()) return ordered(*log_, seen, record);
  return ::testing::AssertionFailure() << record.substr(0, 20) << " was accepted and is not ordered";
}

::testing::AssertionResult OrderingConformance::as_submitted(const std::vector<Bytes>& sequence) const {
  std::map<Bytes, int> found;
  for (const Bytes& record : sequence) ++found[record];
  std::lock_guard lock(mutex_);
  for (const auto& [record, times] : submissions_)
    if (found[record] < 1 || (found[record] > times && world().traits().orders_once))
      return ::testing::AssertionFailure() << record.substr(0, 20) << " was submitted " << times
                                           << " times and ordered " << found[record] << " times";
  if (found.size() == submissions_.size()) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << found.size() << " different records, of " << submissions_.size();
}

OrderingConformance::AtOnce OrderingConformance::submit_at_once(
    Collector& seen, const std::function<std::vector<Bytes>(const std::string& prefix)>& records) {
  const auto log = world().connect({.submit_timeout = Duration::seconds(300)});
  AtOnce all;
  // A forgetful engine's leader may change each time, for the very load.
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  for (int attempt = 0; attempt < 3 || (forgetful() && std::chrono::steady_clock::now() < give_up); ++attempt) {
    const std::string prefix = "at once " + std::to_string(attempt) + "-", end = "end of " + prefix;
    all = {};
    all.submitted = records(prefix);
    struct Counts {
      std::atomic<std::size_t> answered = 0, accepted = 0;
    };
    const auto counts = std::make_shared<Counts>();
    for (const Bytes& record : all.submitted)
      log->submit(record, [counts](const SubmitResult& result) {
        counts->accepted += result.outcome == SubmitOutcome::accepted;
        ++counts->answered;
      });
    EXPECT_TRUE(eventually([&] { return counts->answered == all.submitted.size(); }, 2 * kPatience));
    all.accepted = counts->accepted == all.submitted.size();
    if (all.accepted && !forgetful()) {
      EXPECT_TRUE(seen.wait_for_record(all.submitted.back()));
    }
    // Whatever is ordered twice comes before it.
    EXPECT_TRUE(ordered(*log, seen, end));
    for (const Block& block : seen.blocks()) {
      const std::size_t before = all.ordered.size();
      for (const Bytes& record : block.records)
        if (record.starts_with(prefix)) all.ordered.push_back(record);
      all.blocks += all.ordered.size() > before;
    }
    const bool failed = !all.accepted || (forgetful() && all.ordered != all.submitted);
    if (!failed) break;
  }
  return all;
}

std::shared_ptr<std::atomic<int>> OrderingConformance::submit_while_away(OrderingLog& log, const Bytes& record) {
  for (int attempt = 0;; ++attempt) {
    auto result = std::make_shared<std::atomic<int>>(-1);
    log.submit(record, [result](const SubmitResult& r) { *result = static_cast<int>(r.outcome); });
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    if (*result != static_cast<int>(SubmitOutcome::unknown) || attempt == 20) return result;
  }
}

SubmitResult OrderingConformance::submit_to_hanging(OrderingLog& log, const Bytes& record) {
  SubmitResult result = submit_and_wait(log, record);
  for (int i = 0; i < 2 && result.outcome == SubmitOutcome::refused; ++i) result = submit_and_wait(log, record);
  return result;
}

::testing::AssertionResult one_log(const std::vector<Block>& left, const std::vector<Block>& right) {
  if (left.empty() || right.empty()) return ::testing::AssertionFailure() << "nothing was read";
  for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i)
    if (!same(left[i], right[i]))
      return ::testing::AssertionFailure()
             << "heights " << left[i].height.value << " and " << right[i].height.value << " differ";
  return ::testing::AssertionSuccess();
}

void OrderingConformance::expect_no_pruning() {
  submit_all("kept", 3);
  const Status pruned = prune_and_wait(*log_, Height(1));
  ASSERT_FALSE(pruned);
  EXPECT_EQ(pruned.error().category, ErrorCategory::unsupported) << pruned.error().to_string();
  EXPECT_FALSE(pruned.error().cause.empty());
  auto all = std::make_shared<Collector>();
  auto subscription = follow(*log_, Height(0), all);
  EXPECT_TRUE(appears(*all, "kept2")) << "and everything is still there";
}

}  // namespace synod::ordering::conformance
