#include "base/check.h"
#include "lf/archive/dar.h"
#include "lf/archive/decode.h"
#include "lf/engine.h"
#include "lf/inspect.h"
#include "lf/ledger/value_codec.h"
#include "lf/text/assembler.h"
#include "lf/typing/check_package.h"
#include "tests/fuzz/targets.h"

namespace synod::fuzz {
namespace {

using namespace lf;

constexpr std::size_t kMaxEntry = 1 << 20;

Result<PackagePtr> decoded(ByteView message, LanguageVersion version) {
  return decode_payload(std::string(64, '0'), encode_payload(version, message));
}

class NoContracts : public ContractLookup {
 public:
  std::optional<ContractInstance> find(const ContractId&) override { return std::nullopt; }
  std::vector<ContractInstance> find_by_key(const GlobalKey&, int) override { return {}; }
};

}  // namespace

void dar(ByteView input) {
  auto dar = decode_dar(input, DarLimits{.max_entry_bytes = kMaxEntry, .max_total_bytes = 4 * kMaxEntry});
  if (!dar) return;
  SYNOD_CHECK(!describe(*dar).empty());
  (void)check_dar_dependencies(*dar);
}

void package(ByteView input) {
  if (input.empty()) return;
  const LanguageVersion version = input[0] % 2 == 0 ? kLf21 : kLf23;
  auto made = decoded(input.substr(1), version);
  if (!made) return;
  PackageStore store;
  store.add(*made);
  (void)check_package(**made, store, CheckLimits{.max_steps = 100'000});
  Dar dar;
  dar.entries.push_back({*made, Bytes(input.substr(1))});
  SYNOD_CHECK(!describe(dar).empty());
}

void interpreter(ByteView input) {
  auto made = decoded(input, kLf22);
  if (!made) return;
  auto store = std::make_shared<PackageStore>();
  store->add(*made);
  if (!check_package(**made, *store, CheckLimits{.max_steps = 100'000})) return;
  const Package& p = **made;
  Engine engine(store);
  SubmitContext context;
  context.submitters = {"p"};
  context.submission_seed = Bytes(32, 's');
  context.participant_id = "participant";
  NoContracts contracts;
  const Limits limits{.max_steps = 50'000, .max_bytes = 8 << 20, .max_nodes = 1'000, .max_frames = 10'000};
  // Arguments of the shapes that the seeds' templates and choices have.
  const Value arguments[] = {Value::record({Value::party("p"), Value::int64(3), Value::text("t")}),
                             Value::record({Value::party("p")})};
  const Value choices[] = {Value::record({Value::int64(6)}), Value::record({})};
  for (const Template& t : p.templates()) {
    Identifier id{p.id(), std::string(p.text(p.modules()[t.module].name)), std::string(p.text(t.name))};
    for (const Choice& c : p.items(t.choices))
      for (const Value& argument : arguments)
        for (const Value& choice : choices) {
          CreateAndExerciseCommand command{id, argument, std::string(p.text(c.name)), choice};
          auto one = engine.submit({command}, context, contracts, limits);
          auto two = engine.submit({command}, context, contracts, limits);  // the same, now that everything is compiled
          SYNOD_CHECK(one.has_value() == two.has_value());
          if (!one) SYNOD_CHECK(one.error().id == two.error().id);
          if (one) SYNOD_CHECK(one->transaction.nodes.size() == two->transaction.nodes.size());
        }
  }
}

void value(ByteView input) {
  auto read = decode_value(input);
  if (!read) return;
  auto again = decode_value(encode_value(*read));
  SYNOD_CHECK(again.has_value() && *again == *read);
  SYNOD_CHECK(!read->to_string().empty());
  SYNOD_CHECK(nesting(*read) <= kMaxValueNesting + 1);
}

void contract(ByteView input) {
  auto read = decode_contract(input);
  if (!read) return;
  auto again = decode_contract(encode_contract(*read));
  SYNOD_CHECK(again.has_value() && again->contract_id == read->contract_id && again->argument == read->argument);
}

void text(ByteView input) {
  auto made = assemble_package(input);
  if (!made) return;
  PackageStore store;
  store.add(made->package);
  (void)check_package(*made->package, store, CheckLimits{.max_steps = 100'000});
}

}  // namespace synod::fuzz
