#include "sequencer/block_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "crypto/hash.h"
#include "sequencer/deliver_error.h"
#include "sequencer/log_component.h"
#include "topology/broadcast.h"

namespace synod::sequencer {
namespace {

// The batch to deliver once an aggregation is complete: the contents of this request with everybody's signatures. Where
// they are the request's own, its compressed bytes go out unchanged, as for any other request.
protocol::CompressedBatch aggregated_batch(const PreparedSubmission& submission,
                                           const Aggregations::Signatures& signatures) {
  protocol::CompressedBatch batch = submission.request.batch;
  for (std::size_t i = 0; i < submission.envelopes.size(); ++i) {
    const protocol::Envelope& envelope = submission.envelopes[i];
    if (envelope.signatures == signatures[i]) continue;
    batch.envelopes[i] = protocol::compress_envelope(envelope.content, signatures[i]);
  }
  return batch;
}

// Only the first of a kind is put into words.
template <typename Words>
void complain(protocol::Complaints& complaints, const Words& words) {
  complaints.add(complaints.empty() ? std::string(words()) : std::string());
}

}  // namespace

BlockRun::BlockRun(CoreState& state)
    : state_(state),
      block_start_(state.topology.snapshot_at(state.last_time.next())),
      previous_block_time_(state.last_time),
      block_time_(state.last_time),
      cursor_(state.last_time) {}

BlockEffects BlockRun::run(const ordering::Block& block, const PreparedBlock& prepared) {
  height_ = block.height;
  note_group();
  take_records(prepared);
  order_block(order_);
  for (const Ordered& next : order_) {
    const PreparedEntry& entry = *items_[next.index].entry;
    if (const auto* request = std::get_if<PreparedSubmission>(&entry.item)) {
      submission(*request, entry.traceparent, next.time);
    } else if (const auto* ack = std::get_if<PreparedAcknowledgement>(&entry.item)) {
      acknowledgement(*ack);
    }
  }
  tick_if_due();

  state_.aggregations.expire(state_.last_time, effects_.writes);
  state_.deadlines.expire(state_.last_time, effects_.writes);
  state_.members.write_changes(effects_.writes);
  state_.height = block.height;
  state_.block_hash = block.hash;
  state_.write_position(effects_.writes);
  ++state_.blocks_applied;
  state_.recent_states[block.height] = state_.digest();
  judge_fork();
  report();
  if (state_.recent_states.size() > kRememberedStates) state_.recent_states.erase(state_.recent_states.begin());
  return std::move(effects_);
}

void BlockRun::take_records(const PreparedBlock& prepared) {
  records_ = prepared.records.size();
  for (const auto& record : prepared.records) {
    if (!record) {
      undecodable_records_.add(record.error());
      continue;
    }
    Timestamp proposal;
    if (!admit(*record, proposal)) continue;
    block_time_ = std::max(block_time_, proposal);
    requests_ += record->entries.size();
    for (const auto& entry : record->entries) {
      if (!entry) {
        ++state_.requests_dropped;
        complain(undecodable_requests_, [&] {
          return record->record.batch.sequencer.to_string() + " ordered it: " + entry.error().to_string();
        });
        continue;
      }
      int priority = kAcknowledgementPriority;
      if (std::holds_alternative<TickEntry>(entry->item)) continue;
      if (const auto* request = std::get_if<PreparedSubmission>(&entry->item)) {
        priority = priority_of(request->request.kind());
      }
      order_.push_back(Ordered{items_.size(), priority, proposal});
      items_.push_back(Item{&*entry});
    }
  }
}

bool BlockRun::admit(const PreparedRecord& prepared, Timestamp& proposal) {
  const SealedBatch& batch = prepared.record.batch;
  if (batch.synchronizer != state_.config.synchronizer) {
    complain(foreign_records_, [&] { return "one that is for synchronizer " + batch.synchronizer.to_string(); });
    return false;
  }
  const CheckedSignature signature{prepared.record.hash, prepared.record.signature, prepared.signature_verified};
  if (std::find(state_.group.begin(), state_.group.end(), batch.sequencer) == state_.group.end()) {
    if (was_on_its_way(batch, signature)) {
      complain(parting_records_, [&] { return batch.sequencer.to_string() + " has left the synchronizer"; });
    } else {
      complain(foreign_records_, [&] { return batch.sequencer.to_string() + " is not an active sequencer"; });
    }
    return false;
  }
  if (const auto status = check_signature(signature, batch.sequencer, block_start_); !status) {
    complain(foreign_records_, [&] {
      return "one that names " + batch.sequencer.to_string() + " is not signed by it: " + status.error().cause;
    });
    return false;
  }
  if (batch.sequencer == state_.config.self) effects_.own.push_back(batch.number);
  if (!state_.records.add(batch.sequencer, batch.number, effects_.writes)) {
    log::debug(kLog, "block {}: record {} of {} was there before", height_.value, batch.number.value,
               batch.sequencer.to_string());
    return false;
  }
  compare_states(batch);
  proposal = bounded_proposal(batch);
  state_.records.propose(batch.sequencer, proposal, effects_.writes);
  return true;
}

void BlockRun::note_group() {
  auto group = block_start_.sequencer_group().active;
  for (const auto& member : state_.group) {
    if (std::find(group.begin(), group.end(), member) == group.end()) state_.left_group[member] = height_;
  }
  for (const auto& member : group) state_.left_group.erase(member);
  state_.group = std::move(group);
}

bool BlockRun::was_on_its_way(const SealedBatch& batch, const CheckedSignature& signature) const {
  const auto left = state_.left_group.find(batch.sequencer);
  return left != state_.left_group.end() && batch.seen_height < left->second &&
         check_signature(signature, batch.sequencer, block_start_).has_value();
}

void BlockRun::compare_states(const SealedBatch& batch) {
  if (batch.sequencer == state_.config.self) return;
  ordering::Height& reported = state_.reported[batch.sequencer];
  reported = std::max(reported, batch.seen_height);
  const auto ours = state_.recent_states.find(batch.seen_height);
  if (ours == state_.recent_states.end()) return;
  if (ours->second == batch.seen_state) {
    if (state_.diverged.erase(batch.sequencer) > 0)
      complain(cured_states_, [&] { return batch.sequencer.to_string() + " agrees again"; });
    return;
  }
  if (!state_.diverged.insert(batch.sequencer).second) return;
  complain(wrong_states_, [&] {
    return fmt::format("{} came to another state than this sequencer at height {}: {} instead of {}",
                       batch.sequencer.to_string(), batch.seen_height.value, to_hex(batch.seen_state),
                       to_hex(ours->second));
  });
}

// With two sequencers nobody can tell who is right, and neither stops: else one liar could stop the other.
void BlockRun::judge_fork() {
  const auto& group = state_.group;
  std::string dissenters;
  std::size_t count = 0;
  for (const auto& sequencer : group) {
    if (!state_.diverged.contains(sequencer)) continue;
    dissenters += (count++ == 0 ? "" : ", ") + sequencer.to_string();
  }
  if (count * 2 <= group.size()) return;
  effects_.fork =
      Error("SEQUENCER_FORKED", ErrorCategory::internal,
            std::to_string(count) + " of " + std::to_string(group.size()) +
                " sequencers came to another state than this one (" + dissenters +
                "). The ordering service gives this sequencer other blocks than the others, or its cache is "
                "damaged: find out which; then remove its cache and let it rebuild from the log or from a "
                "peer's state")
          .with("height", std::to_string(height_.value));
}

Timestamp BlockRun::bounded_proposal(const SealedBatch& batch) {
  const auto ceiling = time_ceiling(batch.sequencer, state_.group, state_.records.proposals());
  if (!ceiling || batch.proposed_time <= *ceiling) return batch.proposed_time;
  complain(far_proposals_, [&] {
    return fmt::format("{} proposes {}, more than {} h ahead of every other sequencer", batch.sequencer.to_string(),
                       batch.proposed_time.to_string(), kSoloTimeLead.micros / 3'600'000'000);
  });
  return std::max(*ceiling, block_time_ + kCreep);
}

void BlockRun::submission(const PreparedSubmission& submission, const std::string& traceparent, Timestamp proposed) {
  const Timestamp timestamp = std::max(proposed, cursor_.next());
  cursor_ = timestamp;
  const protocol::SubmissionRequest& request = submission.request;
  const auto snapshot = state_.topology.snapshot_at(timestamp);
  const bool in_flight = submission.aggregation_id && state_.aggregations.contains(*submission.aggregation_id);
  auto verdict = validate_submission(
      submission, timestamp, snapshot,
      [&](const protocol::Member& member) { return state_.members.is_registered(member, timestamp); }, in_flight);
  if (const auto* dropped = std::get_if<Dropped>(&verdict)) return drop(request.sender, request.message_id, *dropped);
  if (const auto* rejected = std::get_if<Rejected>(&verdict)) {
    log::debug(kLog, "{} of {} rejected: {}", request.message_id, request.sender.to_string(),
               rejected->error.to_string());
    emit(EventRecord{timestamp, request.sender, request.message_id, Rejection{deliver_error_status(rejected->error)},
                     traceparent},
         {request.sender});
    return;
  }
  accepted(submission, std::get<Accepted>(verdict), traceparent, timestamp, snapshot);
}

void BlockRun::accepted(const PreparedSubmission& submission, const Accepted& accepted, const std::string& traceparent,
                        Timestamp timestamp, const topology::Snapshot& snapshot) {
  const protocol::SubmissionRequest& request = submission.request;
  EventRecord record{timestamp, request.sender, request.message_id, Receipt{}, traceparent};
  Delivery delivery{request.batch, accepted.groups};
  if (submission.aggregation_id) {
    Aggregations::Signatures own;
    for (const auto& envelope : submission.envelopes) own.push_back(envelope.signatures);
    auto result =
        state_.aggregations.add(*submission.aggregation_id, request, own, timestamp, snapshot, effects_.writes);
    if (!result) {
      record.outcome = Rejection{deliver_error_status(result.error())};
      return emit(std::move(record), {request.sender});
    }
    if (!*result) return emit(std::move(record), {request.sender});
    delivery.batch = aggregated_batch(submission, **result);
  }

  std::vector<protocol::Member> recipients;
  if (accepted.broadcast) {
    recipients = state_.members.registered(timestamp);
  } else {
    for (const auto& member : accepted.recipients) {
      if (state_.members.is_registered(member, timestamp)) recipients.push_back(member);
    }
  }
  // Before the event itself moves the known time; what it changes takes effect later than the event anyway.
  if (accepted.broadcast) process_topology(submission, timestamp);
  record.outcome = std::move(delivery);
  emit(std::move(record), recipients);

  const auto kind = request.kind();
  if (kind == protocol::SubmissionKind::confirmation_request) {
    state_.deadlines.add(timestamp, snapshot.dynamic_parameters(), effects_.writes);
  } else if (kind == protocol::SubmissionKind::verdict) {
    for (const Timestamp decided : decided_requests(submission.envelopes)) {
      state_.deadlines.remove(decided, effects_.writes);
    }
  }
  if (kind == protocol::SubmissionKind::topology) state_.pending_topology = timestamp;
}

void BlockRun::process_topology(const PreparedSubmission& submission, Timestamp timestamp) {
  auto result =
      state_.topology.process(timestamp, topology::broadcasts_in(submission.envelopes, state_.config.synchronizer));
  effects_.writes.append(std::move(result.writes));
  effects_.topology_changed = effects_.topology_changed || result.changed;
  for (const auto& stored : result.stored) state_.members.register_from(stored);
}

void BlockRun::acknowledgement(const PreparedAcknowledgement& acknowledgement) {
  const auto& request = acknowledgement.request;
  // Against the end of the block before, so that the decision does not depend on the order within this one.
  if (request.timestamp > previous_block_time_) {
    return drop(request.member, "acknowledgement",
                Dropped{"acknowledges " + request.timestamp.to_string() + ", which has not been reached", true});
  }
  const auto snapshot = state_.topology.snapshot_at(request.timestamp);
  for (const auto& signature : acknowledgement.signatures) {
    if (const auto status = check_signature(signature, request.member, snapshot); !status) {
      return drop(request.member, "acknowledgement", Dropped{status.error().cause, true});
    }
  }
  state_.members.acknowledge(request.member, request.timestamp);
}

void BlockRun::tick_if_due() {
  // Something came due between the last event before this block and the end of this one: everybody is told by an event
  // without content. Fact for topology changes: BlockUpdateGenerator (MaybeTopologyTickChunk); deadlines likewise.
  const Timestamp end = std::max(state_.last_time.next(), block_time_);
  const auto passed = [&](std::optional<Timestamp> due) { return due && previous_block_time_ <= *due && *due < end; };
  bool due = false;
  if (state_.pending_topology && passed(*state_.pending_topology + state_.topology_change_delay())) {
    state_.pending_topology.reset();
    due = true;
  }
  due = passed(state_.deadlines.next_from(previous_block_time_)) || due;
  if (!due) return;
  EventRecord tick;
  tick.timestamp = end;
  tick.message_id = "topology-tick-" + std::to_string(height_.value);
  tick.outcome = Delivery{};
  const auto recipients = state_.members.registered(end);
  emit(std::move(tick), recipients);
}

void BlockRun::emit(EventRecord record, const std::vector<protocol::Member>& recipients) {
  const Timestamp timestamp = record.timestamp;
  NewEvent event;
  event.readers.reserve(recipients.size());
  for (const auto& member : recipients) {
    NewEvent::Reader reader{member, state_.members.add_event(member, timestamp), record.envelopes_for(member)};
    put_inbox(effects_.writes, state_.members.find(member)->number, timestamp, reader.previous, reader.envelopes);
    event.readers.push_back(std::move(reader));
  }
  Bytes serialized = record.serialize();
  state_.state_hash = crypto::sha256(state_.state_hash + crypto::sha256(serialized));
  event.bytes = serialized.size();
  event.record = std::make_shared<const EventRecord>(std::move(record));
  put_event(effects_.writes, timestamp, std::move(serialized));
  effects_.events.push_back(std::move(event));
  state_.last_time = timestamp;
  cursor_ = std::max(cursor_, timestamp);
  state_.topology.observe(timestamp);
  ++state_.events;
}

void BlockRun::drop(const protocol::Member& sender, const std::string& message_id, const Dropped& dropped) {
  ++state_.requests_dropped;
  complain(dropped.alarm ? wrong_requests_ : late_requests_,
           [&] { return fmt::format("{} of {}: {}", message_id, sender.to_string(), dropped.reason); });
}

void BlockRun::report() const {
  const auto line = [&](const char* what, const protocol::Complaints& complaints, std::size_t all, const char* things) {
    return fmt::format("block {}: {}: {}", height_.value, what, complaints.of(all, things));
  };
  const auto alarm = [&](const char* what, const protocol::Complaints& complaints, std::size_t all,
                         const char* things) {
    if (!complaints.empty()) log::alarm(kLog, "{}", line(what, complaints, all, things));
  };
  alarm("does not decode", undecodable_records_, records_, "records");
  alarm("dropped", foreign_records_, records_, "records");
  alarm("too far ahead", far_proposals_, records_, "records");
  alarm("not our state", wrong_states_, records_, "records");
  alarm("does not decode", undecodable_requests_, requests_, "requests");
  alarm("dropped", wrong_requests_, requests_, "requests");
  if (!parting_records_.empty()) log::info(kLog, "{}", line("dropped", parting_records_, records_, "records"));
  if (!late_requests_.empty()) log::info(kLog, "{}", line("dropped", late_requests_, requests_, "requests"));
  if (!cured_states_.empty()) log::info(kLog, "{}", line("our state", cured_states_, records_, "records"));
}

}  // namespace synod::sequencer
