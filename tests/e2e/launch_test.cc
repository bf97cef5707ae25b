// `testnet up` that cannot come up, is interrupted, or meets others: it leaves running what ran before, and nothing
// else.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/process.h"
#include "testnet/network_plan.h"
#include "testnet/process.h"
#include "tests/e2e/command_line.h"

namespace synod::e2e {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Every process on this machine that runs a node of the network, by the end of its command line: whatever pid files
// say.
std::vector<std::string> node_processes(const TestNetwork& network) {
  std::vector<std::string> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const std::string command = read_text((entry.path() / "cmdline").string());
    const std::size_t at = command.find(network.data() + "/");
    if (command.find(std::string("node\0run\0-c\0", 12)) == std::string::npos || at == std::string::npos) continue;
    const std::size_t name = at + network.data().size() + 1;
    found.push_back(command.substr(name, command.find('\0', name) - name));
  }
  return found;
}

// Somebody else's, on a port that a node is to have.
class Listener {
 public:
  explicit Listener(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int yes = 1;
    setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(socket_, 1), 0);
  }
  ~Listener() { ::close(socket_); }

 private:
  const int socket_;
};

TEST(Launch, ATakenPortIsFoundBeforeAnythingIsStarted) {
  TestNetwork network;
  const int port = network.first_port() + 13;  // the last one: the topology manager's admin port
  {
    const Listener stranger(port);
    const Ran up = network.testnet("up --detach");
    EXPECT_EQ(up.exit_code, 1);
    EXPECT_THAT(up.output, HasSubstr("PORT_IN_USE"));
    EXPECT_THAT(up.output, HasSubstr(std::to_string(port) + " of consortium-topology-manager"));
    EXPECT_THAT(node_processes(network), IsEmpty());
    EXPECT_FALSE(std::filesystem::exists(network.file("consortium/orderer/node.log"))) << "nothing was even tried";
  }
  EXPECT_EQ(network.testnet("up --detach").exit_code, 0) << "with the port free again it comes up";
}

TEST(Launch, ANodeThatFailsShowsWhyAndWhatWasStartedForItIsStopped) {
  TestNetwork network;
  ASSERT_EQ(network.testnet("up --detach").exit_code, 0);
  ASSERT_EQ(network.testnet("down").exit_code, 0);
  const std::string config = network.file("pepsi/participant/node.yaml"), whole = read_text(config);
  write_text(config, whole + "no-such-key: 1\n");
  const Ran failed = network.testnet("up --detach");
  EXPECT_EQ(failed.exit_code, 1);
  EXPECT_THAT(failed.output, HasSubstr("NODE_FAILED_TO_START: pepsi-participant"));
  EXPECT_THAT(failed.output, HasSubstr("unknown key 'no-such-key'"));
  EXPECT_THAT(node_processes(network), IsEmpty());

  // What ran before is not touched.
  ASSERT_EQ(network.testnet("restart orderer").exit_code, 0);
  const std::string orderer = read_text(network.file("consortium/orderer/pid"));
  EXPECT_EQ(network.testnet("up --detach").exit_code, 1);
  EXPECT_THAT(node_processes(network), ElementsAre("consortium/orderer/node.yaml"));
  EXPECT_EQ(read_text(network.file("consortium/orderer/pid")), orderer);

  write_text(config, whole);
  EXPECT_EQ(network.testnet("up --detach").exit_code, 0);
  EXPECT_EQ(node_processes(network).size(), 7u);
}

TEST(Launch, AFolderOfAnotherNetworkIsRefused) {
  TestNetwork network;
  ASSERT_EQ(network.testnet("up --detach").exit_code, 0);
  ASSERT_EQ(network.testnet("down").exit_code, 0);
  const std::string file = read_text(network.network_file());
  replace_in(network.network_file(), "name: pepsi", "name: sprite");
  const Ran other = network.testnet("up --detach");
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_THAT(other.output, HasSubstr("NETWORK_FOLDER_IN_USE"));
  const Ran ordering = network.testnet("up --detach --cache postgres");
  EXPECT_EQ(ordering.exit_code, 1);
  EXPECT_THAT(ordering.output, HasSubstr("NETWORK_FOLDER_IN_USE"));
  EXPECT_THAT(node_processes(network), IsEmpty());
  write_text(network.network_file(), file);
}

