#include "lf/script/test_runner.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/testing/shared_files.h"

namespace synod::lf::script {
namespace {

struct Suite {
  const char* dar;
  std::size_t scripts;
};

class Scripts : public ::testing::TestWithParam<Suite> {};

// The scripts check themselves: they fail when the interpreter or the ledger does something else than they expect.
TEST_P(Scripts, AllPass) {
  SYNOD_NEEDS_SHARED(path, std::string("dars/") + GetParam().dar);
  const std::string bytes = synod::testing::read_file(path);
  auto file = read_dar(bytes);
  ASSERT_TRUE(file) << file.error().to_string();
  auto dar = decode_dar(bytes);
  ASSERT_TRUE(dar) << dar.error().to_string();
  auto runner = TestRunner::create(*dar, file->sdk_version, {});
  ASSERT_TRUE(runner) << runner.error().to_string();
  EXPECT_EQ((*runner)->scripts().size(), GetParam().scripts);
  const char* only = std::getenv("SYNOD_SCRIPT");  // to look at some by hand
  for (const auto& script : (*runner)->scripts()) {
    if (only && !matches(only, script)) continue;
    ScriptOutcome outcome = (*runner)->run(script);
    EXPECT_FALSE(outcome.failure) << script << ": " << outcome.failure->command << ": "
                                  << outcome.failure->error.to_string();
  }
}

INSTANTIATE_TEST_SUITE_P(Shared, Scripts,
                         ::testing::Values(Suite{"CantonExamples-3.2.0.dar", 11},
                                           Suite{"splice-amulet-test-0.1.8.dar", 50},
                                           Suite{"splice-token-standard-test-v1-1.0.13.dar", 17}));

TEST(ScriptNames, PatternsMatch) {
  EXPECT_TRUE(matches("Iou", "Main.Iou:setup"));
  EXPECT_FALSE(matches("iou", "Main.Iou:setup"));
  EXPECT_TRUE(matches("Main.*:set*", "Main.Iou:setup"));
  EXPECT_FALSE(matches("*:set", "Main.Iou:setup"));
  EXPECT_TRUE(matches("*", ""));
}

}  // namespace
}  // namespace synod::lf::script
