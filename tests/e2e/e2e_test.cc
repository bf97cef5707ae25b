// The promises of the README, kept by real processes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <boost/json.hpp>
#include <chrono>
#include <filesystem>
#include <thread>

#include "testnet/network_plan.h"
#include "tests/e2e/command_line.h"

namespace synod::e2e {
namespace {

using ::testing::HasSubstr;

boost::json::object status_of(const TestNetwork& network) {
  const Ran ran = network.testnet("status --json");
  return boost::json::parse(ran.output).as_object();
}

// A node that is too busy to answer is asked again.
std::int64_t number(const TestNetwork& network, const std::string& node, const char* key) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(120);
  do {
    const boost::json::object status = status_of(network);
    for (const auto& item : status.at("nodes").as_array())
      if (item.as_object().at("name").as_string() == node && item.as_object().contains(key))
        return item.as_object().at(key).to_number<std::int64_t>();
  } while (std::chrono::steady_clock::now() < give_up);
  ADD_FAILURE() << "no " << key << " of node " << node;
  return -1;
}

// Whether pings go through, sooner or later: whoever was just started may turn away the first.
Ran ping_in_the_end(const TestNetwork& network, const std::string& options) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(120);
  for (;;) {
    const Ran ping = network.run("ping " + options);
    if (ping.exit_code == 0 || std::chrono::steady_clock::now() > give_up) return ping;
  }
}

// Lines of a node's log of level warn and above. That a participant came before its sequencer took requests, and tries
// again, says something about the machine only.
std::string complaints(const TestNetwork& network, const std::string& node_log) {
  std::string found;
  std::istringstream in(read_text(network.file(node_log)));
  const auto says = [](const std::string& line, const char* text) { return line.find(text) != std::string::npos; };
  for (std::string line; std::getline(in, line);)
    if ((says(line, " WARN ") && !says(line, "is not connected, and will try again")) || says(line, " ERROR "))
      found += line + "\n";
  return found;
}

// What docs/performance.md promises; unoptimised code and sanitizers take more.
#if defined(NDEBUG) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
constexpr std::int64_t kMaxMemory = 400ll << 20;
#else
constexpr std::int64_t kMaxMemory = 16ll << 30;
#endif

// Of all that `testnet status --json` has told of.
void expect_memory_within_limits(const boost::json::object& status) {
  std::int64_t sum = 0;
  for (const auto& node : status.at("nodes").as_array()) {
    const auto bytes = node.at("memoryBytes").to_number<std::int64_t>();
    EXPECT_GT(bytes, 1 << 20) << boost::json::serialize(node);
    sum += bytes;
  }
  EXPECT_EQ(status.at("memoryBytes").to_number<std::int64_t>(), sum);
  EXPECT_LT(sum, kMaxMemory) << boost::json::serialize(status);
  std::cout << "all processes together take " << (sum >> 20) << " MB\n";
}

std::vector<testnet::NodePlan> nodes_of(const TestNetwork& network) {
  const auto plan = testnet::load_plan(network.network_file(), network.data());
  EXPECT_TRUE(plan) << plan.error().to_string();
  return plan ? plan->nodes : std::vector<testnet::NodePlan>();
}

std::string last_line(const std::string& file) {
  std::string last;
  std::istringstream in(read_text(file));
  for (std::string line; std::getline(in, line);) last = line;
  return last;
}

constexpr const char* kLogs[] = {"coke/sequencer/node.log",
                                 "coke/participant/node.log",
                                 "pepsi/sequencer/node.log",
                                 "pepsi/participant/node.log",
                                 "consortium/orderer/node.log",
                                 "consortium/mediator/node.log",
                                 "consortium/topology-manager/node.log"};

