// What a run of load gave: throughput, lateness, and what it cost the machine.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bench/ordering/load_client.h"
#include "testnet/network_plan.h"

namespace synod::bench {

// Of everything that this process started, and of itself.
struct Cost {
  std::map<std::string, double> cpu_seconds;        // by node, "clients" for this process, "engine" for all others
  std::map<std::string, double> sequencer_threads;  // "node/thread": processor time; of like-named ones, the busiest
  std::uint64_t bytes = 0;                          // on disk, all processes together

  static Cost now(const testnet::NetworkPlan& plan);
  double cpu_of(const std::string& process) const;
};

struct Measured {
  double rate = 0, throughput = 0;           // submissions a second, offered and delivered
  double p50 = 0, p99 = 0;                   // milliseconds from the time at which a submission was due
  double bytes = 0;                          // on disk, a submission
  std::map<std::string, double> cpu_micros;  // a submission
  // Of a sequencer's threads. On a machine with processors enough, it is this one that limits the rate.
  std::string busiest_thread;
  double busiest_micros = 0;  // a submission
  bool complete = false;      // everything was delivered to all in time

  bool sustained() const { return complete && throughput >= 0.95 * rate; }
  double cpu() const;  // of all
  boost::json::object json() const;
};
void print(const std::string& what, const Measured& measured);

// Offers load to clients that each receive everything, in turn.
class LoadMeter {
 public:
  // `clients` must outlive it.
  LoadMeter(const testnet::NetworkPlan& plan, std::vector<LoadClient*> clients, std::uint64_t payload_bytes)
      : plan_(plan), clients_(std::move(clients)), payload_bytes_(payload_bytes) {}

  // Errors: the problem of a client.
  Result<Measured> run(double rate, double seconds);
  std::function<Result<Measured>(double, double)> runs() {
    return [this](double rate, double seconds) { return run(rate, seconds); };
  }
  std::uint64_t offered() const { return offered_; }  // over all runs

 private:
  const testnet::NetworkPlan& plan_;
  std::vector<LoadClient*> clients_;
  const std::uint64_t payload_bytes_;
  std::uint32_t runs_ = 0;
  std::uint64_t offered_ = 0;
};

// Low load, the highest rate that is sustained, and the lowest that is not.
struct Capacity {
  Measured low;
  std::optional<Measured> highest, beyond;  // none: no rate that was tried is

  boost::json::object json() const;
};
struct LoadPlan {
  double low_rate, start_rate, seconds;
  bool quiet;  // prints nothing
};
using RunLoad = std::function<Result<Measured>(double rate, double seconds)>;
// A rate counts as not sustained when it fails twice: on a busy machine a short run may fail for other reasons.
Result<Capacity> find_capacity(const std::string& what, const RunLoad& run, const LoadPlan& plan);

}  // namespace synod::bench
