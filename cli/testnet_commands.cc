#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <optional>

#include "base/env.h"
#include "cli/commands.h"
#include "testnet/demo.h"
#include "testnet/folder_lock.h"
#include "testnet/interrupts.h"
#include "testnet/launcher.h"
#include "testnet/mediator_group.h"
#include "testnet/network_process.h"
#include "testnet/node_database.h"
#include "testnet/ordering_engine.h"
#include "testnet/sequencer_group.h"
#include "testnet/status.h"

namespace synod::cli {
namespace {

using testnet::NetworkPlan;
using testnet::NodePlan;

// What the subcommands share; CLI11 writes into it, so it lives as long as the application.
struct TestnetOptions {
  std::string file;
  std::string data;
  std::string node;
  std::string ordering, cache;
  std::string ping_dar, iou_dar;
  bool detach = false, json = false;
  int lines = 200;
  int ready_seconds = 120;
  std::uint32_t mediator_group = 0;
  std::optional<std::uint32_t> mediator_threshold;
  int patience_seconds = 60;
  int pings_without = testnet::DemoOptions().pings_without;
};

void say(const std::string& line) {
  std::puts(line.c_str());
  std::fflush(stdout);
}

Result<NetworkPlan> plan_of(const TestnetOptions& options) {
  return testnet::load_plan(options.file.empty() ? testnet::default_network_file() : options.file, options.data,
                            options.ordering, options.cache);
}

Error still_running() { return unavailable("PROCESS_STOP_FAILED", "some nodes still run; see `synod testnet status`"); }

// For a command that starts or stops processes.
struct Alone {
  NetworkPlan plan;
  testnet::FolderLock lock;
};
Result<Alone> plan_for_me_alone(const TestnetOptions& options) {
  SYNOD_TRY(const NetworkPlan before, plan_of(options));
  SYNOD_TRY(testnet::FolderLock lock,
            testnet::FolderLock::take(before.folder, Duration::seconds(options.ready_seconds), say));
  SYNOD_TRY(NetworkPlan plan, plan_of(options));  // another command may have changed the network until now
  return Alone{std::move(plan), std::move(lock)};
}

Status up(const TestnetOptions& options) {
  SYNOD_TRY(Alone alone, plan_for_me_alone(options));
  const NetworkPlan& plan = alone.plan;
  say(fmt::format("network {} in {}", plan.name, plan.folder));
  const auto clock = system_clock();
  // While files are made, a signal simply ends this process: it has started nothing that stays.
  SYNOD_RETURN_IF_ERROR(testnet::prepare(plan, say));
  const testnet::Interrupts interrupts;
  const std::int64_t begin = clock->monotonic_micros();
  SYNOD_RETURN_IF_ERROR(
      testnet::start_all(plan, Duration::seconds(options.ready_seconds), say, [&] { return interrupts.pending(); }));
  say(fmt::format("ready in {:.2f} s: {} nodes", static_cast<double>(clock->monotonic_micros() - begin) / 1e6,
                  plan.nodes.size()));
  for (const NodePlan* node : plan.with_role(testnet::Role::participant))
    say(fmt::format("  Ledger API of {}: 127.0.0.1:{}", node->organisation, node->public_port));
  if (options.detach) return {};
  say("running; Ctrl-C stops the network");
  alone.lock.release();  // other commands may change it meanwhile
  interrupts.wait();
  SYNOD_TRY(const Alone again, plan_for_me_alone(options));
  if (!testnet::stop_all(again.plan, Duration::seconds(5), say)) return fail(still_running());
  return {};
}

Status status(const TestnetOptions& options, bool& unhealthy) {
  SYNOD_TRY(const NetworkPlan plan, plan_of(options));
  const auto states = testnet::state_of(plan);
  const auto beside = testnet::state_beside_the_nodes(plan);
  for (const auto& state : states) unhealthy = unhealthy || !state.healthy();
  for (const auto& state : beside) unhealthy = unhealthy || !state.healthy();
  std::cout << (options.json ? testnet::as_json(plan, states, beside) : testnet::as_table(states, beside));
  return {};
}

Status demo(const TestnetOptions& options) {
  SYNOD_TRY(const NetworkPlan plan, plan_of(options));
  testnet::DemoOptions demo{options.ping_dar, options.iou_dar, Duration::seconds(options.patience_seconds),
                            options.pings_without, say};
  if (options.json) demo.print = [](const std::string&) {};
  SYNOD_TRY(const std::string report, testnet::run_demo(plan, demo));
  if (options.json) std::cout << report;
  return {};
}

Status logs(const TestnetOptions& options) {
  SYNOD_TRY(const NetworkPlan plan, plan_of(options));
  std::vector<std::string> files;
  if (options.node.empty()) {
    for (const NodePlan& node : plan.nodes) files.push_back(node.log_file());
    for (const auto& process : testnet::beside_the_nodes(plan)) files.push_back(process.log_file);
  } else {
    SYNOD_TRY(const auto process, testnet::find_process(plan, options.node));
    files.push_back(process.log_file);
  }
  for (const std::string& file : files) {
    if (files.size() > 1) say(fmt::format("==> {} <==", file));
    std::ifstream in(file);
    std::deque<std::string> last;
    for (std::string line; std::getline(in, line);) {
      last.push_back(line);
      if (static_cast<int>(last.size()) > options.lines) last.pop_front();
    }
    for (const std::string& line : last) say(line);
  }
  return {};
}

Status kill(const TestnetOptions& options) {
  SYNOD_TRY(const NetworkPlan plan, plan_of(options));
  SYNOD_TRY(const auto process, testnet::find_process(plan, options.node));
  if (!process.running()) {
    say(process.name + " does not run");
    return {};
  }
  if (!process.kill()) return fail(unavailable("PROCESS_STOP_FAILED", process.name + " is still there after SIGKILL"));
  say(process.name + " killed");
  return {};
}

Status restart(const TestnetOptions& options) {
  SYNOD_TRY(const Alone alone, plan_for_me_alone(options));
  SYNOD_TRY(const auto process, testnet::find_process(alone.plan, options.node));
  if (!process.stop()) return fail(unavailable("PROCESS_STOP_FAILED", process.name + " does not stop"));
  const auto clock = system_clock();
  const std::int64_t begin = clock->monotonic_micros();
  SYNOD_RETURN_IF_ERROR(process.start(Duration::seconds(options.ready_seconds)));
  say(fmt::format("{} ready in {:.2f} s", process.name, static_cast<double>(clock->monotonic_micros() - begin) / 1e6));
  return {};
}

// A change of who takes part: (plan, organisation or node, options, patience).
using Change = std::function<Status(const NetworkPlan&, const TestnetOptions&, Duration)>;

Status change_group(const TestnetOptions& options, const Change& change) {
  SYNOD_TRY(const Alone alone, plan_for_me_alone(options));
  return change(alone.plan, options, Duration::seconds(options.ready_seconds));
}

testnet::MediatorChange mediator_change(const TestnetOptions& options) {
  return {options.mediator_group, options.mediator_threshold};
}

Status down(const TestnetOptions& options) {
  SYNOD_TRY(const NetworkPlan plan, plan_of(options));
  if (std::filesystem::exists(plan.folder)) {
    SYNOD_TRY(const Alone alone, plan_for_me_alone(options));
    if (!testnet::stop_all(alone.plan, Duration::seconds(5), say)) return fail(still_running());
  }
  say("network " + plan.name + " is down; its files are in " + plan.folder);
  return {};
}

}  // namespace

void add_testnet_commands(CLI::App& app, Outcome& outcome) {
  auto options = std::make_shared<TestnetOptions>();
  CLI::App* testnet = app.add_subcommand("testnet", "A network of several organisations on this machine");
  testnet->require_subcommand(1);
  const auto command = [&, options](const char* name, const char* help, auto run) {
    CLI::App* sub = testnet->add_subcommand(name, help);
    sub->add_option("-f,--file", options->file, "Network file (default: testnet/two-orgs.yaml)");
    sub->add_option("-d,--data", options->data, "Folder of the network (default: testnet-data/<network>)");
    sub->callback([&outcome, options, run] { outcome.status = run(*options); });
    return sub;
  };
  CLI::App* up_command = command("up", "Prepare and start the network; running nodes are left alone", up);
  up_command->add_option("--ordering", options->ordering,
                         "Ordering service: " + fmt::format("{}", fmt::join(testnet::orderings(), ", ")) +
                             " (default: the network file's)");
  up_command->add_option(
      "--cache", options->cache,
      "Where each sequencer keeps its cache: " + fmt::format("{}", fmt::join(testnet::caches(), ", ")) +
          "; with postgres, in the database of the log with ordering postgres, else in a server of its own (default: "
          "the network file's, else postgres with ordering postgres, rocksdb otherwise)");
  up_command->add_flag("--detach", options->detach, "Return when the network is ready");
  up_command->add_option("--ready-seconds", options->ready_seconds, "Give up when it is not ready by then");
  command("status", "Each node's health, position and memory; exit code 3 if one is not healthy",
          [&outcome](const TestnetOptions& o) { return status(o, outcome.unhealthy); })
      ->add_flag("--json", options->json, "As one JSON object");
  CLI::App* demo_command =
      command("demo", "Let the organisations transact, and lose a sequencer and a mediator meanwhile", demo);
  demo_command->add_option("--ping-dar", options->ping_dar, "A DAR with Canton's ping");
  demo_command->add_option("--iou-dar", options->iou_dar, "A DAR with CantonExamples' Iou");
  demo_command->add_flag("--json", options->json, "Only what happened, as one JSON object");
  demo_command->add_option("--patience-seconds", options->patience_seconds, "Give up when a step takes longer")
      ->capture_default_str();
  demo_command
      ->add_option("--pings-without", options->pings_without,
                   "Pings answered while a sequencer is dead, before it is started again")
      ->capture_default_str();
  CLI::App* logs_command = command("logs", "The end of the logs of nodes, orderers, brokers and databases", logs);
  logs_command->add_option("node", options->node, "Only this one, as `status` calls it");
  logs_command->add_option("-n,--lines", options->lines, "Lines a node");
  command("kill", "kill -9 a node, an orderer, a broker or a database", kill)
      ->add_option("name", options->node, "As `status` calls it")
      ->required();
  CLI::App* restart_command =
      command("restart", "Stop a node or another process if it runs, start it, wait until it is ready", restart);
  restart_command->add_option("name", options->node, "As `status` calls it")->required();
  restart_command->add_option("--ready-seconds", options->ready_seconds, "Give up when it is not ready by then");
  const auto group_command = [&](const char* name, const char* help, const char* subject, const char* subject_help,
                                 const Change& change) {
    CLI::App* sub = command(name, help, [change](const TestnetOptions& o) { return change_group(o, change); });
    sub->add_option(subject, options->node, subject_help)->required();
    sub->add_option("--ready-seconds", options->ready_seconds, "Give up when a step takes longer");
    return sub;
  };
  const auto of_sequencers = [](auto change) -> Change {
    return [change](const NetworkPlan& plan, const TestnetOptions& o, Duration patience) {
      return change(plan, o.node, patience, say);
    };
  };
  const auto of_mediators = [](auto change) -> Change {
    return [change](const NetworkPlan& plan, const TestnetOptions& o, Duration patience) {
      return change(plan, o.node, mediator_change(o), patience, say);
    };
  };
  group_command("add-sequencer", "A sequencer for an organisation, while the network runs", "organisation",
                "Whose; may be new to the network", of_sequencers(testnet::add_sequencer));
  group_command("remove-sequencer", "Take a sequencer out of the running network", "node", "Node name",
                of_sequencers(testnet::remove_sequencer));
  group_command("rotate-keys", "Replace a running sequencer's keys and certificates", "node", "Node name",
                of_sequencers(testnet::rotate_keys));
  CLI::App* add_mediator =
      group_command("add-mediator", "A mediator for an organisation, while the network runs", "organisation",
                    "Whose; may be new to the network", of_mediators(testnet::add_mediator));
  add_mediator->add_option("--group", options->mediator_group, "Index of its mediator group; may be new")
      ->capture_default_str();
  CLI::App* remove_mediator = group_command("remove-mediator", "Take a mediator out of the running network", "node",
                                            "Node name", of_mediators(testnet::remove_mediator));
  for (CLI::App* sub : {add_mediator, remove_mediator})
    sub->add_option("--threshold", options->mediator_threshold,
                    "So many mediators of the group must agree from now on (default: as before)");
  command("down", "Stop all nodes; files stay", down);
}

}  // namespace synod::cli
