// What subscribers cost that nothing is sent to.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <memory>
#include <vector>

#include "bench/ordering/load_member.h"
#include "testnet/network_plan.h"

namespace synod::bench {

struct IdleCost {
  std::uint64_t subscribers = 0;  // over all sequencers
  double memory_bytes = 0;        // of the sequencers, a subscriber
  double cpu_micros = 0;          // of the sequencers, a subscriber and second
  boost::json::object json() const;
};

// Members that join the synchronizer at the endpoints in turn and only listen, on a loop of their own.
class IdleSubscribers {
 public:
  static Result<std::unique_ptr<IdleSubscribers>> join(const std::vector<sequencer::client::Endpoint>& endpoints,
                                                       std::uint64_t count);
  ~IdleSubscribers();
  // Watches the sequencers for some seconds, once all have the news of each other's joining, which are as many as there
  // are subscribers for each. `memory_before`: memory_of_sequencers() without the subscribers. Error id
  // BENCH_NOT_QUIET.
  Result<IdleCost> measure(const testnet::NetworkPlan& plan, double memory_before) const;

 private:
  Status wait_until_quiet() const;

  std::shared_ptr<EventLoop> loop_;
  std::vector<std::unique_ptr<LoadMember>> members_;
};
double memory_of_sequencers(const testnet::NetworkPlan& plan);

}  // namespace synod::bench
