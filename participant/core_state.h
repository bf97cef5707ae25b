// The state behind ParticipantCore; its parts live in core*.cc. Only those include this.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "participant/core.h"
#include "participant/reception/conflict_detector.h"
#include "participant/reception/request_checks.h"
#include "participant/state/in_flight.h"
#include "participant/state/publisher.h"
#include "participant/submission/command_submission.h"
#include "participant/submission/deduplication.h"

namespace synod::participant {

struct ParticipantCore::Impl {
  Impl(CoreConfig config_in, const storage::Store& store_in, const crypto::KeyStore& keys_in,
       std::shared_ptr<const lf::Engine> engine_in, std::shared_ptr<const lf::PackageStore> packages_in,
       Random& random_in);

  // core.cc
  Status load();
  topology::Snapshot current_snapshot() const;
  SubmissionContext submission_context(const topology::Snapshot& snapshot, Timestamp now);
  std::optional<lf::ContractInstance> active_contract(const lf::ContractId& id) const;
  void visit_active_by_key(const Bytes& key_hash, const std::function<bool(const lf::ContractInstance&)>& visit) const;
  void begin_input();

  // core_commands.cc
  CommandOutcome on_command(CommandSubmission command, Timestamp now);
  void reject_submission(const std::string& message_id, Error error, Timestamp record_time, Effects& effects);
  void end_submission(const std::string& message_id, Effects& effects);
  void expire_submissions(Timestamp now_sequenced, Effects& effects);

  // core_events.cc
  Result<Effects> on_event(const protocol::SequencedEvent& event, const crypto::Hash& content_hash,
                           const std::string& traceparent);
  Effects handle_batch(const protocol::SequencedEvent& event, const topology::Snapshot& snapshot,
                       const std::string& traceparent);
  void expire_requests(Timestamp before, Effects& effects);  // those with decision_time < before
  void handle_result(const SortedEnvelopes::Result& result, Effects& effects, protocol::Complaints& ignored);
  void handle_request(ReceivedRequest request, const protocol::SequencedEvent& event,
                      const topology::Snapshot& snapshot, const std::string& traceparent, Effects& effects);
  void send_answer(const InFlightRequest& request, const topology::Snapshot& snapshot, const std::string& traceparent,
                   Effects& effects);
  Effects resume();
  void decide(InFlightRequest& request, bool approved, std::optional<Error> rejection, Effects& effects);
  Status publish_decided(Timestamp until, Effects& effects);

  // core_topology.cc
  void handle_topology(const protocol::SequencedEvent& event, const std::vector<protocol::Envelope>& envelopes,
                       Effects& effects);
  std::uint32_t next_announcement(Timestamp effective) const;
  void announce_parties(const topology::ProcessResult& result, const topology::Snapshot& before,
                        const std::string& traceparent, Effects& effects);

  CoreConfig config;
  const storage::Store& store;
  const crypto::KeyStore& keys;
  std::shared_ptr<const lf::Engine> engine;
  std::shared_ptr<const lf::PackageStore> packages;
  Random& random;

  topology::TopologyState topology;
  Publisher publisher;
  ConflictDetector conflicts;
  Deduplication deduplication;
  std::map<std::string, InFlightSubmission> submissions;  // by message id
  std::map<InFlightKey, InFlightRequest> requests;        // until published
  protocol::SentViewKeys sent_view_keys;
  protocol::OpenedViewKeys opened_view_keys;
  std::optional<LastEvent> last;
  bool initialized = false;
};

}  // namespace synod::participant
