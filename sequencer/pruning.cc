#include "sequencer/pruning.h"

#include <algorithm>

#include "protocol/versioned.h"
#include "synod/sequencer.pb.h"

namespace synod::sequencer {
namespace {

constexpr std::string_view kPruningKey = "pruning";

Result<std::optional<v1::StoredPruning>> read(const storage::Store& store) {
  SYNOD_TRY(const auto stored, store.get(kStateColumn, kPruningKey));
  if (!stored) return std::nullopt;
  v1::StoredPruning proto;
  SYNOD_RETURN_IF_ERROR(protocol::parse_proto(*stored, proto, "StoredPruning"));
  return proto;
}

void put(storage::WriteBatch& batch, const v1::StoredPruning& proto) {
  batch.put(kStateColumn, Bytes(kPruningKey), protocol::serialize_proto(proto));
}

// Where there may be something to remove: everything below was removed by earlier rounds.
Timestamp begin_of(const std::optional<v1::StoredPruning>& stored) {
  return stored && stored->has_cleaned() ? Timestamp{stored->cleaned()}.next() : Timestamp::min();
}

// All keys of a range, some at a time, so that no scan walks over what the one before has removed.
Status for_each_batch(const storage::Store& store, storage::Column column, storage::KeyRange range,
                      std::size_t batch_entries,
                      const std::function<Status(std::vector<Bytes> keys, std::uint64_t value_bytes)>& take) {
  for (;;) {
    std::vector<Bytes> keys;
    std::uint64_t bytes = 0;
    SYNOD_RETURN_IF_ERROR(store.scan(column, range, storage::Direction::forward, [&](ByteView key, ByteView value) {
      keys.emplace_back(key);
      bytes += value.size();
      return keys.size() < batch_entries;
    }));
    if (keys.empty()) return {};
    const bool last = keys.size() < batch_entries;
    range.from = keys.back() + std::string(1, '\0');
    SYNOD_RETURN_IF_ERROR(take(std::move(keys), bytes));
    if (last) return {};
  }
}

Error interrupted() { return unavailable("PRUNING_INTERRUPTED", "The sequencer stops; the next round goes on"); }

}  // namespace

void describe(config::Fields& f, PruningConfig& c) {
  f.flag("automatic", c.automatic, "Whether acknowledged events are removed when they are older than `retention`.");
  f.duration("retention", c.retention, "Events younger than this stay, acknowledged or not.");
  f.duration("interval", c.interval, "Time between two rounds.");
  f.integer(
      "log-blocks", c.log_blocks,
      "Blocks of the ordering log that stay behind the slowest sequencer; 0: the log is not pruned from here. Only "
      "for engines whose log a sequencer may prune.");
  f.integer("batch-entries", c.batch_entries, "Entries removed in one write.");
}

std::optional<ordering::Height> log_prunable(const std::vector<protocol::Member>& group, const protocol::Member& self,
                                             const CoreStatus& status, std::uint64_t keep) {
  ordering::Height slowest = status.height;
  for (const auto& sequencer : group) {
    if (sequencer == self) continue;
    const auto reported = status.reported.find(sequencer);
    if (reported == status.reported.end()) return std::nullopt;
    slowest = std::min(slowest, reported->second);
  }
  const std::int64_t before = slowest.value - static_cast<std::int64_t>(keep);
  if (before <= 0) return std::nullopt;
  return ordering::Height(before);
}

Timestamp safe_to_prune(const std::vector<PruningMember>& members, Timestamp now) {
  Timestamp safe = now;
  for (const auto& member : members) {
    if (member.holds_back()) safe = std::min(safe, member.needs_from());
  }
  return safe;
}

std::vector<PruningMember> holding_back(const std::vector<PruningMember>& members, Timestamp before) {
  std::vector<PruningMember> holders;
  for (const auto& member : members) {
    if (member.holds_back() && member.needs_from() < before) holders.push_back(member);
  }
  std::sort(holders.begin(), holders.end(),
            [](const PruningMember& a, const PruningMember& b) { return a.needs_from() < b.needs_from(); });
  return holders;
}

Result<std::optional<Timestamp>> read_lower_bound(const storage::Store& store) {
  SYNOD_TRY(const auto stored, read(store));
  if (!stored) return std::nullopt;
  return Timestamp{stored->lower_bound()};
}

void put_lower_bound(storage::WriteBatch& batch, Timestamp lower_bound) {
  v1::StoredPruning proto;
  proto.set_lower_bound(lower_bound.micros);
  proto.set_cleaned(lower_bound.micros);
  put(batch, proto);
}

Status check_available(const protocol::Member& member, Timestamp registered_at, std::optional<Timestamp> from,
                       std::optional<Timestamp> lower_bound) {
  if (!lower_bound || (from ? *from > *lower_bound : registered_at > *lower_bound)) return {};
  const std::string start = from ? from->to_string() + " (inclusive)" : "the beginning";
  return fail(failed_precondition(
      "EVENTS_UNAVAILABLE_FOR_TIMESTAMP",
      "EventsUnavailableForTimestamp(" + (from ? "Some(" + from->to_string() + ")" : std::string("None")) +
          ",Subscription for " + member.to_string() + " would require reading data from " + start +
          ", but this sequencer cannot serve timestamps at or before " + lower_bound->to_string() +
          " or at or before the member's registration timestamp " + registered_at.to_string() + ".)"));
}

Result<Prunable> count_before(const storage::Store& store, const std::vector<MemberNumber>& members, Timestamp before) {
  SYNOD_TRY(const auto stored, read(store));
  const Timestamp from = begin_of(stored);
  Prunable found;
  const auto count = [&](std::uint64_t& entries, std::uint64_t* bytes) {
    return [&entries, bytes](ByteView, ByteView value) {
      ++entries;
      if (bytes) *bytes += value.size();
      return true;
    };
  };
  SYNOD_RETURN_IF_ERROR(store.scan(kEventColumn, event_range(from, before), storage::Direction::forward,
                                   count(found.events, &found.bytes)));
  for (const MemberNumber member : members) {
    SYNOD_RETURN_IF_ERROR(store.scan(kInboxColumn, inbox_range(member, from, before), storage::Direction::forward,
                                     count(found.entries, nullptr)));
  }
  return found;
}

Result<Prunable> prune_before(storage::Store& store, const std::vector<MemberNumber>& members, Timestamp before,
                              std::size_t batch_entries, const std::function<bool()>& go_on) {
  SYNOD_TRY(const auto stored, read(store));
  const Timestamp from = begin_of(stored);
  v1::StoredPruning bound = stored.value_or(v1::StoredPruning());
  const Timestamp last{before.micros - 1};
  if (!stored || bound.lower_bound() < last.micros) {
    bound.set_lower_bound(last.micros);
    storage::WriteBatch writes;
    put(writes, bound);
    SYNOD_RETURN_IF_ERROR(store.write(writes, storage::Sync::yes));
  }
  Prunable removed;
  const auto remove = [&](storage::Column column, const storage::KeyRange& range, std::uint64_t& entries,
                          std::uint64_t& bytes) {
    return for_each_batch(store, column, range, batch_entries,
                          [&](std::vector<Bytes> keys, std::uint64_t value_bytes) -> Status {
                            if (!go_on()) return fail(interrupted());
                            entries += keys.size();
                            bytes += value_bytes;
                            storage::WriteBatch writes;
                            for (Bytes& key : keys) writes.erase(column, std::move(key));
                            return store.write(writes, storage::Sync::no);
                          });
  };
  // Inboxes first: an entry whose event is gone would look like damage.
  std::uint64_t inbox_bytes = 0;
  for (const MemberNumber member : members) {
    SYNOD_RETURN_IF_ERROR(remove(kInboxColumn, inbox_range(member, from, before), removed.entries, inbox_bytes));
  }
  SYNOD_RETURN_IF_ERROR(remove(kEventColumn, event_range(from, before), removed.events, removed.bytes));
  bound.set_cleaned(bound.lower_bound());
  storage::WriteBatch writes;
  put(writes, bound);
  SYNOD_RETURN_IF_ERROR(store.write(writes, storage::Sync::no));
  return removed;
}

}  // namespace synod::sequencer
