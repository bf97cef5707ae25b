// synod script test: the Daml scripts of a DAR as a test suite.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <map>
#include <sstream>

#include "base/files.h"
#include "cli/commands.h"
#include "lf/script/test_runner.h"
#include "testnet/script_participants.h"

namespace synod::cli {
namespace {

using lf::script::ScriptOutcome;
using lf::script::TestRunner;

constexpr std::size_t kTraceOfFailure = 10;  // messages shown unasked
constexpr std::size_t kTraceLine = 400;      // characters of each

struct TestOptions {
  std::string dar;
  std::vector<std::string> filters;
  std::string ledger, ca_file;
  std::vector<std::string> participants;  // NAME=host:port
  bool json = false, list = false, trace = false, no_upload = false;
  int protocol = 0;
  std::uint64_t deadline_seconds = 60;
  lf::DecodeOptions decode;
  std::string input_file;
};

struct TestResult {
  std::string name;
  ScriptOutcome outcome;
  double milliseconds = 0;
};

bool selected(const TestOptions& options, const std::string& name) {
  if (options.filters.empty()) return true;
  for (const auto& filter : options.filters)
    if (lf::script::matches(filter, name)) return true;
  return false;
}

std::string message(const lf::script::ScriptError& e) {
  return (e.command.empty() ? "" : e.command + ": ") + e.error.id + ": " + e.error.cause;
}

void print(const TestResult& result, bool with_trace) {
  const auto& failure = result.outcome.failure;
  std::printf("%s %s (%.0f ms)\n", failure ? "FAIL" : "ok  ", result.name.c_str(), result.milliseconds);
  if (failure) {
    std::istringstream lines(message(*failure));
    for (std::string line; std::getline(lines, line);) std::printf("       %s\n", line.c_str());
    for (const auto& location : failure->locations) std::printf("       at %s\n", location.c_str());
  }
  const auto& trace = result.outcome.trace;
  std::size_t skip = with_trace ? 0 : !failure ? trace.size() : trace.size() - std::min(trace.size(), kTraceOfFailure);
  if (skip > 0 && failure) std::printf("       (%zu earlier trace messages: see --trace)\n", skip);
  for (std::size_t i = skip; i < trace.size(); ++i)
    std::printf("       trace: %s\n", trace[i].substr(0, with_trace ? std::string::npos : kTraceLine).c_str());
  std::fflush(stdout);
}

boost::json::object to_json(const TestResult& result) {
  boost::json::object out{
      {"name", result.name}, {"passed", !result.outcome.failure}, {"milliseconds", result.milliseconds}};
  if (const auto& f = result.outcome.failure) {
    boost::json::object error{{"id", f->error.id}, {"message", f->error.cause}};
    if (!f->command.empty()) error["command"] = f->command;
    error["locations"] = boost::json::array(f->locations.begin(), f->locations.end());
    out["error"] = std::move(error);
  }
  if (result.outcome.result) out["result"] = result.outcome.result->to_string();
  out["trace"] = boost::json::array(result.outcome.trace.begin(), result.outcome.trace.end());
  return out;
}

Result<std::unique_ptr<TestRunner>> open(const TestOptions& options, const std::string& bytes) {
  SYNOD_TRY(const lf::DarFile file, lf::read_dar(bytes));
  SYNOD_TRY(const lf::Dar dar, lf::decode_dar(bytes, {}, nullptr, options.decode));
  TestRunner::Options runner;
  runner.protocol_version = options.protocol;
  return TestRunner::create(dar, file.sdk_version, runner);
}

Result<std::unique_ptr<testnet::ScriptParticipants>> connect(const TestOptions& options,
                                                             std::shared_ptr<const lf::PackageStore> packages) {
  const auto at = [&](std::string address) {
    testnet::ApiScriptLedger::Options ledger;
    ledger.address = std::move(address);
    ledger.ca_file = options.ca_file;
    ledger.deadline = Duration::seconds(static_cast<std::int64_t>(options.deadline_seconds));
    return ledger;
  };
  std::map<std::string, testnet::ApiScriptLedger::Options> named;
  for (const auto& item : options.participants) {
    const auto equals = item.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == item.size())
      return fail(invalid_argument("PARTICIPANT_MALFORMED", "'" + item + "' is not NAME=host:port"));
    named[item.substr(0, equals)] = at(item.substr(equals + 1));
  }
  return std::make_unique<testnet::ScriptParticipants>(std::move(packages), at(options.ledger), named);
}

Status test(const TestOptions& options, Outcome& outcome) {
  outcome.unusable = true;  // until the scripts run
  SYNOD_TRY(const std::string bytes, required_file(options.dar, "DAR_NOT_FOUND"));
  SYNOD_TRY(const std::unique_ptr<TestRunner> runner, open(options, bytes));
  std::vector<std::string> names;
  std::string argument;
  const bool with_argument = !options.input_file.empty();
  for (const auto& name : with_argument ? lf::script::scripts_with_argument(runner->main()) : runner->scripts())
    if (selected(options, name)) names.push_back(name);
  if (with_argument && !options.list) {
    if (names.size() > 1)
      return fail(invalid_argument("SCRIPT_AMBIGUOUS", "the argument is for one script, and the filters select " +
                                                           std::to_string(names.size()) + ", " + names[0] + " and " +
                                                           names[1] + " among them"));
    SYNOD_TRY(argument, required_file(options.input_file, "SCRIPT_ARGUMENT_NOT_FOUND"));
  }
  if (options.list) {
    for (const auto& name : names) std::cout << name << "\n";
    outcome.unusable = false;
    return {};
  }
  if (names.empty())
    return fail(not_found("NO_SCRIPTS", "no script of '" + options.dar + "' matches; list them with --list"));

  std::unique_ptr<testnet::ScriptParticipants> participant;
  if (!options.ledger.empty()) {
    SYNOD_TRY(participant, connect(options, runner->packages()));
    if (!options.no_upload) SYNOD_RETURN_IF_ERROR(participant->upload(bytes));
  }
  outcome.unusable = false;

  boost::json::array results;
  std::size_t failed = 0;
  double total = 0;
  for (const auto& name : names) {
    const auto start = std::chrono::steady_clock::now();
    const std::string* given = with_argument ? &argument : nullptr;
    TestResult result{name, participant ? runner->run(name, *participant, given) : runner->run(name, given), 0};
    result.milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    total += result.milliseconds;
    failed += result.outcome.failure.has_value();
    if (options.json)
      results.push_back(to_json(result));
    else
      print(result, options.trace);
  }
  if (options.json)
    std::cout << boost::json::object{{"dar", options.dar},
                                     {"ledger", options.ledger.empty() ? "memory" : options.ledger},
                                     {"protocol_version", runner->protocol_version()},
                                     {"passed", names.size() - failed},
                                     {"failed", failed},
                                     {"milliseconds", total},
                                     {"scripts", std::move(results)}}
              << "\n";
  else
    std::printf("\n%zu passed, %zu failed in %.1f s\n", names.size() - failed, failed, total / 1000);
  if (failed > 0)
    return fail(failed_precondition(
        "SCRIPTS_FAILED", std::to_string(failed) + " of " + std::to_string(names.size()) + " scripts failed"));
  return {};
}

}  // namespace

