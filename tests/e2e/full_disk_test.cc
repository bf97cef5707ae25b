// A sequencer whose cache, or the database with it, lies on a full disk, in a network whose other members go on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <pqxx/pqxx>
#include <thread>

#include "ordering/engines/postgres_engine.h"
#include "testnet/network_plan.h"
#include "tests/e2e/command_line.h"
#include "tests/e2e/ping_load.h"
#include "tests/e2e/watch.h"

namespace synod::e2e {
namespace {

using synod::admin::v1::NodeStatus;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kVictim[] = "coke-sequencer";

// A small file system in place of a folder, with the folder's content, which keeps its owners.
class SmallDisk {
 public:
  explicit SmallDisk(std::string folder) : folder_(std::move(folder)) {
    const std::string aside = folder_ + ".aside";
    std::filesystem::rename(folder_, aside);
    std::filesystem::create_directory(folder_);
    mounted_ = ::mount("none", folder_.c_str(), "tmpfs", 0, "size=96m") == 0;
    EXPECT_EQ(std::system(("cp -a '" + aside + "/.' '" + folder_ + "'").c_str()), 0);
    std::filesystem::remove_all(aside);
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(folder_.c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }
  void fill_but_for(std::size_t room) {
    const std::size_t left = std::filesystem::space(folder_).available;
    std::ofstream filler(folder_ + "/filler", std::ios::binary);
    filler << std::string(left > room ? left - room : 0, 'f');
  }
  void make_room() { std::filesystem::remove(folder_ + "/filler"); }

 private:
  const std::string folder_;
  bool mounted_ = false;
};

// The disk is full: the sequencer says so and why, and the others go on. Then there is room, and it is well by itself.
void expect_full_and_back(const testnet::NodePlan& victim, PingLoad& load, SmallDisk& disk,
                          const std::string& cause = "No space left on device") {
  const NodeStatus full = wait_for_status(victim, [&](const NodeStatus& s) {  // another trouble may come and pass
    return s.reason().find("cache cannot be written") != std::string::npos &&
           s.reason().find(cause) != std::string::npos;
  });
  EXPECT_FALSE(full.healthy());
  EXPECT_THAT(full.reason(), HasSubstr("cache cannot be written"));
  EXPECT_THAT(full.reason(), HasSubstr(cause));
  EXPECT_THAT(read_text(victim.log_file()), HasSubstr("the cache does not take block"));
  EXPECT_TRUE(load.wait_answered(5)) << "the others go on: " << load.state();
  disk.make_room();
  EXPECT_TRUE(wait_for_status(victim, [](const NodeStatus& s) { return s.healthy(); }).healthy());
}

// What every one of these networks must show at its end. It is down then, before its disk goes.
void expect_nothing_lost(const TestNetwork& network, const testnet::NetworkPlan& plan, PingLoad& load) {
  EXPECT_TRUE(load.finish()) << load.state();
  EXPECT_EQ(disagreement(plan), "");
  EXPECT_THAT(load.audit(), IsEmpty());
  // What it missed comes from its cache, also after another start.
  ASSERT_EQ(network.testnet("restart " + std::string(kVictim)).exit_code, 0);
  EXPECT_EQ(disagreement(plan), "");
  EXPECT_THAT(unexplained(plan), IsEmpty());
  network.testnet("down");
}

TEST(FullDisk, ASequencerWithoutRoomForItsCacheSaysSoAndGoesOnWhenThereIsRoom) {
  TestNetwork network;
  const Ran up = network.testnet("up --detach");
  ASSERT_EQ(up.exit_code, 0) << up.output;
  const auto plan = testnet::load_plan(network.network_file(), network.data());
  ASSERT_TRUE(plan) << plan.error().to_string();
  const testnet::NodePlan& victim = **plan->find(kVictim);
  const auto run = [&](const std::string& command) { return network.testnet(command + " " + kVictim); };
  ASSERT_EQ(run("kill").exit_code, 0);
  SmallDisk disk(network.file("coke/sequencer/data/cache"));
  if (!disk.mounted()) GTEST_SKIP() << "SKIPPED: mounting a small tmpfs needs root";
  disk.fill_but_for(300u << 10);  // too little for what RocksDB would set aside for its log
  ASSERT_EQ(run("restart").exit_code, 0);

  auto load = PingLoad::start(*plan);
  ASSERT_TRUE(load);
  expect_full_and_back(victim, *load, disk);
  EXPECT_TRUE(load->wait_answered(5)) << load->state();

  ASSERT_EQ(run("kill").exit_code, 0);
  disk.fill_but_for(0);
  const Ran refused = run("restart");
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.output, HasSubstr("STORAGE_FULL"));
  EXPECT_TRUE(load->wait_answered(2)) << load->state();
  disk.make_room();
  EXPECT_EQ(run("restart").exit_code, 0);
  EXPECT_TRUE(load->wait_answered(2)) << load->state();

