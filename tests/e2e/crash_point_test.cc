// A node dies at each of the places in base/crash_point.h, under load, and is started again: nothing that was
// acknowledged is lost, nothing takes effect twice, and nobody has to help.
#include "base/crash_point.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "testnet/ledger_client.h"
#include "testnet/process.h"
#include "tests/e2e/command_line.h"
#include "tests/e2e/ping_load.h"
#include "tests/e2e/watch.h"

namespace synod::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testnet::NodePlan;
using testnet::Role;

TEST(CrashPoints, ANodeThatDiesAtAnyOfThemGoesOnAndNothingIsLostOrDoubled) {
  TestNetwork network;
  const Ran up = network.testnet("up --detach");
  ASSERT_EQ(up.exit_code, 0) << up.output;
  const auto plan = testnet::load_plan(network.network_file(), network.data());
  ASSERT_TRUE(plan) << plan.error().to_string();
  const auto load = PingLoad::start(*plan);
  ASSERT_TRUE(load);
  const NodePlan& other = *plan->with_role(Role::participant).back();
  testnet::LedgerClient ledger("127.0.0.1:" + std::to_string(other.public_port), "");

  for (const CrashPoint& point : crash_points::kAll) {
    SCOPED_TRACE(point.name);
    const auto role = testnet::parse_role(std::string(point.role));
    ASSERT_TRUE(role) << role.error().to_string();
    const NodePlan& node = *plan->with_role(*role).front();
    ASSERT_NE(node.name, other.name);
    ASSERT_EQ(network.testnet("kill " + node.name).exit_code, 0);
    // Nodes inherit the environment of the command that starts them. It may die before it is ready, which this tells.
    synod("testnet restart " + node.name + network.options(), "SYNOD_CRASH_POINT=" + std::string(point.name));
    // Topology managers have to do with topology only.
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(300);
    for (int tries = 0; testnet::running(node) && std::chrono::steady_clock::now() < give_up; ++tries) {
      if (*role == Role::topology_manager) ledger.allocate_party("newcomer-" + std::to_string(tries));
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    ASSERT_FALSE(testnet::running(node)) << "it never came to this point";
    // It did not end in another way.
    ASSERT_THAT(read_text(node.log_file()), HasSubstr("dies at crash point " + std::string(point.name)));
    const Ran restart = network.testnet("restart " + node.name);
    ASSERT_EQ(restart.exit_code, 0) << restart.output;
    ASSERT_TRUE(load->wait_answered(2)) << load->state() << network.testnet("logs -n 40").output;
  }
  ASSERT_TRUE(load->finish()) << load->state();
  EXPECT_EQ(disagreement(*plan), "");
  EXPECT_THAT(load->audit(), IsEmpty());
  EXPECT_THAT(unexplained(*plan), IsEmpty());
}

}  // namespace
}  // namespace synod::e2e
