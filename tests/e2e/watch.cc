#include "tests/e2e/watch.h"

#include <fstream>

#include "testnet/status.h"

namespace synod::e2e {

using std::chrono::milliseconds;
using synod::admin::v1::NodeStatus;

namespace {

constexpr Duration kAnswer = Duration::seconds(10);  // one that does not listen is known at once

}  // namespace

ReadinessWatch::ReadinessWatch(const testnet::NetworkPlan& plan) : plan_(plan) {
  thread_ = std::thread([this] {
    while (!stopping_) {
      for (const testnet::NodePlan& node : plan_.nodes) {
        const auto status = testnet::ask(node, kAnswer);
        if (!status || status->healthy()) continue;
        ++not_ready_;
        if (!status->reason().empty()) continue;
        std::lock_guard lock(mutex_);
        silent_.push_back(node.name);
      }
      std::this_thread::sleep_for(milliseconds(100));
    }
  });
}

ReadinessWatch::~ReadinessWatch() {
  stopping_ = true;
  thread_.join();
}

bool ReadinessWatch::wait_seen_not_ready(std::chrono::seconds patience) const {
  const auto give_up = std::chrono::steady_clock::now() + patience;
  while (not_ready_ == 0 && std::chrono::steady_clock::now() < give_up) std::this_thread::sleep_for(milliseconds(20));
  return not_ready_ > 0;
}

std::vector<std::string> ReadinessWatch::silent() const {
  std::lock_guard lock(mutex_);
  return silent_;
}

NodeStatus wait_for_status(const testnet::NodePlan& node, const std::function<bool(const NodeStatus&)>& condition,
                           std::chrono::seconds patience) {
  const auto give_up = std::chrono::steady_clock::now() + patience;
  for (NodeStatus last;;) {
    if (const auto status = testnet::ask(node, kAnswer)) {
      last = *status;
      if (condition(last)) return last;
    }
    if (std::chrono::steady_clock::now() > give_up) return last;
    std::this_thread::sleep_for(milliseconds(20));
  }
}

std::string disagreement(const testnet::NetworkPlan& plan, std::chrono::seconds patience) {
  const auto give_up = std::chrono::steady_clock::now() + patience;
  std::string said;
  for (std::string before;; before = said) {
    said.clear();
    std::string first;
    bool same = true;
    for (const testnet::NodePlan* node : plan.with_role(testnet::Role::sequencer)) {
      const auto status = testnet::ask(*node, kAnswer);
      const std::string point = !status || !status->healthy() || status->block_hash().empty()
                                    ? "not ready"
                                    : "height " + std::to_string(status->height()) + ", block " + status->block_hash() +
                                          ", state " + status->state_hash();
      if (said.empty()) first = point;
      same = same && point == first && point != "not ready";
      said += node->name + ": " + point + "\n";
    }
    if (same && said == before) return {};
    if (std::chrono::steady_clock::now() > give_up) return said;
    std::this_thread::sleep_for(milliseconds(300));
  }
}

std::vector<std::string> unexplained(const testnet::NetworkPlan& plan) {
  std::vector<std::string> found;
  for (const testnet::NodePlan& node : plan.nodes) {
    std::ifstream in(node.log_file());
    for (std::string line; std::getline(in, line);)
      for (const char* sign : {"ALARM", "no more blocks are taken", "check failed", "terminate called"})
        if (line.find(sign) != std::string::npos) found.push_back(node.name + ": " + line);
  }
  return found;
}

}  // namespace synod::e2e
