#include "bench/ordering/idle_subscribers.h"

#include <chrono>
#include <cmath>
#include <thread>

#include "bench/ordering/measurement.h"
#include "testnet/process.h"

namespace synod::bench {
namespace {

constexpr std::uint64_t kAtOnce = 25;  // members that join at the same time
constexpr Duration kPatience = Duration::seconds(120);
constexpr int kWatchedSeconds = 5;
constexpr int kQuietSeconds = 2;
constexpr int kSettleSeconds = 600;

double cpu_of_sequencers(const testnet::NetworkPlan& plan) {
  const Cost cost = Cost::now(plan);
  double seconds = 0;
  for (const testnet::NodePlan* node : plan.with_role(testnet::Role::sequencer)) seconds += cost.cpu_of(node->name);
  return seconds;
}

}  // namespace

double memory_of_sequencers(const testnet::NetworkPlan& plan) {
  double bytes = 0;
  for (const testnet::NodePlan* node : plan.with_role(testnet::Role::sequencer))
    if (const auto pid = testnet::running(*node)) bytes += static_cast<double>(testnet::memory_of(*pid).value_or(0));
  return bytes;
}

boost::json::object IdleCost::json() const {
  return {{"subscribers", subscribers},
          {"memoryBytesPerSubscriber", std::round(memory_bytes)},
          {"cpuMicrosPerSubscriberAndSecond", std::round(cpu_micros * 10) / 10}};
}

Result<std::unique_ptr<IdleSubscribers>> IdleSubscribers::join(
    const std::vector<sequencer::client::Endpoint>& endpoints, std::uint64_t count) {
  auto idle = std::make_unique<IdleSubscribers>();
  idle->loop_ = std::make_shared<EventLoop>("idle-members");
  for (std::uint64_t first = 0; first < count; first += kAtOnce) {
    const std::uint64_t end = std::min(count, first + kAtOnce);
    for (std::uint64_t i = first; i < end; ++i) {
      idle->members_.push_back(
          std::make_unique<LoadMember>("idle-" + std::to_string(i), endpoints[i % endpoints.size()], idle->loop_));
      idle->members_.back()->begin_join();
    }
    for (std::uint64_t i = first; i < end; ++i) SYNOD_RETURN_IF_ERROR(idle->members_[i]->wait_joined(kPatience));
  }
  return idle;
}

IdleSubscribers::~IdleSubscribers() {
  members_.clear();
  if (loop_) loop_->stop();
}

Status IdleSubscribers::wait_until_quiet() const {
  std::uint64_t before = 0;
  for (int quiet = 0, waited = 0; quiet < kQuietSeconds; ++waited) {
    if (waited > kSettleSeconds)
      return fail(unavailable("BENCH_NOT_QUIET", "the idle subscribers still receive events"));
    std::this_thread::sleep_for(std::chrono::seconds(1));
    std::uint64_t events = 0;
    for (const auto& member : members_) events += member->events();
    quiet = events == before ? quiet + 1 : 0;
    before = events;
  }
  return {};
}

Result<IdleCost> IdleSubscribers::measure(const testnet::NetworkPlan& plan, double memory_before) const {
  SYNOD_RETURN_IF_ERROR(wait_until_quiet());
  const double cpu_before = cpu_of_sequencers(plan);
  std::this_thread::sleep_for(std::chrono::seconds(kWatchedSeconds));
  IdleCost cost;
  cost.subscribers = members_.size();
  const double count = static_cast<double>(members_.size());
  cost.cpu_micros = (cpu_of_sequencers(plan) - cpu_before) / count / kWatchedSeconds * 1e6;
  cost.memory_bytes = (memory_of_sequencers(plan) - memory_before) / count;
  return cost;
}

}  // namespace synod::bench
