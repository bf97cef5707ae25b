// The ledger model, told twice: the naive ledger and the real one run the same generated programs and must agree on
// every outcome, on the transaction, on what every party sees and on who has come to know of a contract.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "base/check.h"
#include "lf/script/memory_ledger.h"
#include "lf/script/naive_ledger.h"
#include "lf/text/assembler.h"
#include "lf/typing/check_package.h"

namespace synod::lf::script {
namespace {

constexpr int kSeeds = 40, kSubmissions = 40;
constexpr std::size_t kWindow = 6;  // contracts that a program begins with: the newest, of which more are active
const std::vector<Party> kParties{"Alice", "Bob", "Carol", "Dave"};
const Party kStranger = "Zoe";

constexpr const char* kFace = R"(metadata ('face' : '1.0.0') module F {
  record @serializable View = {} ;
  interface (this : I) = { viewtype F:View ;
    choice Take (self) (who: List Party) : Unit , controllers who to upure @Unit () ;
    choice @nonConsuming Look (self) (who: List Party) : Unit , controllers who to upure @Unit () ; } ;
})";

// An asset with any signatories, observers and key maintainers. Its choices are controlled and observed by whom their
// argument names; their bodies run a list of acts, with the contracts that are known so far.
constexpr const char* kModel = R"(metadata ('assets' : '$VERSION') module M {
  record @serializable Key = { maintainers: List Party, k: Int64 } ;
  record @serializable Make = { sigs: List Party, obs: List Party, key: M:Key, extra: Bool } ;
  record @serializable Use = { at: Int64, consuming: Bool, who: List Party, watch: List Party, acts: List M:Act } ;
  record @serializable ByKey = { key: M:Key, consuming: Bool, who: List Party, watch: List Party, acts: List M:Act } ;
  record @serializable Face = { at: Int64, consuming: Bool, who: List Party } ;
  record @serializable Attempt = { acts: List M:Act, fails: Bool } ;
  variant @serializable Act = Make: M:Make | Use: M:Use | ByKey: M:ByKey | Face: M:Face | Peek: Int64 | Attempt: M:Attempt ;
  record @serializable Job = { who: List Party, watch: List Party, known: $KNOWN, acts: List M:Act } ;
  record @serializable Bad = { known: $KNOWN } ; exception Bad = { message \(e: M:Bad) -> "no" } ;
  record @serializable Asset = { sigs: List Party, obs: List Party, key: M:Key$FIELD } ;
  template (this : Asset) = {
    signatories M:Asset {sigs} this ;
    observers M:Asset {obs} this ;
    choice Run (self) (j : M:Job) : $KNOWN , controllers M:Job {who} j , observers M:Job {watch} j
      to M:run (M:Job {acts} j) (M:Job {known} j) ;
    choice @nonConsuming Keep (self) (j : M:Job) : $KNOWN , controllers M:Job {who} j , observers M:Job {watch} j
      to M:run (M:Job {acts} j) (M:Job {known} j) ;
    implements 'face':F:I { view = 'face':F:View {} ; } ;
    key @M:Key (M:Asset {key} this) (\(k: M:Key) -> M:Key {maintainers} k) ;
  } ;
  val nth : Int64 -> $KNOWN -> ContractId M:Asset = \(n: Int64) (ids: $KNOWN) -> case ids of
    Nil -> ERROR @(ContractId M:Asset) "no such contract"
    | Cons h t -> case EQUAL @Int64 n 0 of True -> h | False -> M:nth (SUB_INT64 n 1) t ;
  val also : $KNOWN -> ContractId M:Asset -> $KNOWN = \(ids: $KNOWN) (c: ContractId M:Asset) ->
    FOLDR @(ContractId M:Asset) @($KNOWN) (\(h: ContractId M:Asset) (t: $KNOWN) -> Cons @(ContractId M:Asset) [h] t)
      (Cons @(ContractId M:Asset) [c] (Nil @(ContractId M:Asset))) ids ;
  val one : M:Act -> $KNOWN -> Update ($KNOWN) = \(a: M:Act) (ids: $KNOWN) -> case a of
      M:Act:Make m -> ubind c: ContractId M:Asset <- create @M:Asset (M:Asset { sigs = M:Make {sigs} m, obs = M:Make {obs} m,
        key = M:Make {key} m$VALUE }) in upure @($KNOWN) (M:also ids c)
    | M:Act:Use u -> (let j: M:Job = M:Job { who = M:Use {who} u, watch = M:Use {watch} u, known = ids, acts = M:Use {acts} u } in
        case M:Use {consuming} u of
          True -> exercise @M:Asset Run (M:nth (M:Use {at} u) ids) j
        | False -> exercise @M:Asset Keep (M:nth (M:Use {at} u) ids) j)
    | M:Act:ByKey u -> (let j: M:Job = M:Job { who = M:ByKey {who} u, watch = M:ByKey {watch} u, known = ids, acts = M:ByKey {acts} u } in
        case M:ByKey {consuming} u of
          True -> exercise_by_key @M:Asset Run (M:ByKey {key} u) j
        | False -> exercise_by_key @M:Asset Keep (M:ByKey {key} u) j)
    | M:Act:Face f -> (let c: ContractId 'face':F:I = COERCE_CONTRACT_ID @M:Asset @'face':F:I (M:nth (M:Face {at} f) ids) in
        ubind u: Unit <- (case M:Face {consuming} f of
          True -> exercise_interface @'face':F:I Take c (M:Face {who} f)
        | False -> exercise_interface @'face':F:I Look c (M:Face {who} f)) in upure @($KNOWN) ids)
    | M:Act:Peek n -> ubind x: M:Asset <- fetch_template @M:Asset (M:nth n ids) in upure @($KNOWN) ids
    | M:Act:Attempt t -> try @($KNOWN)
        (ubind e: $KNOWN <- M:run (M:Attempt {acts} t) ids in case M:Attempt {fails} t of
            True -> throw @(Update ($KNOWN)) @M:Bad (M:Bad { known = e })
          | False -> upure @($KNOWN) e)
        catch x -> case from_any_exception @M:Bad x of
            Some b -> Some @(Update ($KNOWN)) (upure @($KNOWN) (M:Bad {known} b))
          | None -> None @(Update ($KNOWN)) ;
  val run : List M:Act -> $KNOWN -> Update ($KNOWN) = \(acts: List M:Act) (ids: $KNOWN) -> case acts of
      Nil -> upure @($KNOWN) ids
    | Cons a rest -> ubind e: $KNOWN <- M:one a ids in M:run rest e ;
})";

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
  return text;
}
std::string model_text(int version) {
  std::string text = replaced(kModel, "$KNOWN", "List (ContractId M:Asset)");
  text = replaced(text, "$VERSION", std::to_string(version) + ".0.0");
  text = replaced(text, "$FIELD", version == 2 ? ", extra: Option Int64" : "");
  return replaced(
      text, "$VALUE",
      version == 2 ? ", extra = case M:Make {extra} m of True -> Some @Int64 1 | False -> None @Int64" : "");
}

