// The operator's commands. Each function adds some to the application; a command sets `Outcome` when it has run.
//
// Exit codes, stable for scripts: 0 done; 1 failed, the error is on standard error as `ID: cause`; 2 wrong usage (or
// for tests: there was nothing to run); 3 done, but something is not healthy (status).
#pragma once

#include <CLI/App.hpp>

#include "base/result.h"

namespace synod::cli {

struct Outcome {
  Status status;
  bool unhealthy = false;
  bool unusable = false;  // the input, not what was done with it: counts as wrong usage
};

void add_testnet_commands(CLI::App& app, Outcome& outcome);
void add_node_commands(CLI::App& app, Outcome& outcome);  // node run, orderer, config reference
void add_sequencer_commands(CLI::App& app, Outcome& outcome);
void add_ledger_commands(CLI::App& app, Outcome& outcome);  // ping
void add_dar_commands(CLI::App& app, Outcome& outcome);
void add_bench_commands(CLI::App& app, Outcome& outcome);
void add_script_commands(CLI::App& app, Outcome& outcome);

}  // namespace synod::cli
