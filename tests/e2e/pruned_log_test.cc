// An orderer that keeps the newest blocks only, and a sequencer that has lost its cache meanwhile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "testnet/network_plan.h"
#include "tests/e2e/command_line.h"
#include "tests/e2e/watch.h"

namespace synod::e2e {
namespace {

using ::testing::HasSubstr;

TEST(PrunedLog, ASequencerThatNeedsABlockWhichIsGoneSaysSoAndBeginsWithAPeersState) {
  TestNetwork network;
  const Ran up = network.testnet("up --detach");
  ASSERT_EQ(up.exit_code, 0) << up.output;
  const auto plan = testnet::load_plan(network.network_file(), network.data());
  ASSERT_TRUE(plan) << plan.error().to_string();
  const std::string orderer = network.file("consortium/orderer/node.yaml");
  replace_in(orderer, "keep-blocks: .*", "keep-blocks: 20");
  replace_in(orderer, "segment-bytes: .*", "segment-bytes: 64KiB");
  ASSERT_EQ(network.testnet("restart orderer").exit_code, 0);
  network.wait_well();
  const Ran ping = network.run("ping --count 30 --json");
  ASSERT_EQ(ping.exit_code, 0) << ping.output;

  // A restart does not need what is gone.
  ASSERT_EQ(network.testnet("restart coke-sequencer").exit_code, 0);
  // A start from nothing does.
  const std::string cache = network.file("coke/sequencer/data/cache");
  const auto lose_cache = [&] {
    EXPECT_EQ(network.testnet("kill coke-sequencer").exit_code, 0);
    std::filesystem::remove_all(cache);
  };
  lose_cache();
  EXPECT_EQ(network.testnet("restart --ready-seconds 1 coke-sequencer").exit_code, 1);
  const testnet::NodePlan& sequencer = **plan->find("coke-sequencer");
  const auto status = wait_for_status(
      sequencer, [](const auto& s) { return s.reason().find("onboarding-state") != std::string::npos; });
  EXPECT_FALSE(status.healthy());
  EXPECT_THAT(status.reason(), HasSubstr("no longer has block"));
  EXPECT_THAT(status.reason(), HasSubstr("synod sequencer export-state"));

  lose_cache();
  const std::string state = network.folder() + "/state.bin";
  const Ran exported = synod("sequencer export-state " + state +
                             " --admin 127.0.0.1:" + std::to_string((*plan->find("pepsi-sequencer"))->admin_port));
  ASSERT_EQ(exported.exit_code, 0) << exported.output;
  replace_in(network.file("coke/sequencer/node.yaml"), "onboarding-state: .*", "onboarding-state: " + state);
  const Ran restart = network.testnet("restart coke-sequencer");
  EXPECT_EQ(restart.exit_code, 0) << restart.output;
  EXPECT_EQ(network.run("ping --count 2 --json").exit_code, 0);
  EXPECT_EQ(disagreement(*plan), "");
}

}  // namespace
}  // namespace synod::e2e
