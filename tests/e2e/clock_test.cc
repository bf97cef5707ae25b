// A sequencer whose wall clock jumps by hours, forwards and back, while the others' clocks are right.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/wrong_clock.h"
#include "testnet/network_plan.h"
#include "tests/e2e/command_line.h"
#include "tests/e2e/ping_load.h"
#include "tests/e2e/watch.h"

namespace synod::e2e {
namespace {

using synod::admin::v1::NodeStatus;
using ::testing::IsEmpty;

TEST(Clocks, ASequencersClockThatJumpsForwardAndBackHoldsNobodyUp) {
  TestNetwork network;
  ASSERT_EQ(network.testnet("up --detach").exit_code, 0);
  const auto plan = testnet::load_plan(network.network_file(), network.data());
  ASSERT_TRUE(plan) << plan.error().to_string();
  const testnet::NodePlan &jumping = **plan->find("coke-sequencer"), &other = **plan->find("pepsi-sequencer");
  const std::string file = network.folder() + "/wrong-by";
  replace_in(jumping.config_file(), "wrong-clock: .*", "wrong-clock: " + file);
  ASSERT_EQ(network.testnet("restart coke-sequencer").exit_code, 0);
  const auto clock = WrongClock::open(file);
  ASSERT_TRUE(clock) << clock.error().to_string();
  auto load = PingLoad::start(*plan);
  ASSERT_TRUE(load);
  ASSERT_TRUE(load->wait_answered(3)) << load->state();
  const Timestamp begin = system_clock()->now();

  (*clock)->set_ahead(Duration::seconds(2 * 3600));
  EXPECT_TRUE(load->wait_answered(10)) << load->state();
  // The jump is real: it has taken the synchronizer's time along, as the other sequencer tells it.
  const auto far = [&](const NodeStatus& s) {
    return s.sequencing_time_micros() > (begin + Duration::seconds(3600)).micros;
  };
  EXPECT_TRUE(far(wait_for_status(other, far)));

  (*clock)->set_ahead(Duration::seconds(3600));
  EXPECT_TRUE(load->wait_answered(10)) << load->state();
  (*clock)->set_ahead(Duration::seconds(-3600));
  EXPECT_TRUE(load->wait_answered(10)) << load->state();
  (*clock)->set_ahead({});
  EXPECT_TRUE(load->wait_answered(10)) << load->state();

  // With the clock behind by hours, also a restart of either finds its way.
  for (const char* name : {"coke-sequencer", "pepsi-sequencer"}) {
    ASSERT_EQ(network.testnet(std::string("restart ") + name).exit_code, 0);
    EXPECT_TRUE(load->wait_answered(3)) << load->state();
  }
  EXPECT_TRUE(load->finish()) << load->state();
  EXPECT_EQ(disagreement(*plan), "");
  EXPECT_THAT(load->audit(), IsEmpty());
  EXPECT_THAT(unexplained(*plan), IsEmpty());
}

}  // namespace
}  // namespace synod::e2e
