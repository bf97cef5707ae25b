// The simulator's surroundings: virtual time, seeded randomness, a schedule of actions, a trace, and the first
// violation.
//
// Everything happens on one thread in the order of virtual time; equal times keep the order in which they were
// scheduled. Nothing here or above may ask the real clock, real randomness, addresses or unordered containers for a
// decision: the same seed must give the same trace.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/env.h"
#include "base/time.h"

namespace synod::sim {

class World {
 public:
  explicit World(std::uint64_t seed);

  Timestamp now() const { return now_; }
  Random& random() { return *random_; }
  const std::shared_ptr<Random>& shared_random() { return random_; }
  bool chance(std::uint32_t per_mille) { return random_->below(1000) < per_mille; }
  Duration between(Duration low, Duration high) {
    return low +
           Duration{static_cast<std::int64_t>(random_->below(static_cast<std::uint64_t>((high - low).micros + 1)))};
  }

  void after(Duration delay, std::function<void()> action);
  // Runs what is scheduled up to `end`, unless a promise is broken before.
  void run_until(Timestamp end);

  // Adds to the trace: its hash tells whether two runs were the same, its end helps to understand a failure.
  void note(std::string_view text);
  std::string trace_hash() const;
  std::string trace_end() const;  // the latest lines
  std::uint64_t steps() const { return steps_; }

  void violate(std::string what);  // only the first one counts
  const std::optional<std::string>& violation() const { return violation_; }

 private:
  const std::shared_ptr<Random> random_;
  Timestamp now_{1'700'000'000'000'000};
  std::uint64_t next_ = 0;
  std::uint64_t steps_ = 0;
  std::map<std::pair<Timestamp, std::uint64_t>, std::function<void()>> schedule_;
  std::uint64_t hash_ = 0xcbf29ce484222325;
  std::deque<std::string> recent_;
  const bool print_;
  std::optional<std::string> violation_;
};

// Something that can crash and start again. What must outlive a crash belongs to the subclass; what must not, it drops
// in halt().
class Process {
 public:
  Process(World& world, std::string name) : world_(world), name_(std::move(name)) {}
  virtual ~Process() = default;

  const std::string& name() const { return name_; }
  bool up() const { return up_; }
  std::uint64_t life() const { return life_; }
  World& world() { return world_; }
  // Its own clock, which is a little off.
  Timestamp clock() const { return world_.now() + skew_; }
  void set_skew(Duration skew) { skew_ = skew; }

  void start();
  // `machine`: unsynced writes may be lost, also those of a process that was killed before; otherwise only the process
  // dies.
  void crash(bool machine);
  // Runs in this life only.
  void after(Duration delay, std::function<void()> action);

 protected:
  virtual void boot() = 0;
  virtual void halt(bool machine) = 0;

  World& world_;

 private:
  const std::string name_;
  Duration skew_;
  bool up_ = false;
  std::uint64_t life_ = 0;
};

// How badly messages travel.
struct NetworkFaults {
  std::uint32_t loss_per_mille = 0;
  std::uint32_t duplicate_per_mille = 0;
  std::uint32_t straggler_per_mille = 0;  // late by up to max_straggle
  Duration min_delay = Duration::microseconds(100);
  Duration max_delay = Duration::milliseconds(2);
  Duration max_straggle = Duration::milliseconds(300);
};

class Network {
 public:
  explicit Network(World& world) : world_(world) {}

  NetworkFaults faults;
  void cut(const Process& a, const Process& b) { cut_.insert(key(a, b)); }
  void join(const Process& a, const Process& b) { cut_.erase(key(a, b)); }
  void heal() {
    cut_.clear();
    faults = {};
  }
  // The action runs at the receiver, never, once or twice, sooner or later than others; not across a crash of the
  // receiver.
  void send(const Process& from, Process& to, std::function<void()> action);
  // As an item of a stream: not before, and not twice, what was sent on this stream earlier. Loss leaves a gap.
  void stream(const Process& from, Process& to, std::function<void()> action);

 private:
  static std::pair<std::string, std::string> key(const Process& a, const Process& b) {
    return std::minmax(a.name(), b.name());
  }
  World& world_;
  Duration some_delay();

  std::set<std::pair<std::string, std::string>> cut_;
  std::map<std::pair<std::string, std::string>, Timestamp>
      stream_times_;  // of the latest delivery, by sender and receiver
};

}  // namespace synod::sim
