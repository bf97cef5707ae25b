// What a client does with several orderers, of which some hang, lie or are away. Solo engines stand in for them: each
// has a log of its own, so that a test decides how far each is.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "base/process.h"
#include "base/testing/temporary_folder.h"
#include "ordering/conformance/collector.h"
#include "ordering/fabric_wire/fabric_log.h"
#include "ordering/solo/orderer_node.h"

namespace synod::ordering::conformance {
namespace {

using fabric_wire::connect_fabric;
using fabric_wire::FabricLogConfig;

class SeveralOrderersTest : public ::testing::Test {
 protected:
  void SetUp() override { folder_ = synod::testing::new_folder("orderers"); }
  void TearDown() override {
    nodes_.clear();
    std::filesystem::remove_all(folder_);
  }

  void start(const std::string& name) {
    solo::OrdererConfig config;
    config.engine.folder = folder_ + "/" + name;
    config.engine.max_record_bytes = 100'000;
    config.allow_unsigned = true;
    const auto known = ports_.find(name);
    config.port = known == ports_.end() ? free_port() : known->second;
    auto node = solo::OrdererNode::start(config);
    // Somebody's outgoing connection may have taken the port while nobody listened.
    for (int i = 0; i < 600 && !node && node.error().id == "ADDRESS_IN_USE"; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      node = solo::OrdererNode::start(config);
    }
    ASSERT_TRUE(node) << node.error().to_string();
    ports_[name] = (*node)->port();
    nodes_[name] = std::move(*node);
  }
  // a and b, with the same log so far.
  void start_two_with(const std::vector<Bytes>& records) {
    start("a");
    {
      const auto log = connect(config({"a"}));
      for (const Bytes& record : records) ASSERT_EQ(submit_and_wait(*log, record).outcome, SubmitOutcome::accepted);
    }
    stop("a");
    std::filesystem::copy(folder_ + "/a", folder_ + "/b", std::filesystem::copy_options::recursive);
    start("a");
    start("b");
  }
  void stop(const std::string& name) { nodes_.erase(name); }

  FabricLogConfig config(const std::vector<std::string>& names) {
    FabricLogConfig config;
    for (const std::string& name : names) config.endpoints.push_back("127.0.0.1:" + std::to_string(ports_[name]));
    config.head_check_interval = Duration::milliseconds(50);
    config.stall_patience = Duration::milliseconds(300);
    config.max_reconnect_delay = Duration::milliseconds(100);
    config.submit_timeout = Duration::seconds(300);
    return config;
  }
  static std::unique_ptr<OrderingLog> connect(FabricLogConfig config) {
    auto log = connect_fabric(std::move(config));
    EXPECT_TRUE(log) << log.error().to_string();
    return std::move(*log);
  }
  static std::unique_ptr<Subscription> follow(OrderingLog& log, const std::shared_ptr<Collector>& sink) {
    auto subscription = log.subscribe(Height(0), sink);
    subscription->request(1'000'000);
    return subscription;
  }

  std::string folder_;
  std::map<std::string, std::unique_ptr<solo::OrdererNode>> nodes_;
  std::map<std::string, int> ports_;
};

TEST_F(SeveralOrderersTest, AnOrdererThatWithholdsBlocksIsLeftForAnother) {
  start_two_with({"one", "two"});
  const auto log = connect(config({"a", "b"}));
  auto seen = std::make_shared<Collector>();
  const auto subscription = follow(*log, seen);
  ASSERT_TRUE(seen->wait_for_record("two"));
  // Only b goes on: to a client of both it is a that keeps blocks back, while its connection is in order.
  const auto ahead = connect(config({"b"}));
  for (const char* record : {"three", "four"})
    ASSERT_EQ(submit_and_wait(*ahead, record).outcome, SubmitOutcome::accepted);
  ASSERT_TRUE(seen->wait_for_record("four"));
  EXPECT_EQ(seen->sequence(), (std::vector<Bytes>{"one", "two", "three", "four"}));
  EXPECT_TRUE(seen->chained());
  EXPECT_FALSE(seen->end());
}

TEST_F(SeveralOrderersTest, ASlowSinkIsNotTakenForAnOrdererThatWithholds) {
  start_two_with({});
  const auto log = connect(config({"a"}));
  auto settings = config({"a", "b"});
  settings.window_bytes = 100;
  const auto reader = connect(settings);
  auto slow = std::make_shared<Collector>();
  const auto subscription = reader->subscribe(Height(0), slow);
  for (const char c : {'1', '2', '3', '4', '5'})
    ASSERT_EQ(submit_and_wait(*log, Bytes(1000, c)).outcome, SubmitOutcome::accepted);
  std::this_thread::sleep_for(std::chrono::milliseconds(600));  // twice the patience
  subscription->request(1'000'000);
  ASSERT_TRUE(slow->wait_for_record(Bytes(1000, '5'))) << "b has nothing: the stream stayed with a";
}

TEST_F(SeveralOrderersTest, ARecordForAllIsAcceptedWhenEnoughTakeIt) {
  for (const char* name : {"a", "b", "c"}) start(name);
  auto settings = config({"a", "b", "c"});
  settings.accepts_needed = 2;
  const auto log = connect(settings);
  EXPECT_EQ(submit_and_wait(*log, "three of three").outcome, SubmitOutcome::accepted);
  stop("b");
  EXPECT_EQ(submit_and_wait(*log, "two of three").outcome, SubmitOutcome::accepted);
  auto seen = std::make_shared<Collector>();
  const auto at_c = connect(config({"c"}));
  const auto subscription = follow(*at_c, seen);
  EXPECT_TRUE(seen->wait_for_record("two of three")) << "each orderer was given every record";

  auto hasty = settings;
  hasty.submit_timeout = Duration::seconds(1);
  const auto impatient = connect(hasty);
  ASSERT_TRUE(submit_until_accepted(*impatient, "two again"));
  stop("c");
  const auto one = submit_and_wait(*impatient, "one of three");
  EXPECT_EQ(one.outcome, SubmitOutcome::unknown)
      << "one has it, which is not enough to be sure and too much to be nothing";
  EXPECT_TRUE(eventually([&] { return impatient->health().state != Health::State::ready; }));
  EXPECT_EQ(impatient->health().pending_submissions, 0u);
  stop("a");
  // Its connection's end may not be known yet, and then it is unknown what became of a record.
  EXPECT_TRUE(eventually([&] { return submit_and_wait(*impatient, "none").outcome == SubmitOutcome::refused; }));
  const auto none = submit_and_wait(*impatient, "none at all");
  ASSERT_EQ(none.outcome, SubmitOutcome::refused);
  EXPECT_EQ(none.error->id, "ORDERING_UNAVAILABLE");
}

TEST_F(SeveralOrderersTest, WhatEnoughOrderersCallInvalidIsRefusedAtOnce) {
  for (const char* name : {"a", "b", "c"}) start(name);
  stop("c");
  auto settings = config({"a", "b", "c"});
  settings.accepts_needed = 2;
  const auto log = connect(settings);  // whose own limit is higher
  const auto large = submit_and_wait(*log, Bytes(101'000, 'x'));
  ASSERT_EQ(large.outcome, SubmitOutcome::refused);
  EXPECT_EQ(large.error->id, "ORDERING_RECORD_TOO_LARGE");
}

}  // namespace
}  // namespace synod::ordering::conformance
