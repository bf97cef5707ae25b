// Submissions on their way, and ticks: empty submissions that make time visible.
#include <grpcpp/support/status.h>

#include <algorithm>

#include "base/log.h"
#include "rpc/error_status.h"
#include "sequencer/client/client_impl.h"
#include "sequencer/client/requests.h"

namespace synod::sequencer::client {
namespace {

// Sequencers refuse to aggregate for longer than a parameter says, by default six minutes; clocks differ a little.
constexpr Duration aggregation_safety = Duration::seconds(30);

Error rejection_error(const protocol::DeliverError& rejection, Timestamp timestamp) {
  Error error = rpc::from_grpc_status({static_cast<grpc::StatusCode>(rejection.code), rejection.message});
  return std::move(error).with("sequencing_time", timestamp.to_string());
}

}  // namespace

void SequencerClient::Impl::send(protocol::Submission submission, SendOptions options, SendCallback done) {
  if (stopped_) return;
  const std::string message_id = submission.message_id;
  const auto refuse = [&](const Error& error) { after({}, [done, error] { done(fail(error)); }); };

  const auto last = last_timestamp();
  const auto snapshot = handlers_.snapshot_at(last.value_or(parts_->clock->now()).next());
  const auto key = protocol_key(*parts_->keys, parts_->member, snapshot);
  if (!key) return refuse(key.error());
  const Timestamp aggregation_limit =
      now() + snapshot.dynamic_parameters().sequencer_aggregate_submission_timeout - aggregation_safety;
  const bool repeatable = options.amplify && submission.max_sequencing_time <= aggregation_limit;

  const bool own_rule = submission.aggregation_rule.has_value();
  const auto request = make_request(parts_->member, std::move(submission), repeatable);
  if (Status added = tracker_.add(message_id, request.max_sequencing_time, repeatable, mono()); !added) {
    return refuse(added.error());
  }
  std::optional<Timestamp> signing_time;
  if (last) signing_time = last->next();
  sends_[message_id] = {signed_submission(request, *key, signing_time), std::move(options.traceparent), std::move(done),
                        repeatable && !own_rule};
  want_authentication();
  pump_sends();
  schedule_tick();
}

void SequencerClient::Impl::pump_sends() {
  if (pumping_ || stopped_ || !connected_) return;
  pumping_ = true;
  std::vector<Completion> completions;
  for (const std::string& message_id : tracker_.due(mono())) {
    probe_silent(message_id);
    if (const auto connection = pool_.pick(tracker_.excluded(message_id))) {
      attempt(message_id, *connection);
    } else if (const PendingSend& pending = sends_.at(message_id); pending.too_far && !pending.otherwise) {
      if (const Status once_more = give_up_repeating(message_id); !once_more)
        completions.push_back(tracker_.failed(message_id, once_more.error()));
    } else if (auto completion = tracker_.no_connection(message_id, mono())) {
      completions.push_back(std::move(*completion));
    }
  }
  pumping_ = false;
  if (const auto due = tracker_.next_due(); due && (!pump_timer_at_ || *due < *pump_timer_at_)) {
    pump_timer_at_ = due;
    after(Duration::microseconds(std::max<std::int64_t>(*due - mono(), 0)), [this, at = *due] {
      if (pump_timer_at_ == at) pump_timer_at_.reset();
      pump_sends();
    });
  }
  complete(std::move(completions));
}

void SequencerClient::Impl::probe_silent(const std::string& message_id) {
  const auto debtors = tracker_.debtors(message_id);
  if (debtors.empty()) return;
  for (const ConnectionIndex index : debtors) connections_[index]->probe();
  for (const auto& [index, subscription] : subscriptions_) connections_[index]->probe();
}

void SequencerClient::Impl::attempt(const std::string& message_id, ConnectionIndex connection) {
  PendingSend& pending = sends_.at(message_id);
  if (!pending.sent) pending.sent.emplace(parts_->clock->now(), mono());
  tracker_.started(message_id, connection, *pool_.sequencer_of(connection), mono());
  connections_[connection]->send(
      pending.signed_request, pending.traceparent, [this, message_id, connection](Status result) {
        if (const auto it = sends_.find(message_id); it != sends_.end()) {
          const bool too_far = !result && is_too_far(result.error()) && it->second.deduplicated;
          (too_far ? it->second.too_far : it->second.otherwise) = true;
        }
        if (result) {
          tracker_.accepted(message_id, connection);
          if (!pool_.usable(connection))
            complete(tracker_.connection_lost(connection, mono()));  // it ended before this answer
          if (stopped_) return;
        } else {
          log::debug("sequencer-client", "Submission {} was not taken: {}", message_id, result.error().to_string());
          std::vector<Completion> completions;
          if (auto completion = tracker_.refused(message_id, connection, result.error(), mono())) {
            completions.push_back(std::move(*completion));
          }
          complete(std::move(completions));
          if (stopped_) return;
        }
        pump_sends();
      });
}

// Without the rule no sequencer minds how far away the max sequencing time is. That it was too far for all of them
// shows that this machine's clock is ahead, and the receipt will show by how much.
Status SequencerClient::Impl::give_up_repeating(const std::string& message_id) {
  PendingSend& pending = sends_.at(message_id);
  SYNOD_TRY(auto request, request_of(pending.signed_request));
  const auto last = last_timestamp();
  const auto snapshot = handlers_.snapshot_at(last.value_or(parts_->clock->now()).next());
  SYNOD_TRY(const auto key, protocol_key(*parts_->keys, parts_->member, snapshot));
  request.aggregation_rule.reset();
  std::optional<Timestamp> signing_time;
  if (last) signing_time = last->next();
  pending.signed_request = signed_submission(request, key, signing_time);
  pending.deduplicated = pending.too_far = false;
  tracker_.once_only(message_id, mono());
  log::info("sequencer-client",
            "{}: its max sequencing time {} is further away than the sequencers allow for what may be repeated, so it "
            "is sent once",
            message_id, request.max_sequencing_time.to_string());
  return {};
}

void SequencerClient::Impl::complete(std::vector<Completion> completions) {
  for (Completion& completion : completions) {
    if (tick_in_flight_ == completion.message_id) tick_in_flight_.reset();
    const auto it = sends_.find(completion.message_id);
    if (it == sends_.end()) continue;
    SendCallback done = std::move(it->second.done);
    sends_.erase(it);
    if (done) done(std::move(completion.result));
    if (stopped_) return;
  }
}

void SequencerClient::Impl::observe(const protocol::SequencedEvent& event) {
  while (!awaited_.empty() && *awaited_.begin() <= event.timestamp) awaited_.erase(awaited_.begin());
  if (const auto own = event.message_id ? sends_.find(*event.message_id) : sends_.end();
      own != sends_.end() && own->second.sent) {
    const bool was_ahead = clock_.ahead().has_value();
    clock_.receipt(event.timestamp, own->second.sent->first, own->second.sent->second);
    if (clock_.ahead() && !was_ahead)
      log::info("sequencer-client", "the clock of this machine is {} s ahead of the synchronizer's time, which is used",
                clock_.ahead()->micros / 1'000'000);
  }
  std::optional<Error> rejection;
  if (event.error) rejection = rejection_error(*event.error, event.timestamp);
  complete(tracker_.observed(event.message_id, event.timestamp, rejection));
}

void SequencerClient::Impl::await_time(Timestamp timestamp) {
  if (const auto last = last_timestamp(); last && timestamp <= *last) return;
  awaited_.insert(timestamp);
  schedule_tick();
}

std::optional<Timestamp> SequencerClient::Impl::awaited() const {
  std::optional<Timestamp> earliest;
  if (!awaited_.empty()) earliest = *awaited_.begin();
  const auto deadline = tracker_.earliest_deadline();
  if (deadline && *deadline < Timestamp::max()) {
    const Timestamp after_deadline = deadline->next();
    if (!earliest || after_deadline < *earliest) earliest = after_deadline;
  }
  return earliest;
}

void SequencerClient::Impl::schedule_tick() {
  const auto earliest = awaited();
  if (!earliest || !subscribed_) return;
  const Duration wait = *earliest - now() + config_->tick_delay;
  const std::int64_t at = mono() + std::max(wait, config_->tick_delay).micros;
  if (tick_timer_at_ && *tick_timer_at_ <= at) return;
  tick_timer_at_ = at;
  after(Duration::microseconds(at - mono()), [this, at] {
    if (tick_timer_at_ != at) return;
    tick_timer_at_.reset();
    tick_if_needed();
    schedule_tick();
  });
}

void SequencerClient::Impl::tick_if_needed() {
  const auto earliest = awaited();
  if (!earliest || *earliest + config_->tick_delay > now() || tick_in_flight_) return;
  tick();
}

void SequencerClient::Impl::tick_if_quiet() {
  if (tick_in_flight_ || mono() - last_event_at_ < config_->quiet_interval.micros) return;
  tick();
}

void SequencerClient::Impl::tick() {
  protocol::Submission tick;
  tick.message_id = "tick-" + parts_->random->uuid();
  tick.max_sequencing_time = Timestamp::max();
  tick_in_flight_ = tick.message_id;
  send(std::move(tick), {.amplify = false}, [this](Result<Timestamp> result) {
    tick_in_flight_.reset();
    if (!result) log::debug("sequencer-client", "A tick failed: {}", result.error().to_string());
  });
}

}  // namespace synod::sequencer::client
