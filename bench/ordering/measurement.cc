#include "bench/ordering/measurement.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <thread>

#include "testnet/process.h"

namespace synod::bench {
namespace {

constexpr double kGrowth = 1.6;  // of the rate while it is sustained

std::uint64_t bytes_in(const std::string& folder) {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (auto entry = std::filesystem::recursive_directory_iterator(folder, error);
       entry != std::filesystem::recursive_directory_iterator(); entry.increment(error))
    if (entry->is_regular_file(error)) bytes += entry->file_size(error);
  return bytes;
}

double own_cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// By name; of threads with the same name, the one that has used most.
std::map<std::string, double> thread_seconds_of(pid_t pid) {
  std::map<std::string, double> seconds;
  std::error_code error;
  for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", error)) {
    std::string name;
    double nanos = 0;
    if (!std::getline(std::ifstream(task.path() / "comm"), name)) continue;
    if (!(std::ifstream(task.path() / "schedstat") >> nanos)) continue;
    seconds[name] = std::max(seconds[name], nanos / 1e9);
  }
  return seconds;
}

double tenths(double value) { return std::round(value * 10) / 10; }

}  // namespace

Cost Cost::now(const testnet::NetworkPlan& plan) {
  Cost cost;
  std::map<pid_t, std::string> nodes;
  for (const testnet::NodePlan& node : plan.nodes) {
    const auto pid = testnet::running(node);
    if (!pid) continue;
    nodes[*pid] = node.name;
    if (node.role != testnet::Role::sequencer) continue;
    for (const auto& [thread, seconds] : thread_seconds_of(*pid))
      cost.sequencer_threads[node.name + "/" + thread] = seconds;
  }
  // Everything that runs was started by this process.
  for (const pid_t pid : testnet::descendants_of(getpid())) {
    const auto node = nodes.find(pid);
    cost.cpu_seconds[node == nodes.end() ? "engine" : node->second] += testnet::cpu_seconds_of(pid).value_or(0);
  }
  cost.cpu_seconds["clients"] = own_cpu_seconds();
  cost.bytes = bytes_in(plan.folder);
  return cost;
}

double Cost::cpu_of(const std::string& process) const {
  const auto found = cpu_seconds.find(process);
  return found == cpu_seconds.end() ? 0 : found->second;
}

double Measured::cpu() const {
  double sum = 0;
  for (const auto& [process, micros] : cpu_micros) sum += micros;
  return sum;
}

boost::json::object Measured::json() const {
  boost::json::object by_process;
  for (const auto& [process, micros] : cpu_micros) by_process[process] = tenths(micros);
  boost::json::object busiest;
  if (!busiest_thread.empty()) busiest = {{"thread", busiest_thread}, {"cpuMicros", tenths(busiest_micros)}};
  return {{"offeredPerSecond", rate},
          {"deliveredPerSecond", std::round(throughput)},
          {"p50Millis", p50},
          {"p99Millis", p99},
          {"cpuMicrosPerSubmission", tenths(cpu())},
          {"cpuMicrosByProcess", by_process},
          {"busiestSequencerThread", busiest},
          {"diskBytesPerSubmission", std::round(bytes)},
          {"sustained", sustained()}};
}

void print(const std::string& what, const Measured& m) {
  fmt::print(
      "{:<18} offered {:>7.0f}/s  delivered {:>7.0f}/s  p50 {:>8.2f} ms  p99 {:>8.2f} ms  cpu {:>6.1f} us  disk "
      "{:>6.0f} B\n",
      what, m.rate, m.throughput, m.p50, m.p99, m.cpu(), m.bytes);
  std::fflush(stdout);
}

