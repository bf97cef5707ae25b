// A ledger for ledger_model_test.cc that follows the rules as they are written: who must authorise, who sees, who
// comes to know, what is active, what a rollback undoes, which contract a key stands for, what an upgrade allows.
// Contracts are numbers in order of creation; programs are lists of acts, as the test's template runs them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lf/transaction.h"

namespace synod::lf::script {

struct Act {
  enum class Kind {
    make,    // create
    use,     // exercise: consuming or not; its body runs `acts`
    by_key,  // the same on the contract that a key stands for
    face,    // exercise through an interface, with an empty body
    peek,    // fetch
    attempt  // try `acts`, throw after them if `fails`, catch
  } kind = Kind::make;
  std::size_t at = 0;  // place among the contracts that the program knows: use, face, peek
  bool consuming = false, fails = false;
  bool extra = false;   // make, in version 2 of the package: with a value that version 1 has no field for
  PartySet who, watch;  // controllers and choice observers
  PartySet sigs, obs, maintainers;
  std::int64_t key = 0;
  std::vector<Act> acts;
};

class NaiveLedger {
 public:
  struct Asset {
    PartySet sigs, stakeholders, maintainers;
    std::int64_t key = 0;
    int version = 1;  // of the package
    bool extra = false;
    bool active = true, undone = false;
    bool consumed = false;  // in the transaction under way
    PartySet informed;      // witnesses of its creation, and who learnt of it later
  };
  struct Event {
    bool created;
    std::size_t asset;
    bool operator==(const Event&) const = default;
  };
  struct Request {
    PartySet act_as, read_as;
    std::vector<std::size_t> disclosed;
    std::vector<std::size_t> known;  // what each root begins with
    int version = 1;                 // of the package that the commands name
    std::vector<Act> roots;
  };
  static constexpr int kPreferred = 2;  // the version that interfaces use

  explicit NaiveLedger(bool effectful_rollback) : effectful_rollback_(effectful_rollback) {}

  // The error's id; empty: committed, and `events` has creates and exercises in order, without what was rolled back.
  std::string submit(const Request& request) {
    for (Asset& a : assets) a.consumed = false;
    before_ = assets;
    request_ = &request;
    readers_ = parties_union(request.act_as, request.read_as);
    events.clear();
    effects_ = 0;
    try {
      for (const Act& root : request.roots) {
        std::vector<std::size_t> known = request.known;
        run(root, {request.act_as, {}, request.version}, known);
      }
      for (std::size_t d : request.disclosed) require(before_[d].active, "CONTRACT_NOT_FOUND");
    } catch (const Refused& refused) {
      assets = before_;
      return refused.id;
    }
    return {};
  }

  std::vector<Asset> assets;
  std::vector<Event> events;

 private:
  struct Refused {
    std::string id;
  };
  struct Context {
    PartySet authority;
    PartySet witnesses;  // of the exercise around
    int version;
  };

  static void require(bool condition, const char* id) {
    if (!condition) throw Refused{id};
  }
  static bool meet(const PartySet& a, const PartySet& b) {
    return std::any_of(a.begin(), a.end(), [&](const Party& p) { return b.contains(p); });
  }
  static PartySet without(PartySet a, const PartySet& b) {
    for (const Party& p : b) a.erase(p);
    return a;
  }
  bool on_ledger(std::size_t n) const { return n < before_.size(); }
  bool disclosed(std::size_t n) const { return std::ranges::count(request_->disclosed, n) > 0; }
  bool visible(std::size_t n) const {
    return on_ledger(n) && before_[n].active && meet(before_[n].stakeholders, readers_);
  }

  Asset& load(std::size_t n, int version) {
    if (on_ledger(n)) require(disclosed(n) || visible(n), "CONTRACT_NOT_FOUND");
    Asset& a = assets[n];
    if (!on_ledger(n)) require(!a.undone, "CONTRACT_NOT_FOUND");
    require(!a.consumed, "CONTRACT_NOT_ACTIVE");
    require(version == 2 || !a.extra, "INTERPRETATION_UPGRADE_ERROR_TRANSLATION_FAILED");
    return a;
  }

