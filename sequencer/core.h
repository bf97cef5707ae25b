// The sequencer's state machine: blocks of the shared log in, events for members out. Every sequencer runs it over the
// same blocks and comes to the same events. No I/O, clock or threads inside; tests/sim runs the same class.
//
// For each block the core takes the sealed batches apart (sealed_batch.h), drops what it has seen before, orders and
// times the requests, validates each against the topology at its own time, resolves groups, aggregates, and runs the
// topology state machine over what was broadcast. All that a block changes comes back as one WriteBatch: events,
// inboxes, aggregations, topology, acknowledgements, height. Facts: canton-protocol §1.5 and §2; Canton's
// sync/block/update.
//
// Time. A request's time is max(proposed, last + 1 µs), in the order of Canton's BlockReorderer. The proposed time is
// the clock of the sequencer that sealed the request. A rival cannot push time as far as it likes: a proposal counts at
// most up to kSoloTimeLead after the latest proposal of any other active sequencer (see time_ceiling). Such a proposal
// is cut to that ceiling, with an alarm that names the sequencer. A live sequencer proposes at least every
// kSoloTimeLead / 4, so that the ceiling binds only whoever lies, or the last one standing for a day; for the latter,
// time creeps on by kCreep a batch, which is enough to take the absent ones out of the topology.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "ordering/ordering_log.h"
#include "protocol/batch.h"
#include "protocol/ids.h"
#include "sequencer/event_store.h"
#include "sequencer/prepared.h"
#include "sequencer/sealed_batch.h"
#include "storage/store.h"
#include "topology/state.h"

namespace synod::sequencer {

// Constants of the protocol between Synod's sequencers: all must use the same.
inline constexpr Duration kSoloTimeLead = Duration::seconds(24 * 3600);
inline constexpr Duration kCreep = Duration::milliseconds(1);
inline constexpr std::size_t kRememberedStates = 4096;   // blocks back to which reported states are compared
inline constexpr std::size_t kRememberedNumbers = 4096;  // per sequencer, for recognising repeated records
// The bound of one unpacked envelope at PV35, as in Canton: a larger max_request_size allows larger requests, of more
// envelopes, but no larger envelope. Canton's sequencers drop such a request when they unpack the block, and its
// members would give up the subscription at the event (MaxBytesToDecompress.HardcodedDefault).
inline constexpr std::size_t kMaxUnpackedEnvelope = 10u << 20;
inline constexpr std::size_t kMaxUnpackedBatch = 64u << 20;       // all envelopes together
inline constexpr std::size_t kMaxUnpackedRecipients = 10u << 20;  // of one batch
inline constexpr std::size_t kMaxEnvelopes = 100'000;

struct CoreConfig {
  protocol::PhysicalSynchronizerId synchronizer;
  protocol::Member self;  // SEQ::…; used for logging and to recognise own records, never in a decision
};

// What a sequencer starts from when its store is empty.
struct InitialState {
  topology::StaticParameters static_parameters;
  std::vector<topology::StoredTransaction> topology;  // the genesis; members in it are registered from its time on
};

// A new event with what there is in memory to hand it on: nobody needs to read it back from the store.
struct NewEvent {
  struct Reader {  // a member with a new inbox entry at this time
    protocol::Member member;
    std::optional<Timestamp> previous;     // of the member's event before; none: this is the first
    std::vector<std::uint32_t> envelopes;  // the positions of the member's
  };
  std::shared_ptr<const EventRecord> record;
  std::size_t bytes = 0;  // of the record, serialized
  std::vector<Reader> readers;
};

struct BlockEffects {
  storage::WriteBatch writes;       // apply first, atomically; losing it with the machine is fine, the log has it
  std::vector<NewEvent> events;     // in order of time
  std::vector<SequenceNumber> own;  // numbers of this sequencer's batches that are in this block, also repeated ones
  bool topology_changed = false;    // tokens and subscriptions of members who are no longer active should end
  // SEQUENCER_FORKED: more than half of the group came to something else than this sequencer. Do not apply the block,
  // do not serve: what this sequencer read is not what the others read.
  std::optional<Error> fork;
};

struct MemberStatus {
  protocol::Member member;
  MemberNumber number;
  Timestamp registered_at;
  std::optional<Timestamp> last_event;
  std::optional<Timestamp> acknowledged;
};

struct CoreStatus {
  ordering::Height height{-1};  // of the last block applied; -1: none
  Bytes block_hash;
  std::string state_hash;                  // hex; equal at equal heights on all sequencers
  Timestamp last_time;                     // of the last event; any later request gets a later one
  std::uint64_t blocks_applied = 0;        // since this core was opened: blocks read from the log
  std::uint64_t events = 0;                // since this core was opened
  std::uint64_t requests_dropped = 0;      // since this core was opened: expired, wrongly signed, malformed, repeated
  std::vector<protocol::Member> diverged;  // sequencers whose latest comparable report differs from ours
  std::map<protocol::Member, ordering::Height>
      reported;  // how far each sequencer had come when it sealed its latest batch
};

class SequencerCore {
 public:
  struct Opened;
  // Loads the state from the store, or makes it from `initial` if the store is empty; the writes must then be applied
  // before the first block. Errors: STORAGE_*, those of TopologyState::load and import, SEQUENCER_STORE_MISMATCH (the
  // store belongs to another synchronizer).
  static Result<Opened> open(CoreConfig config, const InitialState& initial, const storage::Store& store);
  ~SequencerCore();

