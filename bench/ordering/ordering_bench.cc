#include "bench/ordering/ordering_bench.h"

#include <fmt/format.h>
#include <signal.h>

#include <boost/json.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <thread>

#include "base/log.h"
#include "bench/ordering/bare_client.h"
#include "bench/ordering/catch_up.h"
#include "bench/ordering/idle_subscribers.h"
#include "bench/ordering/load_member.h"
#include "bench/ordering/measurement.h"
#include "bench/ordering/signature_cost.h"
#include "node/node_file.h"
#include "testnet/launcher.h"
#include "testnet/process.h"

namespace synod::bench {
namespace {

constexpr int kFirstPort = 27900;
constexpr Duration kJoinPatience = Duration::seconds(30);

// Two organisations with a sequencer each; the rest is what a synchronizer cannot be without.
Result<testnet::NetworkPlan> plan_network(const OrderingBenchOptions& options, const std::string& folder) {
  std::error_code error;
  std::filesystem::remove_all(folder, error);
  std::filesystem::create_directories(folder, error);
  const std::string file = folder + "/network.yaml";
  std::ofstream(file) << "network: bench-" << options.ordering << "\nordering: " << options.ordering
                      << "\ncache: rocksdb\nfirst-port: " << kFirstPort
                      << "\norganisations:\n"
                         "  - {name: coke, nodes: [sequencer]}\n"
                         "  - {name: pepsi, nodes: [sequencer]}\n"
                         "  - {name: consortium, nodes: [orderer, mediator, topology-manager]}\n";
  return testnet::load_plan(file, folder + "/data");
}

class OrderingBench {
 public:
  OrderingBench(const OrderingBenchOptions& options, const testnet::NetworkPlan& plan)
      : options_(options), plan_(plan), sequencers_(plan.with_role(testnet::Role::sequencer)) {
    report_["ordering"] = options.ordering;
    report_["payloadBytes"] = options.payload_bytes;
    report_["secondsPerRun"] = options.seconds;
  }

  Status run() {
    signatures();
    SYNOD_TRY(const Capacity synod, through_sequencers());
    SYNOD_RETURN_IF_ERROR(catch_up());
    SYNOD_TRY(const Capacity bare, through_the_bare_engine());
    compare(synod, bare);
    return {};
  }
  const boost::json::object& report() const { return report_; }

 private:
  void say(const std::string& line) const {
    if (!options_.json) std::cout << line << std::endl;
  }
  LoadPlan load() const { return {options_.low_rate, options_.start_rate, options_.seconds, options_.json}; }

  std::vector<sequencer::client::Endpoint> endpoints() const {
    std::vector<sequencer::client::Endpoint> all;
    for (const testnet::NodePlan* node : sequencers_) {
      sequencer::client::Endpoint endpoint{node->name, "127.0.0.1:" + std::to_string(node->public_port),
                                           rpc::ClientTls{}, false};
      endpoint.tls->ca_file = plan_.folder + "/authorities.pem";
      all.push_back(std::move(endpoint));
    }
    return all;
  }

  void signatures() {
    cost_ = measure_signatures();
    report_["signatures"] = cost_.json();
    say(fmt::format("signatures of a submission: 3 made at {:.0f} us, 4 checked at {:.0f} us: {:.0f} us",
                    cost_.sign_micros, cost_.verify_micros, cost_.per_submission()));
  }

  Result<Capacity> through_sequencers() {
    std::vector<std::unique_ptr<LoadMember>> members;
    std::vector<std::shared_ptr<EventLoop>> loops;
    std::vector<LoadClient*> clients;
    for (auto& endpoint : endpoints()) {
      const std::string name = "load-" + endpoint.name.substr(0, endpoint.name.find('-'));
      loops.push_back(std::make_shared<EventLoop>(name));
      members.push_back(std::make_unique<LoadMember>(name, std::move(endpoint), loops.back()));
      members.back()->begin_join();
      clients.push_back(members.back().get());
    }
    std::vector<protocol::Member> everyone;
    for (const auto& member : members) {
      SYNOD_RETURN_IF_ERROR(member->wait_joined(kJoinPatience));
      everyone.push_back(member->id());
    }
    for (const auto& member : members) member->send_to(everyone);
    LoadMeter meter(plan_, clients, options_.payload_bytes);
    SYNOD_TRY(const Capacity capacity, find_capacity("sequencers", meter.runs(), load()));
    report_["sequencers"] = capacity.json();
    if (options_.idle_subscribers > 0) SYNOD_RETURN_IF_ERROR(with_idle_subscribers(meter, *members.front()));
    submissions_ = meter.offered();
    members.clear();
    for (const auto& loop : loops) loop->stop();
    return capacity;
  }

  // What they cost, and what they do to those who do something.
  Status with_idle_subscribers(LoadMeter& meter, LoadMember& sponsor) {
    const SequencerLoad before = SequencerLoad::measure(plan_);
    SYNOD_TRY(const auto idle, IdleSubscribers::join(endpoints(), options_.idle_subscribers, sponsor));
    SYNOD_TRY(const IdleCost cost, idle->measure(plan_, before, sponsor));
    say(fmt::format(
        "{} idle subscribers joined in {:.1f} s; at the sequencers each is {:.0f} kB, {:.1f} us a second, and {:.0f} "
        "us "
        "an event that goes to all",
        cost.subscribers, cost.join_seconds, cost.memory_bytes / 1000, cost.cpu_micros, cost.news_cpu_micros));
    SYNOD_TRY(const Capacity beside, find_capacity("beside idle ones", meter.runs(), load()));
    auto report = cost.json();
    report["sequencers"] = beside.json();
    report_["idleSubscribers"] = report;
    return {};
  }

