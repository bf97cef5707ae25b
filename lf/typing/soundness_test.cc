// What the type checker is for: whatever it lets through can be run. Mutants of a program that uses most of the
// language are decoded, checked, and if both succeed, compiled and run.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "lf/archive/decode.h"
#include "lf/engine.h"
#include "lf/text/assembler.h"
#include "lf/typing/check_package.h"

namespace synod::lf {
namespace {

constexpr const char* kProgram = R"(metadata ('program' : '1')
module M {
  record @serializable T = { p: Party, n: Int64, t: Text } ;
  record @serializable Run = { m: Int64 } ;
  record @serializable View = { q: Party } ;
  record @serializable E = { why: Text } ;
  record R (a: *) = { a: a, f: a -> Int64 } ;
  variant V a = L: a | N: Unit ;
  enum @serializable C = X | Y | Z ;
  exception E = { message \(e: M:E) -> M:E {why} e } ;
  interface (this : I) = {
    viewtype M:View ; method twice : Int64 -> Int64 ;
    choice @nonConsuming Ask (self) (k : Int64) : Int64 , controllers Cons @Party [M:View {q} (view_interface @M:I this)] (Nil @Party)
      to upure @Int64 (call_method @M:I twice this k) ;
  } ;
  val map : forall a b. (a -> b) -> List a -> List b =
    /\ a b. \(f: a -> b) (l: List a) -> FOLDR @a @(List b) (\(x: a) (r: List b) -> Cons @b [f x] r) (Nil @b) l ;
  val len : forall a. List a -> Int64 = /\ a. \(l: List a) -> case l of Nil -> 0 | Cons h r -> ADD_INT64 1 (M:len @a r) ;
  val sum : List Int64 -> Int64 = FOLDL @Int64 @Int64 ADD_INT64 0 ;
  val dict : <eq: Int64 -> Int64 -> Bool, show: Int64 -> Text> = <eq = EQUAL @Int64, show = INT64_TO_TEXT> ;
  val pick : M:C -> Int64 = \(c: M:C) -> case c of M:C:X -> 1 | M:C:Y -> 2 | M:C:Z -> 3 ;
  val unv : M:V Int64 -> Int64 = \(v: M:V Int64) -> case v of M:V:L x -> x | M:V:N u -> 0 ;
  val calc : Int64 -> Int64 = \(m: Int64) ->
    let l : List Int64 = Cons @Int64 [1, m, 3] (Nil @Int64) in
    let texts : List Text = M:map @Int64 @Text ((M:dict).show) l in
    let g : GenMap Text Int64 = GENMAP_INSERT @Text @Int64 "a" m (GENMAP_EMPTY @Text @Int64) in
    let tm : TextMap Int64 = TEXTMAP_INSERT @Int64 "k" 2 (TEXTMAP_EMPTY @Int64) in
    let r : M:R Int64 = M:R @Int64 { M:R @Int64 { a = m, f = \(x: Int64) -> MUL_INT64 x 2 } with a = 5 } in
    let d : Numeric 2 = ADD_NUMERIC @2 1.50 2.25 in
    let some : Option Int64 = GENMAP_LOOKUP @Text @Int64 "a" g in
    let up : <x: Int64, y: Text> = <<x = 1, y = ""> with x = 9> in
    ADD_INT64 (M:sum (Cons @Int64 [M:len @Text texts, M:R @Int64 {f} r (M:R @Int64 {a} r), M:pick M:C:Y, M:unv (M:V:L @Int64 4),
                                   TEXTMAP_SIZE @Int64 tm, NUMERIC_TO_INT64 @2 d, (up).x] (Nil @Int64)))
              (case some of None -> 0 | Some z -> (case LESS @Int64 z 10 of True -> z | False -> SUB_INT64 z 1)) ;
  template (this : T) = {
    precondition LESS_EQ @Int64 0 (M:T {n} this) ;
    signatories Cons @Party [M:T {p} this] (Nil @Party) ;
    choice @nonConsuming Run (self) (arg : M:Run) : Int64 , controllers Cons @Party [M:T {p} this] (Nil @Party)
      to ubind
           now : Timestamp <- uget_time ;
           c : ContractId M:T <- create @M:T (M:T { this with n = M:calc (M:Run {m} arg) }) ;
           x : M:T <- fetch_template @M:T c ;
           i : M:I <- upure @M:I (to_interface @M:I @M:T x) ;
           k : Int64 <- exercise_interface @M:I Ask (COERCE_CONTRACT_ID @M:T @M:I c) 4 ;
           e : Int64 <- try @Int64 (upure @Int64 (throw @Int64 @M:E (M:E { why = "no" })))
                          catch ex -> Some @(Update Int64) (case from_any_exception @M:E ex of None -> upure @Int64 0 | Some z -> upure @Int64 7) ;
           back : Option M:T <- upure @(Option M:T) (from_interface @M:I @M:T i)
         in upure @Int64 (ADD_INT64 (ADD_INT64 k e) (M:T {n} x)) ;
    implements M:I { view = M:View { q = M:T {p} this } ; method twice = \(x: Int64) -> ADD_INT64 x x ; } ;
  } ;
}
)";

class NoContracts : public ContractLookup {
 public:
  std::optional<ContractInstance> find(const ContractId&) override { return std::nullopt; }
  std::vector<ContractInstance> find_by_key(const GlobalKey&, int) override { return {}; }
};

// Creates a contract and exercises Run.
Result<Value> run(const PackagePtr& package) {
  auto store = std::make_shared<PackageStore>();
  store->add(package);
  Engine engine(store);
  SubmitContext context;
  context.submitters = {"p"};
  context.submission_seed = Bytes(32, 's');
  context.participant_id = "participant";
  Identifier id{package->id(), "M", "T"};
  CreateAndExerciseCommand command{id, Value::record({Value::party("p"), Value::int64(3), Value::text("t")}), "Run",
                                   Value::record({Value::int64(6)})};
  NoContracts contracts;
  Limits limits{.max_steps = 100'000, .max_bytes = 8 << 20, .max_nodes = 1'000, .max_frames = 10'000};
  SYNOD_TRY(auto result, engine.submit({command}, context, contracts, limits));
  return *result.transaction.at(1).exercise()->result;
}

TEST(Soundness, TheProgramRuns) {
  auto entry = assemble_package(kProgram);
  ASSERT_TRUE(entry.has_value()) << entry.error().to_string();
  PackageStore store;
  store.add(entry->package);
  auto checked = check_package(*entry->package, store);
  ASSERT_TRUE(checked.has_value()) << checked.error().to_string();
  auto value = run(entry->package);
  ASSERT_TRUE(value.has_value()) << value.error().to_string();
  // calc 6 = (3 + 10 + 2 + 4 + 1 + 3 + 9) + 6; Ask 4 = 8; the handler gives 7
  EXPECT_EQ(value->as_int64(), 38 + 8 + 7);
}

// A few hundred find regressions; SYNOD_MUTATION_ROUNDS asks for a longer search.
int rounds() {
  const char* wanted = std::getenv("SYNOD_MUTATION_ROUNDS");
  return wanted ? std::atoi(wanted) : 400;
}

TEST(Soundness, MutantsThatPassTheCheckRunWithoutHarm) {
  auto entry = assemble_package(kProgram);
  ASSERT_TRUE(entry.has_value());
  Bytes message(parse_payload(entry->payload)->package_message);
  std::mt19937 random(static_cast<unsigned>(rounds()));
  auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  int ran = 0;
  for (int round = 0; round < rounds(); ++round) {
    Bytes mutant = message;
    for (std::size_t changes = 1 + below(2); changes > 0; --changes) {
      auto at = below(mutant.size());
      if (below(2) == 0) {
        mutant[at] = static_cast<char>(mutant[at] + static_cast<char>(1 + below(3)) - 2);
      } else {
        mutant[at] = static_cast<char>(below(128));
      }
    }
    auto package = decode_payload(std::string(64, '0'), encode_payload(kLf22, mutant));
    if (!package) continue;
    PackageStore store;
    store.add(*package);
    if (!check_package(**package, store, CheckLimits{.max_steps = 1'000'000})) continue;
    ++ran;
    auto value = run(*package);
    if (value) {
      EXPECT_FALSE(value->to_string().empty());
    }
  }
  EXPECT_GT(ran, 0);
  RecordProperty("ran", ran);
}

}  // namespace
}  // namespace synod::lf
