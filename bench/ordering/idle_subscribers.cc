#include "bench/ordering/idle_subscribers.h"

#include <chrono>
#include <cmath>
#include <thread>

#include "base/check.h"
#include "bench/ordering/measurement.h"
#include "participant/node/identity.h"
#include "sequencer/client/client.h"
#include "testnet/process.h"

namespace synod::bench {
namespace {

namespace client = sequencer::client;

constexpr std::size_t kAtOnce = 50;          // members that connect at the same time
constexpr std::size_t kInABroadcast = 1000;  // members; some 1.5 KB each
constexpr Duration kJoinPatience = Duration::seconds(120);
constexpr auto kLookAgain = std::chrono::milliseconds(5);
constexpr int kWatchedSeconds = 30;  // connections are pinged about that often
constexpr int kQuietSeconds = 12;
constexpr int kNews = 5;
// Within the time of quiet: what is acknowledged once costs the sequencers nothing any more.
constexpr Duration kAcknowledgeSoon = Duration::seconds(10);
constexpr int kSettleSeconds = 600;

double cpu_of_sequencers(const testnet::NetworkPlan& plan) {
  const Cost cost = Cost::now(plan);
  double seconds = 0;
  for (const testnet::NodePlan* node : plan.with_role(testnet::Role::sequencer)) seconds += cost.cpu_of(node->name);
  return seconds;
}

double memory_of_sequencers(const testnet::NetworkPlan& plan) {
  double bytes = 0;
  for (const testnet::NodePlan* node : plan.with_role(testnet::Role::sequencer))
    if (const auto pid = testnet::running(*node)) bytes += static_cast<double>(testnet::memory_of(*pid).value_or(0));
  return bytes;
}

}  // namespace

boost::json::object IdleCost::json() const {
  return {{"subscribers", subscribers},
          {"joinSeconds", std::round(join_seconds * 10) / 10},
          {"memoryBytesPerSubscriber", std::round(memory_bytes)},
          {"cpuMicrosPerSubscriberAndSecond", std::round(cpu_micros * 10) / 10},
          {"cpuMicrosPerSubscriberAndEventToAll", std::round(news_cpu_micros)}};
}

SequencerLoad SequencerLoad::measure(const testnet::NetworkPlan& plan) {
  const double before = cpu_of_sequencers(plan);
  std::this_thread::sleep_for(std::chrono::seconds(kWatchedSeconds));
  return {memory_of_sequencers(plan), (cpu_of_sequencers(plan) - before) / kWatchedSeconds};
}

class IdleSubscribers::Member {
 public:
  explicit Member(const std::string& name) {
    auto identity = participant::open_identity(crypto::memory_key_store(), name, *system_random());
    SYNOD_CHECK(identity);
    identity_ = std::move(*identity);
  }
  const participant::Identity& identity() const { return *identity_; }
  std::uint64_t events() const { return events_; }

  // On the loop.
  void connect(client::Endpoint sequencer, const topology::Snapshot& topology, const std::shared_ptr<EventLoop>& loop) {
    client::ClientConfig config;
    config.endpoints = {std::move(sequencer)};
    config.acknowledge_interval = kAcknowledgeSoon;
    client::Handlers handlers;
    handlers.snapshot_at = [topology](Timestamp) { return topology; };
    handlers.on_event = [this](const client::Delivered& delivered) {
      ++events_;
      client_->processed(delivered.event.timestamp);
    };
    client_ = std::make_unique<client::SequencerClient>(
        config, client::ClientParts{identity_->member, identity_->keys, loop, system_clock(), system_random()},
        std::move(handlers));
    client_->start();
    client_->subscribe(std::nullopt);
  }
  void leave() {
    if (client_) client_->stop();
  }

