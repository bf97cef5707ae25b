// Hyperledger Fabric's ordering service: Raft orderers, or SmartBFT's, which tolerate a lying one.
#pragma once

#include <signal.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>

#include "base/testing/expect_log.h"
#include "base/testing/temporary_folder.h"
#include "ordering/conformance/stopped.h"
#include "ordering/conformance/world.h"
#include "ordering/engines/fabric_engine.h"
#include "ordering/fabric/fabric_driver.h"

namespace synod::ordering::conformance {

class FabricWorld final : public EngineWorld {
 public:
  FabricWorld(engines::FabricConsensus consensus, int orderers) : consensus_(consensus), orderers_(orderers) {
    ::signal(SIGPIPE, SIG_IGN);
  }
  ~FabricWorld() override {
    if (engine_) kill();
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  std::string missing() const override { return engines::missing_for_fabric(engines::default_engine_cache()); }

  Traits traits() const override {
    Traits traits;
    traits.names_leader = !bft();
    traits.prunes = false;
    traits.orders_once = !bft();  // an orderer that caught up by copying blocks may propose what it holds once more
    traits.accepted_is_durable = false;
    traits.flood = bft() ? 500 : 2000;
    traits.kills = 2;
    return traits;
  }

  // A channel a test, so that the orderers run on.
  Status begin() override {
    // One of SmartBFT's that falls behind, say because a test stopped it, is suspected of withholding.
    if (bft()) synod::testing::expect_log("does not give block");
    if (!engine_) SYNOD_RETURN_IF_ERROR(open());
    resume();
    SYNOD_RETURN_IF_ERROR(engine_->start(traits().patience));
    // SmartBFT's may hang when a channel is taken from them that was busy.
    if (!channel_.empty() && !engine_->remove_channel(channel_)) {
      kill();
      SYNOD_RETURN_IF_ERROR(engine_->wipe());
      SYNOD_RETURN_IF_ERROR(engine_->start(traits().patience));
    }
    channel_ = "test" + std::to_string(++tests_);
    if (engine_->open_channel(channel_, Duration::seconds(30))) return {};
    // Seen once with SmartBFT: an orderer was gone after a channel had been taken from it.
    return start();
  }

  std::unique_ptr<OrderingLog> connect(ClientOptions options) override {
    const engines::FabricAccess access = engine_->access("org1", channel_);
    fabric::FabricDriverConfig config;
    for (const int port : relays_) config.endpoints.push_back("127.0.0.1:" + std::to_string(port));
    config.bft = bft();
    config.channel = channel_;
    config.channel_block_file = access.channel_block;
    config.tls_roots_file = access.tls_roots;
    config.tls_certificate_file = access.tls_certificate;
    config.tls_key_file = access.tls_key;
    config.msp_id = access.msp_id;
    config.signing_certificate_file = access.certificate;
    config.signing_key_file = access.key;
    config.submit_timeout = options.submit_timeout;
    config.window_bytes = options.window_bytes;
    config.max_pending_bytes = options.max_pending_bytes;
    config.max_reconnect_delay = Duration::milliseconds(200);
    config.head_check_interval = Duration::milliseconds(500);
    config.stall_patience = Duration::seconds(2);
    auto log = fabric::connect(config);
    return log ? std::move(*log) : nullptr;
  }

  Status start() override {
    SYNOD_RETURN_IF_ERROR(engine_->start(traits().patience));
    return engine_->open_channel(channel_, traits().patience);
  }
  void stop() override { engine_->stop(Duration::seconds(20)); }
  void kill() override {
    for (std::size_t i = 0; i < engine_->size(); ++i) engine_->orderer(i).stop(SIGKILL, Duration::seconds(20));
  }
  void pause() override {
    all(SIGSTOP);
    for (std::size_t i = 0; i < engine_->size(); ++i)
      if (const auto orderer = engine_->orderer(i).running()) wait_until_stopped(*orderer);
  }
  void resume() override { all(SIGCONT); }

  engines::FabricEngine& engine() { return *engine_; }
  const std::string& channel() const { return channel_; }

  Status prune(OrderingLog&, Height) override {
    return fail(Error("UNSUPPORTED", ErrorCategory::unsupported, "orderers of this version keep all blocks"));
  }
  Status replace_history() override {
    // Drivers check the orderers' signatures, and this is another channel for them. Which of these they come to see
    // first depends on how far which orderer is.
    synod::testing::expect_log("is not the configured channel block");
    synod::testing::expect_log("ORDERING_BLOCK_NOT_SIGNED");
    synod::testing::expect_log("has another block than");
    kill();
    SYNOD_RETURN_IF_ERROR(engine_->wipe());
    return start();
  }

 private:
  bool bft() const { return consensus_ == engines::FabricConsensus::smartbft; }
  void all(int signal) const {
    for (std::size_t i = 0; i < engine_->size(); ++i) engine_->orderer(i).signal(signal);
  }
  Status open() {
    folder_ = synod::testing::new_folder("fabric");
    SYNOD_TRY(const auto tools, engines::fabric_tools("", [](const std::string& line) { std::cout << line << "\n"; }));
    engines::FabricEngineConfig config;
    config.folder = folder_;
    config.consensus = consensus_;
    config.orderers = orderers_;
    config.dies_with_us = true;
    SYNOD_TRY(auto engine, engines::FabricEngine::open(tools, config));
    engine_.emplace(std::move(engine));
    for (const engines::FabricOrdererPorts& ports : engine_->network().orderers)
      relays_.push_back(relay_to(ports.service));
    return {};
  }

  const engines::FabricConsensus consensus_;
  const int orderers_;
  std::string folder_;
  std::optional<engines::FabricEngine> engine_;
  std::vector<int> relays_;
  std::string channel_;
  int tests_ = 0;
};

}  // namespace synod::ordering::conformance
