// Who sees what, told twice: generated commands run through three participants, and what each party's updates and
// active contracts show must be what the ledger model's rules give, written down naively: an action is seen by its
// informees and by whoever sees the action it is a consequence of; a contract is active for its stakeholders.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "lf/text/assembler.h"
#include "participant/testing/mini_network.h"

namespace synod::participant {
namespace {

using lf::PartySet;
using lf::Value;

constexpr int kSeeds = 12, kSubmissions = 25;

// Every choice is controlled by whom its argument names; Chain makes a create two levels deep.
constexpr const char* kModel = R"(metadata ('sights' : '1.0.0') module M {
  record @serializable Asset = { sigs: List Party, obs: List Party };
  record @serializable Consume = { who: List Party };
  record @serializable Spawn = { who: List Party, sigs: List Party, obs: List Party };
  record @serializable Peek = { who: List Party, other: ContractId M:Asset };
  record @serializable Drop = { who: List Party, other: ContractId M:Asset, by: List Party };
  record @serializable Chain = { who: List Party, other: ContractId M:Asset, by: List Party, sigs: List Party, obs: List Party };
  template (this : Asset) = {
    signatories M:Asset {sigs} this ;
    observers M:Asset {obs} this ;
    choice Consume (self) (c : M:Consume) : Unit , controllers M:Consume {who} c to upure @Unit () ;
    choice @nonConsuming Spawn (self) (s : M:Spawn) : ContractId M:Asset , controllers M:Spawn {who} s
      to create @M:Asset (M:Asset { sigs = M:Spawn {sigs} s, obs = M:Spawn {obs} s }) ;
    choice @nonConsuming Peek (self) (p : M:Peek) : M:Asset , controllers M:Peek {who} p to fetch_template @M:Asset (M:Peek {other} p) ;
    choice @nonConsuming Drop (self) (d : M:Drop) : Unit , controllers M:Drop {who} d
      to exercise @M:Asset Consume (M:Drop {other} d) (M:Consume { who = M:Drop {by} d }) ;
    choice @nonConsuming Chain (self) (c : M:Chain) : ContractId M:Asset , controllers M:Chain {who} c
      to exercise @M:Asset Spawn (M:Chain {other} c)
           (M:Spawn { who = M:Chain {by} c, sigs = M:Chain {sigs} c, obs = M:Chain {obs} c }) ;
  } ;
})";

struct Act {
  enum Kind { create, consume, spawn, peek, drop, chain } kind;
  std::size_t target = 0, other = 0;  // numbers of contracts, in order of creation
  PartySet who, by, sigs, obs;
};

// What can be seen of an action in an update. Fetches are not shown.
struct Sight {
  bool create;
  std::size_t contract;
  PartySet witnesses;
};

// The rules.
struct SightsModel {
  struct Asset {
    PartySet sigs, stakeholders;
    bool active = true;
  };
  struct Refused {
    const char* id;
  };
  std::vector<Asset> assets, before;
  std::vector<Sight> sights;
  PartySet readers;

  static void require(bool condition, const char* id) {
    if (!condition) throw Refused{id};
  }
  static bool meets(const PartySet& a, const PartySet& b) {
    return std::any_of(a.begin(), a.end(), [&](const lf::Party& p) { return b.contains(p); });
  }
  Asset& used(std::size_t n) {
    if (n < before.size()) require(before[n].active && meets(before[n].stakeholders, readers), "CONTRACT_NOT_FOUND");
    require(assets[n].active, "CONTRACT_NOT_ACTIVE");
    return assets[n];
  }
  void create(const PartySet& sigs, const PartySet& obs, const PartySet& authority, const PartySet& watching) {
    require(lf::is_subset(sigs, authority) && !sigs.empty(), "DAML_AUTHORIZATION_ERROR");
    const PartySet stakeholders = lf::parties_union(sigs, obs);
    sights.push_back({true, assets.size(), lf::parties_union(stakeholders, watching)});
    assets.push_back({sigs, stakeholders, true});
  }
  // Gives the parties that see the consequences; the authority there is signatories and controllers.
  PartySet exercise(std::size_t n, bool consuming, const PartySet& who, const PartySet& authority,
                    const PartySet& watching) {
    Asset& asset = used(n);
    require(!who.empty() && lf::is_subset(who, authority), "DAML_AUTHORIZATION_ERROR");
    PartySet informees = lf::parties_union(consuming ? asset.stakeholders : asset.sigs, who);
    informees = lf::parties_union(informees, watching);
    sights.push_back({false, n, informees});
    if (consuming) asset.active = false;
    return informees;
  }