struct Models {
  std::shared_ptr<PackageStore> packages = std::make_shared<PackageStore>();
  Identifier face, asset[3];  // by version
};

Models models() {
  Models out;
  std::vector<Dar::Entry> entries;
  auto add = [&](const std::string& text) {
    auto entry = assemble_package(text, {.version = kLf23, .dependencies = entries});
    SYNOD_CHECK(entry.has_value());
    out.packages->add(entry->package);
    const Status typed = check_package(*entry->package, *out.packages);
    EXPECT_TRUE(typed) << typed.error().to_string();
    entries.push_back(*entry);
    return entry->package->id();
  };
  out.face = {add(kFace), "F", "I"};
  for (int version : {1, 2}) out.asset[version] = {add(model_text(version)), "M", "Asset"};
  return out;
}

// ---- acts as values of the model
Value parties(const PartySet& set) {
  std::vector<Value> out;
  for (const auto& p : set) out.push_back(Value::party(p));
  return Value::list(std::move(out));
}
Value key_of(const Act& a) { return Value::record({parties(a.maintainers), Value::int64(a.key)}); }
Value number(std::size_t n) { return Value::int64(static_cast<std::int64_t>(n)); }
Value to_value(const Act& act);
Value to_value(const std::vector<Act>& acts) {
  std::vector<Value> out;
  for (const Act& a : acts) out.push_back(to_value(a));
  return Value::list(std::move(out));
}
Value to_value(const Act& a) {
  const Value consuming = Value::boolean(a.consuming);
  switch (a.kind) {
    case Act::Kind::make:
      return Value::variant("Make",
                            Value::record({parties(a.sigs), parties(a.obs), key_of(a), Value::boolean(a.extra)}));
    case Act::Kind::use:
      return Value::variant(
          "Use", Value::record({number(a.at), consuming, parties(a.who), parties(a.watch), to_value(a.acts)}));
    case Act::Kind::by_key:
      return Value::variant("ByKey",
                            Value::record({key_of(a), consuming, parties(a.who), parties(a.watch), to_value(a.acts)}));
    case Act::Kind::face:
      return Value::variant("Face", Value::record({number(a.at), consuming, parties(a.who)}));
    case Act::Kind::peek:
      return Value::variant("Peek", number(a.at));
    case Act::Kind::attempt:
      break;
  }
  return Value::variant("Attempt", Value::record({to_value(a.acts), Value::boolean(a.fails)}));
}

