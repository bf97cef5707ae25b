#include <algorithm>

#include "base/log.h"
#include "participant/core_state.h"
#include "participant/ledger/columns.h"
#include "participant/ledger/update_builder.h"
#include "participant/log_component.h"
#include "participant/reception/local_reject.h"

namespace synod::participant {
namespace {

Error rejected_by_sequencer(const protocol::DeliverError& error) {
  return error_of(protocol::RpcStatus{error.code, error.message, {}});
}

Update update_of(const ReceivedRequest& request, const CheckedRequest& checked, const protocol::Member& own,
                 const std::function<bool(const lf::Party&)>& hosted, const std::string& traceparent) {
  TransactionUpdate transaction;
  transaction.update_id = request.root_hash.hex();
  const auto& metadata = request.tree->participant().value();
  transaction.workflow_id = metadata.workflow_id;
  transaction.effective_at = metadata.ledger_time;
  if (const auto* submitter = request.submitter(); submitter && submitter->submitting_participant == own.uid()) {
    transaction.command_id = submitter->command_id;
    transaction.user_id = submitter->user_id;
    transaction.act_as = lf::PartySet(submitter->act_as.begin(), submitter->act_as.end());
  }
  transaction.events = events_of(checked.transaction, checked.created, hosted);
  Update update;
  update.record_time = request.id;
  update.synchronizer_id = request.tree->common().value().synchronizer.logical().to_string();
  update.traceparent = traceparent;
  update.content = std::move(transaction);
  return update;
}

// The completion of a command of ours whose record got lost with the machine: the request itself tells enough.
Completion completion_of(const protocol::SubmitterMetadata& submitter, const std::string& traceparent) {
  Completion completion;
  completion.command_id = submitter.command_id;
  completion.submission_id = submitter.submission_id;
  completion.user_id = submitter.user_id;
  completion.act_as = lf::PartySet(submitter.act_as.begin(), submitter.act_as.end());
  if (const auto* offset = std::get_if<std::int64_t>(&submitter.deduplication_period))
    completion.deduplication = Offset(*offset);
  if (const auto* span = std::get_if<Duration>(&submitter.deduplication_period)) completion.deduplication = *span;
  completion.traceparent = traceparent;
  return completion;
}

}  // namespace

Result<Effects> ParticipantCore::Impl::on_event(const protocol::SequencedEvent& event, const crypto::Hash& content_hash,
                                                const std::string& traceparent) {
  if (event.synchronizer != config.synchronizer) {
    return fail(Error("SYNCHRONIZER_ID_MISMATCH", ErrorCategory::malicious_or_faulty,
                      "An event of synchronizer " + event.synchronizer.to_string() + " was delivered"));
  }
  if (last && event.timestamp <= last->timestamp) {
    return fail(Error(
        "TIMESTAMPS_OUT_OF_ORDER", ErrorCategory::malicious_or_faulty,
        "An event at " + event.timestamp.to_string() + " was delivered after one at " + last->timestamp.to_string()));
  }
  const auto snapshot = topology.snapshot_at(event.timestamp);
  Effects effects;
  expire_requests(event.timestamp, effects);
  if (event.error) {
    // A repetition of what is sequenced already (amplification) is rejected too; that says nothing about the command.
    const auto own = event.message_id ? submissions.find(*event.message_id) : submissions.end();
    if (own != submissions.end() && !own->second.sequenced)
      reject_submission(*event.message_id, rejected_by_sequencer(*event.error), event.timestamp, effects);
  } else {
    effects.append(handle_batch(event, snapshot, traceparent));
  }
  expire_submissions(event.timestamp, effects);
  SYNOD_RETURN_IF_ERROR(publish_decided(event.timestamp, effects));
  if (publisher.read_failure()) return fail(*publisher.read_failure());

  last = LastEvent{event.timestamp, content_hash};
  Bytes record = number_key(event.timestamp.micros);
  if (content_hash.is_set()) record += content_hash.view();
  effects.writes.put(kMetaColumn, Bytes(kLastEventKey), std::move(record));
  effects.record_time = event.timestamp;
  return effects;
}

Effects ParticipantCore::Impl::handle_batch(const protocol::SequencedEvent& event, const topology::Snapshot& snapshot,
                                            const std::string& traceparent) {
  Effects effects;
  auto envelopes = event.batch.decompress(config.batch);
  if (!envelopes) {
    log::alarm(kLog, "the batch of the event at {} does not unpack: {}", event.timestamp.to_string(),
               envelopes.error().to_string());
    envelopes = std::vector<protocol::Envelope>();
  }
  const auto sorted = sort_envelopes(*envelopes, config.synchronizer, event.timestamp);
  // At one time results come before deadlines, and both before new requests.
  protocol::Complaints ignored;
  for (const auto& result : sorted.results) handle_result(result, effects, ignored);
  if (!ignored.empty())
    log::alarm(kLog, "what the event at {} says of requests is ignored: {}", event.timestamp.to_string(),
               ignored.of(sorted.results.size(), "results"));
  expire_requests(event.timestamp.next(), effects);
  if (event.message_id) {
    if (const auto found = submissions.find(*event.message_id); found != submissions.end()) {
      found->second.sequenced = event.timestamp;
      put(effects.writes, found->second);
    }
  }
  if (auto request =
          read_request(event.timestamp, sorted, config.participant, config.synchronizer, keys, opened_view_keys,
                       {config.batch.max_envelope_bytes, config.max_request_views_bytes})) {
    handle_request(std::move(*request), event, snapshot, traceparent, effects);
  } else if (event.message_id && submissions.contains(*event.message_id)) {
    // Ours, but nothing of it came back: no result will come either.
    reject_submission(*event.message_id,
                      Error("NO_VIEW_WITH_VALID_RECIPIENTS", ErrorCategory::contention_on_shared_resources,
                            "the request does not contain any view with the expected recipients"),
                      event.timestamp, effects);
  }
  handle_topology(event, *envelopes, effects);
  return effects;
}

void ParticipantCore::Impl::handle_request(ReceivedRequest request, const protocol::SequencedEvent& event,
                                           const topology::Snapshot& snapshot, const std::string& traceparent,
                                           Effects& effects) {
  const CheckContext context{snapshot, config.participant, *engine, *packages, config.interpretation};
  std::optional<CheckedRequest> checked;
  if (request.malformed.empty()) checked = check_request(request, context);
  if (!request.malformed.empty()) checked.reset();

  const auto& parameters = snapshot.dynamic_parameters();
  InFlightRequest in_flight;
  in_flight.id = request.id;
  in_flight.root_hash = request.root_hash;
  in_flight.mediator_group = request.mediator_group;
  in_flight.decision_time =
      request.id + parameters.confirmation_response_timeout + parameters.mediator_reaction_timeout;
  in_flight.refused_here = !checked || checked->malformed();
  ActivenessResult activeness;
  if (checked) {
    activeness = conflicts.check_and_lock(checked->effects.check);
    in_flight.locks = checked->effects.check.lock;
    in_flight.transient = checked->effects.transient;
    in_flight.archived = checked->effects.archived;
    for (const auto& [id, contract] : checked->effects.created) in_flight.created.insert(id);
    if (!checked->malformed()) {
      const std::function<bool(const lf::Party&)> hosted = [&](const lf::Party& party) {
        return snapshot.hosting(party).participants.contains(config.participant);
      };
      in_flight.update = update_of(request, *checked, config.participant, hosted, traceparent);
    }
  }
  if (event.message_id && submissions.contains(*event.message_id)) {
    in_flight.message_id = *event.message_id;
    in_flight.completion = submissions.at(*event.message_id).completion;
  } else if (const auto* submitter = request.submitter();
             submitter && event.message_id && submitter->submitting_participant == config.participant.uid()) {
    in_flight.completion = completion_of(*submitter, traceparent);
  }
  if (const auto responses =
          respond(request, checked ? &*checked : nullptr, activeness, context, config.synchronizer)) {
    in_flight.answer = protocol::serialize_signed_message(*responses);
    send_answer(in_flight, snapshot, traceparent, effects);
  }
  effects.await_times.push_back(in_flight.decision_time.next());
  put(effects.writes, in_flight);
  const auto key = in_flight.key();
  requests.insert_or_assign(key, std::move(in_flight));  // as in the store
}

void ParticipantCore::Impl::send_answer(const InFlightRequest& request, const topology::Snapshot& snapshot,
                                        const std::string& traceparent, Effects& effects) {
  const auto key = protocol_key(snapshot, config.participant, keys);
  if (!key) {
    log::error(kLog, "request {} cannot be answered: {}", request.id.to_string(), key.error().to_string());
    return;
  }
  protocol::Submission submission;
  submission.message_id = random.uuid();
  submission.max_sequencing_time = request.id + snapshot.dynamic_parameters().confirmation_response_timeout;
  submission.envelopes.push_back(protocol::signed_envelope(
      request.answer, *key,
      protocol::Recipients::together({protocol::Recipient::mediator_group(request.mediator_group)})));
  effects.sends.push_back({std::move(submission), traceparent, false});
}

Effects ParticipantCore::Impl::resume() {
  Effects effects;
  for (const auto& [message_id, submission] : submissions) {
    if (!submission.sequenced) effects.await_times.push_back(submission.max_sequencing_time.next());
  }
  for (const auto& [key, request] : requests) {
    if (request.state != InFlightRequest::State::pending) continue;
    effects.await_times.push_back(request.decision_time.next());
    if (!request.answer.empty()) send_answer(request, topology.snapshot_at(request.id), {}, effects);
  }
  return effects;
}

void ParticipantCore::Impl::handle_result(const SortedEnvelopes::Result& result, Effects& effects,
                                          protocol::Complaints& ignored) {
  const auto& message = result.message;
  const auto found = requests.find({message.request_id});
  if (found == requests.end() || found->second.state != InFlightRequest::State::pending) {
    log::debug(kLog, "a result for request {}, which is not in flight, is ignored", message.request_id.to_string());
    return;
  }
  auto& request = found->second;
  if (message.root_hash != request.root_hash || message.view_type != protocol::ViewType::transaction) {
    return ignored.add("the result for request " + message.request_id.to_string() + " names another transaction");
  }
  const auto snapshot = topology.snapshot_at(request.id);
  const auto group = snapshot.mediator_group(static_cast<std::uint32_t>(request.mediator_group));
  if (!group) {
    return ignored.add("request " + message.request_id.to_string() + " names mediator group " +
                       std::to_string(request.mediator_group) + ", which does not exist");
  }
  const auto signed_properly = snapshot.verify_quorum(group->active, group->threshold, crypto::KeyUsage::protocol,
                                                      protocol::signed_message_hash(result.content), result.signatures);
  if (!signed_properly) {
    return ignored.add("the result for request " + message.request_id.to_string() +
                       " is not signed by its mediator group: " + signed_properly.error().to_string());
  }
  if (!std::holds_alternative<protocol::Approve>(message.verdict))
    return decide(request, false, error_of(message.verdict), effects);
  if (request.refused_here) {
    log::alarm(kLog, "request {} was approved although it is malformed; it is dropped here",
               message.request_id.to_string());
    return decide(request, false,
                  internal_error("the mediator approved a request that this participant found malformed"), effects);
  }
  decide(request, true, std::nullopt, effects);
}

void ParticipantCore::Impl::expire_requests(Timestamp before, Effects& effects) {
  for (auto& [key, request] : requests) {
    if (request.state == InFlightRequest::State::pending && request.decision_time < before) {
      log::info(kLog, "request {} had no result until {}: rejected", request.id.to_string(),
                request.decision_time.to_string());
      decide(request, false, local_timeout(), effects);
    }
  }
}

void ParticipantCore::Impl::decide(InFlightRequest& request, bool approved, std::optional<Error> rejection,
                                   Effects& effects) {
  request.state = approved ? InFlightRequest::State::approved : InFlightRequest::State::rejected;
  if (approved) {
    auto archived = request.archived;
    archived.insert(request.transient.begin(), request.transient.end());
    conflicts.finish(request.locks, request.created, archived);
  } else {
    conflicts.finish(request.locks, {}, {});
    if (request.completion) request.completion->rejection = std::move(rejection);
  }
  put(effects.writes, request);
}

Status ParticipantCore::Impl::publish_decided(Timestamp until, Effects& effects) {
  while (!requests.empty()) {
    const auto first = requests.begin();
    const auto& request = first->second;
    if (request.state == InFlightRequest::State::pending || request.id > until) break;
    SYNOD_RETURN_IF_ERROR(publisher.publish(request, effects));
    if (!request.message_id.empty()) end_submission(request.message_id, effects);
    erase(effects.writes, request);
    requests.erase(first);
  }
  return {};
}

}  // namespace synod::participant
