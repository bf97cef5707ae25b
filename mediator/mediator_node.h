// A mediator as a running node: its connection to the sequencers, the topology, the core on its own thread.
//
// node/ makes the parts, makes a MediatorNode and calls start(). The mediator must be in the topology already (genesis,
// or a mediator group that names it); until it is, the node keeps trying.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/env.h"
#include "base/result.h"
#include "crypto/keys.h"
#include "mediator/core.h"
#include "protocol/ids.h"
#include "sequencer/client/config.h"
#include "storage/store.h"

namespace synod::mediator {

struct MediatorNodeConfig {
  sequencer::client::ClientConfig client;
  MediatorConfig mediator;
};
void describe(config::Fields& fields, MediatorNodeConfig& config);

struct MediatorParts {
  protocol::Member self;                   // MED::…
  std::shared_ptr<crypto::KeyStore> keys;  // with the keys that the topology names
  std::shared_ptr<storage::Store> store;   // opened with mediator_columns()
  std::shared_ptr<Clock> clock;
  std::shared_ptr<Random> random;
  // The store has failed for good, say because another replica owns it: the node does nothing any more, and waits for
  // stop(); whoever is told says so. From the node's thread. Null: that is the node's problem, which its status tells.
  std::function<void(const Error&)> on_store_lost;
};
std::vector<storage::Column> mediator_columns();

struct MediatorNodeStatus {
  bool connected = false;
  std::optional<protocol::PhysicalSynchronizerId> synchronizer;
  std::optional<Timestamp> last_event;
  std::optional<topology::MediatorGroup> group;  // as of the last event
  MediatorStatus core;
  std::string problem;  // why not connected or not well, in plain words; empty if all is well
};

class MediatorNode {
 public:
  MediatorNode(MediatorNodeConfig config, MediatorParts parts);
  ~MediatorNode();  // stop()

  // Connects, downloads the topology at the first start, and subscribes; returns at once. `on_ready` (may be null) runs
  // once on the node's thread: when it follows the synchronizer, or with the error that ended the attempt.
  void start(std::function<void(Status)> on_ready = nullptr);
  // The sequencers to use from now on. Thread rules: any thread.
  void set_sequencers(std::vector<sequencer::client::Endpoint> endpoints);
  void stop();  // not from a callback; idempotent

  MediatorNodeStatus status() const;  // any thread

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace synod::mediator