void add_script_commands(CLI::App& app, Outcome& outcome) {
  CLI::App* script = app.add_subcommand("script", "Daml scripts");
  script->require_subcommand(1);
  CLI::App* command = script->add_subcommand(
      "test", "Run the scripts of a DAR; exit code 0: all passed, 1: some failed, 2: nothing could be run");
  auto options = std::make_shared<TestOptions>();
  command->add_option("dar", options->dar, "DAR file")->required();
  command->add_option("--filter", options->filters,
                      "Only scripts whose Module:name contains this; * stands for any characters. May be repeated");
  command
      ->add_option("--input-file", options->input_file,
                   "JSON: the argument of the script that --filter selects among those that take one")
      ->needs("--filter");
  command->add_flag("--json", options->json, "Report as one JSON object");
  command->add_flag("--list", options->list, "Only list the scripts");
  command
      ->add_flag("--discontinued-lf", options->decode.discontinued_versions,
                 "Read packages of the release candidates 2.3-rc1 and 2.3-rc2, for tests")
      ->group("");
  command->add_flag("--trace", options->trace, "Show trace and debug messages of scripts that pass as well");
  command->add_option("--ledger", options->ledger,
                      "Run against the participant with this Ledger API (host:port) instead of a ledger in memory");
  command
      ->add_option("--participant", options->participants,
                   "NAME=host:port: a further participant that scripts name (allocatePartyOn). May be repeated")
      ->needs("--ledger");
  command->add_option("--ca", options->ca_file, "PEM file of the authority that signed the participant's certificate")
      ->needs("--ledger");
  command->add_flag("--no-upload", options->no_upload, "The participant has the DAR already")->needs("--ledger");
  command->add_option("--deadline-seconds", options->deadline_seconds, "Of each call to the participant")
      ->needs("--ledger");
  command
      ->add_option("--protocol", options->protocol,
                   "Protocol version whose rules the ledger in memory follows (default: by the DAR's SDK)")
      ->check(CLI::IsMember({34, 35}));
  command->callback([&outcome, options] { outcome.status = test(*options, outcome); });
}

}  // namespace synod::cli