  expect_nothing_lost(network, *plan, *load);
}

// The tables of a PostgreSQL cache are on the full disk, its write-ahead log is not: transactions fail one by one, and
// the server lives.
TEST(FullDisk, ADatabaseWithoutRoomForTheCacheIsWaitedForAndNothingIsLost) {
  if (const std::string missing = ordering::engines::missing_for_postgres(); !missing.empty())
    GTEST_SKIP() << "SKIPPED: " << missing;
  TestNetwork network;
  const Ran up = network.testnet("up --detach --cache postgres");
  ASSERT_EQ(up.exit_code, 0) << up.output;
  const auto plan = testnet::load_plan(network.network_file(), network.data());
  ASSERT_TRUE(plan) << plan.error().to_string();
  const testnet::NodePlan& victim = **plan->find(kVictim);
  const std::string database = std::string(kVictim) + "-database";
  ASSERT_EQ(network.testnet("kill " + std::string(kVictim)).exit_code, 0);
  ASSERT_EQ(network.testnet("kill " + database).exit_code, 0);
  SmallDisk disk(network.file("coke/sequencer/database/data/base"));
  if (!disk.mounted()) GTEST_SKIP() << "SKIPPED: mounting a small tmpfs needs root";
  ASSERT_EQ(network.testnet("restart " + database).exit_code, 0);
  ASSERT_EQ(network.testnet("restart " + std::string(kVictim)).exit_code, 0);

  auto load = PingLoad::start(*plan);
  ASSERT_TRUE(load);
  for (int time = 0; time < 2; ++time) {  // what comes back can fail again
    EXPECT_TRUE(load->wait_answered(5)) << load->state();
    disk.fill_but_for(0);
    expect_full_and_back(victim, *load, disk);
  }
  EXPECT_TRUE(load->wait_answered(5)) << load->state();

  expect_nothing_lost(network, *plan, *load);
}

// Starts a database again that has ended, as the service manager does under which an organisation runs it.
class ServiceManager {
 public:
  explicit ServiceManager(ordering::engines::PostgresEngine database) : database_(std::move(database)) {
    thread_ = std::thread([this] {
      while (!stopping_) {
        if (!database_.running()) std::ignore = database_.start(Duration::milliseconds(1));
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
      }
    });
  }
  ~ServiceManager() {
    stopping_ = true;
    thread_.join();
  }

 private:
  ordering::engines::PostgresEngine database_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

// Uses up the parts of its log that a server has set aside, so that what is written next needs room.
void use_up_log(const std::string& connection, const std::string& folder) {
  try {
    pqxx::connection session(connection);
    pqxx::nontransaction work(session);
    const auto spare = [&] {
      const std::string now = work.exec1("SELECT pg_walfile_name(pg_current_wal_insert_lsn())")[0].as<std::string>();
      const auto parts = std::filesystem::directory_iterator(folder);
      return std::any_of(begin(parts), end(parts), [&](const auto& part) {
        const std::string name = part.path().filename().string();
        return name.size() == now.size() && name > now;
      });
    };
    while (spare()) work.exec("SELECT pg_switch_wal(), pg_logical_emit_message(true, 'full', 'disk')");
    work.exec("SELECT pg_switch_wal()");
  } catch (const pqxx::failure&) {
    // Somebody was faster: it has ended already.
  }
}

// Its write-ahead log has no room: the server ends, and cannot even start while that lasts.
TEST(FullDisk, ADatabaseWithoutRoomForItsLogIsWaitedForAndNothingIsLost) {
  if (const std::string missing = ordering::engines::missing_for_postgres(); !missing.empty())
    GTEST_SKIP() << "SKIPPED: " << missing;
  TestNetwork network;
  const Ran up = network.testnet("up --detach --cache postgres");
  ASSERT_EQ(up.exit_code, 0) << up.output;
  const auto plan = testnet::load_plan(network.network_file(), network.data());
  ASSERT_TRUE(plan) << plan.error().to_string();
  const testnet::NodePlan& victim = **plan->find(kVictim);
  const std::string database = std::string(kVictim) + "-database";
  const std::string folder = network.file("coke/sequencer/database");
  ASSERT_EQ(network.testnet("kill " + std::string(kVictim)).exit_code, 0);
  ASSERT_EQ(network.testnet("kill " + database).exit_code, 0);
  SmallDisk disk(folder + "/data/pg_wal");
  if (!disk.mounted()) GTEST_SKIP() << "SKIPPED: mounting a small tmpfs needs root";
  ASSERT_EQ(network.testnet("restart " + database).exit_code, 0);
  ASSERT_EQ(network.testnet("restart " + std::string(kVictim)).exit_code, 0);

  auto load = PingLoad::start(*plan);
  ASSERT_TRUE(load);
  {
    const auto engine = ordering::engines::PostgresEngine::open(folder);
    ASSERT_TRUE(engine);
    const ServiceManager manager(*engine);
    for (int time = 0; time < 2; ++time) {  // what comes back can fail again
      EXPECT_TRUE(load->wait_answered(5)) << load->state();
      disk.fill_but_for(0);
      use_up_log(engine->connection_string(), folder + "/data/pg_wal");
      // It may hear no more from the server than that it is away; the server's own log has the rest.
      expect_full_and_back(victim, *load, disk, "cache cannot be written");
    }
    EXPECT_TRUE(load->wait_answered(5)) << load->state();
  }
  EXPECT_THAT(read_text(folder + "/log"), HasSubstr("No space left on device"));

  expect_nothing_lost(network, *plan, *load);
}

}  // namespace
}  // namespace synod::e2e
