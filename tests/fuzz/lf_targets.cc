#include <google/protobuf/stubs/logging.h>

#include "base/check.h"
#include "ledger/commands.pb.h"
#include "ledger/value.pb.h"
#include "lf/archive/dar.h"
#include "lf/archive/decode.h"
#include "lf/engine.h"
#include "lf/inspect.h"
#include "lf/ledger/api_codec.h"
#include "lf/ledger/transaction_codec.h"
#include "lf/ledger/value_codec.h"
#include "lf/text/assembler.h"
#include "lf/typing/check_package.h"
#include "lf/upgrade/upgrade_check.h"
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

void run_choices(const Package& p, const std::shared_ptr<PackageStore>& store) {
  Engine engine(store);
  SubmitContext context;
  context.submitters = {"p"};
  context.submission_seed = Bytes(32, 's');
  context.participant_id = "participant";
  context.exercise_trace = 3;
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
        for (const Value& choice : choices)
          for (const bool rollback : {false, true}) {
            context.allow_effectful_rollback = rollback;
            CreateAndExerciseCommand command{id, argument, std::string(p.text(c.name)), choice};
            auto one = engine.submit({command}, context, contracts, limits);
            auto two = engine.submit({command}, context, contracts, limits);
            SYNOD_CHECK(one.has_value() == two.has_value());
            if (one)
              SYNOD_CHECK(encode_transaction(one->transaction) == encode_transaction(two->transaction));
            else
              SYNOD_CHECK(one.error() == two.error());
          }
  }
}

// What API values are typed against: every shape that a value can have.
const ApiCodec& shapes(Identifier& type) {
  static const auto entry = assemble_package(
      "metadata ('shapes' : '1.0.0') module M { record @serializable R = { n: Int64, o: Option M:R } ; variant "
      "@serializable V = A: Int64 | B: M:R | C: Unit ; enum @serializable E = X | Y ; record @serializable All = { p: "
      "Party, t: Text, b: Bool, n: Numeric 10, d: Date, s: Timestamp, c: ContractId M:All, l: List M:V, m: TextMap "
      "M:E, "
      "g: GenMap M:R Int64, o: Option (Option Unit) } ; template (this : All) = { signatories Cons @Party [M:All {p} "
      "this] (Nil @Party) ; choice C (self) (a: M:All) : M:V , controllers Nil @Party to upure @M:V (M:V:C ()) ; } ; "
      "}");
  SYNOD_CHECK(entry.has_value());
  static const ApiCodec codec = [] {
    auto store = std::make_shared<PackageStore>();
    store->add(entry->package);
    return ApiCodec(std::move(store));
  }();
  type = {entry->package->id(), "M", "All"};
  return codec;
}

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

// A second interpretation finds everything compiled, and must come to the same: the same bytes, or the same words.
void interpreter(ByteView input) {
  for (const LanguageVersion version : {kLf22, kLf23, kLf21}) {
    auto made = decoded(input, version);
    if (!made) continue;
    auto store = std::make_shared<PackageStore>();
    store->add(*made);
    if (!check_package(**made, *store, CheckLimits{.max_steps = 100'000})) continue;
    run_choices(**made, store);
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

void transaction(ByteView input) {
  auto read = decode_transaction(input, 10'000);
  if (!read) return;
  const Bytes bytes = encode_transaction(*read);
  auto again = decode_transaction(bytes, 10'000);
  SYNOD_CHECK(again.has_value() && again->nodes.size() == read->nodes.size() && encode_transaction(*again) == bytes);
}

void api_value(ByteView input) {
  namespace api = ::com::daml::ledger::api::v2;
  Identifier type;
  const ApiCodec& codec = shapes(type);
  api::Value written;
  const google::protobuf::LogSilencer silent;  // it complains of every text that is not UTF-8
  if (!written.ParseFromArray(input.data(), static_cast<int>(input.size()))) return;
  auto read = codec.choice_argument(type, "C", written);
  if (!read) return;
  for (const bool verbose : {false, true}) {
    api::Value out;
    SYNOD_CHECK(codec.choice_argument(type, "C", *read, verbose, &out).has_value());
    auto again = codec.choice_argument(type, "C", out);
    SYNOD_CHECK(again.has_value() && *again == *read);
  }
}

void upgrade(ByteView input) {
  constexpr std::size_t kHead = 3;
  if (input.size() < kHead) return;
  const LanguageVersion version = input[0] % 2 == 0 ? kLf21 : kLf23;
  const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(input[i])); };
  const std::size_t split = std::min(byte(1) * 256 + byte(2), input.size() - kHead);
  auto past = decode_payload(std::string(64, '0'), encode_payload(version, input.substr(kHead, split)));
  auto present = decode_payload(std::string(64, '1'), encode_payload(version, input.substr(kHead + split)));
  if (!past || !present) return;
  PackageStore store;
  store.add(*past);
  store.add(*present);
  for (const auto& [from, to] : {std::pair(*past, *present), std::pair(*present, *past), std::pair(*past, *past)}) {
    const auto problems = upgrade_problems(*from, *to, store);
    const Status status = check_upgrade(*from, *to, store);
    SYNOD_CHECK(status.has_value() == problems.empty());
    if (!status) SYNOD_CHECK(status.error().cause.ends_with(problems.front()));
  }
}

void text(ByteView input) {
  auto made = assemble_package(input);
  if (!made) return;
  PackageStore store;
  store.add(made->package);
  (void)check_package(*made->package, store, CheckLimits{.max_steps = 100'000});
}

}  // namespace synod::fuzz
