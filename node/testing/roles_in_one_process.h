// For tests: the nodes of a small network in one process, each started as its own process would start it.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/env.h"
#include "base/process.h"
#include "base/testing/expect_log.h"
#include "base/testing/temporary_folder.h"
#include "node/founding.h"
#include "node/genesis_file.h"
#include "node/running_node.h"

namespace synod::node::testing {

constexpr std::chrono::seconds kPatience(60);

inline ::testing::AssertionResult eventually(const std::function<bool()>& condition) {
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > give_up) return ::testing::AssertionFailure() << "not within 60 s";
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return ::testing::AssertionSuccess();
}

// One node of each role, named after it. None runs at first.
class RolesInOneProcess : public ::testing::Test {
 protected:
  void SetUp() override {
    synod::testing::expect_log("will try again");  // a busy machine's sequencer may not serve within a call's time
    folder_ = synod::testing::new_folder("roles");
    orderer_port_ = free_port();
    sequencer_port_ = free_port();
    found();
  }
  void TearDown() override {
    nodes_.clear();
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
                            {{1, {identity(protocol::MemberKind::mediator, "mediator").introduction}}}};
    const auto genesis = found_synchronizer(founders);
    ASSERT_TRUE(genesis) << genesis.error().to_string();
    ASSERT_TRUE(write_genesis(folder_ + "/genesis.bin", *genesis));
  }

 protected:
  std::string folder_;
  int orderer_port_ = 0, sequencer_port_ = 0;
};

}  // namespace synod::node::testing
