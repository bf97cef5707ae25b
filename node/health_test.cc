// What gRPC's health says of each role is what its status says, from the first moment on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <thread>

#include "base/env.h"
#include "base/process.h"
#include "base/testing/expect_log.h"
#include "base/testing/temporary_folder.h"
#include "node/founding.h"
#include "node/running_node.h"
#include "ordering/fabric_wire/fabric_log.h"
#include "rpc/channel.h"
#include "rpc/health_watch.h"
#include "rpc/stream_reader.h"
#include "synod/admin.pb.h"

namespace synod::node {
namespace {

using ::testing::HasSubstr;

constexpr std::chrono::seconds kPatience(60);

::testing::AssertionResult eventually(const std::function<bool()>& condition) {
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > give_up) return ::testing::AssertionFailure() << "not within 60 s";
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return ::testing::AssertionSuccess();
}

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

class RoleHealthTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = synod::testing::new_folder("health");
    orderer_port_ = free_port();
    sequencer_port_ = free_port();
    found();
  }
  void TearDown() override {
    nodes_.clear();
    ::umount2((folder_ + "/orderer").c_str(), MNT_DETACH);  // of one test
    std::filesystem::remove_all(folder_);
  }

  NodeFile file(const std::string& role) {
    NodeFile file;
    file.name = file.role = role;
    file.data_folder = folder_ + "/" + role;
    const std::vector<std::string> sequencers{"127.0.0.1:" + std::to_string(sequencer_port_)};
    if (role == "orderer") {
      file.public_api.port = orderer_port_;
      file.orderer.allow_unsigned = true;
    } else if (role == "sequencer") {
      file.public_api.port = sequencer_port_;
      file.sequencer.genesis = folder_ + "/genesis.bin";
      file.sequencer.ordering.addresses = {"127.0.0.1:" + std::to_string(orderer_port_)};
    } else if (role == "mediator") {
      file.mediator.sequencers.addresses = sequencers;
    } else if (role == "topology-manager") {
      file.topology_manager.sequencers.addresses = sequencers;
    } else {
      file.participant.node.sequencers = {{sequencers[0], false}};
    }
    return file;
  }
  void start(const std::string& role) {
    auto running = RunningNode::start(file(role));
    ASSERT_TRUE(running) << running.error().to_string();
    nodes_[role] = std::move(*running);
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

  std::map<std::string, std::unique_ptr<RunningNode>> nodes_;

 private:
  void found() {
    const auto random = system_random();
    const auto identity = [&](protocol::MemberKind kind, const std::string& role) {
      auto opened = open_identity(kind, role, folder_ + "/" + role, *random);
      EXPECT_TRUE(opened) << opened.error().to_string();
      return std::move(*opened);
    };
    const Founders founders{"synod",
                            identity(protocol::MemberKind::participant, "topology-manager"),
                            {identity(protocol::MemberKind::sequencer, "sequencer").introduction},
                            {identity(protocol::MemberKind::mediator, "mediator").introduction}};
    const auto genesis = found_synchronizer(founders);
    ASSERT_TRUE(genesis) << genesis.error().to_string();
    ASSERT_TRUE(write_genesis(folder_ + "/genesis.bin", *genesis));
  }

 protected:
  std::string folder_;
  int orderer_port_ = 0, sequencer_port_ = 0;
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
