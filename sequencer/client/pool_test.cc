#include "sequencer/client/pool.h"

#include <gtest/gtest.h>

namespace synod::sequencer::client {
namespace {

protocol::UniqueId uid_of(const std::string& name) { return protocol::UniqueId::create(name, "1220ab").value(); }
protocol::Member nth(int i) { return protocol::Member::sequencer(uid_of("sequencer" + std::to_string(i))); }
Attributes attributes(int i, const std::string& synchronizer = "sync") {
  return {protocol::PhysicalSynchronizerId(uid_of(synchronizer), 35, 0), nth(i), {}};
}

class PoolTest : public ::testing::Test {
 protected:
  Pool pool(std::size_t connections, std::uint32_t threshold, std::uint32_t margin = 0) {
    return Pool(connections, threshold, margin, std::nullopt, *random);
  }
  std::shared_ptr<Random> random = seeded_random(7);
};

TEST_F(PoolTest, AgreesWhenEnoughDistinctSequencersDo) {
  Pool p = pool(3, 2);
  EXPECT_TRUE(p.validated(0, attributes(1)));
  EXPECT_TRUE(p.validated(1, attributes(1)));  // the same sequencer again does not count
  EXPECT_FALSE(p.agreed());
  EXPECT_EQ(p.pick({}), std::nullopt);
  EXPECT_TRUE(p.validated(2, attributes(2)));
  ASSERT_TRUE(p.agreed());
  EXPECT_EQ(p.health(), PoolHealth::ok);
  EXPECT_EQ(p.usable().size(), 2u);  // one connection a sequencer
}

TEST_F(PoolTest, RefusesAnotherSynchronizerOnceAgreed) {
  Pool p = pool(2, 1);
  EXPECT_TRUE(p.validated(0, attributes(1)));
  const Status other = p.validated(1, attributes(2, "elsewhere"));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().id, "SEQUENCER_CONNECTION_REFUSED");
  EXPECT_FALSE(p.usable(1));
}

TEST_F(PoolTest, RefusesChangedAttributesAndOtherVersions) {
  Pool p = pool(2, 1);
  EXPECT_TRUE(p.validated(0, attributes(1)));
  p.lost(0);
  EXPECT_FALSE(p.validated(0, attributes(3)));
  Attributes newer = attributes(2);
  newer.synchronizer = protocol::PhysicalSynchronizerId(uid_of("sync"), 36, 0);
  EXPECT_FALSE(p.validated(1, newer));
}

TEST_F(PoolTest, TakesSequencersInTurn) {
  Pool p = pool(3, 1);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(p.validated(i, attributes(i)));
  std::set<ConnectionIndex> seen;
  for (int i = 0; i < 3; ++i) seen.insert(p.pick({}).value());
  EXPECT_EQ(seen.size(), 3u);
  EXPECT_EQ(p.pick({nth(0), nth(2)}), 1u);
  EXPECT_EQ(p.pick({nth(0), nth(1), nth(2)}), std::nullopt);
}

TEST_F(PoolTest, TakesAFallbackOnlyWhenThereIsNoOther) {
  Pool p = pool(2, 1);
  p.set_fallback(0);
  EXPECT_TRUE(p.validated(0, attributes(0)));
  EXPECT_EQ(p.pick({}), 0u);
  EXPECT_TRUE(p.validated(1, attributes(1)));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(p.pick({}), 1u);
  EXPECT_EQ(p.pick({nth(1)}), 0u);
  p.lost(1);
  EXPECT_EQ(p.pick({}), 0u);
}

TEST_F(PoolTest, HealthFollowsWhatCanBeUsed) {
  Pool p = pool(3, 1, 1);
  EXPECT_EQ(p.health(), PoolHealth::failed);
  EXPECT_TRUE(p.validated(0, attributes(0)));
  EXPECT_EQ(p.health(), PoolHealth::degraded);
  EXPECT_TRUE(p.validated(1, attributes(1)));
  EXPECT_EQ(p.health(), PoolHealth::ok);
  p.set_serving(1, false);
  EXPECT_EQ(p.health(), PoolHealth::degraded);
  p.lost(0);
  EXPECT_EQ(p.health(), PoolHealth::failed);
  EXPECT_TRUE(p.agreed());  // stays
}

}  // namespace
}  // namespace synod::sequencer::client
