// The group of sequencers grows and shrinks under load, and a rival's sequencer never holds what is not its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <thread>
#include <vector>

#include "ledger/commands.pb.h"
#include "ordering/engines/fabric_tools.h"
#include "ordering/engines/postgres_engine.h"
#include "testnet/applications.h"
#include "testnet/ledger_client.h"
#include "testnet/network_plan.h"
#include "tests/e2e/command_line.h"
#include "tests/e2e/ping_load.h"
#include "tests/e2e/served_certificate.h"
#include "tests/e2e/watch.h"

namespace synod::e2e {
namespace {

using synod::admin::v1::NodeStatus;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

namespace engines = ordering::engines;

// One that is too busy to answer is asked again.
boost::json::object node_of(const TestNetwork& network, const std::string& name) {
  boost::json::object found;
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(120);
  do {
    const boost::json::object status = boost::json::parse(network.testnet("status --json").output).as_object();
    for (const auto& item : status.at("nodes").as_array())
      if (item.as_object().at("name").as_string() == name) found = item.as_object();
  } while (!found.contains("member") && std::chrono::steady_clock::now() < give_up);
  EXPECT_TRUE(found.contains("member")) << "no node " << name << " that answers";
  return found;
}

std::int64_t number(const boost::json::object& node, const char* key) { return node.at(key).to_number<std::int64_t>(); }

std::string admin_of(const TestNetwork& network, const std::string& name) {
  return " --admin 127.0.0.1:" + std::to_string(number(node_of(network, name), "adminPort"));
}

testnet::NetworkPlan plan_of(const TestNetwork& network) {
  auto plan = testnet::load_plan(network.network_file(), network.data());
  if (!plan) ADD_FAILURE() << plan.error().to_string();
  return plan ? std::move(*plan) : testnet::NetworkPlan{};
}

class ChangingGroup : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const std::string ordering = GetParam();
    const std::string missing = ordering == "fabric"     ? engines::missing_for_fabric(engines::default_engine_cache())
                                : ordering == "postgres" ? engines::missing_for_postgres()
                                                         : "";
    if (!missing.empty()) GTEST_SKIP() << "SKIPPED: " << missing;
    network_ = std::make_unique<TestNetwork>();
    run("up --detach --ordering " + ordering);
  }
  void TearDown() override {
    if (HasFailure() && network_) std::cout << network_->testnet("logs -n 40").output;
    load_.reset();
  }

  void run(const std::string& command) {
    const Ran ran = network_->testnet(command);
    ASSERT_EQ(ran.exit_code, 0) << command << ": " << ran.output;
  }
  void expect_progress(const std::string& after, int pings = 5) {
    ASSERT_TRUE(load_->wait_answered(pings)) << "after " << after << ": " << load_->state();
  }

  // What it got of its peer is the state; whom it is to the ordering service, and where it keeps its cache, is its own.
  void expect_things_of_its_own() {
    const std::string config = read_text(network_->file("bottler/sequencer/node.yaml"));
    EXPECT_THAT(config, Not(AnyOf(HasSubstr("coke"), HasSubstr("pepsi"))));
    if (std::string(GetParam()) == "fabric") {
      EXPECT_THAT(config, HasSubstr("msp-id: bottler"));
    }
    if (std::string(GetParam()) == "postgres") {
      EXPECT_THAT(config, HasSubstr("schema: cache_bottler_sequencer"));
      EXPECT_FALSE(std::filesystem::exists(network_->file("bottler/sequencer/data/cache")));
    }
  }

  // Certificates with which this sequencer's organisation uses Fabric: in its envelopes, and in mutual TLS.
  std::vector<std::string> fabric_certificates(const testnet::NodePlan& sequencer) const {
    const std::string& name = sequencer.organisation;
    const std::string user = "ordering/crypto/peerOrganizations/" + name + ".synod/users/User1@" + name + ".synod/";
    return {network_->file(user + "msp/signcerts/User1@" + name + ".synod-cert.pem"),
            network_->file(user + "tls/client.crt")};
  }

  // Orderers keep blocks with the envelopes as they were signed.
  void expect_signs_with(const std::string& certificate_file) {
    const std::string certificate = read_text(certificate_file);
    const std::string blocks = network_->file("ordering/orderer1/ledger/chains/synod/blockfile_000000");
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(120);
    while (read_text(blocks).find(certificate) == std::string::npos && std::chrono::steady_clock::now() < give_up)
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    EXPECT_NE(read_text(blocks).find(certificate), std::string::npos)
        << "no envelope is signed with " + certificate_file;
  }

