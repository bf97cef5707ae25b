// The group of sequencers grows and shrinks under load, and a rival's sequencer never holds what is not its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/json.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "ledger/commands.pb.h"
#include "testnet/applications.h"
#include "testnet/ledger_client.h"
#include "tests/e2e/command_line.h"

namespace synod::e2e {
namespace {

using ::testing::HasSubstr;

boost::json::object node_of(const TestNetwork& network, const std::string& name) {
  const boost::json::object status = boost::json::parse(network.testnet("status --json").output).as_object();
  for (const auto& item : status.at("nodes").as_array())
    if (item.as_object().at("name").as_string() == name) return item.as_object();
  ADD_FAILURE() << "no node " << name;
  return {};
}

std::int64_t number(const boost::json::object& node, const char* key) { return node.at(key).to_number<std::int64_t>(); }

std::string admin_of(const TestNetwork& network, const std::string& name) {
  return " --admin 127.0.0.1:" + std::to_string(number(node_of(network, name), "adminPort"));
}

// Pings between the two organisations until it is destroyed; each must come back.
class Load {
 public:
  explicit Load(const TestNetwork& network)
      : thread_([this, &network] {
          while (!stop_) {
            const Ran ping = network.run("ping --count 5 --warm-up 0 --json");
            if (ping.exit_code == 0) {
              answered_ += 5;
            } else {
              EXPECT_EQ(ping.exit_code, 0) << ping.output;
            }
          }
        }) {}
  ~Load() { finish(); }
  void finish() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  int answered() const { return answered_; }

 private:
  std::atomic<bool> stop_ = false;
  std::atomic<int> answered_ = 0;
  std::thread thread_;
};

TEST(SequencerGroup, GrowsShrinksAndRenewsItsKeysUnderLoad) {
  TestNetwork network(29250);
  ASSERT_EQ(network.testnet("up --detach").exit_code, 0);
  ASSERT_EQ(network.run("ping --count 20 --json").exit_code, 0);
  const std::string coke = read_text(network.file("coke/participant/pid"));
  const std::string mediator = read_text(network.file("consortium/mediator/pid"));
  const auto run = [&](const std::string& command) {
    const Ran ran = network.testnet(command);
    EXPECT_EQ(ran.exit_code, 0) << command << ": " << ran.output;
  };
  {
    Load load(network);
    run("add-sequencer bottler");
    // Under load it may fall behind once more while it reads the last of what it missed.
    auto added = node_of(network, "bottler-sequencer");
    for (int tries = 0; tries < 100 && !added.at("healthy").as_bool(); ++tries) {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      added = node_of(network, "bottler-sequencer");
    }
    EXPECT_TRUE(added.at("healthy").as_bool()) << boost::json::serialize(added);
    // The blocks of the pings above came with a peer's state, not from the log.
    EXPECT_LT(number(added, "blocksRead"), number(added, "height") - 100);
    run("rotate-keys bottler-sequencer");
    run("rotate-keys pepsi-sequencer");
    run("remove-sequencer coke-sequencer");
    EXPECT_THAT(network.testnet("status").output, ::testing::Not(HasSubstr("coke-sequencer")));
    load.finish();
    EXPECT_GT(load.answered(), 0);
  }
  // Now everything goes through the one that joined, and nobody was restarted.
  run("kill pepsi-sequencer");
  const Ran ping = network.run("ping --count 5 --json");
  EXPECT_EQ(ping.exit_code, 0) << ping.output;
  EXPECT_EQ(read_text(network.file("coke/participant/pid")), coke);
  EXPECT_EQ(read_text(network.file("consortium/mediator/pid")), mediator);

  // Stopped and started again, the network is what it has become.
  run("restart pepsi-sequencer");
  EXPECT_EQ(network.testnet("down").exit_code, 0);
  run("up --detach");
  EXPECT_EQ(network.run("ping --count 2 --json").exit_code, 0);
  EXPECT_EQ(network.testnet("remove-sequencer bottler-sequencer").exit_code, 0);
  const Ran last = network.testnet("remove-sequencer pepsi-sequencer");
  EXPECT_EQ(last.exit_code, 1);
  EXPECT_THAT(last.output, HasSubstr("LAST_SEQUENCER"));
}

TEST(SequencerGroup, AnOperatorSeesAndPrunesASequencer) {
  TestNetwork network(29290);
  ASSERT_EQ(network.testnet("up --detach").exit_code, 0);
  ASSERT_EQ(network.run("ping --count 2 --json").exit_code, 0);
  const std::string admin = admin_of(network, "coke-sequencer");
  const Ran status = synod("sequencer status" + admin);
  EXPECT_EQ(status.exit_code, 0) << status.output;
  EXPECT_THAT(status.output, HasSubstr("takes requests"));
  EXPECT_THAT(status.output, HasSubstr("PAR::pepsi-participant::"));
  EXPECT_THAT(status.output, HasSubstr("SEQ::pepsi-sequencer::"));
  const Ran rehearsal = synod("sequencer prune --dry-run --retention 0s" + admin);
  EXPECT_EQ(rehearsal.exit_code, 0) << rehearsal.output;
  EXPECT_THAT(rehearsal.output, HasSubstr("would remove"));
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
  TestNetwork network(29330);
  ASSERT_EQ(network.testnet("up --detach").exit_code, 0);
  const auto port = number(node_of(network, "coke-participant"), "publicPort");
  testnet::LedgerClient ledger("127.0.0.1:" + std::to_string(port), "");
  const auto application = testnet::load_iou("");
  ASSERT_TRUE(application);
  ASSERT_TRUE(ledger.upload_dar(application->dar));
  const auto payer = ledger.allocate_party("payer"), owner = ledger.allocate_party("owner");
  ASSERT_TRUE(payer && owner);
  const std::int64_t pepsi_before = number(node_of(network, "pepsi-participant"), "offset");
  const std::int64_t height_before = number(node_of(network, "pepsi-sequencer"), "height");
  std::vector<std::string> secrets;
  for (int i = 0; i < 3; ++i) {
    secrets.push_back("secret-recipe-7f3a91c05e-" + std::to_string(i));
    const auto created = ledger.submit(*payer, application->create_iou(*payer, *owner, "10.0", secrets.back()));
    ASSERT_TRUE(created) << created.error().to_string();
  }
  // The rival's sequencer saw the blocks; its participant got nothing of them.
  EXPECT_GT(number(node_of(network, "pepsi-sequencer"), "height"), height_before);
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
