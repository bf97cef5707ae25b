// When a sequencer seals a tick: a batch that carries nothing but a time, so that what is due gets noticed while nobody
// sends anything. Pure.
#pragma once

#include <optional>

#include "base/time.h"
#include "protocol/ids.h"
#include "sequencer/core.h"

namespace synod::sequencer {

// None: nothing is due (SequencerCore::wake_at), or `self` has no part in the group, or will have none soon.
// `last_tick`: when it sealed its latest one; `interval`: at most one in this time.
std::optional<Timestamp> tick_due(const SequencerCore& core, const protocol::Member& self, Timestamp now,
                                  Timestamp last_tick, Duration interval);

}  // namespace synod::sequencer