TEST(EndToEnd, TwoOrganisationsTransactEachThroughItsOwnSequencer) {
  TestNetwork network;
  const Ran up = network.testnet("up --detach");
  ASSERT_EQ(up.exit_code, 0) << up.output;
  EXPECT_THAT(up.output, HasSubstr("ready in"));

  // Idempotent: nothing is started twice.
  const std::string before = read_text(network.file("coke/sequencer/pid"));
  EXPECT_EQ(network.testnet("up --detach").exit_code, 0);
  EXPECT_EQ(read_text(network.file("coke/sequencer/pid")), before);

  const Ran ping = network.run("ping --count 5 --json");
  ASSERT_EQ(ping.exit_code, 0) << ping.output;
  EXPECT_EQ(boost::json::parse(ping.output).at("succeeded").to_number<int>(), 5);

  const boost::json::object status = boost::json::parse(network.wait_well().output).as_object();
  EXPECT_EQ(status.at("nodes").as_array().size(), 7u);
  for (const auto& node : status.at("nodes").as_array())
    EXPECT_TRUE(node.at("healthy").as_bool()) << boost::json::serialize(node);
  expect_memory_within_limits(status);
  for (const char* log : kLogs) EXPECT_EQ(complaints(network, log), "") << log;

  EXPECT_EQ(network.testnet("down").exit_code, 0);
  EXPECT_EQ(network.testnet("status").exit_code, 3);
  // Nothing is written any more: the end of each log, under its name, or of one log alone.
  const Ran all_logs = network.testnet("logs -n 1");
  EXPECT_EQ(all_logs.exit_code, 0);
  std::string expected;
  for (const auto& node : nodes_of(network)) {
    const std::string last = last_line(node.log_file());
    EXPECT_NE(last, "") << node.name;
    expected += "==> " + node.log_file() + " <==\n" + last + "\n";
    const Ran one = network.testnet("logs " + node.name + " -n 1");
    EXPECT_EQ(one.exit_code, 0);
    EXPECT_EQ(one.output, last + "\n");
  }
  EXPECT_EQ(all_logs.output, expected);

  // All state is in the folder: the network comes back as it was.
  ASSERT_EQ(network.testnet("up --detach").exit_code, 0);
  EXPECT_EQ(network.run("ping --count 1 --json").exit_code, 0);
}

TEST(EndToEnd, TheDemonstrationRunsAndRunsAgain) {
  TestNetwork network;
  ASSERT_EQ(network.testnet("up --detach").exit_code, 0);
  network.wait_well();
  const Ran demo = network.testnet("demo --patience-seconds 120");
  ASSERT_EQ(demo.exit_code, 0) << demo.output;
  EXPECT_THAT(demo.output, HasSubstr("the IOU is active at neither side"));
  EXPECT_THAT(demo.output, HasSubstr("none lost"));

  network.wait_well();
  const Ran again = network.testnet("demo --json --patience-seconds 120");
  ASSERT_EQ(again.exit_code, 0) << again.output;
  const boost::json::object report = boost::json::parse(again.output).as_object();
  EXPECT_EQ(report.at("pings").as_array().size(), 2u);
  EXPECT_EQ(report.at("iou").as_array().size(), 3u);
  EXPECT_EQ(report.at("nodes").as_array().size(), 7u);
  const boost::json::object& lost = report.at("lostSequencer").as_object();
  EXPECT_EQ(lost.at("name").as_string(), "coke-sequencer");
  EXPECT_EQ(lost.at("pings").to_number<int>(), 150);
  EXPECT_LT(lost.at("blocksReadAfter").to_number<int>(), lost.at("heightAfter").to_number<int>());
  network.wait_well();
  expect_memory_within_limits(status_of(network));

  // Without anybody's DARs it runs with our own examples.
  const Ran own =
      synod("testnet demo --patience-seconds 120 --pings-without 10" + network.options(), "SYNOD_SHARED=/nonexistent");
  ASSERT_EQ(own.exit_code, 0) << own.output;
  EXPECT_THAT(own.output, HasSubstr("(examples/ping.lf)"));
  EXPECT_THAT(own.output, HasSubstr("(examples/iou.lf)"));
  EXPECT_THAT(own.output, HasSubstr("the IOU is active at neither side"));
  EXPECT_THAT(own.output, HasSubstr("none lost"));
}

TEST(EndToEnd, ADemonstrationThatFailsLeavesTheSequencerThatItKilledRunning) {
  TestNetwork network;
  ASSERT_EQ(network.testnet("up --detach").exit_code, 0);
  network.wait_well();
  const int other = std::stoi(read_text(network.file("pepsi/sequencer/pid")));
  // So many that the other one dies before they are over, however late this machine lets the test do it.
  Background demo("testnet demo --patience-seconds 30 --pings-without 1000000" + network.options());
  ASSERT_TRUE(demo.wait_said("coke-sequencer dies at height")) << demo.wait(std::chrono::seconds(0)).output;
  ASSERT_EQ(::kill(other, SIGKILL), 0);
  const Ran ran = demo.wait();
  EXPECT_EQ(ran.exit_code, 1) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("transactions do not go on without coke-sequencer"));
  EXPECT_THAT(ran.output, HasSubstr("coke-sequencer is started again"));
  EXPECT_EQ(network.testnet("up --detach").exit_code, 0);
  const Ran ping = ping_in_the_end(network, "--count 1 --json");
  EXPECT_EQ(ping.exit_code, 0) << ping.output;
}

TEST(EndToEnd, APingWithoutANetworkSaysSoAtOnce) {
  TestNetwork network;
  const Ran ping = network.run("ping --count 1");
  EXPECT_EQ(ping.exit_code, 1);
  EXPECT_THAT(ping.output, HasSubstr("LEDGER_API_UNREACHABLE"));
  EXPECT_THAT(ping.output, HasSubstr("synod testnet up"));
}

