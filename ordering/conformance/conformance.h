// The fixture of the conformance suite. Cases stand in *_cases_test.cc, worlds in *_world_test.cc.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

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
  // Until it is accepted; as_submitted() knows of it.
  ::testing::AssertionResult submit(OrderingLog& log, const Bytes& record);
  // Each is accepted before the next is submitted.
  void submit_all(const std::string& prefix, int count) {
    for (int i = 0; i < count; ++i) ASSERT_TRUE(submit(*log_, prefix + std::to_string(i)));
  }
  // What has been accepted is seen. An engine that may have forgotten it is given it again.
  ::testing::AssertionResult appears(Collector& seen, const Bytes& record);
  // Submits it and waits until it is seen: it is ordered before whatever is submitted afterwards.
  ::testing::AssertionResult ordered(OrderingLog& log, Collector& seen, const Bytes& record);
  // These are the records of submit(), appears() and ordered(), each at least once and at most as often as submitted.
  ::testing::AssertionResult as_submitted(const std::vector<Bytes>& sequence) const;
  // Submits them all at once. Where that fails, say because a leader is elected in the middle, which may change the
  // order of what is accepted, others take their place, twice at most.
  struct AtOnce {
    std::vector<Bytes> submitted;
    bool accepted = false;       // all of them
    std::vector<Bytes> ordered;  // of them
    std::size_t blocks = 0;      // that these are in
  };
  AtOnce submit_at_once(Collector& seen, const std::function<std::vector<Bytes>(const std::string& prefix)>& records);
  static bool forgetful() { return !world().traits().accepted_is_durable; }
  // To a driver of whose connections some may not be known to have ended yet: what is written to those becomes unknown,
  // and is submitted once more. Then it waits; the result is -1 until it has one.
  static std::shared_ptr<std::atomic<int>> submit_while_away(OrderingLog& log, const Bytes& record);
  // To a driver that is connected to an engine that hangs. Unknown, unless the machine does not even let it be sent for
  // so long that it is refused.
  static SubmitResult submit_to_hanging(OrderingLog& log, const Bytes& record);

  // Until the driver says that it is ready, or has noticed that it is not connected.
  static ::testing::AssertionResult ready(OrderingLog& log) { return reaches(log, Health::State::ready); }
  static ::testing::AssertionResult disconnected(OrderingLog& log) { return reaches(log, Health::State::connecting); }

  // Of an engine whose log is pruned by its operator in a way that is no matter of this suite.
  void expect_no_pruning();

  // Each is in a block of its own.
  void submit_apart(const std::string& prefix, int count) {
    auto seen = std::make_shared<Collector>();
    auto subscription = follow(*log_, Height(0), seen);
    for (int i = 0; i < count; ++i) ASSERT_TRUE(ordered(*log_, *seen, prefix + std::to_string(i)));
  }

  std::unique_ptr<OrderingLog> log_;  // a driver of this test's log

 private:
  static ::testing::AssertionResult reaches(OrderingLog& log, Health::State state);
  ::testing::AssertionResult submitted(const Bytes& record, int times);

  mutable std::mutex mutex_;
  std::map<Bytes, int> submissions_;
  static std::unique_ptr<EngineWorld> world_;  // of all tests of one engine: a start may take seconds
};

inline bool same(const Block& a, const Block& b) {
  return a.height == b.height && a.hash == b.hash && a.previous_hash == b.previous_hash && a.records == b.records;
}

// Of two readings of one log, taken at different times while it may grow, the shorter is the beginning of the longer.
// How much there must be of each is for the test to wait for.
::testing::AssertionResult one_log(const std::vector<Block>& left, const std::vector<Block>& right);

}  // namespace synod::ordering::conformance
