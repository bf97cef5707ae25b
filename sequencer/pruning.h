// Forgetting events that nobody needs any more. Each sequencer prunes its own cache by itself; what sequencers agree on
// does not change. Facts: Canton's SequencerPruningStatus, SequencerReader (bounds of a subscription).
//
// An event may go when every enabled member has acknowledged it. Members that never acknowledged need everything since
// they were registered. Sequencers read the log, not their inboxes, and hold nothing back.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "base/result.h"
#include "base/time.h"
#include "sequencer/core.h"
#include "storage/store.h"

namespace synod::sequencer {

struct PruningConfig {
  bool automatic = true;
  Duration retention = Duration::seconds(7 * 24 * 3600);  // younger events stay, acknowledged or not
  Duration interval = Duration::seconds(3600);            // between two rounds
  std::uint32_t batch_entries = 1000;                     // removed in one write
  // Blocks of the ordering log that stay behind the slowest sequencer of the group; 0: the log is not pruned from here.
  std::uint64_t log_blocks = 0;
};
void describe(config::Fields& f, PruningConfig& c);

// Below which height the ordering log may be pruned: `keep` blocks behind the slowest sequencer of the group. None: not
// all of them have told how far they are, or none is that far.
std::optional<ordering::Height> log_prunable(const std::vector<protocol::Member>& group, const protocol::Member& self,
                                             const CoreStatus& status, std::uint64_t keep);

// What a member means for pruning.
struct PruningMember {
  MemberStatus status;
  bool enabled = true;  // false: disabled by an operator, or no longer part of the synchronizer
  bool holds_back() const { return enabled && status.member.kind() != protocol::MemberKind::sequencer; }
  Timestamp needs_from() const { return status.acknowledged.value_or(status.registered_at); }
};

// Events before this time are needed by nobody; `now` when nobody needs any.
Timestamp safe_to_prune(const std::vector<PruningMember>& members, Timestamp now);
// Who needs events before this time, the one furthest behind first.
std::vector<PruningMember> holding_back(const std::vector<PruningMember>& members, Timestamp before);

// Events at or before it are not served; none: everything is there.
Result<std::optional<Timestamp>> read_lower_bound(const storage::Store& store);
// For a store that begins after this time.
void put_lower_bound(storage::WriteBatch& batch, Timestamp lower_bound);

// Whether a subscription from `from` on (none: the beginning) can be served. Error EVENTS_UNAVAILABLE_FOR_TIMESTAMP, in
// Canton's words.
Status check_available(const protocol::Member& member, Timestamp registered_at, std::optional<Timestamp> from,
                       std::optional<Timestamp> lower_bound);

struct Prunable {
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;    // of events, uncompressed
  std::uint64_t entries = 0;  // of inboxes
};

// What prune_before() would remove. Reads all of it.
Result<Prunable> count_before(const storage::Store& store, const std::vector<MemberNumber>& members, Timestamp before);
// Refuses subscriptions to events before this time, then removes them in steps; `go_on` is asked between them. What an
// interrupted call left is removed by the next one. Thread rules: one call at a time, beside the core's writes.
Result<Prunable> prune_before(storage::Store& store, const std::vector<MemberNumber>& members, Timestamp before,
                              std::size_t batch_entries, const std::function<bool()>& go_on);

}  // namespace synod::sequencer
