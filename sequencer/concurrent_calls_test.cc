#include "sequencer/concurrent_calls.h"

#include <gtest/gtest.h>

#include "sequencer/testing/world.h"

namespace synod::sequencer {
namespace {

TEST(ConcurrentCalls, AreCountedPerMember) {
  const testing::World world;
  const auto& alpha = world.participants[0];
  const auto& beta = world.participants[1];
  ConcurrentCalls calls(2);
  auto one = calls.begin(alpha), two = calls.begin(alpha);
  EXPECT_TRUE(one && two);
  EXPECT_FALSE(calls.begin(alpha));
  EXPECT_TRUE(calls.begin(beta));
  auto copy = one;
  one.reset();
  EXPECT_FALSE(calls.begin(alpha));  // the call goes on
  copy.reset();
  EXPECT_TRUE(calls.begin(alpha));
}

TEST(ConcurrentCalls, OutliveTheCounter) {
  const testing::World world;
  auto calls = std::make_unique<ConcurrentCalls>(1);
  const auto slot = calls->begin(world.participants[0]);
  calls.reset();
  EXPECT_TRUE(slot);
}

}  // namespace
}  // namespace synod::sequencer
