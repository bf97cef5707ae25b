// The ledger model, told twice: a naive ledger that follows the rules as they are written (who must authorise, who
// sees, what is active) and the real one run the same generated submissions and must agree on every outcome and on what
// every party sees.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "lf/script/memory_ledger.h"
#include "lf/text/assembler.h"

namespace synod::lf::script {
namespace {

constexpr int kSeeds = 30, kSubmissions = 40;
const std::vector<Party> kParties{"Alice", "Bob", "Carol", "Dave"};

// An asset with any signatories and observers; every choice is controlled by whom its argument names.
constexpr const char* kModel = R"(metadata ('assets' : '1.0.0') module M {
  record @serializable Asset = { sigs: List Party, obs: List Party };
  record @serializable Consume = { who: List Party };
  record @serializable Spawn = { who: List Party, sigs: List Party, obs: List Party };
  record @serializable Peek = { who: List Party, other: ContractId M:Asset };
  record @serializable Drop = { who: List Party, other: ContractId M:Asset, by: List Party };
  record @serializable Attempt = { who: List Party, other: ContractId M:Asset, by: List Party };
  record @serializable Bad = { text: Text } ; exception Bad = { message \(e: M:Bad) -> M:Bad {text} e } ;
  template (this : Asset) = {
    signatories M:Asset {sigs} this ;
    observers M:Asset {obs} this ;
    choice Consume (self) (c : M:Consume) : Unit , controllers M:Consume {who} c to upure @Unit () ;
    choice @nonConsuming Spawn (self) (s : M:Spawn) : ContractId M:Asset , controllers M:Spawn {who} s
      to create @M:Asset (M:Asset { sigs = M:Spawn {sigs} s, obs = M:Spawn {obs} s }) ;
    choice @nonConsuming Peek (self) (p : M:Peek) : M:Asset , controllers M:Peek {who} p to fetch_template @M:Asset (M:Peek {other} p) ;
    choice @nonConsuming Drop (self) (d : M:Drop) : Unit , controllers M:Drop {who} d
      to exercise @M:Asset Consume (M:Drop {other} d) (M:Consume { who = M:Drop {by} d }) ;
    choice @nonConsuming Attempt (self) (a : M:Attempt) : Unit , controllers M:Attempt {who} a
      to try @Unit (ubind done: Unit <- exercise @M:Asset Consume (M:Attempt {other} a) (M:Consume { who = M:Attempt {by} a })
                    in throw @(Update Unit) @M:Bad (M:Bad { text = "no" }))
         catch e -> Some @(Update Unit) (upure @Unit ()) ;
  } ;
})";

struct Act {
  enum Kind { create, consume, spawn, peek, drop, attempt } kind;
  std::size_t target = 0, other = 0;  // numbers of contracts, in order of creation
  PartySet who, by, sigs, obs;
};

// The naive ledger.
struct Model {
  struct Asset {
    PartySet sigs, stakeholders;
    bool active = true;
  };
  struct Refused {
    const char* id;
  };
  std::vector<Asset> assets;
  bool allow_effectful_rollback = false;

  static void require(bool condition, const char* id) {
    if (!condition) throw Refused{id};
  }
  Asset& used(std::size_t n, const PartySet& readers, const std::vector<Asset>& before) {
    require(n < assets.size(), "CONTRACT_NOT_FOUND");
    if (n < before.size()) {  // from the ledger: must be active there, and seen by who submits
      require(before[n].active && meets(before[n].stakeholders, readers), "CONTRACT_NOT_FOUND");
    }
    require(assets[n].active, "CONTRACT_NOT_ACTIVE");
    return assets[n];
  }
  static bool meets(const PartySet& a, const PartySet& b) {
    return std::any_of(a.begin(), a.end(), [&](const Party& p) { return b.contains(p); });
  }
  void authorised_create(const PartySet& sigs, const PartySet& obs, const PartySet& authority) {
    require(is_subset(sigs, authority) && !sigs.empty(), "DAML_AUTHORIZATION_ERROR");
    assets.push_back({sigs, parties_union(sigs, obs), true});
  }
  void authorised_exercise(const PartySet& who, const PartySet& authority) {
    require(!who.empty() && is_subset(who, authority), "DAML_AUTHORIZATION_ERROR");
  }
  void consume(std::size_t n, const PartySet& who, const PartySet& authority, const PartySet& readers,
               const std::vector<Asset>& before) {
    Asset& asset = used(n, readers, before);
    authorised_exercise(who, authority);
    asset.active = false;
  }

  // Empty: committed.
  std::string submit(const PartySet& act_as, const std::vector<Act>& acts) {
    const std::vector<Asset> before = assets;
    try {
      for (const Act& a : acts) {
        if (a.kind == Act::create) {
          authorised_create(a.sigs, a.obs, act_as);
          continue;
        }
        const PartySet authority = parties_union(used(a.target, act_as, before).sigs, a.who);
        if (a.kind == Act::consume) {
          consume(a.target, a.who, act_as, act_as, before);
          continue;
        }
        authorised_exercise(a.who, act_as);
        switch (a.kind) {
          case Act::spawn:
            authorised_create(a.sigs, a.obs, authority);
            break;
          case Act::peek:
            require(meets(used(a.other, act_as, before).stakeholders, authority), "DAML_AUTHORIZATION_ERROR");
            break;
          case Act::drop:
            consume(a.other, a.by, authority, act_as, before);
            break;
          case Act::attempt:
            consume(a.other, a.by, authority, act_as, before);
            require(allow_effectful_rollback, "DAML_EFFECTFUL_ROLLBACK_ERROR");
            assets[a.other].active = true;
            break;
          default:
            break;
        }
      }
    } catch (const Refused& refused) {
      assets = before;
      return refused.id;
    }
    return "";
  }
};

