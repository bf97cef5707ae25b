#include "sequencer/client/synchronizer_clock.h"

#include <gtest/gtest.h>

namespace synod::sequencer::client {
namespace {

constexpr Timestamp kNoon{1'800'000'000'000'000};
constexpr Duration kHours = Duration::seconds(3 * 3600);
constexpr std::int64_t kSecond = 1'000'000;

Timestamp after(std::int64_t seconds) { return kNoon + Duration::seconds(seconds); }

TEST(SynchronizerClock, AClockThatIsRightIsBelieved) {
  SynchronizerClock clock;
  EXPECT_EQ(clock.now(kNoon, 0, Timestamp::min()), kNoon);
  clock.receipt(after(1), after(0), 0);
  EXPECT_EQ(clock.now(after(5), 5 * kSecond, after(1)), after(5));
  EXPECT_FALSE(clock.ahead());
}

TEST(SynchronizerClock, OldEventsOfOthersDoNotHoldItBack) {
  SynchronizerClock clock;
  EXPECT_EQ(clock.now(after(100'000), 0, kNoon), after(100'000));
}

TEST(SynchronizerClock, AClockThatIsHoursAheadIsNot) {
  SynchronizerClock clock;
  EXPECT_EQ(clock.now(kNoon + kHours, 0, Timestamp::min()), kNoon + kHours);  // nothing is known yet
  clock.receipt(after(1), kNoon + kHours, 0);
  EXPECT_EQ(clock.ahead(), kHours - Duration::seconds(1));
  EXPECT_EQ(clock.now(after(2) + kHours, 2 * kSecond, after(1)), after(3));
  EXPECT_EQ(clock.now(after(600) + kHours, 600 * kSecond, after(1)), after(601));
}

TEST(SynchronizerClock, AClockThatIsPutRightIsBelievedAgain) {
  SynchronizerClock clock;
  clock.receipt(after(0), kNoon + kHours, 0);
  EXPECT_EQ(clock.now(after(10), 10 * kSecond, after(0)), after(10));
  clock.receipt(after(20), after(20), 20 * kSecond);
  EXPECT_FALSE(clock.ahead());
  EXPECT_EQ(clock.now(after(30), 30 * kSecond, after(20)), after(30));
}

// The steady clock stands still then.
TEST(SynchronizerClock, AMachineThatSleptKnowsTheTimeAfterwards) {
  SynchronizerClock clock;
  clock.receipt(after(0), kNoon + kHours, 0);
  EXPECT_EQ(clock.now(after(7200) + kHours, kSecond, after(0)), after(7200));
}

// As time that tests set: the clock is right, and leaps while a receipt is on its way.
TEST(SynchronizerClock, ALeapWhileAReceiptIsOnItsWayIsNoMistake) {
  SynchronizerClock clock;
  clock.receipt(after(0), after(0), 0);
  EXPECT_EQ(clock.now(kNoon + kHours, kSecond, after(0)), kNoon + kHours);
}

}  // namespace
}  // namespace synod::sequencer::client
