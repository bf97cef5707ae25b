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
  CatchUp unknown(Height(7), 0);
  unknown.observe(Height(7), std::nullopt, kSecond);  // the engine does not tell: nothing is known to be missing
  EXPECT_TRUE(unknown.done());
}

}  // namespace
}  // namespace synod::sequencer