  // The certificate that a client is shown is the new one, and soon; so are those that Fabric is shown.
  void rotate(const std::string& sequencer) {
    const testnet::NetworkPlan plan = plan_of(*network_);
    const testnet::NodePlan& node = **plan.find(sequencer);
    std::vector<std::string> clients, former_clients;
    if (std::string(GetParam()) == "fabric") clients = fabric_certificates(node);
    for (const std::string& file : clients) former_clients.push_back(certificate_in(file));
    const std::string former = shown_certificate(node.public_port);
    ASSERT_EQ(former, certificate_in(node.folder + "/tls.pem"));
    ASSERT_NE(former, "");
    ASSERT_NO_FATAL_FAILURE(run("rotate-keys " + sequencer));
    const std::string renewed = certificate_in(node.folder + "/tls.pem");
    EXPECT_NE(renewed, former);
    EXPECT_EQ(shown_certificate(node.public_port), renewed) << sequencer << ": from handshake to handshake";
    expect_progress("rotate-keys " + sequencer);
    for (std::size_t i = 0; i < clients.size(); ++i) {
      EXPECT_NE(former_clients[i], "") << clients[i];
      EXPECT_THAT(certificate_in(clients[i]), Not(AnyOf("", former_clients[i]))) << clients[i];
    }
    if (!clients.empty()) expect_signs_with(clients[0]);
  }

  // Connections to other orderers stand, and began with the former certificate, by which orderers know them.
  void leave_an_orderer() {
    ASSERT_NO_FATAL_FAILURE(run("kill fabric-orderer2"));  // whom pepsi's sequencer reads from
    ASSERT_NO_FATAL_FAILURE(expect_progress("kill fabric-orderer2"));
    const NodeStatus status =
        wait_for_status(**plan_of(*network_).find("pepsi-sequencer"), [](const NodeStatus& s) { return s.healthy(); });
    EXPECT_TRUE(status.healthy()) << status.ShortDebugString();
    ASSERT_NO_FATAL_FAILURE(run("restart fabric-orderer2"));
  }

  std::unique_ptr<TestNetwork> network_;
  std::unique_ptr<PingLoad> load_;
};

TEST_P(ChangingGroup, GrowsShrinksAndRenewsItsKeysUnderLoad) {
  const std::string coke = read_text(network_->file("coke/participant/pid"));
  const std::string mediator = read_text(network_->file("consortium/mediator/pid"));
  load_ = PingLoad::start(plan_of(*network_));
  ASSERT_TRUE(load_);
  ASSERT_NO_FATAL_FAILURE(expect_progress("the start"));

  const std::int64_t height = number(node_of(*network_, "pepsi-sequencer"), "height");
  ASSERT_NO_FATAL_FAILURE(run("add-sequencer bottler"));
  const testnet::NetworkPlan grown = plan_of(*network_);
  const testnet::NodePlan& added = **grown.find("bottler-sequencer");
  // Under load it may fall behind once more while it reads the last of what it missed.
  const NodeStatus status = wait_for_status(added, [](const NodeStatus& s) { return s.healthy(); });
  EXPECT_TRUE(status.healthy()) << status.ShortDebugString();
  // The blocks of before came with a peer's state, not from the log.
  EXPECT_GE(status.height() - status.blocks_read(), height) << status.ShortDebugString();
  ASSERT_NO_FATAL_FAILURE(expect_progress("add-sequencer"));
  expect_things_of_its_own();

  ASSERT_NO_FATAL_FAILURE(rotate("bottler-sequencer"));
  ASSERT_NO_FATAL_FAILURE(rotate("pepsi-sequencer"));
  if (std::string(GetParam()) == "fabric") {
    ASSERT_NO_FATAL_FAILURE(leave_an_orderer());
  }
  ASSERT_NO_FATAL_FAILURE(run("remove-sequencer coke-sequencer"));
  EXPECT_THAT(network_->testnet("status").output, Not(HasSubstr("coke-sequencer")));
  ASSERT_NO_FATAL_FAILURE(expect_progress("remove-sequencer"));
  // Now everything goes through the one that joined, and nobody was restarted.
  ASSERT_NO_FATAL_FAILURE(run("kill pepsi-sequencer"));
  ASSERT_NO_FATAL_FAILURE(expect_progress("kill pepsi-sequencer"));
  EXPECT_EQ(read_text(network_->file("coke/participant/pid")), coke);
  EXPECT_EQ(read_text(network_->file("consortium/mediator/pid")), mediator);
  ASSERT_NO_FATAL_FAILURE(run("restart pepsi-sequencer"));
  ASSERT_NO_FATAL_FAILURE(expect_progress("restart pepsi-sequencer"));

  const testnet::NetworkPlan now = plan_of(*network_);
  ASSERT_TRUE(load_->finish()) << load_->state();
  EXPECT_EQ(now.with_role(testnet::Role::sequencer).size(), 2u);
  EXPECT_EQ(disagreement(now), "");
  EXPECT_THAT(load_->audit(), IsEmpty());
  EXPECT_THAT(unexplained(grown), IsEmpty());
  load_.reset();

  // Stopped and started again, the network is what it has become.
  ASSERT_NO_FATAL_FAILURE(run("down"));
  ASSERT_NO_FATAL_FAILURE(run("up --detach"));
  EXPECT_EQ(network_->run("ping --count 2 --json").exit_code, 0);
  EXPECT_EQ(disagreement(now), "");
  ASSERT_NO_FATAL_FAILURE(run("remove-sequencer bottler-sequencer"));
  const Ran last = network_->testnet("remove-sequencer pepsi-sequencer");
  EXPECT_EQ(last.exit_code, 1);
  EXPECT_THAT(last.output, HasSubstr("LAST_SEQUENCER"));
}

