// Which contracts are active, and which are locked by requests in flight. Deterministic: requests are checked in the
// order of their sequencing times, so that all participants that see a contract decide alike. Facts: ConflictDetector,
// LockableStates, ActivenessSet.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "lf/contract_id.h"

namespace synod::participant {

enum class ContractStatus { unknown, active, archived };

using ContractIds = std::set<lf::ContractId>;

struct ActivenessCheck {
  ContractIds fresh;   // must never have been created
  ContractIds active;  // must be active
  ContractIds lock;    // until the request is finished
};

// Empty sets: nothing stands against the request. A contract that another request holds is reported only as locked.
struct ActivenessResult {
  ContractIds locked;
  ContractIds unknown;
  ContractIds not_active;
  ContractIds not_fresh;
  bool ok() const { return locked.empty() && unknown.empty() && not_active.empty() && not_fresh.empty(); }
};

// Thread rules: one thread at a time.
class ConflictDetector {
 public:
  // What the store says about a contract, as of the batches applied so far.
  using StoredStatus = std::function<ContractStatus(const lf::ContractId&)>;
  explicit ConflictDetector(StoredStatus stored) : stored_(std::move(stored)) {}

  // All locks are taken, also those of contracts that others hold or that fail the check: they are counted.
  ActivenessResult check_and_lock(const ActivenessCheck& check);
  void relock(const ContractIds& lock);  // of a request that was in flight before a restart

  // Ends a request: releases its locks, and makes its changes (both empty: it was rejected) visible at once.
  void finish(const ContractIds& lock, const ContractIds& created, const ContractIds& archived);

  // What was finished is in the store from now on.
  void forget(const ContractIds& stored_changes);

  ContractStatus status(const lf::ContractId& id) const;
  bool locked(const lf::ContractId& id) const;

 private:
  struct State {
    int locks = 0;
    std::optional<ContractStatus> changed;  // since the store was written
  };
  void drop_if_idle(const lf::ContractId& id);

  StoredStatus stored_;
  std::unordered_map<lf::ContractId, State> states_;
};

}  // namespace synod::participant
