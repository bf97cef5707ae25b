#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/commands.h"

int main(int argc, char** argv) {
  CLI::App app{"Synod: a native, decentralised Canton synchronizer", "synod"};
  app.set_version_flag("--version", "synod 0.1.0 (Canton protocol 35, Ledger API v2)");
  app.require_subcommand(1);
  synod::cli::Outcome outcome;
  synod::cli::add_testnet_commands(app, outcome);
  synod::cli::add_node_commands(app, outcome);
  synod::cli::add_sequencer_commands(app, outcome);
  synod::cli::add_ledger_commands(app, outcome);
  synod::cli::add_dar_commands(app, outcome);
  synod::cli::add_bench_commands(app, outcome);
  synod::cli::add_script_commands(app, outcome);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (!outcome.status) {
    std::fprintf(stderr, "error: %s\n", outcome.status.error().to_string().c_str());
    return outcome.unusable ? 2 : 1;
  }
  return outcome.unhealthy ? 3 : 0;
}
