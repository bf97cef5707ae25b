#include "ordering/engines/fabric_engine.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <thread>

namespace synod::ordering::engines {
namespace {

TEST(FabricTools, KnowsTheVersionOfGo) {
  EXPECT_EQ(parse_go_version("go version go1.26.8 linux/amd64"), (std::pair{1, 26}));
  EXPECT_EQ(parse_go_version("go version go1.19.8 linux/amd64\n"), (std::pair{1, 19}));
  EXPECT_LT(parse_go_version("go1.9"), (std::pair{1, 19}));
  EXPECT_EQ(parse_go_version("rubbish"), (std::pair{0, 0}));
}

TEST(FabricTools, TooOldAGoIsNamedWithTheRemedy) {
  char pattern[] = "/tmp/synod-go-XXXXXX";
  const std::string folder = ::mkdtemp(pattern);
  std::ofstream(folder + "/go") << "#!/bin/sh\necho go version go1.18.1 linux/amd64\n";
  std::filesystem::permissions(folder + "/go", std::filesystem::perms::owner_all);
  const std::string path = ::getenv("PATH");
  ::setenv("PATH", (folder + ":" + path).c_str(), 1);
  const std::string missing = missing_for_fabric(folder + "/cache");
  const auto tools = fabric_tools(folder + "/cache", [](const std::string&) {});
  ::setenv("PATH", path.c_str(), 1);
  EXPECT_NE(missing.find("go1.18.1"), std::string::npos) << missing;
  EXPECT_NE(missing.find("golang-go"), std::string::npos) << missing;
  ASSERT_FALSE(tools);
  EXPECT_EQ(tools.error().id, "ENGINE_NOT_INSTALLED");
  std::filesystem::remove_all(folder);
}

TEST(FabricTools, ABuildWhoseDownloadsFailIsTriedThreeTimes) {
  char pattern[] = "/tmp/synod-go-XXXXXX";
  const std::string folder = ::mkdtemp(pattern);
  std::ofstream(folder + "/go") << "#!/bin/sh\nif [ $1 = version ]; then echo go version go1.26.1 x; exit; fi\n"
                                << "echo attempt >>" << folder << "/attempts\n[ $(wc -l <" << folder
                                << "/attempts) -lt 3 ] && exit 1\n"
                                << R"(while [ "$1" != -o ]; do shift; done; touch "$2/orderer")" << "\n";
  std::filesystem::permissions(folder + "/go", std::filesystem::perms::owner_all);
  const std::string path = ::getenv("PATH");
  ::setenv("PATH", (folder + ":" + path).c_str(), 1);
  const auto tools = fabric_tools(
      folder + "/cache", [](const std::string&) {}, Duration::seconds(300),
      DownloadRetry{3, Duration::milliseconds(1)});
  ::setenv("PATH", path.c_str(), 1);
  ASSERT_TRUE(tools) << tools.error().to_string();
  EXPECT_TRUE(std::filesystem::exists(tools->orderer));
  std::filesystem::remove_all(folder);
}

class FabricEngineTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = missing_for_fabric(default_engine_cache()); !missing.empty())
      GTEST_SKIP() << "SKIPPED: " << missing;
    char pattern[] = "/tmp/synod-fabric-XXXXXX";
    folder_ = ::mkdtemp(pattern);
    config_.folder = folder_;
    config_.dies_with_us = true;
    auto tools = fabric_tools("", [](const std::string& line) { std::cout << line << "\n"; });
    ASSERT_TRUE(tools) << tools.error().to_string();
    tools_ = *tools;
  }
  void TearDown() override {
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  std::string folder_;
  FabricEngineConfig config_;
  FabricTools tools_;
};

TEST_F(FabricEngineTest, OneRaftOrdererComesUpIsFoundAgainAndGoesAway) {
  config_.orderers = 1;
  auto engine = FabricEngine::open(tools_, config_);
  ASSERT_TRUE(engine) << engine.error().to_string();
  const auto started = engine->start(Duration::seconds(300));
  ASSERT_TRUE(started) << started.error().to_string();
  const auto opened = engine->open_channel("synod", Duration::seconds(300));
  ASSERT_TRUE(opened) << opened.error().to_string();
  std::optional<std::size_t> leader;  // none while the orderer is too busy to say
  for (int i = 0; i < 1000 && !leader; ++i) leader = engine->leader("synod");
  EXPECT_EQ(leader, 0u);
  EXPECT_EQ(engine->height(0, "synod"), 1u);

  auto again = FabricEngine::open(tools_, config_);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->orderer(0).running(), engine->orderer(0).running());
  EXPECT_TRUE(again->open_channel("synod", Duration::seconds(300))) << "a channel that is there is left alone";
  config_.organisations = {"others"};
  EXPECT_EQ(FabricEngine::open(tools_, config_).error().id, "FABRIC_FOLDER_IN_USE");

  for (const std::string& file : {engine->access("org1", "synod").channel_block, engine->access("org2", "synod").key})
    EXPECT_TRUE(std::filesystem::exists(file)) << file;
  ASSERT_TRUE(engine->remove_channel("synod"));
  // The orderer answers before it has halted the chain.
  for (int i = 0; i < 1000 && engine->height(0, "synod"); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(engine->height(0, "synod"));
  EXPECT_TRUE(again->stop(Duration::seconds(20)));
  EXPECT_FALSE(engine->orderer(0).running());
}

TEST_F(FabricEngineTest, RefusesWhatCannotWork) {
  const auto id_with = [&](auto change) {
    FabricEngineConfig config = config_;
    change(config);
    const auto engine = FabricEngine::open(tools_, config);
    return engine ? std::string() : engine.error().id;
  };
  EXPECT_EQ(id_with([](auto& c) { c.orderers = 0; }), "FABRIC_CONFIG_INVALID");
  EXPECT_EQ(id_with([](auto& c) { c.consensus = FabricConsensus::smartbft; }), "FABRIC_CONFIG_INVALID") << "of three";
  EXPECT_EQ(id_with([](auto& c) { c.organisations = {}; }), "FABRIC_CONFIG_INVALID");
  EXPECT_EQ(id_with([](auto& c) { c.organisations = {"Two Words"}; }), "FABRIC_CONFIG_INVALID");
  EXPECT_EQ(id_with([](auto& c) { c.folder = "here"; }), "FABRIC_CONFIG_INVALID");
}

}  // namespace
}  // namespace synod::ordering::engines