  // Newest first; a disclosed one before those of the ledger.
  std::optional<std::size_t> with_key(const Act& act) const {
    const auto has_key = [&](std::size_t n) {
      return assets[n].key == act.key && assets[n].maintainers == act.maintainers;
    };
    for (std::size_t n = assets.size(); n-- > before_.size();)
      if (has_key(n) && !assets[n].consumed && !assets[n].undone) return n;
    for (std::size_t n : request_->disclosed)
      if (has_key(n) && !assets[n].consumed) return n;
    for (std::size_t n = before_.size(); n-- > 0;)
      if (has_key(n) && visible(n) && !assets[n].consumed) return n;
    return std::nullopt;
  }

  void exercise(std::size_t n, const Act& act, const Context& c, std::vector<std::size_t>& known, int version) {
    Asset& target = load(n, version);
    if (act.consuming) {
      target.active = false;
      target.consumed = true;
      ++effects_;
    }
    require(!act.who.empty() && is_subset(act.who, c.authority), "DAML_AUTHORIZATION_ERROR");
    events.push_back({false, n});
    const PartySet divulged = without(parties_union(c.witnesses, act.watch), target.stakeholders);
    target.informed.insert(divulged.begin(), divulged.end());
    PartySet informees = parties_union(act.consuming ? target.stakeholders : target.sigs, act.who);
    informees = parties_union(informees, act.watch);
    const Context inside{parties_union(act.who, target.sigs), parties_union(c.witnesses, informees), c.version};
    for (const Act& a : act.acts) run(a, inside, known);
  }

  void run(const Act& act, const Context& c, std::vector<std::size_t>& known) {
    switch (act.kind) {
      case Act::Kind::make: {
        require(!act.maintainers.empty(), "CREATE_EMPTY_CONTRACT_KEY_MAINTAINERS");
        require(is_subset(act.sigs, c.authority) && !act.sigs.empty() && is_subset(act.maintainers, act.sigs),
                "DAML_AUTHORIZATION_ERROR");
        Asset a{act.sigs,  parties_union(act.sigs, act.obs), act.maintainers, act.key,
                c.version, c.version == 2 && act.extra};
        a.informed = parties_union(c.witnesses, a.stakeholders);
        known.push_back(assets.size());
        events.push_back({true, assets.size()});
        assets.push_back(std::move(a));
        ++effects_;
        return;
      }
      case Act::Kind::use:
        return exercise(known.at(act.at), act, c, known, c.version);
      case Act::Kind::face:
        return exercise(known.at(act.at), act, c, known, kPreferred);
      case Act::Kind::by_key: {
        require(!act.maintainers.empty(), "FETCH_EMPTY_CONTRACT_KEY_MAINTAINERS");
        const auto found = with_key(act);
        require(found.has_value(), "CONTRACT_KEY_NOT_FOUND");
        return exercise(*found, act, c, known, c.version);
      }
      case Act::Kind::peek: {
        Asset& a = load(known.at(act.at), c.version);
        require(meet(a.stakeholders, c.authority), "DAML_AUTHORIZATION_ERROR");
        const PartySet divulged = without(c.witnesses, a.stakeholders);
        a.informed.insert(divulged.begin(), divulged.end());
        return;
      }
      case Act::Kind::attempt: {
        const std::vector<Asset> at_start = assets;
        const std::size_t events_before = events.size(), effects_before = effects_;
        for (const Act& a : act.acts) run(a, c, known);
        if (!act.fails) return;
        require(effectful_rollback_ || effects_ == effects_before, "DAML_EFFECTFUL_ROLLBACK_ERROR");
        events.resize(events_before);
        effects_ = effects_before;
        for (std::size_t n = 0; n < assets.size(); ++n) {
          if (n < at_start.size()) {  // what was learnt stays known
            assets[n].active = at_start[n].active;
            assets[n].consumed = at_start[n].consumed;
          } else {
            assets[n].active = false;
            assets[n].undone = true;
          }
        }
        return;
      }
    }
  }

  bool effectful_rollback_;
  // Of the submission under way.
  std::vector<Asset> before_;
  const Request* request_ = nullptr;
  PartySet readers_;
  std::size_t effects_ = 0;
};

}  // namespace synod::lf::script
