#include "sequencer/catch_up.h"

#include <gtest/gtest.h>

namespace synod::sequencer {
namespace {

using ordering::Height;
constexpr std::int64_t kSecond = 1'000'000;

TEST(CatchUpProgress, TellsRateAndRest) {
  CatchUp progress(Height(-1), 0);
  progress.observe(Height(999), Height(5000), 2 * kSecond);
  EXPECT_FALSE(progress.done());
  EXPECT_DOUBLE_EQ(progress.blocks_per_second(), 500);
  EXPECT_EQ(progress.seconds_left(), 9);
  EXPECT_EQ(progress.text(), "block 999 of 5000, 500 blocks/s, about 9 s left");
  EXPECT_FALSE(progress.report_due(2 * kSecond));
  EXPECT_TRUE(progress.report_due(6 * kSecond));
  EXPECT_FALSE(progress.report_due(7 * kSecond));
  EXPECT_TRUE(progress.report_due(11 * kSecond));
}

TEST(CatchUpProgress, CloseToTheHeadIsThereAndStaysThere) {
  CatchUp progress(Height(0), 0);
  progress.observe(Height(100), Height(1000), kSecond);
  EXPECT_FALSE(progress.done());
  progress.observe(Height(2000 - CatchUp::kCloseEnough), Height(2000), 2 * kSecond);
  EXPECT_TRUE(progress.done());
  progress.observe(Height(2000), Height(9000), 3 * kSecond);  // load later on is no catching up
  EXPECT_TRUE(progress.done());
  EXPECT_FALSE(progress.report_due(100 * kSecond));
}

TEST(CatchUpProgress, WithoutProgressThereIsNoEstimate) {
  CatchUp progress(Height(7), 0);
  progress.observe(Height(7), Height(500), kSecond);
  EXPECT_EQ(progress.seconds_left(), std::nullopt);
  EXPECT_EQ(progress.text(), "block 7 of 500, 0 blocks/s");
}

// As a driver that has just connected: that its head is not known says nothing about how far away it is.
TEST(CatchUpProgress, AHeadThatIsNotKnownYetIsWaitedFor) {
  CatchUp progress(Height(7), 0);
  EXPECT_TRUE(progress.behind());
  progress.observe(Height(7), std::nullopt, kSecond);
  EXPECT_TRUE(progress.behind());
  EXPECT_EQ(progress.text(), "block 7 of not known how many, 0 blocks/s");
  progress.observe(Height(7), Height(5000), kSecond + 1);
  EXPECT_TRUE(progress.behind());
  EXPECT_FALSE(progress.done());
  progress.observe(Height(4990), Height(5000), 2 * kSecond);
  EXPECT_FALSE(progress.behind());
  EXPECT_TRUE(progress.done());
}

TEST(CatchUpProgress, AHeadThatDoesNotComeHoldsNothingUpForLong) {
  CatchUp progress(Height(-1), 0);
  progress.observe(Height(-1), std::nullopt, kSecond);
  EXPECT_TRUE(progress.behind());
  progress.observe(Height(-1), std::nullopt, kSecond + CatchUp::kHeadMicros);
  EXPECT_FALSE(progress.behind());  // an empty log, by all that is known
  EXPECT_FALSE(progress.done());
  progress.observe(Height(-1), Height(900), 60 * kSecond);
  EXPECT_TRUE(progress.behind());
}

}  // namespace
}  // namespace synod::sequencer
