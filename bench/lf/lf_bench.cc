#include "bench/lf/lf_bench.h"

#include <benchmark/benchmark.h>
#include <malloc.h>

#include <iostream>
#include <map>
#include <regex>

#include "base/files.h"
#include "bench/lf/programs.h"
#include "bench/lf/report.h"
#include "lf/archive/dar.h"
#include "lf/engine.h"
#include "lf/eval/machine.h"
#include "lf/text/assembler.h"
#include "lf/upload_check.h"

namespace synod::bench {
namespace {

using namespace lf;
using namespace lf::eval;

struct Loaded {
  std::shared_ptr<PackageStore> packages = std::make_shared<PackageStore>();
  const Package* main = nullptr;
};

Result<Loaded> assembled(std::string_view text) {
  SYNOD_TRY(auto entry, assemble_package(text));
  Loaded out;
  out.packages->add(entry.package);
  out.main = entry.package.get();
  return out;
}

Result<Loaded> from_dar(ByteView bytes) {
  SYNOD_TRY(const Dar dar, decode_dar(bytes));
  Loaded out;
  for (const auto& entry : dar.entries) out.packages->add(entry.package);
  out.main = &dar.main();
  return out;
}

// ---- pure programs
// ---------------------------------------------------------------------------------------------------

// Runs Bench:`function` on `argument`; one unit is `units` of them, or a machine instruction when `units` is 0.
struct Pure {
  std::shared_ptr<Program> program;
  const Package* package = nullptr;
  std::string function;
  std::string prepare;  // makes the argument; empty: the number itself
  std::int64_t size = 0;
  double units = 0;
  std::vector<Cell> more = {};

  Definition* named(const std::string& name) const {
    return program->definition(*package, *package->find_value("Bench", name));
  }
  void operator()(benchmark::State& state) const {
    double total_units = 0;
    for (auto _ : state) {
      state.PauseTiming();
      Machine machine(*program, {nullptr, nullptr, Timestamp(), {}, false, Limits()});
      Cell argument = make_int64(size);
      if (!prepare.empty()) argument = machine.apply_function(machine.value_of(*named(prepare)), {argument});
      Cell code = machine.value_of(*named(function));
      std::uint64_t before = machine.steps();
      state.ResumeTiming();
      Cell result =
          more.empty() ? machine.apply_function(code, {argument}) : machine.apply_function(code, {argument, more[0]});
      benchmark::DoNotOptimize(result);
      state.PauseTiming();
      total_units += units > 0 ? units : static_cast<double>(machine.steps() - before);
      state.ResumeTiming();
    }
    state.counters["units"] = total_units;
  }
};

// ---- transactions
// ----------------------------------------------------------------------------------------------------

const Party kAlice = "Alice::1220aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const Party kBob = "Bob::1220bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

class OneContract : public ContractLookup {
 public:
  std::optional<ContractInstance> find(const ContractId& id) override {
    return contract && contract->contract_id == id ? contract : std::nullopt;
  }
  std::vector<ContractInstance> find_by_key(const GlobalKey&, int) override { return {}; }
  std::optional<ContractInstance> contract;
};

struct Ping {
  std::shared_ptr<Engine> engine;
  Identifier template_id;
  bool respond = false;
  bool memory = false;  // report bytes that stay, instead of time