  Status catch_up() {
    SYNOD_TRY(const CatchUp fresh, measure_catch_up(*sequencers_[1], *sequencers_[0], submissions_));
    report_["catchUp"] = {{"submissions", fresh.submissions},
                          {"blocks", fresh.blocks},
                          {"seconds", fresh.seconds},
                          {"submissionsPerSecond", std::round(fresh.submissions_per_second())},
                          {"cpuMicrosPerSubmission", std::round(fresh.cpu_micros * 10) / 10}};
    say(fmt::format("catch-up           {} submissions in {} blocks, {:.2f} s: {:.0f}/s  cpu {:.1f} us",
                    fresh.submissions, fresh.blocks, fresh.seconds, fresh.submissions_per_second(), fresh.cpu_micros));
    return {};
  }

  Result<Capacity> through_the_bare_engine() {
    for (const testnet::NodePlan& node : plan_.nodes)
      if (node.role != testnet::Role::orderer) testnet::stop(node, SIGTERM, Duration::seconds(10));
    std::vector<std::unique_ptr<BareClient>> bare;
    std::vector<std::shared_ptr<EventLoop>> loops;
    std::vector<LoadClient*> clients;
    for (const testnet::NodePlan* sequencer : sequencers_) {
      SYNOD_TRY(const node::NodeFile file, node::read_node_file(sequencer->config_file()));
      loops.push_back(std::make_shared<EventLoop>("bare-" + sequencer->organisation));
      SYNOD_TRY(auto client, make_bare_client(file.sequencer, file.data_folder, loops.back()));
      bare.push_back(std::move(client));
      SYNOD_RETURN_IF_ERROR(bare.back()->join(kJoinPatience));
      clients.push_back(bare.back().get());
    }
    LoadMeter meter(plan_, clients, options_.payload_bytes);
    SYNOD_TRY(const Capacity capacity, find_capacity("bare engine", meter.runs(), load()));
    report_["bareEngine"] = capacity.json();
    bare.clear();
    for (const auto& loop : loops) loop->stop();
    return capacity;
  }

  void compare(const Capacity& synod, const Capacity& bare) {
    if (!synod.highest || !bare.highest) return say("no rate was sustained: there is nothing to compare");
    const double ratio = synod.highest->throughput / bare.highest->throughput;
    const double later = synod.low.p50 - bare.low.p50;
    const double share = cost_.per_submission() / synod.highest->cpu();
    const double processors = std::max(1u, std::thread::hardware_concurrency());
    const double by_signatures = std::round(processors * 1e6 / cost_.per_submission());
    const double by_thread = std::round(1e6 / std::max(synod.highest->busiest_micros, 1.0));
    report_["comparison"] = {{"throughputOverBareEngine", std::round(ratio * 100) / 100},
                             {"p50MillisAboveBareEngine", later},
                             {"signaturesShareOfCpu", std::round(share * 100) / 100},
                             {"limitBySignaturesPerSecond", by_signatures},
                             {"limitByBusiestThreadPerSecond", by_thread}};
    say(fmt::format(
        "highest sustained: {:.0f}/s through the sequencers, {:.0f}/s of the bare engine: {:.2f} times; p50 at low "
        "load {:+.2f} ms; signatures are {:.0f} % of the processor time",
        synod.highest->throughput, bare.highest->throughput, ratio, later, share * 100));
    say(fmt::format(
        "limits: {:.0f}/s if these {:.0f} processors did nothing but signatures; {:.0f}/s by {} ({:.0f} us a "
        "submission) "
        "if there were processors enough",
        by_signatures, processors, by_thread, synod.highest->busiest_thread, synod.highest->busiest_micros));
  }

  const OrderingBenchOptions& options_;
  const testnet::NetworkPlan& plan_;
  const std::vector<const testnet::NodePlan*> sequencers_;
  SignatureCost cost_;
  std::uint64_t submissions_ = 0;
  boost::json::object report_;
};

}  // namespace

Status run_ordering_bench(const OrderingBenchOptions& options) {
  log::set_level("warn");  // or each idle subscriber would tell that it is connected
  const std::string folder =
      std::filesystem::absolute(options.folder.empty() ? "testnet-data/bench-" + options.ordering : options.folder)
          .lexically_normal()
          .string();
  SYNOD_TRY(const testnet::NetworkPlan plan, plan_network(options, folder));
  const auto progress = [&](const std::string& line) {
    if (!options.json) std::cout << line << "\n";
  };
  SYNOD_RETURN_IF_ERROR(testnet::prepare(plan, progress));
  Status outcome = testnet::start_all(plan, Duration::seconds(60), progress);
  if (outcome) {
    OrderingBench bench(options, plan);
    outcome = bench.run();
    if (outcome && options.json) std::cout << boost::json::serialize(bench.report()) << "\n";
  }
  testnet::stop_all(plan, Duration::seconds(5), [](const std::string&) {});
  std::error_code ignored;
  if (!options.keep) std::filesystem::remove_all(folder, ignored);
  return outcome;
}

}  // namespace synod::bench