Value parties(const PartySet& set) {
  std::vector<Value> out;
  for (const auto& p : set) out.push_back(Value::party(p));
  return Value::list(std::move(out));
}

class World {
 public:
  explicit World(bool old_protocol) {
    auto entry = assemble_package(kModel);
    EXPECT_TRUE(entry) << entry.error().to_string();
    type_ = {entry->package->id(), "M", "Asset"};
    auto packages = std::make_shared<PackageStore>();
    packages->add(entry->package);
    engine_ = std::make_unique<Engine>(packages);
    ledger_ = std::make_unique<MemoryLedger>(packages, *engine_, MemoryLedger::Options{old_protocol, {}});
    for (const auto& p : kParties) EXPECT_TRUE(ledger_->allocate_party(p, {}));
    model_.allow_effectful_rollback = old_protocol;
  }

  void step(std::mt19937& random) {
    const PartySet act_as = some(random, true);
    std::vector<Act> acts;
    Submission submission;
    submission.act_as = act_as;
    for (int n = 1 + static_cast<int>(random() % 3); n > 0; --n) {
      Act a;
      a.kind = ids_.empty() ? Act::create : static_cast<Act::Kind>(random() % 6);
      if (!ids_.empty()) {  // mostly the newest, of which more are still active
        auto pick = [&] { return ids_.size() - 1 - random() % std::min<std::size_t>(ids_.size(), 6); };
        a.target = pick();
        a.other = pick();
      }
      a.who = random() % 4 ? act_as : some(random, false);
      a.by = random() % 4 ? a.who : some(random, false);
      a.sigs = random() % 3 ? act_as : some(random, false);
      a.obs = some(random, false);
      submission.commands.push_back({command(a), true});
      acts.push_back(std::move(a));
    }
    const std::string expected = model_.submit(act_as, acts);
    SubmitResult result = ledger_->submit(submission);
    const auto* refusal = std::get_if<Refusal>(&result);
    ASSERT_EQ(refusal ? refusal->error.id : "", expected) << (refusal ? refusal->error.to_string() : "committed");
    if (!refusal)
      for (const auto& event : std::get<TransactionTree>(result))
        if (event.created) ids_.push_back(event.contract_id);
    ++outcomes[expected];
    ASSERT_EQ(ids_.size(), model_.assets.size());
    for (const auto& p : kParties) {
      std::vector<ContractId> seen, wanted;
      const auto found = ledger_->query({p}, type_);
      for (const auto& c : *found) seen.push_back(c.contract_id);
      for (std::size_t n = 0; n < ids_.size(); ++n)
        if (model_.assets[n].active && model_.assets[n].stakeholders.contains(p)) wanted.push_back(ids_[n]);
      ASSERT_EQ(seen, wanted) << "as " << p << " sees it";
    }
  }

  std::map<std::string, int> outcomes;

 private:
  static PartySet some(std::mt19937& random, bool at_least_one) {
    PartySet out;
    for (const auto& p : kParties)
      if (random() % 2) out.insert(p);
    if (out.empty() && at_least_one) out.insert(kParties[random() % kParties.size()]);
    return out;
  }
  Command command(const Act& a) const {
    if (a.kind == Act::create) return CreateCommand{type_, Value::record({parties(a.sigs), parties(a.obs)})};
    auto exercise = [&](const char* choice, std::vector<Value> rest) {
      rest.insert(rest.begin(), parties(a.who));
      return ExerciseCommand{type_, ids_[a.target], choice, Value::record(std::move(rest))};
    };
    auto other = [&] { return Value::contract_id(ids_[a.other]); };
    switch (a.kind) {
      case Act::consume:
        return exercise("Consume", {});
      case Act::spawn:
        return exercise("Spawn", {parties(a.sigs), parties(a.obs)});
      case Act::peek:
        return exercise("Peek", {other()});
      case Act::drop:
        return exercise("Drop", {other(), parties(a.by)});
      default:
        return exercise("Attempt", {other(), parties(a.by)});
    }
  }

  Identifier type_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<MemoryLedger> ledger_;
  Model model_;
  std::vector<ContractId> ids_;
};

class LedgerModel : public ::testing::TestWithParam<bool> {};

TEST_P(LedgerModel, AgreesWithTheNaiveLedger) {
  std::map<std::string, int> outcomes;
  for (unsigned seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    World world(GetParam());
    for (int n = 0; n < kSubmissions && !HasFatalFailure(); ++n) world.step(random);
    if (HasFatalFailure()) return;
    for (const auto& [outcome, count] : world.outcomes) outcomes[outcome] += count;
  }
  // The sequences reach every kind of outcome, or they would prove little.
  for (const char* id : {"", "CONTRACT_NOT_FOUND", "CONTRACT_NOT_ACTIVE", "DAML_AUTHORIZATION_ERROR"})
    EXPECT_GT(outcomes[id], kSeeds / 3) << id;
  EXPECT_EQ(outcomes["DAML_EFFECTFUL_ROLLBACK_ERROR"] > 0, !GetParam());
}

INSTANTIATE_TEST_SUITE_P(Protocol, LedgerModel, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "34" : "35"; });

}  // namespace
}  // namespace synod::lf::script
