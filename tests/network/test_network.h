// A synchronizer in one process: solo orderer, sequencers with their own stores, and members with their clients.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "ordering/solo/orderer_node.h"
#include "rpc/server.h"
#include "sequencer/client/client.h"
#include "sequencer/sequencer_node.h"
#include "storage/memory/memory_store.h"
#include "topology/genesis.h"
#include "topology/state.h"

namespace synod::testing {

// A member with its own thread, topology state and client. It processes topology broadcasts as any node does.
class TestMember {
 public:
  TestMember(protocol::Member id, std::shared_ptr<crypto::KeyStore> keys, const topology::Genesis& genesis,
             sequencer::client::ClientConfig config);
  ~TestMember();

  void start(std::optional<sequencer::client::ResumePoint> resume = std::nullopt);
  void stop();
  // Sends one envelope to these recipients; the future has the result.
  std::shared_future<Result<Timestamp>> send(const std::string& message_id, protocol::RecipientSet recipients,
                                             Bytes content = "hello");
  // False after two minutes.
  bool wait_events(std::size_t count);
  std::vector<sequencer::client::Delivered> events() const;
  sequencer::client::SequencerClient& client() { return *client_; }
  void on_loop(std::function<void()> task);

  const protocol::Member id;

 private:
  void received(sequencer::client::Delivered delivered);

  std::shared_ptr<crypto::KeyStore> keys_;
  sequencer::client::ClientConfig config_;
  topology::TopologyState state_;
  std::shared_ptr<EventLoop> loop_;
  std::unique_ptr<sequencer::client::SequencerClient> client_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<sequencer::client::Delivered> events_;
};

struct TestNetworkConfig {
  int sequencers = 2;
  int members = 2;   // active mediators of group 0
  bool sync = true;  // whether the orderer syncs its log
  // What the sequencers' servers offer instead of their services; null: these.
  using Services = std::vector<std::shared_ptr<grpc::Service>>;
  std::function<Services(Services)> instead;
};

class TestNetwork {
 public:
  explicit TestNetwork(TestNetworkConfig config);
  ~TestNetwork();

  // Its connections break; its store stays as it is.
  void kill_sequencer(int index);
  void start_sequencer(int index);
  sequencer::client::ClientConfig client_config() const;  // all sequencers as endpoints
  // A new client for the member, not started.
  std::unique_ptr<TestMember> member(int index, sequencer::client::ClientConfig config) const;
  const protocol::Member& member_id(int index) const { return members_[index]; }
  const topology::Genesis& genesis() const { return genesis_; }
  std::shared_ptr<crypto::KeyStore> keys() const { return keys_; }  // everybody's
  sequencer::SequencerNode& sequencer(int index) { return *sequencers_[index].node; }

 private:
  struct Sequencer {
    protocol::Member id;
    int port = 0;
    std::shared_ptr<storage::Store> store;
    std::shared_ptr<ordering::OrderingLog> log;
    std::unique_ptr<sequencer::SequencerNode> node;
    std::unique_ptr<rpc::Server> server;
  };

  const TestNetworkConfig config_;
  std::filesystem::path folder_;
  std::shared_ptr<Random> random_;
  std::shared_ptr<crypto::KeyStore> keys_;  // everybody's
  topology::Genesis genesis_;
  std::unique_ptr<ordering::solo::OrdererNode> orderer_;
  std::vector<Sequencer> sequencers_;
  std::vector<protocol::Member> members_;
};

}  // namespace synod::testing