class World {
 public:
  World(const Models& models, bool old_protocol, unsigned seed) : models_(models), random_(seed), naive_(old_protocol) {
    engine_ = std::make_unique<Engine>(models.packages);
    MemoryLedger::Options options;
    options.allow_effectful_rollback = old_protocol;
    ledger_ = std::make_unique<MemoryLedger>(models.packages, *engine_, options);
    for (const auto& p : kParties) EXPECT_TRUE(ledger_->allocate_party(p, {}));
    EXPECT_TRUE(ledger_->allocate_party(kStranger, {}));
  }

  void step() {
    NaiveLedger::Request request;
    request.act_as = some(true);
    if (one_of(3)) request.read_as = some(false);
    request.version = one_of(2) ? 1 : 2;
    for (std::size_t n = ids_.size() - std::min(ids_.size(), kWindow); n < ids_.size(); ++n) request.known.push_back(n);
    if (!request.known.empty() && one_of(3)) {
      const std::size_t n = request.known[pick(request.known.size())];  // also one that is archived by now
      if (!blobs_[n].empty()) request.disclosed.push_back(n);
    }
    for (std::size_t n = 1 + pick(3); n > 0; --n) {
      std::size_t known = request.known.size();
      request.roots.push_back(known == 0 ? make(request.act_as) : act(request.act_as, known, 0));
    }

    SCOPED_TRACE("version " + std::to_string(request.version) + " as " + parties(request.act_as).to_string() + ": " +
                 to_value(request.roots).to_string());
    const std::string expected = naive_.submit(request);
    auto answered = ledger_->submit(submission(request));
    ASSERT_TRUE(answered) << answered.error().to_string();
    const auto* refusal = std::get_if<Refusal>(&*answered);
    ASSERT_EQ(refusal ? refusal->error.id : "", expected) << (refusal ? refusal->error.to_string() : "committed");
    ++outcomes[expected];
    if (!refusal) learn(request, std::get<TransactionTree>(*answered));
    ASSERT_EQ(ids_.size(), naive_.assets.size());
    compare_what_is_seen();
    compare_what_is_known();
  }

  std::map<std::string, int> outcomes;
  int undone = 0, divulged = 0;

 private:
  std::size_t pick(std::size_t n) { return random_() % n; }
  bool one_of(std::size_t n) { return pick(n) == 0; }
  PartySet some(bool at_least_one) {
    PartySet out;
    for (const auto& p : kParties)
      if (one_of(2)) out.insert(p);
    if (out.empty() && at_least_one) out.insert(kParties[pick(kParties.size())]);
    return out;
  }
  PartySet mostly(const PartySet& likely) { return one_of(5) ? some(false) : likely; }