TEST(EndToEnd, ASequencerThatDiesIsNotMissedAndResumesFromItsCache) {
  TestNetwork network;
  ASSERT_EQ(network.testnet("up --detach").exit_code, 0);
  ASSERT_EQ(network.run("ping --count 10 --json").exit_code, 0);
  ASSERT_EQ(network.testnet("kill coke-sequencer").exit_code, 0);
  EXPECT_EQ(network.testnet("status").exit_code, 3);
  const Ran ping = network.run("ping --count 5 --json");
  EXPECT_EQ(ping.exit_code, 0) << ping.output;
  const std::int64_t height_without = number(network, "pepsi-sequencer", "height");

  const Ran restart = network.testnet("restart coke-sequencer");
  ASSERT_EQ(restart.exit_code, 0) << restart.output;
  // It serves from its cache at once, and reads what it has missed at the same time.
  for (int tries = 0; tries < 1200 && number(network, "coke-sequencer", "height") < height_without; ++tries)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_GE(number(network, "coke-sequencer", "height"), height_without);
  EXPECT_LT(number(network, "coke-sequencer", "blocksRead"), number(network, "coke-sequencer", "height"));
  EXPECT_EQ(network.run("ping --count 2 --json").exit_code, 0);
}

TEST(EndToEnd, EveryNodeMayBeKilledAndTheNetworkGoesOn) {
  TestNetwork network;
  ASSERT_EQ(network.testnet("up --detach").exit_code, 0);
  for (const char* node : {"orderer", "coke-sequencer", "pepsi-sequencer", "mediator", "topology-manager",
                           "coke-participant", "pepsi-participant"}) {
    ASSERT_EQ(network.testnet(std::string("kill ") + node).exit_code, 0);
    const Ran restart = network.testnet(std::string("restart ") + node);
    ASSERT_EQ(restart.exit_code, 0) << node << ": " << restart.output;
    const Ran ping = ping_in_the_end(network, "--count 2 --warm-up 0 --json");
    EXPECT_EQ(ping.exit_code, 0) << "after kill -9 of " << node << ": " << ping.output;
  }
}

TEST(EndToEnd, ANameThatNoProcessHasIsToldWithTheNamesThatThereAre) {
  TestNetwork network;
  for (const char* command : {"kill nosuchnode", "restart nosuchnode", "logs nosuchnode"}) {
    const Ran ran = network.testnet(command);
    EXPECT_EQ(ran.exit_code, 1) << command;
    EXPECT_THAT(ran.output, HasSubstr("NODE_NOT_FOUND: no node is called 'nosuchnode'")) << command;
    for (const auto& node : nodes_of(network)) EXPECT_THAT(ran.output, HasSubstr(node.name)) << command;
    EXPECT_EQ(network.testnet("status").exit_code, 3) << "nothing was started";
  }
  EXPECT_EQ(network.testnet("kill").exit_code, 2);
  EXPECT_EQ(network.testnet("restart").exit_code, 2);
  const Ran killed = network.testnet("kill coke-sequencer");
  EXPECT_EQ(killed.exit_code, 0) << "it does not run, which is what was asked for";
  EXPECT_EQ(killed.output, "coke-sequencer does not run\n");
}

TEST(EndToEnd, WrongUseIsToldApartFromFailure) {
  EXPECT_EQ(synod("").exit_code, 2);
  EXPECT_EQ(synod("testnet sideways").exit_code, 2);
  EXPECT_EQ(synod("--version").exit_code, 0);
  const Ran no_file = synod("node run -c /nonexistent.yaml");
  EXPECT_EQ(no_file.exit_code, 1);
  EXPECT_THAT(no_file.output, HasSubstr("CONFIG_NOT_FOUND"));

  TestNetwork network;
  write_text(network.folder() + "/node.yaml",
             "name: x\nrole: sequencer\ndata-folder: " + network.folder() + "\nsequencer:\n  genesys: y\n");
  const Ran unknown_key = synod("node run -c " + network.folder() + "/node.yaml");
  EXPECT_EQ(unknown_key.exit_code, 1);
  EXPECT_THAT(unknown_key.output, HasSubstr("node.yaml:5: unknown key 'sequencer.genesys'"));

  write_text(network.folder() + "/network.yaml", "network: e2e\norganisations:\n  - {name: a, nodes: [sequencer]}\n");
  const Ran incomplete = network.testnet("up");
  EXPECT_EQ(incomplete.exit_code, 1);
  EXPECT_THAT(incomplete.output, HasSubstr("NETWORK_FILE_INVALID"));
}

}  // namespace
}  // namespace synod::e2e
