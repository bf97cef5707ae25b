#include "sequencer/client/event_validator.h"

#include <algorithm>

namespace synod::sequencer::client {
namespace {

constexpr std::size_t recent_events = 4096;  // how far behind the fork check of a slow subscription reaches

Error invalid_event(const protocol::SequencedEvent& event, std::string cause) {
  return {"SEQUENCED_EVENT_INVALID", ErrorCategory::malicious_or_faulty,
          "Event at " + event.timestamp.to_string() + ": " + std::move(cause)};
}

Error fork_detected(Timestamp timestamp) {
  return {
      "SEQUENCER_FORK_DETECTED", ErrorCategory::malicious_or_faulty,
      "The event at " + timestamp.to_string() + " has other content than was delivered before or by other sequencers"};
}

std::string text(const std::optional<Timestamp>& timestamp) { return timestamp ? timestamp->to_string() : "none"; }

}  // namespace

Result<ReceivedEvent> ReceivedEvent::parse(ByteView bytes, const protocol::BatchLimits& limits) {
  ReceivedEvent received;
  SYNOD_TRY(received.content, protocol::SignedContent::parse(bytes));
  SYNOD_TRY(received.event, protocol::SequencedEvent::parse(received.content.content, limits));
  received.hash = received.content.content_hash(crypto::HashPurpose::sequenced_event);
  received.bytes = bytes.size();
  return received;
}

EventValidator::EventValidator(protocol::PhysicalSynchronizerId synchronizer, std::uint32_t trust_threshold,
                               std::optional<ResumePoint> resume)
    : synchronizer_(std::move(synchronizer)),
      trust_threshold_(std::max<std::uint32_t>(trust_threshold, 1)),
      last_(resume) {
  if (resume && resume->content_hash.is_set()) recent_.push_back(*resume);
}

std::optional<Timestamp> EventValidator::resume_timestamp() const {
  if (!last_) return std::nullopt;
  return last_->timestamp;
}

void EventValidator::subscribed(const protocol::Member& sequencer) {
  Subscription fresh;
  fresh.start = resume_timestamp();
  subscriptions_[sequencer] = std::move(fresh);
}

void EventValidator::unsubscribed(const protocol::Member& sequencer) { subscriptions_.erase(sequencer); }

Status EventValidator::check_chain(const Subscription& subscription, const protocol::SequencedEvent& event) const {
  if (event.synchronizer != synchronizer_) {
    return fail(invalid_event(event, "belongs to " + event.synchronizer.to_string()));
  }
  if (!subscription.begun && subscription.start) {
    if (event.timestamp != *subscription.start) {
      return fail(invalid_event(event, "the subscription began at " + subscription.start->to_string()));
    }
    return {};
  }
  if (event.previous_timestamp != subscription.position) {
    return fail(invalid_event(event, "follows " + text(event.previous_timestamp) + ", but the last one was at " +
                                         text(subscription.position)));
  }
  if (subscription.position && event.timestamp <= *subscription.position) {
    return fail(invalid_event(event, "is not later than its predecessor"));
  }
  return {};
}

Result<EventValidator::Taken> EventValidator::add(const protocol::Member& sequencer, ReceivedEvent event) {
  const auto it = subscriptions_.find(sequencer);
  if (it == subscriptions_.end()) return Taken{event.bytes};  // of a subscription that has been ended
  Subscription& subscription = it->second;
  SYNOD_RETURN_IF_ERROR(check_chain(subscription, event.event));
  if (event.content.timestamp_of_signing_key) {
    return fail(invalid_event(event.event, "names a timestamp of its signing key"));
  }
  subscription.begun = true;
  subscription.position = event.event.timestamp;
  if (last_ && event.event.timestamp <= last_->timestamp) {
    const auto known = std::lower_bound(recent_.begin(), recent_.end(), event.event.timestamp,
                                        [](const ResumePoint& p, Timestamp t) { return p.timestamp < t; });
    const bool remembered = known != recent_.end() && recent_.front().timestamp <= event.event.timestamp;
    if (remembered) {
      if (known->timestamp != event.event.timestamp || known->content_hash != event.hash) {
        return fail(fork_detected(event.event.timestamp));
      }
    }
    return Taken{event.bytes};
  }
  subscription.queue.push_back({std::move(event), false});
  return Taken{};
}

EventValidator::Step EventValidator::next(const CheckSignature& check) {
  Step step;
  std::map<crypto::Hash, std::vector<protocol::Member>> supporters;
  for (auto it = subscriptions_.begin(); it != subscriptions_.end();) {
    auto& [sequencer, subscription] = *it;
    if (subscription.queue.empty()) {
      ++it;
      continue;
    }
    Subscription::Queued& front = subscription.queue.front();
    Status valid;
    if (front.event.event.previous_timestamp != resume_timestamp()) {
      valid = fail(fork_detected(front.event.event.timestamp));
    } else if (!front.checked) {
      valid = check(sequencer, front.event);
    }
    if (!valid) {
      step.faults.push_back({sequencer, valid.error()});
      it = subscriptions_.erase(it);
      continue;
    }
    front.checked = true;
    supporters[front.event.hash].push_back(sequencer);
    ++it;
  }
  for (const auto& [hash, sequencers] : supporters) {
    if (sequencers.size() < trust_threshold_) continue;
    step.deliver = subscriptions_.at(sequencers.front()).queue.front().event;
    remember(step.deliver->event.timestamp, hash);
    for (const auto& [other_hash, others] : supporters) {
      for (const protocol::Member& sequencer : others) {
        if (other_hash == hash) {
          auto& queue = subscriptions_.at(sequencer).queue;
          step.released.emplace_back(sequencer, queue.front().event.bytes);
          queue.pop_front();
        } else {
          step.faults.push_back({sequencer, fork_detected(step.deliver->event.timestamp)});
          subscriptions_.erase(sequencer);
        }
      }
    }
    break;
  }
  return step;
}

void EventValidator::remember(Timestamp timestamp, const crypto::Hash& hash) {
  last_ = ResumePoint{timestamp, hash};
  recent_.push_back(*last_);
  if (recent_.size() > recent_events) recent_.pop_front();
}

}  // namespace synod::sequencer::client
