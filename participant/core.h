// The transaction protocol of one participant on one synchronizer, as a deterministic state machine.
//
// As submitter: a command is interpreted, cut into views, encrypted for each view's recipients and handed out as one
// Submission (phase 1). As receiver: a request's views are decrypted, rebuilt and checked, its contracts are locked and
// the participant's answer is signed (phases 3 and 4); the mediator's result commits or drops it (phase 7). Facts:
// canton-protocol §3; TransactionProcessingSteps, ConflictDetector, TransactionConfirmationResponsesFactory.
//
// All or nothing: nothing of a request is visible to readers or to later commands before its result, and then
// everything at once. Updates are published in the order of sequencing times, whatever the order of the results.
//
// Contract with the shell: apply Effects::writes atomically to the store BEFORE carrying out the rest and before the
// next input; give events in the order of their timestamps, each once (after a restart those after last_event()). What
// is in flight is part of the stored state, so nothing is read again from the sequencer but what was not yet applied.
//
// Thread rules: one thread at a time. No clock, no I/O but reads of the store, randomness only from the given Random.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/result.h"
#include "crypto/hash.h"
#include "crypto/keys.h"
#include "lf/engine.h"
#include "lf/package_store.h"
#include "participant/commands.h"
#include "participant/update.h"
#include "protocol/ids.h"
#include "protocol/sequenced_event.h"
#include "protocol/submission.h"
#include "protocol/view_keys.h"
#include "storage/store.h"
#include "topology/state.h"

namespace synod::participant {

struct CoreConfig {
  protocol::Member participant;  // PAR::name::namespace
  protocol::PhysicalSynchronizerId synchronizer;
  topology::StaticParameters static_parameters;
  Duration max_deduplication = Duration::seconds(7 * 24 * 3600);
  std::size_t max_in_flight_submissions =
      5'000;  // commands handed out and not yet finished: beyond that PARTICIPANT_BACKPRESSURE
  std::size_t max_command_weight = 100'000;  // commands and disclosed contracts of one submission
  bool sync_submissions = false;  // fsync each accepted command before it is sent; without, the loss of the machine may
                                  // lose the completion of a command that was never sequenced
  lf::Limits interpretation;
  protocol::BatchLimits batch;
  protocol::SentViewKeys::Limits view_keys;
  std::size_t max_request_views_bytes = 64u << 20;  // what all views of one request that are read here may unpack to
};

// What the shell has to do, in this order.
struct Effects {
  storage::WriteBatch writes;
  bool sync = false;

  struct Send {
    protocol::Submission submission;
    std::string traceparent;
    bool report_failure = false;  // tell on_send_failed() if it certainly will not be sequenced
  };
  std::vector<Send> sends;
  std::vector<Completion> completions;   // already part of `writes`; for those who wait
  std::optional<Offset> ledger_end;      // readers may go up to here
  std::optional<Timestamp> record_time;  // sequencing time processed by this input
  bool topology_changed = false;         // waiters for parties, packages and keys look again
  std::vector<Timestamp> await_times;    // events up to these sequencing times must be seen, if need be by a tick

  void append(Effects other);
};

struct CommandOutcome {
  Status accepted;  // not accepted: effects are empty
  std::string submission_id;
  Effects effects;
};

class ParticipantCore {
 public:
  // `store` was opened with columns(). Everything given must outlive the core.
  ParticipantCore(CoreConfig config, const storage::Store& store, const crypto::KeyStore& keys,
                  std::shared_ptr<const lf::Engine> engine, std::shared_ptr<const lf::PackageStore> packages,
                  Random& random);
  ~ParticipantCore();
  ParticipantCore(const ParticipantCore&) = delete;

  static std::vector<storage::Column> columns();

  // Reads the state that earlier effects wrote. First of all calls.
  Status load();
  // On the first connection: the topology as the sequencer gave it (DownloadTopologyStateForInit), re-checked here.
  Result<Effects> initialize(const std::vector<topology::StoredTransaction>& snapshot);
  bool initialized() const;
  // The last event applied: subscribe from there. None: from the beginning.
  struct LastEvent {
    Timestamp timestamp;
    crypto::Hash content_hash;  // as given to on_event()
  };
  std::optional<LastEvent> last_event() const;

  // After a restart, once messages can be sent: the answers to requests that are not decided, which may not have left
  // before. The mediator ignores what it has already.
  Effects resume();

  CommandOutcome on_command(const CommandSubmission& command, Timestamp now);
  Result<lf::InterpretationResult> interpret(const CommandSubmission& command, Timestamp now) const;

  // One event of the subscription. An error means that the event cannot be of a correct sequencer (an alarm), or that
  // the store cannot be read: the shell disconnects, and this core is not used any more, for it may have taken half a
  // step. Bad contents sent by other members are never an error here.
  Result<Effects> on_event(const protocol::SequencedEvent& event, const crypto::Hash& content_hash,
                           const std::string& traceparent);
  // A submission with report_failure was refused for good, or can no longer be sequenced.
  Effects on_send_failed(const std::string& message_id, const Error& error);
  const CoreConfig& config() const;
  const topology::TopologyState& topology() const;
  topology::Snapshot current_snapshot() const;  // right after the last event: what submissions go by
  lf::PackagePreference package_preference(const std::vector<std::string>& preferred_ids) const;
  Offset ledger_end() const;
  std::size_t in_flight_submissions() const;
  std::size_t in_flight_requests() const;
  // Sequencing times by which what is in flight is decided at the latest. A shell that has just loaded the core sees to
  // it that an event after each of them comes (Effects::await_times of an earlier life are forgotten).
  std::vector<Timestamp> deadlines() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace synod::participant
