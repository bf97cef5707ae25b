#include "sequencer/tick.h"

#include <algorithm>

#include "sequencer/group_place.h"

namespace synod::sequencer {
namespace {

// Between the sequencers of a group, so that usually only the first one seals a tick.
constexpr Duration kTickStagger = Duration::milliseconds(100);

}  // namespace

std::optional<Timestamp> tick_due(const SequencerCore& core, const protocol::Member& self, Timestamp now,
                                  Timestamp last_tick, Duration interval) {
  const auto place = group_place(self, core.current_snapshot(), core.head_snapshot());
  if (!place || place->leaving) return std::nullopt;
  std::optional<Timestamp> due = core.wake_at();
  if (due) *due = *due + kTickStagger * static_cast<std::int64_t>(place->position);
  // Keeps the others' ceiling on proposed times away from them (core.h).
  if (place->size > 1) {
    const auto latest = core.latest_proposal(self);
    const Timestamp beat = latest ? Timestamp{latest->micros + kSoloTimeLead.micros / 4} : now;
    if (!due || beat < *due) due = beat;
  }
  if (!due) return std::nullopt;
  return std::max(*due, last_tick + interval);
}

}  // namespace synod::sequencer
