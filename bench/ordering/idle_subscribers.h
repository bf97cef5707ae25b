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
  double join_seconds = 0;        // until all of them are registered and subscribed
  double memory_bytes = 0;        // of the sequencers, a subscriber
  double cpu_micros = 0;          // of the sequencers, a subscriber and second
  double news_cpu_micros = 0;     // of the sequencers, a subscriber and event that goes to all of them
  boost::json::object json() const;
};

// What the sequencers take without the subscribers.
struct SequencerLoad {
  double memory_bytes = 0;
  double cpu_seconds = 0;  // a second

  // Watches them for half a minute.
  static SequencerLoad measure(const testnet::NetworkPlan& plan);
};

// Members that only listen, each over a connection of its own as participants have it, with the client that
// participants have. They keep no topology: `sponsor` registers them all in one broadcast before the first one
// connects, and what is in force then is what they go by.
class IdleSubscribers {
 public:
  // At the endpoints in turn, on a loop of their own.
  static Result<std::unique_ptr<IdleSubscribers>> join(const std::vector<sequencer::client::Endpoint>& endpoints,
                                                       std::uint64_t count, LoadMember& sponsor);
  ~IdleSubscribers();
  // Watches the sequencers for half a minute, once nothing is on its way to the subscribers. Error id BENCH_NOT_QUIET.
  Result<IdleCost> measure(const testnet::NetworkPlan& plan, const SequencerLoad& before, LoadMember& sponsor) const;

 private:
  class Member;

  IdleSubscribers();
  // Until each of these has got so many events.
  Status wait_events(std::size_t first, std::size_t end, std::uint64_t events) const;
  Result<double> measure_news(const testnet::NetworkPlan& plan, LoadMember& sponsor) const;
  Status wait_until_quiet() const;

  std::shared_ptr<EventLoop> loop_;
  std::vector<std::unique_ptr<Member>> members_;
  double join_seconds_ = 0;
};

}  // namespace synod::bench
