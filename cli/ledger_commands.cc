#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "cli/commands.h"
#include "testnet/applications.h"
#include "testnet/network_plan.h"
#include "testnet/ping.h"

namespace synod::cli {
namespace {

struct PingCommandOptions {
  std::string file, data;
  std::string from, to;  // Ledger API addresses; empty: the first two participants of the network
  std::string dar;
  int count = 10, warm_up = 5, parallel = 1;
  bool json = false;
};

// The participant's own party for pings: allocated at the first ping, found again later.
Result<testnet::Seat> seat_at(testnet::LedgerClient& ledger, const testnet::PingApplication& application) {
  SYNOD_RETURN_IF_ERROR(ledger.upload_dar(application.dar));
  SYNOD_TRY(std::string party, ledger.own_party("ping"));
  return testnet::Seat{&ledger, std::move(party)};
}

Status ping(PingCommandOptions options) {
  if (options.from.empty() || options.to.empty()) {
    SYNOD_TRY(const testnet::NetworkPlan plan,
              testnet::load_plan(options.file.empty() ? testnet::default_network_file() : options.file, options.data));
    const auto participants = plan.with_role(testnet::Role::participant);
    if (participants.size() < 2)
      return fail(invalid_argument("NETWORK_FILE_INVALID",
                                   "the network has fewer than two participants; name two with --from and --to"));
    if (options.from.empty()) options.from = fmt::format("127.0.0.1:{}", participants[0]->public_port);
    if (options.to.empty()) options.to = fmt::format("127.0.0.1:{}", participants[1]->public_port);
  }
  SYNOD_TRY(const testnet::PingApplication application, testnet::load_ping(options.dar));
  testnet::LedgerClient from(options.from, ""), to(options.to, "");
  for (testnet::LedgerClient* ledger : {&from, &to}) SYNOD_RETURN_IF_ERROR(ledger->reachable());
  SYNOD_TRY(const testnet::Seat initiator, seat_at(from, application));
  SYNOD_TRY(const testnet::Seat responder, seat_at(to, application));
  SYNOD_RETURN_IF_ERROR(from.await_party(responder.party, Duration::seconds(60)));
  SYNOD_RETURN_IF_ERROR(to.await_party(initiator.party, Duration::seconds(60)));

  testnet::PingOptions run;
  run.count = options.count;
  run.warm_up = options.warm_up;
  run.parallel = options.parallel;
  if (!options.json)
    run.on_ping = [](int index, std::optional<std::int64_t> micros) {
      std::cout << (micros ? fmt::format("ping {}: {:.1f} ms", index + 1, static_cast<double>(*micros) / 1000)
                           : fmt::format("ping {}: failed", index + 1))
                << std::endl;
    };
  SYNOD_TRY(const testnet::PingReport report, testnet::run_pings(application, initiator, responder, run));
  if (options.json)
    std::cout << report.as_json();
  else
    std::cout << fmt::format("{} of {} answered; p50 {:.1f} ms, p99 {:.1f} ms; {:.1f} transactions a second\n",
                             report.micros.size(), options.count, static_cast<double>(report.percentile(0.5)) / 1000,
                             static_cast<double>(report.percentile(0.99)) / 1000, report.per_second() * 2);
  if (!report.failures.empty()) return fail(report.failures.front());
  return {};
}

}  // namespace

void add_ledger_commands(CLI::App& app, Outcome& outcome) {
  auto options = std::make_shared<PingCommandOptions>();
  CLI::App* command = app.add_subcommand("ping", "Pings between two participants through their Ledger APIs");
  command->add_option("--count", options->count, "Pings to measure")->capture_default_str()->check(CLI::PositiveNumber);
  command->add_option("--warm-up", options->warm_up, "Pings before, not measured")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command->add_option("--parallel", options->parallel, "So many pings at a time")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  command->add_flag("--json", options->json, "Report as one JSON object: p50Millis, p99Millis, ...");
  command->add_option("--from", options->from,
                      "host:port of the initiator's Ledger API (default: the network's first participant)");
  command->add_option("--to", options->to, "host:port of the responder's Ledger API (default: the second)");
  command->add_option("--dar", options->dar, "A DAR with Canton's ping");
  command->add_option("-f,--file", options->file, "Network file (default: testnet/two-orgs.yaml)");
  command->add_option("-d,--data", options->data, "Folder of the network");
  command->callback([&outcome, options] { outcome.status = ping(*options); });
}

}  // namespace synod::cli
