#include "base/forward_clock.h"

#include <gtest/gtest.h>

namespace synod {
namespace {

constexpr Timestamp kStart{1'000'000'000};

TEST(ForwardClock, IsTheWallClockAsLongAsThatGoesForward) {
  ForwardClock clock;
  for (std::int64_t i = 0; i < 5; ++i)
    EXPECT_EQ(clock.now({kStart.micros + i * 7}, i, kStart), (Timestamp{kStart.micros + i * 7}));
}

TEST(ForwardClock, IsNeverBehindWhatWasHeardAndGoesOnFromThereAtHalfPace) {
  ForwardClock clock;
  const Timestamp heard = kStart + Duration::seconds(3600);
  EXPECT_EQ(clock.now(kStart, 0, heard), heard);
  for (std::int64_t i = 1; i <= 1000; ++i) clock.now(kStart + Duration{i}, i, heard);  // however often it is asked
  EXPECT_EQ(clock.now(kStart + Duration{1000}, 1000, heard), heard + Duration{500});
  const Timestamp later = heard + Duration::seconds(1);
  EXPECT_EQ(clock.now(kStart + Duration{1000}, 1000, later), later);
  // An hour ahead: the wall clock has caught up after two.
  const std::int64_t two_hours = 7'300'000'000;
  EXPECT_EQ(clock.now(kStart + Duration{two_hours}, two_hours, later), kStart + Duration{two_hours});
}

TEST(ForwardClock, DoesNotGoBackWithTheWallClock) {
  ForwardClock clock;
  const Timestamp ahead = kStart + Duration::seconds(3600);
  EXPECT_EQ(clock.now(ahead, 0, kStart), ahead);
  EXPECT_EQ(clock.now(kStart, 0, kStart), ahead);
  EXPECT_EQ(clock.now(kStart + Duration{10}, 10, kStart), ahead + Duration{5});
}

}  // namespace
}  // namespace synod
