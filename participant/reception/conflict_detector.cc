#include "participant/reception/conflict_detector.h"

#include "base/check.h"

namespace synod::participant {

ContractStatus ConflictDetector::status(const lf::ContractId& id) const {
  const auto found = states_.find(id);
  if (found != states_.end() && found->second.changed) return *found->second.changed;
  return stored_(id);
}

bool ConflictDetector::locked(const lf::ContractId& id) const {
  const auto found = states_.find(id);
  return found != states_.end() && found->second.locks > 0;
}

ActivenessResult ConflictDetector::check_and_lock(const ActivenessCheck& check) {
  ActivenessResult result;
  for (const auto& id : check.fresh) {
    if (locked(id))
      result.locked.insert(id);
    else if (status(id) != ContractStatus::unknown)
      result.not_fresh.insert(id);
  }
  for (const auto& id : check.active) {
    if (locked(id)) {
      result.locked.insert(id);
      continue;
    }
    switch (status(id)) {
      case ContractStatus::active:
        break;
      case ContractStatus::unknown:
        result.unknown.insert(id);
        break;
      case ContractStatus::archived:
        result.not_active.insert(id);
        break;
    }
  }
  for (const auto& id : check.lock) {
    if (locked(id)) result.locked.insert(id);
  }
  relock(check.lock);
  return result;
}

void ConflictDetector::relock(const ContractIds& lock) {
  for (const auto& id : lock) ++states_[id].locks;
}

void ConflictDetector::finish(const ContractIds& lock, const ContractIds& created, const ContractIds& archived) {
  for (const auto& id : created) states_[id].changed = ContractStatus::active;
  for (const auto& id : archived) states_[id].changed = ContractStatus::archived;
  for (const auto& id : lock) {
    auto found = states_.find(id);
    SYNOD_CHECK(found != states_.end() && found->second.locks > 0);
    --found->second.locks;
    drop_if_idle(id);
  }
}

void ConflictDetector::forget(const ContractIds& stored_changes) {
  for (const auto& id : stored_changes) {
    const auto found = states_.find(id);
    if (found == states_.end()) continue;
    found->second.changed.reset();
    drop_if_idle(id);
  }
}

void ConflictDetector::drop_if_idle(const lf::ContractId& id) {
  const auto found = states_.find(id);
  if (found != states_.end() && found->second.locks == 0 && !found->second.changed) states_.erase(found);
}

}  // namespace synod::participant
