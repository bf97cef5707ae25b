// The topology state machine of a synchronizer: every member runs it over the same broadcasts and comes to the same
// state.
//
// How a core feeds it (sequencer, mediator, participant, topology manager alike), for each sequenced event in order:
//   1. auto snapshot = state.snapshot_at(event.timestamp);           // decides everything about this event
//   2. auto transactions = topology::broadcasts_in(event.batch, psid);  // broadcast.h: drops what Canton drops, with
//   an alarm
//   3. auto result = state.process(event.timestamp, transactions);   // also with no transactions: it moves the known
//   time
//   4. apply result.writes in the same atomic batch as everything else that the event changes.
// A sequencer does this with each event it delivers to ALL::All, and calls observe(block end) for the others.
//
// Decisions must equal Canton's bit by bit, because each member checks the snapshot it joined with by replaying it.
// Facts: canton-protocol §1.2.5 and §4.
//
// Thread rules: none inside; one thread at a time. The snapshots it gives are free of it.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "protocol/ids.h"
#include "storage/store.h"
#include "topology/parameters.h"
#include "topology/rejection.h"
#include "topology/snapshot.h"
#include "topology/transaction.h"

namespace synod::topology {

// Columns that the store of a member must be opened with.
inline constexpr storage::Column kTopologyColumn{"topology"};

// Which past snapshots are answered from memory; older ones are rebuilt on demand, in time linear in the history.
struct StateLimits {
  std::size_t max_kept_views = 4096;
  Duration keep_views_for = Duration::seconds(600);  // longer than a request is in flight; the newest 16 stay anyway
};

struct ProcessResult {
  Timestamp effective;                               // sequenced + topology_change_delay
  std::vector<StoredTransaction> stored;             // one for each input, in order; rejected ones with their reason
  std::vector<std::optional<Rejection>> rejections;  // same length
  storage::WriteBatch writes;
  bool changed = false;  // something accepted and fully authorised: what can be asked at effective.next() has changed
};

class TopologyState {
 public:
  TopologyState(protocol::PhysicalSynchronizerId synchronizer, StaticParameters parameters, StateLimits limits = {});
  ~TopologyState();
  TopologyState(TopologyState&&) noexcept;
  TopologyState& operator=(TopologyState&&) noexcept;

  // Reads what earlier process() and import() calls wrote. Only on an empty state.
  Status load(const storage::Store& store);

  // Replays a snapshot (genesis file, or DownloadTopologyStateForInit) and checks that every decision comes out the
  // same. Only on an empty state. Errors: TOPOLOGY_INCONSISTENT_SNAPSHOT with the first item that differs; the state is
  // then unusable. Returns the writes. Also sets the known time to the last sequencing time of the snapshot.
  Result<storage::WriteBatch> import(const std::vector<StoredTransaction>& snapshot);

  // Processes the topology transactions of one sequenced event. `sequenced` must be greater than in all earlier calls
  // (a bug otherwise; check known_sequenced() when events may be delivered again).
  ProcessResult process(Timestamp sequenced, const std::vector<SignedTransaction>& transactions);
  // As process() without transactions: nothing changes but the known time. Earlier times are ignored.
  void observe(Timestamp sequenced);

  // What process() would say about each transaction if sequenced right now, in order, each seeing the ones before it;
  // changes nothing. `expect_full_authorization`: proposals are rejected unless they are fully authorised.
  std::vector<std::optional<Rejection>> check(const std::vector<SignedTransaction>& transactions,
                                              bool expect_full_authorization) const;

  // Snapshots are exact up to known_until() = last observed sequencing time + topology_change_delay; a later timestamp
  // gives what is known so far. head(): with everything processed, also what is not effective yet.
  Snapshot snapshot_at(Timestamp timestamp) const;
  Snapshot head() const;
  Timestamp known_until() const;
  std::optional<Timestamp> known_sequenced() const;  // none: empty
  // Effective time of the latest accepted, fully authorised transaction; a sequencer ticks when it passes (§1.5).
  std::optional<Timestamp> last_effective_change() const;

  // Everything stored, in order. Pointers live until the next change.
  std::vector<const StoredTransaction*> history() const;
  // The decided or rejected state with sequenced <= `at`, as a joining member downloads it: validity that ends after
  // the last effective time is left open.
  std::vector<StoredTransaction> export_at(Timestamp sequenced_inclusive) const;
  // The timestamp for export_at() when `member` joins: effective time of its first trust certificate or mediator state.
  // Errors: FAILED_PRECONDITION (no onboarding transaction yet), INVALID_ARGUMENT (sequencers do not download).
  Result<Timestamp> onboarding_time(const protocol::Member& member) const;
  // A trust certificate was accepted once, whether or not it still holds.
  bool was_ever_onboarded(const protocol::Member& participant) const;
  // The transaction in force (also a removal) for the mapping's unique key: what the next serial builds upon.
  const StoredTransaction* current(const crypto::Hash& unique_key, const Mapping& mapping) const;
  const StoredTransaction* current(const Mapping& mapping) const { return current(unique_key(mapping), mapping); }
  std::vector<const StoredTransaction*> proposals() const;  // open ones, in order
  const StoredTransaction* find_transaction(
      const crypto::Hash& transaction_hash) const;  // latest accepted with this hash

  // Keys that may sign mappings of this kind for a namespace now, closest to the root first; of a decentralized
  // namespace those of all its owners.
  std::vector<crypto::SigningPublicKey> namespace_keys(const Namespace& ns, MappingCode code) const;

  const protocol::PhysicalSynchronizerId& synchronizer() const;
  const StaticParameters& static_parameters() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace synod::topology