INSTANTIATE_TEST_SUITE_P(SequencerGroup, ChangingGroup, ::testing::Values("solo", "fabric", "postgres"),
                         [](const auto& info) { return std::string(info.param); });

TEST(SequencerGroup, AnOperatorSeesAndPrunesASequencer) {
  TestNetwork network;
  ASSERT_EQ(network.testnet("up --detach").exit_code, 0);
  ASSERT_EQ(network.run("ping --count 2 --json").exit_code, 0);
  const std::string admin = admin_of(network, "coke-sequencer");
  const auto when_well = [&](const std::string& command) {  // a moment's trouble passes
    Ran ran = synod(command);
    for (int looks = 0; looks < 600 && ran.exit_code != 0; ++looks) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      ran = synod(command);
    }
    return ran;
  };
  const Ran status = when_well("sequencer status" + admin);
  EXPECT_EQ(status.exit_code, 0) << status.output;
  EXPECT_THAT(status.output, HasSubstr("takes requests"));
  EXPECT_THAT(status.output, HasSubstr("PAR::pepsi-participant::"));
  EXPECT_THAT(status.output, HasSubstr("SEQ::pepsi-sequencer::"));
  const Ran json = when_well("sequencer status --json" + admin);
  EXPECT_EQ(json.exit_code, 0) << json.output;
  const boost::json::object details = boost::json::parse(json.output).as_object();
  EXPECT_TRUE(details.at("healthy").as_bool());
  EXPECT_EQ(details.at("otherSequencers").as_array().size(), 1u);
  EXPECT_GE(details.at("members").as_array().size(), 4u);
  const Ran rehearsal = synod("sequencer prune --dry-run --retention 0s" + admin);
  EXPECT_EQ(rehearsal.exit_code, 0) << rehearsal.output;
  EXPECT_THAT(rehearsal.output, HasSubstr("would remove"));
  const Ran as_json = synod("sequencer prune --dry-run --retention 0s --json" + admin);
  EXPECT_EQ(as_json.exit_code, 0) << as_json.output;
  EXPECT_TRUE(boost::json::parse(as_json.output).at("dryRun").as_bool());
  EXPECT_TRUE(boost::json::parse(as_json.output).as_object().contains("heldBackBy"));
  const Ran unsafe = synod("sequencer prune --before 2100-01-01T00:00:00Z" + admin);
  EXPECT_EQ(unsafe.exit_code, 1);
  EXPECT_THAT(unsafe.output, HasSubstr("as the earliest safe pruning point is"));
  const Ran nobody = synod("sequencer disable-member PAR::nobody::1220" + std::string(64, 'a') + admin);
  EXPECT_EQ(nobody.exit_code, 1);
  EXPECT_THAT(nobody.output, HasSubstr("SEQUENCER_UNKNOWN_MEMBER"));
}

// --- what a rival can find
// -----------------------------------------------------------------------------------------

bool file_holds(const std::filesystem::path& path, const std::string& secret) {
  return read_text(path.string()).find(secret) != std::string::npos;
}

