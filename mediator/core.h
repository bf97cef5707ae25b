// The mediator's logic: sequenced events in, verdicts and writes out. Facts: canton-protocol §3; Canton's
// ConfirmationRequestAndResponseProcessor, MediatorEventsProcessor, MediatorEventDeduplicator, VerdictSender .scala.
//
// For each event the shell (or the simulator) calls on_event(), applies the writes atomically, and only then sends.
// What is written is enough to go on after a restart: undecided requests are stored as the events they came in,
// verdicts until their receipt is seen. It may be written unsynced: what was lost with the machine is replayed by the
// sequencer.
//
// Thread rules: none inside; one thread at a time.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/env.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/keys.h"
#include "mediator/request_checks.h"
#include "mediator/response_aggregation.h"
#include "protocol/complaints.h"
#include "protocol/sequenced_event.h"
#include "protocol/submission.h"
#include "storage/store.h"
#include "topology/snapshot.h"

namespace synod::mediator {

inline constexpr storage::Column kMediatorColumn{"mediator"};

struct MediatorConfig {
  // In a group of more mediators than its threshold and this margin the others send their verdict later, since it will
  // most likely not be needed: after initial_delay, and delay more for each mediator before them.
  std::uint32_t liveness_margin = 3;
  Duration initial_delay = Duration::seconds(3);
  Duration delay = Duration::seconds(1);
  std::uint64_t max_envelope_bytes = 10u << 20;  // one unpacked envelope of an event
  std::uint64_t max_event_bytes = 64u << 20;     // all of an event
};
void describe(config::Fields& fields, MediatorConfig& config);

struct VerdictSubmission {
  Timestamp request_id;
  protocol::Submission submission;
  Duration delay;  // before it is sent; zero for most
};

struct Effects {
  storage::WriteBatch writes;
  std::vector<VerdictSubmission> sends;  // after the writes
};

// Whether a sequencer refused a verdict because it has it: enough of the group were faster, or this mediator sent it
// before it died.
bool counts_already(const std::string& refusal);

struct LastVerdict {
  Timestamp request;
  crypto::Hash root_hash;
  bool approved = false;
};

struct MediatorStatus {
  std::size_t pending_requests = 0;
  std::size_t unconfirmed_verdicts = 0;  // sent, receipt not seen
  std::uint64_t requests = 0;            // since the start
  std::uint64_t approved = 0;
  std::uint64_t rejected = 0;
  std::optional<LastVerdict> last_verdict;
};

class MediatorCore {
 public:
  // The topology at that sequencing time; on_event asks for times up to the event's own.
  using SnapshotAt = std::function<topology::Snapshot(Timestamp)>;

  // Takes up what the store holds. `keys` must hold the mediator's protocol key.
  static Result<std::unique_ptr<MediatorCore>> load(MediatorConfig config,
                                                    protocol::PhysicalSynchronizerId synchronizer,
                                                    protocol::Member self, std::shared_ptr<crypto::KeyStore> keys,
                                                    std::shared_ptr<Random> random, const storage::Store& store,
                                                    const SnapshotAt& snapshot_at);

  // Verdicts of earlier runs whose receipt has not been seen: to be sent again (the group's aggregation takes them
  // once).
  std::vector<VerdictSubmission> unconfirmed() const;

  // Each event once, in order.
  Effects on_event(const protocol::SequencedEvent& event, const SnapshotAt& snapshot_at);

  // When the earliest deadline passes. An event after it must be seen: the shell asks for one when none comes.
  std::optional<Timestamp> next_deadline() const;
  MediatorStatus status() const;

 private:
  struct Pending {
    Request request;
    topology::Snapshot topology;  // of the request's time
    ResponseAggregation votes;
    Timestamp deadline;             // for responses
    Timestamp decision_time;        // for the verdict
    std::vector<Timestamp> events;  // that are stored for it, the request's first
  };

  MediatorCore(MediatorConfig config, protocol::PhysicalSynchronizerId synchronizer, protocol::Member self,
               std::shared_ptr<crypto::KeyStore> keys, std::shared_ptr<Random> random);
  Status restore(const storage::Store& store, const SnapshotAt& snapshot_at);

  void time_out(Timestamp now, Effects& effects);
  void expire(Timestamp now, Effects& effects);
  void confirm_own(const protocol::SequencedEvent& event, Effects& effects);
  // What there is to say of one event, in a line of each kind, however much the event holds.
  struct Remarks {
    protocol::Complaints alarms;
    protocol::Complaints ignored;  // late, or unknown: no fault of anybody
    std::size_t parts = 0;         // envelopes, and responses in them
  };

  void handle_batch(const protocol::SequencedEvent& event, const SnapshotAt& snapshot_at, Effects& effects);
  void handle_envelopes(const std::vector<protocol::Envelope>& envelopes, const protocol::SequencedEvent& event,
                        const SnapshotAt& snapshot_at, Effects& effects, Remarks& remarks);
  void handle_request(Request request, const protocol::SequencedEvent& event, const SnapshotAt& snapshot_at,
                      Effects& effects);
  void handle_responses(const protocol::ConfirmationResponses& responses, const protocol::Envelope& envelope,
                        const protocol::SequencedEvent& event, Effects& effects, Remarks& remarks);
  std::optional<Rejection> check_replay(const Request& request, const topology::Snapshot& topology, Effects& effects);

  void remember_event(Pending& pending, const protocol::SequencedEvent& event, Effects& effects);
  void forget(const Pending& pending, Effects& effects);
  void decide(std::map<Timestamp, Pending>::iterator pending, const protocol::Verdict& verdict, Effects& effects);
  void send_reject(const Request& request, const Rejection& rejection, const topology::Snapshot& topology,
                   Effects& effects);
  void send(const protocol::ConfirmationResult& result, const std::vector<protocol::Member>& participants, int group,
            Timestamp decision_time, const topology::Snapshot& topology, Effects& effects);

  const MediatorConfig config_;
  const protocol::PhysicalSynchronizerId synchronizer_;
  const protocol::Member self_;
  const std::shared_ptr<crypto::KeyStore> keys_;
  const std::shared_ptr<Random> random_;

  std::map<Timestamp, Pending> pending_;                 // by request id
  std::set<std::pair<Timestamp, Timestamp>> deadlines_;  // deadline, request id
  std::map<std::string, Timestamp> used_uuids_;          // until when they may not be used again
  std::set<std::pair<Timestamp, std::string>> uuid_expiry_;
  std::map<std::string, VerdictSubmission> unconfirmed_;  // by message id
  std::map<Timestamp, Timestamp> decided_;                // request id → decision time, at least until that has passed
  Timestamp now_;                                         // of the event in hand
  bool restoring_ = false;                                // what happens was decided, written and said before
  MediatorStatus status_;
};

}  // namespace synod::mediator