TEST(Launch, APidFileThatNamesAStrangerIsNotBelieved) {
  TestNetwork network;
  ASSERT_EQ(network.testnet("up --detach").exit_code, 0);
  ASSERT_EQ(network.testnet("kill coke-sequencer").exit_code, 0);
  // The system has given the id to somebody else, who even has the node's configuration open.
  const std::string config = network.file("coke/sequencer/node.yaml");
  const ServerProcess stranger{
      {"tail", {"-f", config}, {}, ""}, network.folder() + "/log", network.folder() + "/pid", true};
  ASSERT_TRUE(stranger.start());
  const std::string pid = read_text(stranger.pid_file);
  write_text(network.file("coke/sequencer/pid"), pid);
  EXPECT_THAT(network.testnet("status").output, HasSubstr("not running"));
  EXPECT_THAT(network.testnet("kill coke-sequencer").output, HasSubstr("does not run"));
  EXPECT_TRUE(stranger.running());

  const Ran up = network.testnet("up --detach");
  EXPECT_EQ(up.exit_code, 0) << up.output;
  EXPECT_NE(read_text(network.file("coke/sequencer/pid")), pid);
  EXPECT_EQ(node_processes(network).size(), 7u);
  // The same for a number that is nobody's, and for no number.
  ASSERT_EQ(network.testnet("down").exit_code, 0);
  write_text(network.file("coke/sequencer/pid"), pid);
  write_text(network.file("pepsi/sequencer/pid"), "4194305\n");
  write_text(network.file("coke/participant/pid"), "soon\n");
  EXPECT_EQ(network.testnet("down").exit_code, 0);
  EXPECT_TRUE(stranger.running());
  stranger.stop(SIGKILL, Duration::seconds(60));
}

TEST(Launch, SeveralAtATimeStartEachNodeOnce) {
  TestNetwork network;
  {
    Background one("testnet up --detach" + network.options()), two("testnet up --detach" + network.options()),
        three("testnet up --detach" + network.options());
    for (Background* up : {&one, &two, &three}) {
      const Ran ran = up->wait();
      EXPECT_EQ(ran.exit_code, 0) << ran.output;
    }
  }
  EXPECT_EQ(node_processes(network).size(), 7u);
  EXPECT_EQ(network.wait_well().exit_code, 0);
  EXPECT_EQ(network.testnet("down").exit_code, 0);
  EXPECT_THAT(node_processes(network), IsEmpty()) << "down finds all of them by their pid files";
}

TEST(Launch, InTheForegroundASignalTakesTheNetworkDown) {
  TestNetwork network;
  Background up("testnet up" + network.options());
  ASSERT_TRUE(up.wait_said("running; Ctrl-C stops the network")) << up.wait(std::chrono::seconds(0)).output;
  EXPECT_EQ(node_processes(network).size(), 7u);
  EXPECT_EQ(network.testnet("restart mediator").exit_code, 0) << "other commands go on meanwhile";
  up.signal(SIGINT);
  const Ran ran = up.wait();
  EXPECT_EQ(ran.exit_code, 0) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("stopped"));
  EXPECT_THAT(node_processes(network), IsEmpty());
}

TEST(Launch, ASignalWhileItStartsLeavesNothingBehind) {
  TestNetwork network;
  ASSERT_EQ(network.testnet("up --detach").exit_code, 0);
  ASSERT_EQ(network.testnet("down").exit_code, 0);
  // A mediator that finds no sequencer never gets ready.
  replace_in(network.file("consortium/mediator/node.yaml"), "127\\.0\\.0\\.1:[0-9]+", "127.0.0.1:1");
  for (const int signal : {SIGINT, SIGTERM}) {
    Background up("testnet up --detach" + network.options());
    ASSERT_TRUE(up.wait_said("pepsi-sequencer              ready")) << up.wait(std::chrono::seconds(0)).output;
    EXPECT_EQ(node_processes(network).size(), 7u);
    up.signal(signal);
    const Ran ran = up.wait();
    EXPECT_EQ(ran.exit_code, 1) << ran.output;
    EXPECT_THAT(ran.output, HasSubstr("INTERRUPTED"));
    EXPECT_THAT(node_processes(network), IsEmpty());
  }
}

// A sequencer has a connection a member; shells allow a thousand files unless one asks for more.
TEST(Launch, ANodeMayOpenAsManyFilesAsTheSystemAllows) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few{std::min<rlim_t>(512, before.rlim_max), before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  TestNetwork network;
  const Ran up = network.testnet("up --detach");
  setrlimit(RLIMIT_NOFILE, &before);
  ASSERT_EQ(up.exit_code, 0) << up.output;
  const auto plan = testnet::load_plan(network.network_file(), network.data());
  ASSERT_TRUE(plan) << plan.error().to_string();
  for (const testnet::NodePlan* node : plan->with_role(testnet::Role::sequencer)) {
    const auto pid = testnet::running(*node);
    ASSERT_TRUE(pid) << node->name;
    rlimit has{};
    ASSERT_EQ(prlimit(*pid, RLIMIT_NOFILE, nullptr, &has), 0);
    EXPECT_EQ(has.rlim_cur, before.rlim_max);
  }
}

}  // namespace
}  // namespace synod::e2e
