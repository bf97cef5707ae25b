#include <CLI/CLI.hpp>

#include "bench/cache/cache_bench.h"
#include "bench/lf/lf_bench.h"
#include "bench/ordering/ordering_bench.h"
#include "cli/commands.h"

namespace synod::cli {

void add_bench_commands(CLI::App& app, Outcome& outcome) {
  CLI::App* group = app.add_subcommand("bench", "Measurements of this build on this machine");
  group->require_subcommand(1);
  CLI::App* cache = group->add_subcommand("cache", "A sequencer with a large cache: what a restart costs and reads");
  auto cached = std::make_shared<bench::CacheBenchOptions>();
  cache->add_option("--events", cached->events, "Events in the cache")->capture_default_str();
  cache->add_option("--payload-bytes", cached->payload_bytes, "Of each event")->capture_default_str();
  cache->add_option("--data", cached->folder, "Folder of the cache (default: a temporary one)");
  cache->add_flag("--json", cached->json, "As one JSON object");
  cache->callback([&outcome, cached] { outcome.status = bench::run_cache_bench(*cached); });

  CLI::App* lf = group->add_subcommand("lf", "The Daml-LF engine: steps, folds, class methods, loading, transactions");
  auto options = std::make_shared<bench::LfBenchOptions>();
  lf->add_option("--filter", options->filter, "Regular expression: which figures");
  lf->add_option("--repetitions", options->repetitions, "Each figure is the minimum of so many")
      ->check(CLI::Range(1, 1000));
  lf->add_option("--seconds", options->seconds, "Least time of a repetition");
  lf->add_option("--dars", options->dars, "Folder with DARs of applications, for loading and ping")
      ->check(CLI::ExistingDirectory);
  lf->add_flag("--json", options->json, "As one JSON object");
  lf->callback([&outcome, options] { outcome.status = bench::run_lf_bench(*options); });

  CLI::App* ordering =
      group->add_subcommand("ordering", "Signed submissions through two sequencers and an ordering engine");
  auto order = std::make_shared<bench::OrderingBenchOptions>();
  ordering->add_option("--ordering", order->ordering, "Engine: solo, fabric, kafka or postgres");
  ordering->add_option("--payload-bytes", order->payload_bytes, "Of each submission")->check(CLI::Range(12, 1 << 20));
  ordering->add_option("--low-rate", order->low_rate, "Submissions a second when latency is measured");
  ordering->add_option("--start-rate", order->start_rate, "Where the search for the highest rate begins");
  ordering->add_option("--seconds", order->seconds, "Length of each run");
  ordering->add_option("--idle-subscribers", order->idle_subscribers,
                       "Measures also what so many subscribers cost that nothing is sent to");
  ordering->add_option("--data", order->folder, "Folder of the network (default: testnet-data/bench-<engine>)");
  ordering->add_flag("--keep", order->keep, "Keep that folder");
  ordering->add_flag("--json", order->json, "As one JSON object");
  ordering->callback([&outcome, order] { outcome.status = bench::run_ordering_bench(*order); });
}

}  // namespace synod::cli
