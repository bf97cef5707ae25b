// Where a sequencer stands in the group of its synchronizer. Pure.
#pragma once

#include <cstddef>
#include <optional>

#include "protocol/ids.h"
#include "topology/snapshot.h"

namespace synod::sequencer {

struct GroupPlace {
  std::size_t position;  // among the active sequencers, from 0; the same at every sequencer
  std::size_t size;      // of the group
  // A change that is known already, and takes effect within the topology change delay, removes it: what it seals from
  // now on may come too late. It takes no more requests, and leaves it to the others to move time.
  bool leaving;
};

// None: it is not an active sequencer. `current`: the topology in force; `head`: with all that is known.
std::optional<GroupPlace> group_place(const protocol::Member& self, const topology::Snapshot& current,
                                      const topology::Snapshot& head);

}  // namespace synod::sequencer