 private:
  std::optional<participant::Identity> identity_;
  std::unique_ptr<client::SequencerClient> client_;
  std::atomic<std::uint64_t> events_ = 0;
};

IdleSubscribers::IdleSubscribers() : loop_(std::make_shared<EventLoop>("idle-members")) {}

Result<std::unique_ptr<IdleSubscribers>> IdleSubscribers::join(const std::vector<client::Endpoint>& endpoints,
                                                               std::uint64_t count, LoadMember& sponsor) {
  std::unique_ptr<IdleSubscribers> idle(new IdleSubscribers());
  for (std::uint64_t i = 0; i < count; ++i)
    idle->members_.push_back(std::make_unique<Member>("idle-" + std::to_string(i)));
  const auto clock = system_clock();
  const std::int64_t begun = clock->monotonic_micros();
  const auto synchronizer = sponsor.topology_snapshot().synchronizer().logical();
  for (std::size_t first = 0; first < count; first += kInABroadcast) {
    std::vector<topology::SignedTransaction> all;
    for (std::size_t i = first; i < std::min<std::size_t>(count, first + kInABroadcast); ++i) {
      SYNOD_TRY(auto own, participant::onboarding_transactions(idle->members_[i]->identity(), synchronizer));
      std::move(own.begin(), own.end(), std::back_inserter(all));
    }
    SYNOD_RETURN_IF_ERROR(sponsor.broadcast(std::move(all), kJoinPatience));
  }
  const topology::Snapshot topology = sponsor.topology_snapshot();
  for (std::size_t first = 0; first < count; first += kAtOnce) {
    const std::size_t end = std::min<std::size_t>(count, first + kAtOnce);
    idle->loop_->post([first, end, endpoints, topology, members = &idle->members_, loop = idle->loop_] {
      // The first event of each says that its keys are in force.
      for (std::size_t i = first; i < end; ++i) (*members)[i]->connect(endpoints[i % endpoints.size()], topology, loop);
    });
    SYNOD_RETURN_IF_ERROR(idle->wait_events(first, end, 1));
  }
  idle->join_seconds_ = static_cast<double>(clock->monotonic_micros() - begun) / 1e6;
  return idle;
}

IdleSubscribers::~IdleSubscribers() {
  std::promise<void> left;
  loop_->post([&] {
    for (const auto& member : members_) member->leave();
    left.set_value();
  });
  left.get_future().wait();
  members_.clear();
  loop_->stop();
}

Status IdleSubscribers::wait_events(std::size_t first, std::size_t end, std::uint64_t events) const {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::microseconds(kJoinPatience.micros);
  for (std::size_t i = first; i < end;) {
    if (members_[i]->events() >= events) {
      ++i;
      continue;
    }
    if (std::chrono::steady_clock::now() > give_up) {
      return fail(unavailable("BENCH_MEMBER_NOT_CONNECTED",
                              members_[i]->identity().member.to_string() + " does not get its events in time"));
    }
    std::this_thread::sleep_for(kLookAgain);
  }
  return {};
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

Result<IdleCost> IdleSubscribers::measure(const testnet::NetworkPlan& plan, const SequencerLoad& before,
                                          LoadMember& sponsor) const {
  SYNOD_RETURN_IF_ERROR(wait_until_quiet());
  const SequencerLoad now = SequencerLoad::measure(plan);
  const double count = static_cast<double>(members_.size());
  IdleCost cost;
  cost.subscribers = members_.size();
  cost.join_seconds = join_seconds_;
  cost.cpu_micros = (now.cpu_seconds - before.cpu_seconds) / count * 1e6;
  cost.memory_bytes = (now.memory_bytes - before.memory_bytes) / count;
  SYNOD_TRY(cost.news_cpu_micros, measure_news(plan, sponsor));
  SYNOD_RETURN_IF_ERROR(wait_until_quiet());
  return cost;
}

// A broadcast of nothing is an event for all, and so is the tick that follows it.
Result<double> IdleSubscribers::measure_news(const testnet::NetworkPlan& plan, LoadMember& sponsor) const {
  const double before = cpu_of_sequencers(plan);
  for (int i = 0; i < kNews; ++i) {
    const std::uint64_t had = members_.front()->events();
    SYNOD_RETURN_IF_ERROR(sponsor.broadcast({}, kJoinPatience));
    SYNOD_RETURN_IF_ERROR(wait_events(0, members_.size(), had + 2));
  }
  return (cpu_of_sequencers(plan) - before) / static_cast<double>(members_.size()) / (2 * kNews) * 1e6;
}

}  // namespace synod::bench