Result<Measured> LoadMeter::run(double rate, double seconds) {
  const auto clock = system_clock();
  LoadRun run;
  run.number = ++runs_;
  run.rate = rate;
  run.submissions = static_cast<std::uint64_t>(rate * seconds);
  run.payload_bytes = payload_bytes_;
  offered_ += run.submissions;
  const Cost before = Cost::now(plan_);
  run.begin_micros = clock->monotonic_micros() + 20'000;
  for (LoadClient* client : clients_) client->take_latencies();
  for (std::size_t i = 0; i < clients_.size(); ++i) clients_[i]->start(run, i, clients_.size());

  const std::int64_t give_up = run.begin_micros + static_cast<std::int64_t>((seconds * 2 + 5) * 1e6);
  std::int64_t now;
  Measured measured;
  do {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    now = clock->monotonic_micros();
    measured.complete = true;
    for (const LoadClient* client : clients_) {
      if (const auto problem = client->problem()) return fail(*problem);
      measured.complete = measured.complete && client->delivered() >= run.submissions;
    }
  } while (!measured.complete && now < give_up);

  measured.rate = rate;
  std::uint64_t delivered = run.submissions;
  Latencies latencies;
  for (LoadClient* client : clients_) {
    delivered = std::min(delivered, client->delivered());
    latencies.add(client->take_latencies());
  }
  measured.throughput = static_cast<double>(delivered) / (static_cast<double>(now - run.begin_micros) / 1e6);
  measured.p50 = latencies.quantile_millis(0.5);
  measured.p99 = latencies.quantile_millis(0.99);
  const Cost after = Cost::now(plan_);
  const double count = static_cast<double>(std::max<std::uint64_t>(delivered, 1));
  for (const auto& [process, cpu] : after.cpu_seconds)
    measured.cpu_micros[process] = (cpu - before.cpu_of(process)) / count * 1e6;
  for (const auto& [thread, seconds] : after.sequencer_threads) {
    const auto earlier = before.sequencer_threads.find(thread);
    const double used = seconds - (earlier == before.sequencer_threads.end() ? 0 : earlier->second);
    if (used / count * 1e6 <= measured.busiest_micros) continue;
    measured.busiest_thread = thread;
    measured.busiest_micros = used / count * 1e6;
  }
  measured.bytes = static_cast<double>(after.bytes - std::min(after.bytes, before.bytes)) / count;
  return measured;
}

boost::json::object Capacity::json() const {
  const auto json_of = [](const std::optional<Measured>& run) -> boost::json::value {
    if (!run) return nullptr;
    return run->json();
  };
  return {{"lowLoad", low.json()}, {"highestSustained", json_of(highest)}, {"beyond", json_of(beyond)}};
}

namespace {

class Search {
 public:
  Search(const std::string& what, const RunLoad& run, const LoadPlan& plan) : what_(what), run_(run), plan_(plan) {}

  Result<Capacity> find() {
    SYNOD_TRY(const Measured warm_up, run_(plan_.low_rate, 2));
    tell("warm-up", warm_up);
    SYNOD_TRY(found_.low, measure("low load", plan_.low_rate));
    note(found_.low);
    SYNOD_RETURN_IF_ERROR(climb());
    SYNOD_RETURN_IF_ERROR(descend());
    // Once more between the last two: an interval of a quarter remains.
    if (found_.highest && found_.beyond) SYNOD_RETURN_IF_ERROR(try_rate(found_.beyond->rate / std::sqrt(kGrowth)));
    return found_;
  }

 private:
  void tell(const std::string& name, const Measured& measured) const {
    if (!plan_.quiet) print(what_ + " " + name, measured);
  }
  Result<Measured> measure(const std::string& name, double rate) {
    SYNOD_TRY(Measured measured, run_(std::round(rate), plan_.seconds));
    tell(name, measured);
    if (measured.sustained()) return measured;
    SYNOD_TRY(measured, run_(std::round(rate), plan_.seconds));
    tell("again", measured);
    return measured;
  }
  void note(const Measured& measured) { (measured.sustained() ? found_.highest : found_.beyond) = measured; }
  Status try_rate(double rate) {
    SYNOD_TRY(const Measured measured, measure("", rate));
    note(measured);
    return {};
  }
  // From the start rate, while it is sustained.
  Status climb() {
    found_.beyond.reset();
    for (double rate = plan_.start_rate; !found_.beyond; rate *= kGrowth) SYNOD_RETURN_IF_ERROR(try_rate(rate));
    return {};
  }
  // Where already the start rate was too much: towards the low one.
  Status descend() {
    while (found_.beyond->rate / kGrowth > plan_.low_rate &&
           (!found_.highest || found_.beyond->rate / found_.highest->rate > kGrowth * 1.01))
      SYNOD_RETURN_IF_ERROR(try_rate(found_.beyond->rate / kGrowth));
    return {};
  }

  const std::string& what_;
  const RunLoad& run_;
  const LoadPlan& plan_;
  Capacity found_;
};

}  // namespace

Result<Capacity> find_capacity(const std::string& what, const RunLoad& run, const LoadPlan& plan) {
  return Search(what, run, plan).find();
}

}  // namespace synod::bench
