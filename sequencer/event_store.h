// What the sequencer keeps of its events: each event once, and per member an index of the events it gets.
//
// Layout (keys big-endian): events: time → StoredEvent; inbox: member id ‖ time → previous time and the positions of
// the member's envelopes. Reading for a member builds exactly the bytes of Canton's SequencedEvent: the selected
// envelopes as the sender compressed them, and their recipients pruned for this reader and compressed anew.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/strong.h"
#include "base/time.h"
#include "protocol/batch.h"
#include "protocol/ids.h"
#include "storage/store.h"

namespace synod::sequencer {

inline constexpr storage::Column kEventColumn{"seq_events"};
inline constexpr storage::Column kInboxColumn{"seq_inbox"};
inline constexpr storage::Column kStateColumn{"seq_state"};
// Everything a sequencer's store must be opened with, including what topology/ and the node keep in it.
std::vector<storage::Column> store_columns();

using MemberNumber = Strong<struct MemberNumberTag, std::uint32_t>;  // local name of a member in this store's keys

// Members of the groups that a batch addresses, as resolved at sequencing time; ALL::All is not listed.
using ResolvedGroups = std::map<protocol::Recipient, std::vector<protocol::Member>>;

struct Delivery {
  protocol::CompressedBatch batch;
  ResolvedGroups groups;
};
struct Receipt {};
struct Rejection {
  Bytes status;  // google.rpc.Status
};

struct EventRecord {
  Timestamp timestamp;
  std::optional<protocol::Member> sender;  // none for a tick
  std::string message_id;
  std::variant<Delivery, Receipt, Rejection> outcome;
  std::string traceparent;  // W3C, or empty

  Bytes serialize() const;
  static Result<EventRecord> parse(ByteView bytes);
  // The positions of the envelopes in the batch that `member` sees. Empty for receipts and rejections.
  std::vector<std::uint32_t> envelopes_for(const protocol::Member& member) const;
};

// One event as one member sees it.
struct MemberEvent {
  std::optional<Timestamp> previous;  // none: the member's first
  Timestamp timestamp;
  Bytes content;            // W(31, SequencedEvent): what is signed
  std::string traceparent;  // W3C, or empty
};

// The bytes of the event for one reader. Pure. message_id is disclosed to the sender only.
Bytes sequenced_event_bytes(const EventRecord& record, const protocol::PhysicalSynchronizerId& synchronizer,
                            const protocol::Member& reader, std::optional<Timestamp> previous,
                            const std::vector<std::uint32_t>& envelopes);

// Writing: part of the core's batch of a block.
void put_event(storage::WriteBatch& batch, Timestamp timestamp, Bytes serialized_record);
void put_inbox(storage::WriteBatch& batch, MemberNumber member, Timestamp timestamp, std::optional<Timestamp> previous,
               const std::vector<std::uint32_t>& envelopes);

// Keys of events with from <= time < to, and of a member's inbox entries.
storage::KeyRange event_range(Timestamp from, Timestamp to);
storage::KeyRange inbox_range(MemberNumber member, Timestamp from, Timestamp to);

// Reading. Thread rules: any thread; sees what the store has applied.
class EventReader {
 public:
  EventReader(const storage::Store& store, protocol::PhysicalSynchronizerId synchronizer)
      : store_(store), synchronizer_(std::move(synchronizer)) {}

  // At most `limit` events (and about max_bytes) of the member from `from` on (inclusive), in order.
  // Errors: those of the store; EVENTS_UNAVAILABLE_FOR_TIMESTAMP when they are being pruned; STORAGE_CORRUPT when an
  // index entry has no event.
  Result<std::vector<MemberEvent>> read(MemberNumber number, const protocol::Member& member, Timestamp from,
                                        std::size_t limit, std::size_t max_bytes) const;
  // The same of one event that is at hand: `previous` and `envelopes` are those of the member's inbox entry.
  MemberEvent event(const EventRecord& record, const protocol::Member& member, std::optional<Timestamp> previous,
                    const std::vector<std::uint32_t>& envelopes) const;

 private:
  const storage::Store& store_;
  protocol::PhysicalSynchronizerId synchronizer_;
};

}  // namespace synod::sequencer