  Act make(const PartySet& authority) {
    Act a;
    a.kind = Act::Kind::make;
    a.sigs = mostly(authority);
    a.obs = some(false);
    key(a, a.sigs);
    a.extra = one_of(5);
    return a;
  }
  // Few different keys, so that they are found.
  void key(Act& a, const PartySet& of) {
    if (of.empty() || one_of(16))
      a.maintainers = some(false);
    else if (!one_of(12))
      a.maintainers = {*of.begin()};
    a.key = static_cast<std::int64_t>(pick(2));
  }
  // Of contracts that the program knows at this point there are `known`; creates add to them.
  Act act(const PartySet& authority, std::size_t& known, int depth) {
    using Kind = Act::Kind;
    if (known == 0 || one_of(4)) {
      if (depth > 0) ++known;  // a create at the root is known to the next submission only
      return make(authority);
    }
    Act a;
    static constexpr Kind kKinds[] = {Kind::use,  Kind::use,  Kind::use,     Kind::by_key,
                                      Kind::face, Kind::peek, Kind::attempt, Kind::attempt};
    do a.kind = kKinds[pick(std::size(kKinds))];
    while (depth == 0 && (a.kind == Kind::peek || a.kind == Kind::attempt));  // no commands
    a.at = pick(known);
    a.consuming = one_of(3);
    a.who = mostly(authority);
    if (one_of(3)) a.watch = some(false);
    if (a.kind == Kind::by_key) key(a, authority);
    if (a.kind == Kind::face) a.watch.clear();
    const bool has_body = a.kind == Kind::use || a.kind == Kind::by_key || a.kind == Kind::attempt;
    if (has_body && depth < 3)
      for (std::size_t n = pick(4) + (a.kind == Kind::attempt); n > 0; --n)
        a.acts.push_back(act(a.kind == Kind::attempt ? authority : a.who, known, depth + 1));
    a.fails = a.kind == Kind::attempt && !one_of(3);
    return a;
  }

  Submission submission(const NaiveLedger::Request& r) const {
    Submission out;
    out.act_as = r.act_as;
    out.read_as = r.read_as;
    for (std::size_t n : r.disclosed) out.disclosures.push_back({type_of(n), ids_[n], blobs_[n]});
    for (const Act& root : r.roots) out.commands.push_back({command(root, r), true});
    return out;
  }
  Command command(const Act& a, const NaiveLedger::Request& r) const {
    const Identifier& type = models_.asset[r.version];
    if (a.kind == Act::Kind::make) {
      std::vector<Value> fields{parties(a.sigs), parties(a.obs), key_of(a)};
      if (r.version == 2 && a.extra) fields.push_back(Value::some(Value::int64(1)));
      return CreateCommand{type, Value::record(std::move(fields))};
    }
    if (a.kind == Act::Kind::face)
      return ExerciseCommand{models_.face, ids_[r.known[a.at]], a.consuming ? "Take" : "Look", parties(a.who)};
    std::vector<Value> known;
    for (std::size_t n : r.known) known.push_back(Value::contract_id(ids_[n]));
    Value job = Value::record({parties(a.who), parties(a.watch), Value::list(std::move(known)), to_value(a.acts)});
    const char* choice = a.consuming ? "Run" : "Keep";
    if (a.kind == Act::Kind::by_key) return ExerciseByKeyCommand{type, key_of(a), choice, std::move(job)};
    return ExerciseCommand{type, ids_[r.known[a.at]], choice, std::move(job)};
  }

  // The ids of what was created, those of contracts that were rolled back as well.
  void learn(const NaiveLedger::Request& request, const TransactionTree& tree) {
    std::size_t root = 0;
    for (const TreeEvent& event : tree) {
      if (event.parent >= 0) continue;
      ASSERT_LT(root, request.roots.size());
      const Act& a = request.roots[root++];
      if (event.created) {
        ids_.push_back(event.contract_id);
      } else if (a.kind != Act::Kind::face) {
        const auto& known = event.result.as_list();
        for (std::size_t n = request.known.size(); n < known.size(); ++n) ids_.push_back(known[n].as_contract_id());
      }
    }
    ASSERT_EQ(ids_.size(), naive_.assets.size());
    std::vector<NaiveLedger::Event> seen;
    for (const TreeEvent& event : tree) {
      const auto at = std::ranges::find(ids_, event.contract_id);
      seen.push_back({event.created, static_cast<std::size_t>(at - ids_.begin())});
    }
    EXPECT_EQ(seen, naive_.events);
    for (std::size_t n = blobs_.size(); n < ids_.size(); ++n) {
      const auto& asset = naive_.assets[n];
      undone += asset.undone;
      const auto contract = ledger_->query_contract(asset.stakeholders, type_of(n), ids_[n]);
      ASSERT_TRUE(contract);
      ASSERT_EQ(contract->has_value(), asset.active);
      blobs_.push_back(asset.active ? (*contract)->blob : Bytes());
    }
  }
  const Identifier& type_of(std::size_t n) const { return models_.asset[naive_.assets[n].version]; }

