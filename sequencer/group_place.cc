#include "sequencer/group_place.h"

#include <algorithm>

namespace synod::sequencer {

std::optional<GroupPlace> group_place(const protocol::Member& self, const topology::Snapshot& current,
                                      const topology::Snapshot& head) {
  const auto group = current.sequencer_group().active, next = head.sequencer_group().active;
  const auto place = std::find(group.begin(), group.end(), self);
  if (place == group.end()) return std::nullopt;
  const bool remains = std::find(next.begin(), next.end(), self) != next.end();
  return GroupPlace{static_cast<std::size_t>(place - group.begin()), group.size(), !remains};
}

}  // namespace synod::sequencer
