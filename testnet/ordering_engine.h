// The ordering service of a test network where it is not one of our nodes: a real engine on this machine, beside the
// nodes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "testnet/launcher.h"
#include "testnet/network_plan.h"
#include "testnet/network_process.h"

namespace synod::node {
struct NodeFile;
}

namespace synod::testnet {

// Everything that it keeps lies in the network's folder, so that another command finds it again.
class OrderingEngine {
 public:
  virtual ~OrderingEngine() = default;
  // Before the nodes are configured. Says what it downloads and why. Error id ENGINE_NOT_INSTALLED names what is
  // missing on this machine and how to get it.
  virtual Status prepare(const Progress& progress) = 0;
  // Starts what does not run; returns when sequencers can use it.
  virtual Status start(Duration patience, const Progress& progress) = 0;
  // True: nothing of it runs any more.
  virtual bool stop(Duration patience) = 0;
  // One by one, once it was prepared.
  virtual std::vector<NetworkProcess> processes() const = 0;
  // Before configure(), of a running engine: lets in a sequencer that was not there when it was prepared.
  virtual Status admit(const NodePlan& sequencer, Duration patience, const Progress& progress) = 0;
  // New keys and certificates in place of those with which this sequencer uses it: names of the new certificates. None
  // where it knows no such thing. Processes notice them by themselves.
  virtual Result<std::vector<std::string>> renew_identity(const NodePlan&) { return std::vector<std::string>(); }
  // How this sequencer reaches it.
  virtual Status configure(const NodePlan& sequencer, node::NodeFile& file) const = 0;
};

// What a network file or --ordering may say: solo first, then the engines.
const std::vector<std::string>& orderings();

// None for solo, whose orderer is a node of the plan.
Result<std::unique_ptr<OrderingEngine>> engine_of(const NetworkPlan& plan);

}  // namespace synod::testnet
