// kill -9 of everything at once, as when the power fails, while both organisations transact; then the network is
// brought up as it was the first time: nothing that was acknowledged is lost, nothing takes effect twice, and nobody
// has to help.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <thread>

#include "testnet/process.h"
#include "tests/e2e/command_line.h"
#include "tests/e2e/ping_load.h"
#include "tests/e2e/watch.h"

namespace synod::e2e {
namespace {

using synod::admin::v1::NodeStatus;
using ::testing::IsEmpty;
using testnet::NodePlan;
using testnet::Role;

std::int64_t ledger_end(const NodePlan& participant) {
  const NodeStatus status = wait_for_status(participant, [](const NodeStatus& s) { return s.has_offset(); });
  EXPECT_TRUE(status.has_offset()) << participant.name << " does not say where its ledger ends";
  return status.offset();
}

// Signals to all before it waits for any: none of them sees another one go and has time for much.
void kill_everything(const testnet::NetworkPlan& plan) {
  std::vector<pid_t> pids;
  for (const NodePlan& node : plan.nodes) {
    const auto pid = testnet::running(node);
    ASSERT_TRUE(pid) << node.name << " does not run";
    pids.push_back(*pid);
  }
  for (const pid_t pid : pids) ASSERT_EQ(::kill(pid, SIGKILL), 0);
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(120);
  for (const NodePlan& node : plan.nodes) {
    while (testnet::running(node) && std::chrono::steady_clock::now() < give_up)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    ASSERT_FALSE(testnet::running(node)) << node.name << " is still there";
  }
}

TEST(Blackout, EverythingIsKilledAtOnceAndNothingAcknowledgedIsLost) {
  TestNetwork network;
  const Ran first_up = network.testnet("up --detach");
  ASSERT_EQ(first_up.exit_code, 0) << first_up.output;
  const auto plan = testnet::load_plan(network.network_file(), network.data());
  ASSERT_TRUE(plan) << plan.error().to_string();
  const auto participants = plan->with_role(Role::participant);
  ASSERT_EQ(participants.size(), 2u);
  const auto load = PingLoad::start(*plan);
  ASSERT_TRUE(load);

  ASSERT_TRUE(load->wait_answered(2)) << load->state();
  std::vector<std::int64_t> before;
  for (const NodePlan* participant : participants) before.push_back(ledger_end(*participant));
  ASSERT_NO_FATAL_FAILURE(kill_everything(*plan));
  EXPECT_EQ(network.testnet("status").exit_code, 3);
  const Ran up = network.testnet("up --detach");
  ASSERT_EQ(up.exit_code, 0) << up.output;
  for (std::size_t i = 0; i < participants.size(); ++i)
    EXPECT_GE(ledger_end(*participants[i]), before[i]) << participants[i]->name;
  // Some of the load may stand still for a minute: what a participant had taken and no sequencer had ordered is decided
  // when its time is over. Others need not wait for it.
  Ran ping;
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(120);
  do {
    ping = network.run("ping --count 2 --json");
  } while (ping.exit_code != 0 && std::chrono::steady_clock::now() < give_up);
  EXPECT_EQ(ping.exit_code, 0) << ping.output << network.testnet("logs -n 40").output;
  EXPECT_THAT(load->lost(), IsEmpty());
  load->finish(std::chrono::seconds(0));  // no new pings from now on; whether all are answered is not waited for
  EXPECT_EQ(disagreement(*plan), "");
  EXPECT_THAT(unexplained(*plan), IsEmpty());
  // Ends the calls of the load, or it would wait for them.
  EXPECT_EQ(network.testnet("down").exit_code, 0);
}

}  // namespace
}  // namespace synod::e2e