  void compare_what_is_seen() {
    for (const auto& p : kParties) {
      for (int version : {1, 2}) {
        std::vector<ContractId> seen, wanted;
        const auto found = ledger_->query({p}, models_.asset[version]);
        ASSERT_TRUE(found);
        for (const auto& c : *found) seen.push_back(c.contract_id);
        for (std::size_t n = 0; n < ids_.size(); ++n) {
          const auto& asset = naive_.assets[n];
          if (asset.active && asset.version == version && asset.stakeholders.contains(p)) wanted.push_back(ids_[n]);
        }
        ASSERT_EQ(seen, wanted) << "as " << p << " sees it";
      }
    }
  }

  // Whoever asks for a contract that he must not see is told who does.
  void compare_what_is_known() {
    for (std::size_t n = ids_.size() - std::min(ids_.size(), kWindow); n < ids_.size(); ++n) {
      const auto& asset = naive_.assets[n];
      Submission ask;
      ask.act_as = {kStranger};
      ask.commands.push_back(
          {ExerciseCommand{type_of(n), ids_[n], "Keep",
                           Value::record({parties({kStranger}), parties({}), Value::list({}), Value::list({})})},
           true});
      auto answered = ledger_->submit(ask);
      ASSERT_TRUE(answered);
      const auto* refusal = std::get_if<Refusal>(&*answered);
      ASSERT_TRUE(refusal && refusal->lookup);
      ASSERT_EQ(refusal->error.id, "CONTRACT_NOT_FOUND");
      ASSERT_EQ(refusal->lookup->why, asset.active ? LookupFailure::Why::not_visible : LookupFailure::Why::not_active);
      if (asset.active) {
        ASSERT_EQ(refusal->lookup->informed, asset.informed) << "of contract " << n;
        divulged += asset.informed.size() > asset.stakeholders.size();
      }
    }
  }

  const Models& models_;
  std::mt19937 random_;
  NaiveLedger naive_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<MemoryLedger> ledger_;
  std::vector<ContractId> ids_;
  std::vector<Bytes> blobs_;
};

class LedgerModel : public ::testing::TestWithParam<bool> {};

TEST_P(LedgerModel, AgreesWithTheNaiveLedger) {
  const Models all = models();
  std::map<std::string, int> outcomes;
  int undone = 0, divulged = 0;
  for (unsigned seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(all, GetParam(), seed);
    for (int n = 0; n < kSubmissions && !HasFatalFailure(); ++n) world.step();
    if (HasFailure()) return;
    for (const auto& [outcome, count] : world.outcomes) outcomes[outcome] += count;
    undone += world.undone;
    divulged += world.divulged;
  }
  // The programs reach every kind of outcome, or they would prove little.
  for (const char* id : {"", "CONTRACT_NOT_FOUND", "CONTRACT_NOT_ACTIVE", "DAML_AUTHORIZATION_ERROR",
                         "CONTRACT_KEY_NOT_FOUND", "CREATE_EMPTY_CONTRACT_KEY_MAINTAINERS",
                         "FETCH_EMPTY_CONTRACT_KEY_MAINTAINERS", "INTERPRETATION_UPGRADE_ERROR_TRANSLATION_FAILED"})
    EXPECT_GT(outcomes[id], 3) << id;
  EXPECT_GT(outcomes[""], kSeeds * kSubmissions / 10);
  EXPECT_EQ(outcomes["DAML_EFFECTFUL_ROLLBACK_ERROR"] > 3, !GetParam());
  EXPECT_EQ(undone > 5, GetParam());
  EXPECT_GT(divulged, 100);
}

INSTANTIATE_TEST_SUITE_P(Protocol, LedgerModel, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "34" : "35"; });

}  // namespace
}  // namespace synod::lf::script
