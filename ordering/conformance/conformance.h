// The fixture of the conformance suite. Cases stand in *_cases_test.cc, worlds in *_world_test.cc.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "ordering/conformance/collector.h"
#include "ordering/conformance/world.h"

namespace synod::ordering::conformance {

using WorldFactory = std::unique_ptr<EngineWorld> (*)();

class OrderingConformance : public ::testing::TestWithParam<WorldFactory> {
 protected:
  static void TearDownTestSuite();
  void SetUp() override;

  static EngineWorld& world() { return *world_; }

  static ::testing::AssertionResult started() {
    const Status status = world().start();
    return status ? ::testing::AssertionSuccess() : ::testing::AssertionFailure() << status.error().to_string();
  }

  // A subscription that asks for all there is.
  static std::unique_ptr<Subscription> follow(OrderingLog& log, Height from, const std::shared_ptr<Collector>& sink) {
    auto subscription = log.subscribe(from, sink);
    subscription->request(1'000'000);
    return subscription;
  }
  // Each is accepted before the next is submitted.
  void submit_all(const std::string& prefix, int count) {
    for (int i = 0; i < count; ++i) ASSERT_TRUE(submit_until_accepted(*log_, prefix + std::to_string(i)));
  }

  // Until the driver says that it is ready, or has noticed that it is not connected.
  static ::testing::AssertionResult ready(OrderingLog& log) { return reaches(log, Health::State::ready); }
  static ::testing::AssertionResult disconnected(OrderingLog& log) { return reaches(log, Health::State::connecting); }

  // Of an engine whose log is pruned by its operator in a way that is no matter of this suite.
  void expect_no_pruning();

  // Each is in a block of its own.
  void submit_apart(const std::string& prefix, int count) {
    auto seen = std::make_shared<Collector>();
    auto subscription = follow(*log_, Height(0), seen);
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(submit_until_accepted(*log_, prefix + std::to_string(i)));
      ASSERT_TRUE(seen->wait_for_record(prefix + std::to_string(i)));
    }
  }

  std::unique_ptr<OrderingLog> log_;  // a driver of this test's log

 private:
  static ::testing::AssertionResult reaches(OrderingLog& log, Health::State state);
  static std::unique_ptr<EngineWorld> world_;  // of all tests of one engine: a start may take seconds
};

inline bool same(const Block& a, const Block& b) {
  return a.height == b.height && a.hash == b.hash && a.previous_hash == b.previous_hash && a.records == b.records;
}

}  // namespace synod::ordering::conformance
