#include "base/wrong_clock.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/testing/temporary_folder.h"

namespace synod {
namespace {

TEST(WrongClock, IsAsWrongAsItsFileSays) {
  const std::string folder = testing::new_folder("clock");
  const auto one = WrongClock::open(folder + "/offset").value(), other = WrongClock::open(folder + "/offset").value();
  const auto wrong_by_hours = [&] {
    const Duration off = one->now() - system_clock()->now();
    return static_cast<double>(off.micros) / 3.6e9;
  };
  EXPECT_NEAR(wrong_by_hours(), 0, 0.3);
  other->set_ahead(Duration::seconds(7200));
  EXPECT_NEAR(wrong_by_hours(), 2, 0.3);
  const std::int64_t before = one->monotonic_micros();
  other->set_ahead(Duration::seconds(-3600));
  EXPECT_NEAR(wrong_by_hours(), -1, 0.3);
  EXPECT_LT(one->monotonic_micros() - before, 1'000'000'000) << "what measures does not jump";
  EXPECT_EQ(WrongClock::open("/no/such/folder/offset").error().id, "WRONG_CLOCK_FAILED");
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace synod