  SubmitContext context(const Party& submitter) const {
    SubmitContext c;
    c.submitters = {submitter};
    c.ledger_time = c.preparation_time = Timestamp{1'795'368'346'527'792};
    c.submission_seed = Bytes(32, 's');
    c.participant_id = "participant1::1220dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd";
    return c;
  }
  std::vector<Command> create() const {
    return {
        CreateCommand{template_id, Value::record({Value::text("ping-1"), Value::party(kAlice), Value::party(kBob)})}};
  }
  OneContract existing() const {
    OneContract lookup;
    auto made = engine->submit(create(), context(kAlice), lookup);
    if (!made) throw std::runtime_error(made.error().to_string());
    const CreateNode& node = *made->transaction.at(0).create();
    ContractInstance c = instance_of(node);
    c.contract_id = *ContractId::from_bytes(node.contract_id.bytes() + "\xca\x12" + std::string(34, 'x'));
    lookup.contract = c;
    return lookup;
  }
  void operator()(benchmark::State& state) const {
    OneContract lookup = existing();
    std::vector<Command> commands = create();
    if (respond) commands = {ExerciseCommand{template_id, lookup.contract->contract_id, "Respond", Value::record({})}};
    SubmitContext c = context(respond ? kBob : kAlice);
    for (int i = 0; i < 100; ++i) run(commands, c, lookup);
    std::size_t before = mallinfo2().uordblks;
    for (auto _ : state) run(commands, c, lookup);
    auto n = static_cast<double>(state.iterations());
    state.counters["units"] = n;
    if (memory) state.counters["bytes"] = (static_cast<double>(mallinfo2().uordblks) - static_cast<double>(before)) / n;
  }
  void run(const std::vector<Command>& commands, const SubmitContext& c, OneContract& lookup) const {
    auto result = engine->submit(commands, c, lookup);
    if (!result) throw std::runtime_error(result.error().to_string());
    benchmark::DoNotOptimize(result);
  }
};

// ---- loading
// ---------------------------------------------------------------------------------------------------------

struct Load {
  std::string bytes;
  bool upload = false;  // the checks of an upload, instead
  void operator()(benchmark::State& state) const {
    for (auto _ : state) {
      if (upload) {
        auto dar = decode_dar(bytes);
        Status checked = dar ? check_upload(*dar, PackageStore()) : Status(fail(dar.error()));
        if (!checked) throw std::runtime_error(checked.error().to_string());
        continue;
      }
      auto loaded = from_dar(bytes);
      if (!loaded) throw std::runtime_error(loaded.error().to_string());
      Program program(loaded->packages);
      for (const auto& t : loaded->main->templates()) {  // ready to run: what a create of the first template needs
        const TemplateInfo* info = program.template_(*loaded->main, t);
        program.code(info->signatories);
        program.code(info->observers);
        break;
      }
    }
    state.counters["units"] = static_cast<double>(state.iterations());
  }
};

void add(const std::string& name, auto function, const LfBenchOptions& options,
         benchmark::TimeUnit unit = benchmark::kNanosecond) {
  // Here and not by google-benchmark, which matches names that carry the settings, too.
  if (!std::regex_search(name, std::regex(options.filter))) return;
  benchmark::RegisterBenchmark(name.c_str(), function)
      ->Unit(unit)
      ->MinTime(options.seconds)
      ->Repetitions(options.repetitions);
}

}  // namespace

Status run_lf_bench(const LfBenchOptions& options) {
  try {
    std::regex checked(options.filter);
  } catch (const std::regex_error& e) {
    return fail(invalid_argument("BENCH_FILTER", "'" + options.filter + "' is no regular expression: " + e.what()));
  }
  SYNOD_TRY(Loaded bench, assembled(bench_program()));
  SYNOD_TRY(Loaded ping, assembled(ping_program()));
  auto program = std::make_shared<Program>(bench.packages);
  auto pure = [&](const std::string& name, const std::string& function, const std::string& prepare, std::int64_t size,
                  double units, std::vector<Cell> more = {}) {
    add(name, Pure{program, bench.main, function, prepare, size, units, std::move(more)}, options);
  };
  constexpr std::int64_t kList = 10'000, kLoop = 10'000;
  pure("step", "fib", "", 22, 0);
  pure("fold", "sum_right", "range", kList, kList);
  pure("fold/left", "sum_left", "range", kList, kList);
  pure("fold/closure", "sum_right_closure", "range", kList, kList);
  pure("fold/left_closure", "sum_left_closure", "range", kList, kList);
  pure("fold/recursive", "sum_recursive", "range", kList, kList);
  pure("method", "methods", "", kLoop, kLoop * 8, {make_int64(0)});
  pure("method/dynamic", "methods_dynamic", "", kLoop, kLoop * 8, {make_int64(0)});
  pure("sort", "quicksort", "shuffled", 1000, 0);
  pure("records", "booking", "", kLoop, 0);

  auto add_pings = [&](const std::string& prefix, const Loaded& loaded, const char* module) {
    auto engine = std::make_shared<Engine>(loaded.packages);
    Identifier id{loaded.main->id(), module, "Ping"};
    add(prefix + "/create", Ping{engine, id, false}, options);
    add(prefix + "/respond", Ping{engine, id, true}, options);
    if (prefix == "ping") add("memory", Ping{engine, id, true, true}, options);
  };
  add_pings("ping", ping, "Ping");

  std::map<std::string, std::string> sources;
  SYNOD_TRY(const Bytes example_dar, assemble_dar(bench_program()));
  std::string load_source = "examples/bench.lf", load_bytes = example_dar;
  if (!options.dars.empty()) {
    SYNOD_TRY(load_bytes, required_file(options.dars + "/splice-amulet-0.1.22.dar", "DAR_NOT_FOUND"));
    load_source = "splice-amulet-0.1.22.dar";
    SYNOD_TRY(const std::string canton_ping,
              required_file(options.dars + "/canton-builtin-admin-workflow-ping.dar", "DAR_NOT_FOUND"));
    SYNOD_TRY(Loaded loaded, from_dar(canton_ping));
    add_pings("ping/canton", loaded, "Canton.Internal.Ping");
  }
  sources["load"] = load_source;
  sources["load/upload"] = load_source;
  add("load", Load{load_bytes}, options, benchmark::kMillisecond);
  add("load/upload", Load{load_bytes, true}, options, benchmark::kMillisecond);

  Report report(options.json, std::move(sources));
  benchmark::RunSpecifiedBenchmarks(&report, ".");
  report.print(std::cout);
  return {};
}

}  // namespace synod::bench
