// Looks at a test network all the time, beside a test.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "synod/admin.pb.h"
#include "testnet/network_plan.h"

namespace synod::e2e {

// Every node is asked for its readiness again and again; one that is not ready and does not say why is noted.
class ReadinessWatch {
 public:
  explicit ReadinessWatch(const testnet::NetworkPlan& plan);
  ~ReadinessWatch();
  std::vector<std::string> silent() const;  // who was not ready without a reason
  // Until it has come across a node that is not ready: while one is, this is a matter of time.
  bool wait_seen_not_ready(std::chrono::seconds patience = std::chrono::seconds(120)) const;

 private:
  const testnet::NetworkPlan plan_;
  mutable std::mutex mutex_;
  std::vector<std::string> silent_;
  std::atomic<int> not_ready_ = 0;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

// What the node says when `condition` holds first; what it said last if that does not happen in time. A node that does
// not answer says nothing.
synod::admin::v1::NodeStatus wait_for_status(const testnet::NodePlan& node,
                                             const std::function<bool(const synod::admin::v1::NodeStatus&)>& condition,
                                             std::chrono::seconds patience = std::chrono::seconds(300));

// Until all sequencers are at the same height, and stay there. The hashes of a block and of what was made of the log
// cover all that was before, so that equal ones mean equal blocks, byte for byte, at every height. Empty: they agree;
// otherwise what is not so.
std::string disagreement(const testnet::NetworkPlan& plan, std::chrono::seconds patience = std::chrono::seconds(300));

// Lines of the nodes' logs that no fault explains: alarms, forks, what a node gave up for good.
std::vector<std::string> unexplained(const testnet::NetworkPlan& plan);

}  // namespace synod::e2e