  // Empty: committed, and `sights` tells what it consists of.
  std::string submit(const PartySet& act_as, const std::vector<Act>& acts) {
    before = assets;
    readers = act_as;
    sights.clear();
    try {
      for (const Act& a : acts) {
        if (a.kind == Act::create) {
          create(a.sigs, a.obs, act_as, {});
          continue;
        }
        const PartySet watching = exercise(a.target, a.kind == Act::consume, a.who, act_as, {});
        const PartySet authority = lf::parties_union(assets[a.target].sigs, a.who);
        if (a.kind == Act::spawn) create(a.sigs, a.obs, authority, watching);
        if (a.kind == Act::peek) require(meets(used(a.other).stakeholders, authority), "DAML_AUTHORIZATION_ERROR");
        if (a.kind == Act::drop) exercise(a.other, true, a.by, authority, watching);
        if (a.kind == Act::chain) {
          const PartySet below = exercise(a.other, false, a.by, authority, watching);
          create(a.sigs, a.obs, lf::parties_union(assets[a.other].sigs, a.by), below);
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

struct Package {
  std::string id;
  std::shared_ptr<lf::PackageStore> store;
};
const Package& package() {
  static const Package made = [] {
    auto entry = lf::assemble_package(kModel);
    if (!entry) throw std::runtime_error(entry.error().to_string());
    Package out{entry->package->id(), std::make_shared<lf::PackageStore>()};
    out.store->add(entry->package);
    return out;
  }();
  return made;
}

class World {
 public:
  World() : net_(package().store, 3) {
    // Alice and Bob share a participant, so that events are shown to one of them and not to the other.
    for (const auto& [name, at] :
         {std::pair("Alice", 0), std::pair("Bob", 0), std::pair("Carol", 1), std::pair("Dave", 2)})
      hosted_[at].insert(net_.host(name, at));
    for (const auto& [at, some] : hosted_) all_ = lf::parties_union(all_, some);
    net_.start();
  }

  void step(std::mt19937& random) {
    const int at = static_cast<int>(random() % 3);
    const PartySet act_as = some_of(hosted_[at], random, true);
    std::vector<Act> acts;
    CommandSubmission submission;
    submission.act_as = act_as;
    submission.command_id = "command " + std::to_string(++commands_);
    for (int n = 1 + static_cast<int>(random() % 2); n > 0; --n) {
      acts.push_back(invent(act_as, random));
      submission.commands.push_back(command(acts.back()));
    }
    const std::string expected = model_.submit(act_as, acts);
    const Status accepted = net_.submit(at, submission);
    ++outcomes[expected];
    ASSERT_EQ(accepted ? "" : accepted.error().id, expected) << (accepted ? "" : accepted.error().to_string());
    if (!accepted) return;
    // Views may come in any order, sub-views before the views that hold their keys.
    if (++submissions_ % 2 == 0)
      for (auto& [sender, submission] : net_.outbox)
        std::reverse(submission.envelopes.begin(), submission.envelopes.end());
    net_.run();
    const Completion& done = net_.nodes[static_cast<std::size_t>(at)].completions.back();
    ASSERT_FALSE(done.rejection) << done.rejection->to_string();
    learn_contracts(at, done.update_id);
    for (const auto& [participant, locals] : hosted_) compare(participant, locals, done.update_id);
  }

  std::map<std::string, int> outcomes;
  int hidden = 0;  // sights that a party did not get although another one at its participant did

 private:
  using Seen = std::vector<std::pair<bool, std::size_t>>;  // create, contract

  static PartySet some_of(const PartySet& from, std::mt19937& random, bool at_least_one) {
    PartySet out;
    for (const auto& p : from)
      if (random() % 2) out.insert(p);
    if (out.empty() && at_least_one) out.insert(*from.nth(random() % from.size()));
    return out;
  }
  Act invent(const PartySet& act_as, std::mt19937& random) const {
    Act a;
    a.kind = ids_.empty() ? Act::create : static_cast<Act::Kind>(random() % 6);
    // Mostly a contract that can be used.
    const auto pick = [&] {
      std::size_t n = ids_.size() - 1;
      for (int attempt = 0; attempt < 8; ++attempt) {
        n = random() % ids_.size();
        if (model_.assets[n].active && SightsModel::meets(model_.assets[n].stakeholders, act_as)) break;
      }
      return n;
    };
    if (!ids_.empty()) {
      a.target = pick();
      a.other = pick();
    }
    a.who = random() % 8 ? act_as : some_of(all_, random, false);
    a.by = random() % 8 ? a.who : some_of(all_, random, false);
    a.sigs = random() % 8 ? some_of(act_as, random, true) : some_of(all_, random, true);
    a.obs = some_of(all_, random, false);
    return a;
  }
  lf::Command command(const Act& a) const {
    const lf::Identifier type{package().id, "M", "Asset"};
    if (a.kind == Act::create) return lf::CreateCommand{type, Value::record({parties(a.sigs), parties(a.obs)})};
    const auto exercise = [&](const char* choice, std::vector<Value> rest) {
      rest.insert(rest.begin(), parties(a.who));
      return lf::ExerciseCommand{type, ids_[a.target], choice, Value::record(std::move(rest))};
    };
    const Value other = Value::contract_id(ids_[a.other]);
    switch (a.kind) {
      case Act::consume:
        return exercise("Consume", {});
      case Act::spawn:
        return exercise("Spawn", {parties(a.sigs), parties(a.obs)});
      case Act::peek:
        return exercise("Peek", {other});
      case Act::drop:
        return exercise("Drop", {other, parties(a.by)});
      default:
        return exercise("Chain", {other, parties(a.by), parties(a.sigs), parties(a.obs)});
    }
  }

  std::vector<Event> events_at(int participant, const std::string& update_id) {
    const auto update = net_.ledger(participant)->update_by_id(update_id);
    EXPECT_TRUE(update);
    return update && *update ? (*update)->transaction()->events : std::vector<Event>();
  }
  // The submitting participant sees all of it; contracts are numbered in the order in which they are created.
  void learn_contracts(int at, const std::string& update_id) {
    for (const Event& event : events_at(at, update_id))
      if (const auto* created = std::get_if<CreatedEvent>(&event)) {
        numbers_[created->contract.contract_id] = ids_.size();
        ids_.push_back(created->contract.contract_id);
      }
    ASSERT_EQ(ids_.size(), model_.assets.size());
  }
  std::size_t number_of(const lf::ContractId& id) const {
    const auto found = numbers_.find(id);
    return found == numbers_.end() ? SIZE_MAX : found->second;
  }

  void compare(int participant, const PartySet& locals, const std::string& update_id) {
    const auto events = events_at(participant, update_id);
    std::size_t shown_to_somebody = 0;
    for (const Sight& sight : model_.sights) shown_to_somebody += SightsModel::meets(sight.witnesses, locals);
    EXPECT_EQ(events.size(), shown_to_somebody) << "at participant " << participant;
    for (const auto& party : locals) {
      Seen seen, wanted;
      for (const Sight& sight : model_.sights)
        if (sight.witnesses.contains(party)) wanted.emplace_back(sight.create, sight.contract);
      for (const Event& event : events) {
        const auto* created = std::get_if<CreatedEvent>(&event);
        const auto* exercised = std::get_if<ExercisedEvent>(&event);
        if (!(created ? created->witnesses : exercised->witnesses).contains(party)) continue;
        seen.emplace_back(created != nullptr,
                          number_of(created ? created->contract.contract_id : exercised->contract_id));
      }
      ASSERT_EQ(seen, wanted) << "as " << party << " sees the update";
      hidden += static_cast<int>(shown_to_somebody - wanted.size());
      std::vector<std::size_t> active, expected;
      for (const auto& item : net_.active(participant))
        if (item.contract.stakeholders.contains(party)) active.push_back(number_of(item.contract.contract_id));
      for (std::size_t n = 0; n < model_.assets.size(); ++n)
        if (model_.assets[n].active && model_.assets[n].stakeholders.contains(party)) expected.push_back(n);
      std::sort(active.begin(), active.end());
      ASSERT_EQ(active, expected) << "active for " << party;
    }
    // Nothing that is no local party's business is kept.
    for (const auto& item : net_.active(participant))
      EXPECT_TRUE(SightsModel::meets(item.contract.stakeholders, locals));
  }

  MiniNetwork net_;
  int submissions_ = 0;
  std::map<int, PartySet> hosted_;
  PartySet all_;
  SightsModel model_;
  std::vector<lf::ContractId> ids_;
  std::map<lf::ContractId, std::size_t> numbers_;
  int commands_ = 0;
};

TEST(Witnesses, AreThoseOfTheLedgerModel) {
  std::map<std::string, int> outcomes;
  int hidden = 0;
  for (unsigned seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    World world;
    for (int n = 0; n < kSubmissions && !::testing::Test::HasFatalFailure(); ++n) world.step(random);
    if (::testing::Test::HasFatalFailure()) return;
    for (const auto& [outcome, count] : world.outcomes) outcomes[outcome] += count;
    hidden += world.hidden;
  }
  EXPECT_GT(outcomes[""], kSeeds * kSubmissions / 4);
  // Among those not found are contracts that a party was shown by a fetch, but has no stake in.
  for (const char* id : {"DAML_AUTHORIZATION_ERROR", "CONTRACT_NOT_FOUND", "CONTRACT_NOT_ACTIVE"})
    EXPECT_GT(outcomes[id], kSeeds / 2) << id;
  EXPECT_GT(hidden, kSeeds);
}

}  // namespace
}  // namespace synod::participant
