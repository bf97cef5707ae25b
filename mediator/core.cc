#include "mediator/core.h"

#include <algorithm>

#include "base/log.h"
#include "mediator/stored.h"
#include "protocol/envelope_content.h"

namespace synod::mediator {

using protocol::ConfirmationResponses;
using protocol::ConfirmationResult;
using protocol::Envelope;
using protocol::Member;
using protocol::Recipient;
using protocol::SequencedEvent;
using protocol::Verdict;

namespace {

Timestamp deadline_of(Timestamp request, const topology::Snapshot& topology) {
  return request + topology.dynamic_parameters().confirmation_response_timeout;
}
Timestamp decision_time_of(Timestamp request, const topology::Snapshot& topology) {
  return deadline_of(request, topology) + topology.dynamic_parameters().mediator_reaction_timeout;
}

protocol::BatchLimits batch_limits(const MediatorConfig& config) {
  protocol::BatchLimits limits;
  limits.max_envelope_bytes = config.max_envelope_bytes;
  limits.max_total_bytes = config.max_event_bytes;
  return limits;
}

// The one mediator group among the recipients; none if there is none or more than one.
std::optional<int> single_group(const protocol::Recipients& recipients) {
  std::optional<int> out;
  for (const Recipient& recipient : recipients.all()) {
    if (recipient.kind() != Recipient::Kind::mediator_group) continue;
    if (out) return std::nullopt;
    out = recipient.group();
  }
  return out;
}

bool in_active_group(const Member& self, const topology::Snapshot& topology) {
  const auto group = topology.mediator_group_of(self);
  return group && group->active.size() >= group->threshold;
}

std::string describe_verdict(const Verdict& verdict) {
  if (std::holds_alternative<protocol::Approve>(verdict)) return "approve";
  if (const auto* rejected = std::get_if<protocol::MediatorReject>(&verdict))
    return "reject: " + protocol::shortened(rejected->reason.message);
  const auto& reason = std::get<protocol::ParticipantReject>(verdict).reasons.front();
  return "reject by " + reason.participant.to_string() + ": " + protocol::shortened(reason.verdict.reason.message);
}

}  // namespace

void describe(config::Fields& fields, MediatorConfig& config) {
  fields.integer("liveness-margin", config.liveness_margin,
                 "Mediators beyond the threshold that send a verdict at once.");
  fields.duration("initial-delay", config.initial_delay,
                  "How long the other mediators of a group wait before they send one.");
  fields.duration("delay", config.delay, "What each further of them waits in addition.");
  fields.size("max-envelope-bytes", config.max_envelope_bytes, "Largest unpacked envelope that is read.");
  fields.size("max-event-bytes", config.max_event_bytes, "Most that all envelopes of one event may unpack to.");
}

bool counts_already(const std::string& refusal) {
  return refusal.find("AGGREGATE_SUBMISSION_ALREADY_SENT") != std::string::npos ||
         refusal.find("AGGREGATE_SUBMISSION_STUFFING") != std::string::npos;
}

MediatorCore::MediatorCore(MediatorConfig config, protocol::PhysicalSynchronizerId synchronizer, Member self,
                           std::shared_ptr<crypto::KeyStore> keys, std::shared_ptr<Random> random)
    : config_(config),
      synchronizer_(std::move(synchronizer)),
      self_(std::move(self)),
      keys_(std::move(keys)),
      random_(std::move(random)) {}

Result<std::unique_ptr<MediatorCore>> MediatorCore::load(MediatorConfig config,
                                                         protocol::PhysicalSynchronizerId synchronizer, Member self,
                                                         std::shared_ptr<crypto::KeyStore> keys,
                                                         std::shared_ptr<Random> random, const storage::Store& store,
                                                         const SnapshotAt& snapshot_at) {
  std::unique_ptr<MediatorCore> core(
      new MediatorCore(config, std::move(synchronizer), std::move(self), std::move(keys), std::move(random)));
  SYNOD_RETURN_IF_ERROR(core->restore(store, snapshot_at));
  return core;
}

Status MediatorCore::restore(const storage::Store& store, const SnapshotAt& snapshot_at) {
  SYNOD_TRY(stored::Contents contents, stored::read(store, batch_limits(config_)));
  for (auto& [uuid, until] : contents.uuids) {
    uuid_expiry_.emplace(until, uuid);
    used_uuids_.emplace(uuid, until);
  }
  for (VerdictSubmission& verdict : contents.verdicts)
    unconfirmed_.emplace(verdict.submission.message_id, std::move(verdict));
  restoring_ = true;
  Effects none;
  for (const SequencedEvent& event : contents.events) {
    now_ = event.timestamp;
    handle_batch(event, snapshot_at, none);
  }
  restoring_ = false;
  if (!pending_.empty() || !unconfirmed_.empty())
    log::info("mediator", "{} undecided requests and {} unconfirmed verdicts taken up again", pending_.size(),
              unconfirmed_.size());
  return {};
}

std::vector<VerdictSubmission> MediatorCore::unconfirmed() const {
  std::vector<VerdictSubmission> out;
  for (const auto& [message_id, verdict] : unconfirmed_) out.push_back(verdict);
  return out;
}

std::optional<Timestamp> MediatorCore::next_deadline() const {
  if (deadlines_.empty()) return std::nullopt;
  return deadlines_.begin()->first;
}

MediatorStatus MediatorCore::status() const {
  MediatorStatus out = status_;
  out.pending_requests = pending_.size();
  out.unconfirmed_verdicts = unconfirmed_.size();
  return out;
}

Effects MediatorCore::on_event(const SequencedEvent& event, const SnapshotAt& snapshot_at) {
  Effects effects;
  now_ = event.timestamp;
  time_out(now_, effects);
  expire(now_, effects);
  confirm_own(event, effects);
  if (!event.error) handle_batch(event, snapshot_at, effects);
  return effects;
}

void MediatorCore::time_out(Timestamp now, Effects& effects) {
  while (!deadlines_.empty() && deadlines_.begin()->first < now) {
    const auto pending = pending_.find(deadlines_.begin()->second);
    decide(pending, pending->second.votes.timeout_verdict(), effects);
  }
}

void MediatorCore::expire(Timestamp now, Effects& effects) {
  while (!uuid_expiry_.empty() && uuid_expiry_.begin()->first < now) {
    const std::string uuid = uuid_expiry_.begin()->second;
    uuid_expiry_.erase(uuid_expiry_.begin());
    used_uuids_.erase(uuid);
    stored::erase_uuid(uuid, effects.writes);
  }
  // In the order of requests, which but for a change of the parameters is that of their ends: not all at each event.
  while (!decided_.empty() && decided_.begin()->second < now) decided_.erase(decided_.begin());
  std::erase_if(unconfirmed_, [&](const auto& entry) {
    if (entry.second.submission.max_sequencing_time >= now) return false;
    log::info("mediator", "the verdict on {} was not sequenced in time", entry.second.request_id.to_string());
    stored::erase_verdict(entry.first, effects.writes);
    return true;
  });
}

void MediatorCore::confirm_own(const SequencedEvent& event, Effects& effects) {
  if (!event.message_id) return;
  const auto sent = unconfirmed_.find(*event.message_id);
  if (sent == unconfirmed_.end()) return;
  if (event.error) {
    if (counts_already(event.error->message))
      log::info("mediator", "the verdict on {} counts already", sent->second.request_id.to_string());
    else
      log::error("mediator", "the verdict on {} was not delivered: {}", sent->second.request_id.to_string(),
                 event.error->message);
  }
  stored::erase_verdict(sent->first, effects.writes);
  unconfirmed_.erase(sent);
}

void MediatorCore::handle_batch(const SequencedEvent& event, const SnapshotAt& snapshot_at, Effects& effects) {
  if (event.batch.envelopes.empty()) return;
  const auto envelopes = event.batch.decompress(batch_limits(config_));
  if (!envelopes) {
    if (!restoring_)
      log::alarm("mediator", "event {} cannot be unpacked: {}", event.timestamp.to_string(),
                 envelopes.error().to_string());
    return;
  }
  Remarks remarks;
  handle_envelopes(*envelopes, event, snapshot_at, effects, remarks);
  if (restoring_) return;
  if (!remarks.alarms.empty())
    log::alarm("mediator", "event {}: {}", event.timestamp.to_string(), remarks.alarms.of(remarks.parts, "parts"));
  if (!remarks.ignored.empty())
    log::info("mediator", "event {}: ignored {}", event.timestamp.to_string(),
              remarks.ignored.of(remarks.parts, "parts"));
}

void MediatorCore::handle_envelopes(const std::vector<Envelope>& envelopes, const SequencedEvent& event,
                                    const SnapshotAt& snapshot_at, Effects& effects, Remarks& remarks) {
  remarks.parts = envelopes.size();
  std::vector<std::pair<protocol::InformeeMessage, protocol::Recipients>> requests;
  std::vector<AddressedRootHashMessage> root_hash_messages;
  std::vector<std::pair<ConfirmationResponses, const Envelope*>> responses;
  bool topology = false;
  auto alarm = [&](const auto& what) { remarks.alarms.add(what); };
  auto malformed = [&](const char* what) {
    alarm(Error("MEDIATOR_RECEIVED_MALFORMED_MESSAGE", ErrorCategory::malicious_or_faulty, what));
  };
  for (const Envelope& envelope : envelopes) {
    if (!envelope.signatures.empty()) {
      auto message = protocol::parse_signed_message(envelope.content);
      if (!message)
        alarm(message.error());
      else if (auto* parsed = std::get_if<ConfirmationResponses>(&*message))
        responses.emplace_back(std::move(*parsed), &envelope);
      continue;
    }
    auto content = protocol::parse_envelope_content(envelope.content);
    if (!content) {
      alarm(content.error());
    } else if (auto* informee = std::get_if<protocol::InformeeMessage>(&*content)) {
      if (informee->tree.tree().common().value().synchronizer == synchronizer_)
        requests.emplace_back(std::move(*informee), envelope.recipients);
      else
        malformed("a request for another synchronizer");
    } else if (auto* root = std::get_if<protocol::RootHashMessage>(&*content)) {
      if (root->synchronizer == synchronizer_)
        root_hash_messages.push_back({std::move(*root), envelope.recipients});
      else
        malformed("a root hash message for another synchronizer");
    } else if (std::holds_alternative<protocol::TopologyBroadcast>(*content)) {
      topology = true;
    }
  }
  if (!requests.empty() && !responses.empty()) return malformed("both confirmation requests and responses");
  if (requests.size() > 1) return malformed("more than one confirmation request");
  if (requests.size() == 1) {
    Request request{event.timestamp, std::move(requests[0].first), std::move(requests[0].second),
                    std::move(root_hash_messages), topology};
    handle_request(std::move(request), event, snapshot_at, effects);
  }
  for (const auto& [message, envelope] : responses) handle_responses(message, *envelope, event, effects, remarks);
}

std::optional<Rejection> MediatorCore::check_replay(const Request& request, const topology::Snapshot& topology,
                                                    Effects& effects) {
  if (restoring_) return std::nullopt;
  const std::string& uuid = request.common().uuid;
  const auto used = used_uuids_.find(uuid);
  if (used != used_uuids_.end())
    return Rejection{Error("DUPLICATE_CONFIRMATION_REQUEST_UUID", ErrorCategory::malicious_or_faulty,
                           "The request UUID (" + uuid +
                               ") is a duplicate of a previous request with an identical UUID. It cannot be "
                               "re-used until " +
                               used->second.to_string() + "."),
                     false};
  const Timestamp until = request.id + topology.dynamic_parameters().mediator_deduplication_timeout;
  used_uuids_.emplace(uuid, until);
  uuid_expiry_.emplace(until, uuid);
  stored::put_uuid(uuid, until, effects.writes);
  return std::nullopt;
}

void MediatorCore::handle_request(Request request, const SequencedEvent& event, const SnapshotAt& snapshot_at,
                                  Effects& effects) {
  const topology::Snapshot topology = snapshot_at(request.id);
  ++status_.requests;
  std::optional<Rejection> rejection = check_replay(request, topology, effects);
  if (rejection) {
    log::info("mediator", "request {}: {}", request.id.to_string(), rejection->error.to_string());
    return send_reject(request, *rejection, topology, effects);
  }
  if (!in_active_group(self_, topology)) {
    log::info("mediator", "request {} ignored: this mediator or its group is not active", request.id.to_string());
    return;
  }
  rejection = check_request(request, self_, topology);
  if (rejection) {
    // Not the submitter's fault if the topology has changed since it looked.
    const bool race =
        !request.root_hash_messages.empty() &&
        request.root_hash_messages[0].message.submission_topology_time < request.id &&
        !check_request(request, self_, snapshot_at(request.root_hash_messages[0].message.submission_topology_time));
    if (race)
      log::info("mediator", "request {}: the topology changed on its way: {}", request.id.to_string(),
                rejection->error.to_string());
    else
      log::alarm("mediator", "request {}: {}", request.id.to_string(), rejection->error.to_string());
    return send_reject(request, *rejection, topology, effects);
  }
  const Timestamp id = request.id;
  const Timestamp deadline = deadline_of(id, topology);
  ResponseAggregation votes(request, topology);
  const auto [pending, fresh] = pending_.emplace(
      id, Pending{std::move(request), topology, std::move(votes), deadline, decision_time_of(id, topology), {}});
  if (!fresh) return;
  deadlines_.emplace(deadline, id);
  remember_event(pending->second, event, effects);
  log::debug("mediator", "phase 2: registered request {} of {}", id.to_string(),
             pending->second.request.submitter().to_string());
}

void MediatorCore::handle_responses(const ConfirmationResponses& responses, const Envelope& envelope,
                                    const SequencedEvent& event, Effects& effects, Remarks& remarks) {
  remarks.parts += responses.responses.size();
  const std::string who = "responses of " + responses.sender.to_string() + " to " + responses.request_id.to_string();
  auto alarm = [&](const std::string& what) {
    const bool has_id = what.rfind("MEDIATOR_", 0) == 0;
    remarks.alarms.add(who + ": " + (has_id ? "" : "MEDIATOR_RECEIVED_MALFORMED_MESSAGE: ") + what);
  };
  if (responses.request_id > event.timestamp) return alarm("the request would be later than the response");
  if (responses.synchronizer != synchronizer_) return alarm("for another synchronizer");
  if (event.topology_timestamp) return alarm("with a topology timestamp");
  const auto found = pending_.find(responses.request_id);
  if (found == pending_.end()) {
    remarks.ignored.add(
        who + (decided_.count(responses.request_id) ? ": the request is decided already" : ": unknown request"));
    return;
  }
  Pending& pending = found->second;
  if (single_group(envelope.recipients) != pending.request.common().mediator_group)
    return alarm("sent to other mediators");
  const Member sender = Member::participant(responses.sender);
  const crypto::Hash signed_hash = protocol::signed_message_hash(envelope.content);
  const bool verified =
      std::any_of(envelope.signatures.begin(), envelope.signatures.end(), [&](const crypto::Signature& signature) {
        return pending.topology.verify(sender, crypto::KeyUsage::protocol, signed_hash, signature).has_value();
      });
  if (!verified) return alarm("no valid signature of the sender");
  if (responses.root_hash != pending.request.tree().root_hash())
    return alarm("wrong root hash " + responses.root_hash.hex());
  for (const protocol::ConfirmationResponse& response : responses.responses)
    pending.votes.add(responses.sender, response, pending.topology, alarm);
  log::debug("mediator", "phase 5: {}", who);
  if (pending.votes.verdict()) {
    const Verdict verdict = *pending.votes.verdict();
    decide(found, verdict, effects);
  } else {
    remember_event(pending, event, effects);
  }
}

void MediatorCore::remember_event(Pending& pending, const SequencedEvent& event, Effects& effects) {
  if (!pending.events.empty() && pending.events.back() == event.timestamp) return;
  pending.events.push_back(event.timestamp);
  if (!restoring_) stored::put_event(pending.request.id, event, effects.writes);
}

void MediatorCore::forget(const Pending& pending, Effects& effects) {
  for (Timestamp event : pending.events) stored::erase_event(pending.request.id, event, effects.writes);
}

void MediatorCore::decide(std::map<Timestamp, Pending>::iterator found, const Verdict& verdict, Effects& effects) {
  const Pending pending = std::move(found->second);
  deadlines_.erase({pending.deadline, found->first});
  pending_.erase(found);
  decided_[pending.request.id] = pending.decision_time;
  forget(pending, effects);
  const bool approved = std::holds_alternative<protocol::Approve>(verdict);
  ++(approved ? status_.approved : status_.rejected);
  status_.last_verdict = LastVerdict{pending.request.id, pending.request.tree().root_hash(), approved};
  log::info("mediator", "phase 6: request {}: {}", pending.request.id.to_string(), describe_verdict(verdict));
  const ConfirmationResult result{synchronizer_, protocol::ViewType::transaction, pending.request.id,
                                  pending.request.tree().root_hash(), verdict};
  send(result, hosts_of(pending.request.informees(), pending.topology), pending.request.common().mediator_group,
       pending.decision_time, pending.topology, effects);
}

void MediatorCore::send_reject(const Request& request, const Rejection& rejection, const topology::Snapshot& topology,
                               Effects& effects) {
  ++status_.rejected;
  decided_[request.id] = decision_time_of(request.id, topology);
  // Only who got a root hash message expects a verdict, under the root hash that it was told.
  std::map<std::pair<protocol::ViewType, crypto::Hash>, std::set<Member>> told;
  std::optional<int> group;
  for (const AddressedRootHashMessage& addressed : request.root_hash_messages) {
    auto& participants = told[{addressed.message.view_type, addressed.message.root_hash}];
    for (const Recipient& recipient : addressed.recipients.all())
      if (recipient.is_member() && recipient.member().kind() == protocol::MemberKind::participant)
        participants.insert(recipient.member());
    if (!group) group = single_group(addressed.recipients);
  }
  if (!group) return;
  const protocol::MediatorReject verdict{protocol::RpcStatus::of(rejection.error), rejection.malformed};
  for (const auto& [key, participants] : told) {
    if (participants.empty()) continue;
    send({synchronizer_, key.first, request.id, key.second, verdict}, {participants.begin(), participants.end()},
         *group, decision_time_of(request.id, topology), topology, effects);
  }
}

void MediatorCore::send(const ConfirmationResult& result, const std::vector<Member>& participants, int group_index,
                        Timestamp decision_time, const topology::Snapshot& topology, Effects& effects) {
  const auto group = topology.mediator_group(static_cast<std::uint32_t>(group_index));
  if (!group || participants.empty() || decision_time <= now_) return;
  const auto self = std::find(group->active.begin(), group->active.end(), self_);
  if (self == group->active.end()) return;  // observing
  std::optional<crypto::SigningKeyPair> key;
  for (const crypto::SigningPublicKey& candidate : topology.signing_keys(self_, crypto::KeyUsage::protocol))
    if (!key) key = keys_->signing_key(candidate.fingerprint());
  if (!key) {
    log::error("mediator", "no private key for any protocol key registered at {}: the verdict is not sent",
               topology.timestamp().to_string());
    return;
  }
  // Everybody in a group of its own: nobody learns from the recipients who else is involved.
  std::vector<protocol::RecipientSet> alone;
  for (const Member& participant : participants) alone.push_back({Recipient(participant)});
  VerdictSubmission verdict;
  verdict.request_id = result.request_id;
  verdict.submission.message_id = random_->uuid();
  verdict.submission.envelopes.push_back(protocol::signed_envelope(protocol::serialize_signed_message(result), *key,
                                                                   protocol::Recipients::groups(std::move(alone))));
  verdict.submission.max_sequencing_time = decision_time;
  verdict.submission.aggregation_rule = protocol::AggregationRule::mediator_group(group_index);
  // Rotating with the request, so that the work is shared.
  const auto position = (static_cast<std::uint64_t>(self - group->active.begin()) +
                         static_cast<std::uint64_t>(result.request_id.micros)) %
                        group->active.size();
  const std::uint64_t at_once = group->threshold + config_.liveness_margin;
  if (position >= at_once)
    verdict.delay = config_.initial_delay + config_.delay * static_cast<std::int64_t>(position - at_once);
  stored::put_verdict(self_, verdict, effects.writes);
  unconfirmed_.emplace(verdict.submission.message_id, verdict);
  effects.sends.push_back(std::move(verdict));
}

}  // namespace synod::mediator
