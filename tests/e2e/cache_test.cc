// What a sequencer reads of the log when it starts: nothing that its cache has, and everything if it has no cache.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "testnet/network_plan.h"
#include "tests/e2e/command_line.h"
#include "tests/e2e/prefill.h"
#include "tests/e2e/watch.h"

namespace synod::e2e {
namespace {

using synod::admin::v1::NodeStatus;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kBlocks = 2000, kEventsPerBlock = 10;

TEST(Cache, WithALongHistoryASequencerServesAtOnceAndWithoutItsCacheReadsEverythingAndSaysHowLong) {
  TestNetwork network;
  ASSERT_EQ(network.testnet("up --detach").exit_code, 0);
  ASSERT_EQ(network.testnet("down").exit_code, 0);
  const auto plan = testnet::load_plan(network.network_file(), network.data());
  ASSERT_TRUE(plan) << plan.error().to_string();
  const testnet::NodePlan &full = **plan->find("coke-sequencer"), &empty = **plan->find("pepsi-sequencer");
  const auto history = prefill(*plan, full, kBlocks, kEventsPerBlock);
  ASSERT_TRUE(history) << history.error().to_string();
  ASSERT_EQ(history->events, 20'000u);

  ASSERT_EQ(network.testnet("restart orderer").exit_code, 0);
  const Ran restart = network.testnet("restart coke-sequencer");
  ASSERT_EQ(restart.exit_code, 0) << restart.output;
  const NodeStatus at_once = wait_for_status(full, [](const NodeStatus& s) { return s.healthy(); });
  // Itself it may have written a block since.
  EXPECT_GE(at_once.height(), history->height);
  EXPECT_LE(at_once.blocks_read(), at_once.height() - history->height) << "an old block was read";

  // It reads for some seconds. If nobody looked in time on a busy machine, it does so once more.
  NodeStatus reading;
  reading.set_healthy(true);
  Ran rebuilt;
  for (int attempt = 0; attempt < 5 && reading.healthy(); ++attempt) {
    ASSERT_EQ(network.testnet("kill pepsi-sequencer").exit_code, 0);
    std::filesystem::remove_all(empty.folder + "/data/cache");
    Background rebuild("testnet restart pepsi-sequencer" + network.options());
    reading = wait_for_status(
        empty, [](const NodeStatus& s) { return s.reason().find(" left") != std::string::npos || s.healthy(); });
    rebuilt = rebuild.wait();
    EXPECT_EQ(rebuilt.exit_code, 0) << rebuilt.output;
  }
  EXPECT_FALSE(reading.healthy());
  EXPECT_THAT(reading.reason(), HasSubstr("reads what it has missed of the log"));
  EXPECT_THAT(reading.reason(), ContainsRegex("block [0-9]+ of [0-9]+, [0-9]+ blocks/s, about [0-9]+ s left"));
  EXPECT_THAT(read_text(empty.log_file()), HasSubstr("has read the log up to height"));
  EXPECT_EQ(disagreement(*plan), "");
  const NodeStatus again = wait_for_status(empty, [](const NodeStatus& s) { return s.healthy(); });
  EXPECT_EQ(again.blocks_read(), again.height() + 1) << "from the first block on";
  EXPECT_THAT(unexplained(*plan), IsEmpty());
}

}  // namespace
}  // namespace synod::e2e
