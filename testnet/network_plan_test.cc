#include "testnet/network_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/testing/temporary_folder.h"

namespace synod::testnet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class NetworkPlanTest : public ::testing::Test {
 protected:
  void SetUp() override { folder_ = synod::testing::new_folder("plan"); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Result<NetworkPlan> load(const std::string& text) {
    const std::string file = folder_ + "/network.yaml";
    std::ofstream(file) << text;
    return load_plan(file, folder_ + "/data");
  }
  std::string error_of(const std::string& text) {
    const auto plan = load(text);
    return plan ? "no error" : plan.error().to_string();
  }

  std::string folder_;
};

// The file without one of its parts is what the tests vary.
std::string network(const std::string& organisations) {
  return "network: pair\nfirst-port: 20000\norganisations:\n" + organisations;
}
constexpr char kCentre[] = "  - {name: hub, nodes: [participant, topology-manager, mediator, sequencer, orderer]}\n";

TEST_F(NetworkPlanTest, TheGivenNetworkIsValid) {
  const auto plan = load_plan("testnet/two-orgs.yaml", "");
  ASSERT_TRUE(plan) << plan.error().to_string();
  EXPECT_EQ(plan->nodes.size(), 7u);
  EXPECT_EQ(plan->folder, (std::filesystem::current_path() / "testnet-data/two-orgs").string());
  EXPECT_EQ(plan->with_role(Role::sequencer).size(), 2u);
}

TEST_F(NetworkPlanTest, NodesStartBeforeThoseThatConnectToThemAndKeepTheirPorts) {
  const auto plan = load(network(kCentre));
  ASSERT_TRUE(plan) << plan.error().to_string();
  std::vector<std::string> names;
  for (const NodePlan& node : plan->nodes) names.push_back(node.name);
  EXPECT_THAT(names,
              ElementsAre("hub-orderer", "hub-sequencer", "hub-mediator", "hub-topology-manager", "hub-participant"));
  // Ports follow the file, not the order of starting: a node added at the end changes nobody else's port.
  EXPECT_EQ(plan->nodes[4].public_port, 20000);
  EXPECT_EQ(plan->nodes[0].public_port, 20008);
  EXPECT_EQ(plan->nodes[0].admin_port, 20009);
  EXPECT_EQ(plan->nodes[0].folder, folder_ + "/data/hub/orderer");
}

TEST_F(NetworkPlanTest, NodesAreFoundByNameOrByARoleThatOnlyOneHas) {
  const auto plan = load(network(std::string(kCentre) + "  - {name: spoke, nodes: [sequencer]}\n"));
  ASSERT_TRUE(plan) << plan.error().to_string();
  EXPECT_EQ((*plan->find("spoke-sequencer"))->organisation, "spoke");
  EXPECT_EQ((*plan->find("mediator"))->name, "hub-mediator");
  const auto ambiguous = plan->find("sequencer");
  ASSERT_FALSE(ambiguous);
  EXPECT_EQ(ambiguous.error().id, "NODE_NOT_FOUND");
  EXPECT_THAT(ambiguous.error().to_string(), HasSubstr("hub-sequencer, spoke-sequencer"));
}

TEST_F(NetworkPlanTest, CachesAreWhereTheLogIsOnlyInTheSqlDomain) {
  const auto cache = [&](const std::string& lines, const std::string& ordering, const std::string& asked) {
    const std::string file = folder_ + "/network.yaml";
    std::ofstream(file) << lines << network(kCentre);
    const auto plan = load_plan(file, folder_ + "/data", ordering, asked);
    return plan ? plan->cache : plan.error().to_string();
  };
  EXPECT_EQ(cache("", "", ""), "rocksdb");
  EXPECT_EQ(cache("", "fabric", ""), "rocksdb");
  EXPECT_EQ(cache("", "postgres", ""), "postgres");
  EXPECT_EQ(cache("ordering: postgres\n", "", ""), "postgres");
  EXPECT_EQ(cache("ordering: postgres\n", "", "rocksdb"), "rocksdb");
  EXPECT_EQ(cache("cache: rocksdb\n", "postgres", ""), "rocksdb");
  EXPECT_THAT(cache("cache: paper\n", "", ""), HasSubstr("cache 'paper' is none of"));
}

TEST_F(NetworkPlanTest, WrongFilesAreRefusedWithTheirReason) {
  EXPECT_THAT(error_of("network: pair\norganizations: []\n"), HasSubstr("network.yaml:2: unknown key 'organizations'"));
  EXPECT_THAT(error_of("network: Coke & Pepsi\n"), HasSubstr("short name"));
  EXPECT_THAT(error_of("network: pair\nfirst-port: 80\n"), HasSubstr("first-port must lie between"));
  EXPECT_THAT(error_of(network("  - {name: hub, nodes: [validator]}\n")), HasSubstr("'validator' is no role"));
  EXPECT_THAT(error_of(network("  - {name: ../up, nodes: [sequencer]}\n")), HasSubstr("no name of an organisation"));
  EXPECT_THAT(error_of(network("  - {name: hub, nodes: [sequencer, sequencer]}\n")), HasSubstr("two nodes of role"));
  EXPECT_THAT(error_of(network("  - {name: hub, nodes: [orderer]}\n")), HasSubstr("needs a sequencer"));
  EXPECT_THAT(error_of(network("  - {name: hub, nodes: [orderer, sequencer]}\n")), HasSubstr("exactly one mediator"));
  const auto none = load_plan(folder_ + "/absent.yaml", "");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().id, "CONFIG_NOT_FOUND");
}

TEST_F(NetworkPlanTest, RolesReadAsTheyAreWritten) {
  for (const Role role : {Role::orderer, Role::sequencer, Role::mediator, Role::topology_manager, Role::participant})
    EXPECT_EQ(parse_role(to_string(role)).value(), role);
}

}  // namespace
}  // namespace synod::testnet
