// What is said where Kafka cannot be run; running it is the conformance suite's matter.
#include "ordering/engines/kafka_engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/testing/temporary_folder.h"

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

TEST(KafkaJars, ADownloadThatFailsIsTriedThreeTimes) {
  const std::string folder = synod::testing::new_folder("jars"), path = std::getenv("PATH");
  const auto program = [&](const std::string& name, const std::string& text) {
    std::ofstream(folder + "/" + name) << "#!/bin/sh\n" << text;
    std::filesystem::permissions(folder + "/" + name, std::filesystem::perms::owner_all);
  };
  program("java", "exit 0\n");
  program("mvn", "echo attempt >>" + folder + R"(/attempts
[ $(wc -l <)" + folder +
                     R"(/attempts) -lt 3 ] && { echo "no route to Maven Central"; exit 1; }
for argument; do case $argument in -DoutputDirectory=*) mkdir -p "${argument#*=}" ;; esac; done
)");
  ::setenv("PATH", (folder + ":" + path).c_str(), 1);
  const DownloadRetry quickly{3, Duration::milliseconds(1)};
  std::vector<std::string> told;
  const auto jars = kafka_jars(folder + "/cache", [&](const std::string& line) { told.push_back(line); }, quickly);
  std::filesystem::remove_all(folder + "/cache");
  program("mvn", "echo once more >>" + folder + "/attempts; exit 1\n");
  const auto never = kafka_jars(folder + "/cache", [](const std::string&) {}, quickly);
  ::setenv("PATH", path.c_str(), 1);
  ASSERT_TRUE(jars) << jars.error().to_string();
  ASSERT_EQ(told.size(), 3u);
  EXPECT_NE(told.back().find("no route to Maven Central"), std::string::npos) << told.back();
  EXPECT_FALSE(never);
  std::ifstream attempts(folder + "/attempts");
  EXPECT_EQ(std::count(std::istreambuf_iterator<char>(attempts), {}, '\n'), 6);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace synod::ordering::engines
