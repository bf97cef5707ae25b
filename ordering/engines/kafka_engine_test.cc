// What is said where Kafka cannot be run; running it is the conformance suite's matter.
#include "ordering/engines/kafka_engine.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace synod::ordering::engines {
namespace {

class WithoutPrograms : public ::testing::Test {
 protected:
  WithoutPrograms() : path_(std::getenv("PATH")) { ::setenv("PATH", "/nowhere", 1); }
  ~WithoutPrograms() override { ::setenv("PATH", path_.c_str(), 1); }
  const std::string path_;
};

TEST_F(WithoutPrograms, KafkaNamesWhatIsMissingAndHowToGetIt) {
  const auto jars = kafka_jars("/tmp/synod-no-such-cache", [](const std::string&) {});
  ASSERT_FALSE(jars);
  EXPECT_EQ(jars.error().id, "ENGINE_NOT_INSTALLED");
  EXPECT_NE(jars.error().cause.find("default-jre-headless"), std::string::npos);
}

}  // namespace
}  // namespace synod::ordering::engines
