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

TEST_F(NetworkPlanTest, MediatorsAreInGroups) {
  const auto given = load_plan("testnet/three-orgs.yaml", "");
  ASSERT_TRUE(given) << given.error().to_string();
  ASSERT_EQ(given->mediator_groups.size(), 1u);
  EXPECT_EQ(given->mediator_groups[0].threshold, 2u);
  EXPECT_THAT(given->mediator_groups[0].mediators, ElementsAre("coke-mediator", "pepsi-mediator", "fanta-mediator"));

  const std::string three = std::string(kCentre) + "  - {name: east, nodes: [mediator]}\n" +
                            "  - {name: west, nodes: [mediator]}\nmediator-groups:\n";
  const auto two = load(network(three + "  - {mediators: [hub]}\n  - {threshold: 2, mediators: [west, east]}\n"));
  ASSERT_TRUE(two) << two.error().to_string();
  ASSERT_EQ(two->mediator_groups.size(), 2u);
  EXPECT_EQ(two->mediator_groups[0].threshold, 1u);
  EXPECT_THAT(two->mediator_groups[1].mediators, ElementsAre("west-mediator", "east-mediator"));
  const auto alone = load(network(kCentre));
  ASSERT_TRUE(alone) << alone.error().to_string();
  ASSERT_EQ(alone->mediator_groups.size(), 1u);
  EXPECT_THAT(alone->mediator_groups[0].mediators, ElementsAre("hub-mediator"));
}

TEST_F(NetworkPlanTest, WrongGroupsAreRefusedWithTheirLine) {
  const std::string all = std::string(kCentre) +                     // line 4
                          "  - {name: east, nodes: [mediator]}\n" +  // 5
                          "  - name: west\n" +                       // 6
                          "    nodes: [mediator]\n";                 // 7
  const std::string groups = all + "mediator-groups:\n";             // 8
  EXPECT_THAT(error_of(network(all)), HasSubstr("network.yaml:5: 3 mediators, but no mediator-groups say"));
  EXPECT_THAT(error_of(network(groups + "  - {threshold: 2, mediators: [hub, east]}\n")),
              HasSubstr("network.yaml:7: the mediator of 'west' is in no mediator group"));
  EXPECT_THAT(error_of(network(groups + "  - mediators: [hub, east, west]\n    threshold: 4\n")),
              HasSubstr("network.yaml:10: threshold 4 of a group of 3 must lie between 1 and 3"));
  EXPECT_THAT(error_of(network(groups + "  - {threshold: 0, mediators: [hub, east, west]}\n")),
              HasSubstr("network.yaml:9: threshold 0"));
  EXPECT_THAT(error_of(network(groups + "  - mediators:\n    - hub\n    - north\n")),
              HasSubstr("network.yaml:11: there is no organisation 'north'"));
  EXPECT_THAT(error_of(network(groups + "  - {mediators: [hub, east]}\n  - {mediators: [west, hub]}\n")),
              HasSubstr("network.yaml:10: the mediator of 'hub' is in a group already"));
  EXPECT_THAT(error_of(network(groups + "  - {mediators: [hub, east, west]}\n  - {threshold: 1}\n")),
              HasSubstr("network.yaml:10: a mediator group needs mediators"));
  EXPECT_THAT(error_of(network(std::string(kCentre) + "  - {name: east, nodes: [sequencer]}\nmediator-groups:\n" +
                               "  - {mediators: [hub, east]}\n")),
              HasSubstr("network.yaml:7: organisation 'east' runs no mediator"));
}

TEST_F(NetworkPlanTest, AMediatorMayHaveReplicas) {
  const auto plan = load(network(std::string(kCentre) + "    # one more\n" +
                                 "  - {name: east, nodes: [mediator, sequencer], mediator-replicas: 3}\n" +
                                 "mediator-groups: [{threshold: 2, mediators: [hub, east]}]\n"));
  ASSERT_TRUE(plan) << plan.error().to_string();
  EXPECT_EQ(plan->with_role(Role::mediator).size(), 4u);
  const NodePlan& first = **plan->find("east-mediator");
  const NodePlan& third = **plan->find("east-mediator-3");
  EXPECT_FALSE(first.is_replica());
  EXPECT_EQ(third.replica_of, "east-mediator");
  EXPECT_EQ(third.folder, folder_ + "/data/east/mediator-3");
  EXPECT_EQ(third.public_port, first.public_port + 4);
  EXPECT_EQ((*plan->find("east-sequencer"))->public_port, first.public_port + 6);
  EXPECT_THAT(plan->mediator_groups[0].mediators, ElementsAre("hub-mediator", "east-mediator"));
  EXPECT_TRUE(load_plan("testnet/mediator-replicas.yaml", ""));

  EXPECT_THAT(error_of(network(std::string(kCentre) + "  - name: east\n    mediator-replicas: 2\n")),
              HasSubstr("network.yaml:6: organisation 'east' runs no mediator"));
  EXPECT_THAT(error_of(network("  - {name: east, nodes: [mediator], mediator-replicas: 0}\n")),
              HasSubstr("network.yaml:4: mediator-replicas must lie between 1 and 8"));
}

TEST_F(NetworkPlanTest, WrongFilesAreRefusedWithTheirReason) {
  const std::string hub = "  - {name: hub, nodes: ";
  EXPECT_THAT(error_of("network: pair\norganizations: []\n"), HasSubstr("network.yaml:2: unknown key 'organizations'"));
  EXPECT_THAT(error_of("network: Coke & Pepsi\n"), HasSubstr("network.yaml:1: network must be a short name"));
  EXPECT_THAT(error_of("network: pair\nfirst-port: 80\n"), HasSubstr("network.yaml:2: first-port must lie between"));
  EXPECT_THAT(error_of(network(hub + "[validator]}\n")), HasSubstr("network.yaml:4: 'validator' is no role"));
  EXPECT_THAT(error_of(network("  - {name: ../up, nodes: [sequencer]}\n")),
              HasSubstr("network.yaml:4: '../up' is no name of an organisation"));
  EXPECT_THAT(error_of(network(hub + "[sequencer, sequencer]}\n")),
              HasSubstr("network.yaml:4: organisation 'hub' has two"));
  EXPECT_THAT(error_of(network(hub + "[orderer, mediator]}\n")),
              HasSubstr("network.yaml:4: a network needs a sequencer"));
  EXPECT_THAT(error_of(network(hub + "[orderer, sequencer]}\n")),
              HasSubstr("network.yaml:4: a network needs a mediator"));
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
