// Subscriptions and what comes out of them: the events, checked, in order, once; acknowledgements.
#include <algorithm>

#include "base/log.h"
#include "sequencer/client/client_impl.h"
#include "sequencer/client/requests.h"

namespace synod::sequencer::client {

void SequencerClient::Impl::subscribe(std::optional<ResumePoint> resume) {
  if (subscribed_) return;
  subscribed_ = true;
  resume_ = std::move(resume);
  last_event_at_ = mono();
  want_authentication();
  ensure_subscriptions();
  acknowledge_later();
}

void SequencerClient::Impl::ensure_subscriptions() {
  if (!subscribed_ || !connected_ || stopped_) return;
  if (!validator_) validator_.emplace(pool_.agreed()->synchronizer, config_->trust_threshold, resume_);
  const std::size_t wanted = std::max<std::uint32_t>(config_->trust_threshold, 1) + config_->liveness_margin;
  while (subscriptions_.size() < wanted) {
    const auto connection = pool_.pick(not_now());
    if (!connection) {
      std::int64_t earliest = 0;
      for (const auto& [index, backoff] : backoff_) {
        if (backoff.until <= mono() || !pool_.usable(index)) continue;
        if (earliest == 0 || backoff.until < earliest) earliest = backoff.until;
      }
      if (earliest != 0) after(Duration::microseconds(earliest - mono() + 1000), [this] { ensure_subscriptions(); });
      break;
    }
    start_subscription(*connection, *pool_.sequencer_of(*connection));
  }
  leave_unusable();
  consider_return();
}

std::set<protocol::Member> SequencerClient::Impl::not_now() const {
  std::set<protocol::Member> members;
  for (const auto& [index, subscription] : subscriptions_) members.insert(subscription.sequencer);
  for (const auto& [index, backoff] : backoff_) {
    if (backoff.until > mono() && pool_.usable(index)) members.insert(*pool_.sequencer_of(index));
  }
  return members;
}

// A sequencer that says it does not serve may have stopped following the log: its stream is open, and silent.
void SequencerClient::Impl::leave_unusable() {
  for (;;) {
    const auto unusable = std::find_if(subscriptions_.begin(), subscriptions_.end(),
                                       [&](const auto& s) { return !pool_.usable(s.first); });
    if (unusable == subscriptions_.end()) return;
    const auto other = pool_.pick(not_now());
    if (!other) return;
    move_subscription(unusable->first, *other);
  }
}

void SequencerClient::Impl::move_subscription(ConnectionIndex from, ConnectionIndex to) {
  const protocol::Member left_behind = subscriptions_.at(from).sequencer;
  const protocol::Member sequencer = *pool_.sequencer_of(to);
  log::info("sequencer-client", "{} moves its subscription from {} to {}", parts_->member.to_string(),
            left_behind.to_string(), sequencer.to_string());
  subscriptions_.erase(from);
  validator_->unsubscribed(left_behind);
  connections_[from]->unsubscribe();
  start_subscription(to, sequencer);
}

void SequencerClient::Impl::consider_return() {
  const auto fallback = std::find_if(subscriptions_.begin(), subscriptions_.end(),
                                     [&](const auto& s) { return pool_.is_fallback(s.first); });
  std::set<protocol::Member> subscribed;
  for (const auto& [index, subscription] : subscriptions_) subscribed.insert(subscription.sequencer);
  const auto preferred = fallback == subscriptions_.end() ? std::nullopt : pool_.pick_preferred(subscribed);
  if (!preferred) {
    preferred_since_.reset();
    return;
  }
  if (!preferred_since_) {
    preferred_since_ = mono();
    after(config_->return_delay, [this] { consider_return(); });
  }
  const std::int64_t left = *preferred_since_ + config_->return_delay.micros - mono();
  if (left > 0) return;
  preferred_since_.reset();
  move_subscription(fallback->first, *preferred);
  consider_return();  // another subscription may be at a fallback, too
}

void SequencerClient::Impl::start_subscription(ConnectionIndex index, const protocol::Member& sequencer) {
  subscriptions_[index] = {sequencer};
  validator_->subscribed(sequencer);
  const auto weak = weak_from_this();
  const auto from = validator_->resume_timestamp();
  log::debug("sequencer-client", "{} subscribes at {} from {}", parts_->member.to_string(), sequencer.to_string(),
             from ? from->to_string() : "the beginning");
  SubscriptionHandlers handlers;
  handlers.on_event = [weak, index](Bytes bytes, std::string traceparent, std::size_t credit) {
    if (auto self = weak.lock(); self && !self->stopped_)
      self->received(index, std::move(bytes), std::move(traceparent), credit);
  };
  // Asynchronous even when the connection fails at once: subscriptions_ is being walked.
  handlers.on_end = [weak, index](const Error& error) {
    auto self = weak.lock();
    if (!self || self->stopped_) return;
    self->after({}, [weak, index, error] {
      if (auto alive = weak.lock()) alive->subscription_ended(index, error, false);
    });
  };
  connections_[index]->subscribe(from, std::move(handlers));
}

void SequencerClient::Impl::subscription_ended(ConnectionIndex index, const Error& error, bool faulty) {
  const auto it = subscriptions_.find(index);
  if (it == subscriptions_.end()) return;
  const protocol::Member sequencer = it->second.sequencer;
  subscriptions_.erase(it);
  validator_->unsubscribed(sequencer);
  connections_[index]->unsubscribe();
  if (faulty) {
    log::alarm("sequencer-client", "{} delivers what cannot be right: {}", sequencer.to_string(), error.to_string());
  } else {
    log::debug("sequencer-client", "Subscription at {} ended: {}", sequencer.to_string(), error.to_string());
  }
  if (!pool_.is_fallback(index)) preferred_since_.reset();  // it has just shown that it is not well
  Backoff& backoff = backoff_[index];
  backoff.delay = faulty ? config_->max_restart_delay
                         : std::clamp(backoff.delay * 2, config_->min_restart_delay, config_->max_restart_delay);
  backoff.until = mono() + backoff.delay.micros;
  ensure_subscriptions();
  // With nobody else to turn to, a fork cannot be healed by waiting.
  if (faulty && subscriptions_.empty() && error.id == "SEQUENCER_FORK_DETECTED") fatal(error);
}

void SequencerClient::Impl::received(ConnectionIndex index, Bytes bytes, std::string traceparent, std::size_t credit) {
  const auto subscription = subscriptions_.find(index);
  if (subscription == subscriptions_.end()) return;
  backoff_.erase(index);
  protocol::BatchLimits limits;
  auto event = ReceivedEvent::parse(bytes, limits);
  if (!event) return subscription_ended(index, event.error(), true);
  event->traceparent = std::move(traceparent);
  event->bytes = credit;
  const protocol::Member sequencer = subscription->second.sequencer;
  const auto taken = validator_->add(sequencer, std::move(*event));
  if (!taken) return subscription_ended(index, taken.error(), true);
  if (taken->released > 0) release(sequencer, taken->released);
  deliver_ready();
}

void SequencerClient::Impl::deliver_ready() {
  if (delivering_) return;  // a handler has called back into the client
  delivering_ = true;
  const auto keep = shared_from_this();
  const auto check = [this](const protocol::Member& sequencer, const ReceivedEvent& event) {
    return handlers_.snapshot_at(event.event.timestamp)
        .verify(sequencer, crypto::KeyUsage::protocol, event.hash, event.content.signatures.front());
  };
  for (;;) {
    EventValidator::Step step = validator_->next(check);
    for (const auto& fault : step.faults) {
      const auto it = std::find_if(subscriptions_.begin(), subscriptions_.end(),
                                   [&](const auto& s) { return s.second.sequencer == fault.sequencer; });
      if (it != subscriptions_.end()) subscription_ended(it->first, fault.error, true);
      if (stopped_) return;
    }
    if (!step.deliver) break;
    unprocessed_.push_back({step.deliver->event.timestamp, std::move(step.released)});
    deliver(std::move(*step.deliver));
    if (stopped_) return;
  }
  delivering_ = false;
}

void SequencerClient::Impl::deliver(ReceivedEvent event) {
  last_delivered_ = event.event.timestamp;
  last_event_at_ = mono();
  observe(event.event);
  if (stopped_) return;
  const log::TraceScope trace(log::trace_id_of(event.traceparent));
  handlers_.on_event({std::move(event.event), event.hash, std::move(event.traceparent), event.bytes});
}

void SequencerClient::Impl::release(const protocol::Member& sequencer, std::size_t credit) {
  for (const auto& [index, subscription] : subscriptions_) {
    if (subscription.sequencer == sequencer) connections_[index]->consumed(credit);
  }
}

void SequencerClient::Impl::processed(Timestamp timestamp) {
  if (stopped_ || (processed_ && timestamp <= *processed_)) return;
  processed_ = timestamp;
  while (!unprocessed_.empty() && unprocessed_.front().timestamp <= timestamp) {
    for (const auto& [sequencer, credit] : unprocessed_.front().credits) release(sequencer, credit);
    unprocessed_.pop_front();
  }
}

void SequencerClient::Impl::acknowledge_later() {
  after(config_->acknowledge_interval, [this] {
    acknowledge();
    tick_if_quiet();
    acknowledge_later();
  });
}

void SequencerClient::Impl::acknowledge() {
  if (!processed_ || processed_ == acknowledged_) return;
  const auto connection = pool_.pick({});
  if (!connection) return;  // next time
  const Timestamp timestamp = *processed_;
  const auto key = protocol_key(*parts_->keys, parts_->member, handlers_.snapshot_at(timestamp));
  if (!key) {
    log::info("sequencer-client", "Cannot acknowledge: {}", key.error().to_string());
    return;
  }
  connections_[*connection]->acknowledge(signed_acknowledgement(parts_->member, timestamp, *key),
                                         [this, timestamp](Status done) {
                                           if (done) {
                                             acknowledged_ = timestamp;
                                           } else {
                                             log::info("sequencer-client", "Acknowledgement of {} failed: {}",
                                                       timestamp.to_string(), done.error().to_string());
                                           }
                                         });
}

}  // namespace synod::sequencer::client