bool folder_holds(const std::string& folder, const std::string& secret) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && file_holds(entry.path(), secret)) return true;
  return false;
}

// Everything readable in the process's memory. Its count of bytes tells that something was read.
bool process_holds(const std::string& pid, const std::string& secret, std::size_t& bytes) {
  std::ifstream maps("/proc/" + pid + "/maps");
  std::ifstream memory("/proc/" + pid + "/mem", std::ios::binary);
  bool found = false;
  for (std::string line; std::getline(maps, line);) {
    unsigned long from = 0, to = 0;
    char access = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx %c", &from, &to, &access) != 3 || access != 'r') continue;
    if (line.find("[v") != std::string::npos) continue;  // the kernel's own pages
    std::string part(to - from, '\0');
    memory.clear();
    memory.seekg(static_cast<std::streamoff>(from));
    memory.read(part.data(), static_cast<std::streamsize>(part.size()));
    part.resize(static_cast<std::size_t>(std::max<std::streamsize>(memory.gcount(), 0)));
    bytes += part.size();
    found = found || part.find(secret) != std::string::npos;
  }
  return found;
}

TEST(SequencerGroup, ARivalsProcessesAndFoldersDoNotHoldAPrivatePayload) {
  TestNetwork network;
  ASSERT_EQ(network.testnet("up --detach").exit_code, 0);
  const auto port = number(node_of(network, "coke-participant"), "publicPort");
  testnet::LedgerClient ledger("127.0.0.1:" + std::to_string(port), "");
  const auto application = testnet::load_iou("");
  ASSERT_TRUE(application);
  ASSERT_TRUE(ledger.upload_dar(application->dar));
  const auto payer = ledger.allocate_party("payer"), owner = ledger.allocate_party("owner");
  ASSERT_TRUE(payer && owner);
  // The rival hears of both; from here on of nothing.
  const auto rivals_port = number(node_of(network, "pepsi-participant"), "publicPort");
  testnet::LedgerClient rival("127.0.0.1:" + std::to_string(rivals_port), "");
  for (const std::string& party : {*payer, *owner}) ASSERT_TRUE(rival.await_party(party, Duration::seconds(120)));
  const std::int64_t pepsi_before = number(node_of(network, "pepsi-participant"), "offset");
  const std::int64_t height_before = number(node_of(network, "pepsi-sequencer"), "height");
  std::vector<std::string> secrets;
  for (int i = 0; i < 3; ++i) {
    secrets.push_back("secret-recipe-7f3a91c05e-" + std::to_string(i));
    const auto created = ledger.submit(*payer, application->create_iou(*payer, *owner, "10.0", secrets.back()));
    ASSERT_TRUE(created) << created.error().to_string();
  }
  // The rival's sequencer saw the blocks, at the latest a moment after Coke's; its participant got nothing of them.
  const testnet::NetworkPlan plan = plan_of(network);
  const auto saw = [&](const NodeStatus& s) { return s.height() > height_before; };
  EXPECT_TRUE(saw(wait_for_status(**plan.find("pepsi-sequencer"), saw)));
  EXPECT_EQ(number(node_of(network, "pepsi-participant"), "offset"), pepsi_before);

  std::size_t searched = 0;
  for (const std::string& secret : secrets) {
    EXPECT_TRUE(process_holds(std::to_string(number(node_of(network, "coke-participant"), "pid")), secret, searched))
        << "the search does not even find it where it is";
    for (const char* node : {"pepsi-sequencer", "pepsi-participant", "orderer", "mediator", "topology-manager"}) {
      const std::string name = node[0] == 'p' ? node : std::string("consortium-") + node;
      searched = 0;
      EXPECT_FALSE(process_holds(std::to_string(number(node_of(network, name), "pid")), secret, searched)) << name;
      EXPECT_GT(searched, 1u << 20) << name;
    }
    EXPECT_FALSE(folder_holds(network.file("pepsi"), secret));
    EXPECT_FALSE(folder_holds(network.file("consortium"), secret));
  }
  // What is on disk at Coke after a stop, too: a control for the search in folders.
  ASSERT_EQ(network.testnet("down").exit_code, 0);
  EXPECT_TRUE(folder_holds(network.file("coke/participant"), secrets[0]));
  EXPECT_FALSE(folder_holds(network.file("coke/sequencer"), secrets[0]));  // nor its own sequencer
  EXPECT_FALSE(folder_holds(network.file("pepsi"), secrets[0]));
}

}  // namespace
}  // namespace synod::e2e
