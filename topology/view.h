// The data behind a Snapshot, and how the next one is made from it. Internal to this folder.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "topology/persistent_map.h"
#include "topology/snapshot.h"
#include "topology/working_state.h"

namespace synod::topology {

// Decided, not removed, under one state key.
using ActiveTransactions = std::shared_ptr<const std::vector<Transaction>>;

struct Snapshot::View {
  protocol::PhysicalSynchronizerId synchronizer;
  std::shared_ptr<const StaticParameters> static_parameters;
  PersistentMap<ActiveTransactions> active;
  std::shared_ptr<const std::set<protocol::UniqueId>> participants;  // with a trust certificate
  PersistentMap<PersistentMap<bool>> hosted;                         // participant → parties mapped to it

  const std::vector<Transaction>& at(const std::string& key) const;
  // The first active mapping of this kind; null if none.
  template <typename M>
  const M* find(MappingCode code, const protocol::UniqueId& uid) const {
    const auto& list = at(state_key(code, uid));
    return list.empty() ? nullptr : list.front().template as<M>();
  }
};

using SharedView = std::shared_ptr<const Snapshot::View>;

// The view after `base` when these state keys have changed to these entries.
SharedView next_view(const SharedView& base, const std::vector<std::pair<std::string, HeadEntries>>& changes);

}  // namespace synod::topology
