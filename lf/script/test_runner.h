// The scripts of a DAR as a test suite: which there are, and running them one by one, each against a ledger of its own.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lf/archive/dar.h"
#include "lf/engine.h"
#include "lf/eval/program.h"
#include "lf/package_store.h"
#include "lf/script/interpreter.h"
#include "lf/script/memory_ledger.h"

namespace synod::lf::script {

// "Module.Name:script" of the scripts without parameters in the package, sorted. Generated definitions ($...) are left
// out. Scripts of the library before Daml 3.3 are among them, and fail with SCRIPT_LEGACY.
std::vector<std::string> scripts_of(const Package& package);
// Likewise those that take one argument.
std::vector<std::string> scripts_with_argument(const Package& package);

// `*` stands for any characters, everything else for itself; without `*` a name matches that contains the pattern.
bool matches(std::string_view pattern, std::string_view name);

struct ScriptOutcome {
  std::optional<ScriptError> failure;  // empty: passed
  std::optional<Value> result;
  std::vector<std::string> trace;  // messages of `trace` and `debug`, in order
};

class TestRunner {
 public:
  struct Options {
    // Protocol version whose rules ledgers in memory follow: 34 lets try blocks undo creates and archives. 0: the one
    // that the DAR's SDK was made for.
    int protocol_version = 0;
    Limits script_limits = {
        .max_steps = 20'000'000'000, .max_bytes = 4ull << 30, .max_nodes = 100'000, .max_frames = 8'000'000};
    Limits submission_limits;
    std::size_t max_trace_messages = 10'000;  // of one script; more are dropped, and the last says so
  };
  static Result<std::unique_ptr<TestRunner>> create(const Dar& dar, const std::string& sdk_version, Options options);

  const std::vector<std::string>& scripts() const { return scripts_; }
  const Package& main() const { return main_; }
  // `argument`: JSON, for a script that takes one; null for the others.
  ScriptOutcome run(const std::string& script, const std::string* argument = nullptr);  // on a new ledger in memory
  ScriptOutcome run(const std::string& script, ScriptLedger& ledger, const std::string* argument = nullptr);
  std::shared_ptr<const PackageStore> packages() const { return packages_; }
  int protocol_version() const { return options_.protocol_version; }

 private:
  TestRunner(std::shared_ptr<PackageStore> packages, const Package& main, Options options);

  std::shared_ptr<PackageStore> packages_;
  const Package& main_;
  Options options_;
  eval::Program program_;
  Engine engine_;
  std::vector<std::string> scripts_;
};

}  // namespace synod::lf::script