  // The next block, height next_height(). `prepared` is prepare_block() of the same block, with any snapshot of the
  // past; it saves time and changes nothing. Errors: SEQUENCER_BLOCK_GAP, SEQUENCER_LOG_FORKED (previous_hash is not
  // the hash of the block applied before): the log is not the one this store was built from, stop. The core is
  // unchanged then.
  Result<BlockEffects> on_block(const ordering::Block& block, const PreparedBlock& prepared);
  // For callers without a thread pool.
  Result<BlockEffects> on_block(const ordering::Block& block);

  ordering::Height next_height() const;
  ordering::Height height() const;  // of the last block applied; -1: none
  const Bytes& state_hash() const;
  // Over the hash of the last block and of all events so far: what sequencers compare with one another.
  Bytes digest() const;
  // Later requests get a later time.
  Timestamp last_time() const;
  // The earliest future time at which something is due that needs an event to be noticed: a topology change becoming
  // effective, a confirmation request running out. When the wall clock passes it and last_time() has not, a sequencer
  // seals a tick. None: nothing is pending, and an idle network stays silent.
  std::optional<Timestamp> wake_at() const;
  // A sequencer's own latest proposal, as far as it is in the log.
  std::optional<Timestamp> latest_proposal(const protocol::Member& sequencer) const;
  std::optional<SequenceNumber> latest_number(const protocol::Member& sequencer) const;

  // The topology after the last event, and as it is effective at last_time().next().
  topology::Snapshot head_snapshot() const;
  topology::Snapshot current_snapshot() const;
  const topology::TopologyState& topology() const;

  std::optional<MemberStatus> member(const protocol::Member& member) const;
  std::vector<MemberStatus> members() const;  // sorted by name
  CoreStatus status() const;

 private:
  struct Impl;
  explicit SequencerCore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

struct SequencerCore::Opened {
  std::unique_ptr<SequencerCore> core;
  storage::WriteBatch writes;  // empty if the store had a state
};

// The highest time that a proposal of `proposer` may give: kSoloTimeLead after the latest proposal of any other active
// sequencer that ever proposed; none (no bound) without such a sequencer. Pure.
std::optional<Timestamp> time_ceiling(const protocol::Member& proposer, const std::vector<protocol::Member>& active,
                                      const std::map<protocol::Member, Timestamp>& latest_proposals);

}  // namespace synod::sequencer
