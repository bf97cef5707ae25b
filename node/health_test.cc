// What gRPC's health says of each role is what its status says, from the first moment on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <filesystem>
#include <fstream>
#include <future>

#include "base/testing/expect_log.h"
#include "node/testing/roles_in_one_process.h"
#include "ordering/fabric_wire/fabric_log.h"
#include "rpc/channel.h"
#include "rpc/health_watch.h"
#include "rpc/stream_reader.h"
#include "synod/admin.pb.h"

namespace synod::node {
namespace {

using testing::eventually;
using ::testing::HasSubstr;

// As a gRPC client hears it.
bool serves(int port) {
  struct Answer {
    std::promise<bool> first;
    std::promise<void> ended;
    bool told = false;
  };
  const auto answer = std::make_shared<Answer>();
  const auto channel = rpc::make_channel({.target = "127.0.0.1:" + std::to_string(port)}).value();
  const auto tell = [answer](bool serving) {
    if (!std::exchange(answer->told, true)) answer->first.set_value(serving);
  };
  const auto watch = rpc::watch_health(channel, "",
                                       {[tell](bool serving) { tell(serving); },
                                        [tell, answer](const Error&) {
                                          tell(false);
                                          answer->ended.set_value();
                                        }});
  const bool serving = answer->first.get_future().get();
  watch->cancel();
  answer->ended.get_future().get();
  return serving;
}

class FakeNode final : public Node {
 public:
  void status(synod::admin::v1::NodeStatus& out) const override {
    ++asked;
    out.set_healthy(healthy);
    if (!healthy) out.set_reason("its disk is full");
  }
  void stop(Duration) override {}
  std::atomic<bool> healthy = false;
  mutable std::atomic<int> asked = 0;
};

TEST(HealthReporterTest, FollowsTheStatus) {
  FakeNode node;
  rpc::Health one, other;
  const auto both = [&](bool serving) {
    return eventually([&] {
      return one.snapshot()[""].serving == serving && other.snapshot()[""].serving == serving && node.asked > 0;
    });
  };
  HealthReporter reporter(node, {&one, &other});
  ASSERT_TRUE(eventually([&] { return one.snapshot()[""].reason == "its disk is full"; }));
  EXPECT_TRUE(both(false));
  node.healthy = true;
  EXPECT_TRUE(both(true));
  node.healthy = false;
  EXPECT_TRUE(both(false));
  EXPECT_EQ(other.snapshot()[""].reason, "its disk is full");
}

// The status of a node with many members is long, and is not made twice a second for nobody.
TEST(HealthReporterTest, DoesNotAskANodeForItsStatusThatTellsItsHealthWithout) {
  class TellsHealth final : public Node {
   public:
    void status(synod::admin::v1::NodeStatus&) const override { ADD_FAILURE() << "is not asked for"; }
    Status health() const override { return fail(unavailable("X", "its disk is full")); }
    void stop(Duration) override {}
  } node;
  rpc::Health one;
  HealthReporter reporter(node, {&one});
  EXPECT_TRUE(eventually([&] { return one.snapshot()[""].reason == "its disk is full"; }));
}

class RoleHealthTest : public testing::RolesInOneProcess {
 protected:
  void TearDown() override {
    nodes_.clear();
    ::umount2((folder_ + "/orderer").c_str(), MNT_DETACH);  // of one test
    RolesInOneProcess::TearDown();
  }
  // Everywhere: at the role's own port, where it has one, and at the admin port.
  bool well(const std::string& role) { return says(role, true); }
  bool unwell(const std::string& role) { return says(role, false); }
  bool says(const std::string& role, bool serving) {
    RunningNode& running = *nodes_.at(role);
    if (serves(running.admin().port()) != serving) return false;
    for (rpc::Health* health : running.node().healths())
      if (health->snapshot()[""].serving != serving) return false;
    return role != "sequencer" || serves(sequencer_port_) == serving;
  }
  std::string reason(const std::string& role) { return nodes_.at(role)->admin().health().snapshot()[""].reason; }
};

TEST_F(RoleHealthTest, MembersServeWhileTheyAreConnected) {
  const std::vector<std::string> members{"mediator", "topology-manager", "participant"};
  for (const auto& role : members) {
    start(role);
    EXPECT_TRUE(unwell(role)) << role;
    EXPECT_TRUE(eventually([&] { return !reason(role).empty() && reason(role) != "starting"; })) << role;
    EXPECT_TRUE(unwell(role)) << role;
  }
  start("orderer");
  start("sequencer");
  for (const auto& role : members) EXPECT_TRUE(eventually([&] { return well(role); })) << role << ": " << reason(role);
  nodes_.erase("sequencer");
  for (const auto& role : members) {
    EXPECT_TRUE(eventually([&] { return unwell(role); })) << role;
    EXPECT_NE(reason(role), "") << role;
  }
}

TEST_F(RoleHealthTest, ASequencerServesWhileItHasItsOrderingService) {
  start("sequencer");
  EXPECT_TRUE(unwell("sequencer"));
  EXPECT_TRUE(eventually([&] { return reason("sequencer").find("ordering service") != std::string::npos; }));
  EXPECT_TRUE(unwell("sequencer"));
  start("orderer");
  EXPECT_TRUE(eventually([&] { return well("sequencer"); })) << reason("sequencer");
  nodes_.erase("orderer");
  EXPECT_TRUE(eventually([&] { return unwell("sequencer"); }));
  EXPECT_THAT(reason("sequencer"), HasSubstr("ordering service"));
}

TEST_F(RoleHealthTest, AnOrdererServesWhileItsDiskTakesBlocks) {
  const std::string disk = folder_ + "/orderer";
  std::filesystem::create_directories(disk);
  if (::mount("none", disk.c_str(), "tmpfs", 0, "size=1m") != 0) {
    start("orderer");
    EXPECT_TRUE(eventually([&] { return well("orderer"); }));
    GTEST_SKIP() << "SKIPPED: mounting a small tmpfs needs root";
  }
  synod::testing::expect_log("read-only");
  start("orderer");
  EXPECT_TRUE(eventually([&] { return well("orderer"); }));
  ordering::fabric_wire::FabricLogConfig log_config;
  log_config.endpoints = {"127.0.0.1:" + std::to_string(orderer_port_)};
  const auto log = ordering::fabric_wire::connect_fabric(log_config).value();
  const auto with_traffic = [&](const std::function<bool()>& condition) {
    return eventually([&] {
      log->submit(Bytes(100'000, 'x'), [](const ordering::SubmitResult&) {});
      return condition();
    });
  };
  {
    std::ofstream filler(disk + "/filler", std::ios::binary);  // somebody else's
    filler << std::string(1u << 20, 'x');
  }
  EXPECT_TRUE(with_traffic([&] { return unwell("orderer"); })) << "still serving";
  EXPECT_THAT(reason("orderer"), HasSubstr("read_only"));
  ASSERT_EQ(::mount("none", disk.c_str(), "tmpfs", MS_REMOUNT, "size=64m"), 0);
  EXPECT_TRUE(with_traffic([&] { return well("orderer"); })) << reason("orderer");
  log->stop(Duration::seconds(1));
}

}  // namespace
}  // namespace synod::node
