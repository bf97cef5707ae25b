#include "bench/ordering/measurement.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace synod::bench {
namespace {

// A machine that sustains `limit`, and now and then fails for no reason.
class FindCapacity : public ::testing::Test {
 protected:
  Capacity found(double limit) {
    const RunLoad run = [&](double rate, double) -> Result<Measured> {
      rates_.push_back(rate);
      Measured measured;
      measured.rate = rate;
      measured.complete = rate <= limit && !fails_once_.erase(rate);
      measured.throughput = measured.complete ? rate : limit / 2;
      return measured;
    };
    const auto capacity = find_capacity("", run, {200, 1000, 5, true});
    EXPECT_TRUE(capacity);
    return *capacity;
  }
  std::multiset<double> fails_once_;
  std::vector<double> rates_;
};

TEST_F(FindCapacity, TheHighestSustainedRateIsWithinAQuarter) {
  for (const double limit : {1000.0, 1300.0, 5000.0, 33'333.0}) {
    const Capacity capacity = found(limit);
    ASSERT_TRUE(capacity.highest && capacity.beyond);
    EXPECT_TRUE(capacity.highest->sustained());
    EXPECT_FALSE(capacity.beyond->sustained());
    EXPECT_LE(capacity.highest->rate, limit);
    EXPECT_GT(capacity.highest->rate * 1.27, limit);
  }
}

TEST_F(FindCapacity, OneFailureOfARateDoesNotEndTheSearch) {
  fails_once_ = {200, 1000, 2560};
  EXPECT_GT(found(5000).highest->rate, 5000 / 1.27);
  EXPECT_EQ(std::count(rates_.begin(), rates_.end(), 2560), 2);
}

TEST_F(FindCapacity, BelowTheStartRateItLooksDownwards) {
  const Capacity capacity = found(450);
  ASSERT_TRUE(capacity.highest);
  EXPECT_TRUE(capacity.highest->sustained());
  EXPECT_LE(capacity.highest->rate, 450);
  EXPECT_GT(capacity.highest->rate * 1.6, 450);
}

TEST_F(FindCapacity, WhereNothingIsSustainedNothingIsTheHighest) {
  const Capacity capacity = found(100);
  EXPECT_FALSE(capacity.highest);
  EXPECT_FALSE(capacity.low.sustained());
  EXPECT_TRUE(capacity.json().at("highestSustained").is_null());
}

}  // namespace
}  // namespace synod::bench
