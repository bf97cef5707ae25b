#include "base/static_clock.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace synod {
namespace {

TEST(StaticClock, StandsStillAndIsSharedThroughItsFile) {
  const auto path = std::filesystem::temp_directory_path() / ("static-clock-" + std::to_string(getpid()));
  {
    const auto one = StaticClock::open(path).value(), other = StaticClock::open(path).value();
    EXPECT_EQ(one->now(), Timestamp{0});
    EXPECT_TRUE(one->set(Timestamp{0}, Timestamp{5'000'000}));
    EXPECT_EQ(other->now(), Timestamp{5'000'000});
    EXPECT_FALSE(other->set(Timestamp{0}, Timestamp{6'000'000})) << "it shows another time";
    EXPECT_EQ(one->now(), Timestamp{5'000'000});
  }
  EXPECT_EQ(StaticClock::open(path).value()->now(), Timestamp{5'000'000}) << "kept over restarts";
  std::filesystem::remove(path);
  EXPECT_EQ(StaticClock::open("/no/such/folder/clock").error().id, "STATIC_CLOCK_FAILED");
}

}  // namespace
}  // namespace synod
