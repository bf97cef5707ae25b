// The topology manager as a running node: a member of its synchronizer (a participant without parties) whose namespace
// key owns the synchronizer. It follows the topology, offers the admin services, and broadcasts what they authorise.
//
// node/ makes the parts, makes a TopologyManagerNode, registers services() with an rpc::Server and calls start().
// Shutting down: stop() the node, stop the rpc::Server, destroy the node.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/env.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/keys.h"
#include "protocol/ids.h"
#include "sequencer/client/client.h"
#include "storage/store.h"
#include "topology/manager.h"

namespace grpc {
class Service;
}

namespace synod::topology {

struct TopologyManagerConfig {
  sequencer::client::ClientConfig client;
  Duration broadcast_timeout = Duration::seconds(60);   // a broadcast that is not sequenced by then has failed
  Duration onboarding_timeout = Duration::seconds(60);  // for a manager that is not part of the genesis
  std::uint64_t max_transactions_per_broadcast = 100;
  std::uint64_t max_waiting_requests = 1'000;  // beyond: TOPOLOGY_TOO_MANY_PENDING_TOPOLOGY_TRANSACTIONS
};
void describe(config::Fields& f, TopologyManagerConfig& c);

struct TopologyManagerParts {
  protocol::Member self;                   // PAR::…
  std::shared_ptr<crypto::KeyStore> keys;  // of `self`, and the synchronizer's namespace keys
  std::shared_ptr<storage::Store> store;   // opened with topology_manager_columns()
  std::shared_ptr<Clock> clock;
  std::shared_ptr<Random> random;
};
std::vector<storage::Column> topology_manager_columns();

struct TopologyManagerStatus {
  bool connected = false;
  std::optional<protocol::PhysicalSynchronizerId> synchronizer;
  std::optional<Timestamp> last_event;
  std::string problem;  // why not connected, in plain words; empty if all is well
};

class TopologyManagerNode {
 public:
  TopologyManagerNode(TopologyManagerConfig config, TopologyManagerParts parts);
  ~TopologyManagerNode();  // stop()

  // Connects, downloads the topology at the first start, and subscribes; returns at once. `on_ready` (may be null) runs
  // once, when changes can be made.
  void start(std::function<void(Status)> on_ready = nullptr);
  // Requests that wait get UNAVAILABLE. Not from a callback. Idempotent.
  // The sequencers to use from now on. Thread rules: any thread.
  void set_sequencers(std::vector<sequencer::client::Endpoint> endpoints);
  void stop();

  // TopologyManagerReadService and TopologyManagerWriteService.
  std::vector<std::shared_ptr<grpc::Service>> services();

  // Makes, signs and broadcasts a transaction, without gRPC. As Authorize: answers when it has been decided, with
  // `wait` when it has taken effect. Thread rules: from any thread; the callback comes on the node's thread.
  void authorize(Mapping mapping, ProposeOptions options, std::optional<Duration> wait,
                 std::function<void(Result<SignedTransaction>)> done);
  // The topology as known now. Thread rules: from any thread; blocks shortly.
  std::optional<Snapshot> head() const;

  // Thread rules: any thread.
  TopologyManagerStatus status() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace synod::topology
