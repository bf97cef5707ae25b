#include "sequencer/client/send_tracker.h"

#include <algorithm>

namespace synod::sequencer::client {

Refusal classify_refusal(const Error& error) {
  switch (error.category) {
    case ErrorCategory::transient_server_failure:
    case ErrorCategory::contention_on_shared_resources:  // overloaded
    case ErrorCategory::deadline_exceeded_state_unknown:
    case ErrorCategory::authentication:  // a token can be had again
    case ErrorCategory::internal:
      return Refusal::try_next;
    default:
      // A sequencer that lags thinks that max sequencing times of now are far in the future.
      return is_too_far(error) ? Refusal::try_next : Refusal::final_;
  }
}

bool is_too_far(const Error& error) {
  return error.id.find("MAX_SEQUENCING_TIME_TOO_FAR") != std::string::npos ||
         error.cause.find("is too far in the future") != std::string::npos;
}

Status SendTracker::add(const std::string& message_id, Timestamp max_sequencing_time, bool amplify, std::int64_t now) {
  if (pending_.size() >= limits_.max_pending) {
    return fail({"SUBMISSION_QUEUE_FULL", ErrorCategory::contention_on_shared_resources,
                 std::to_string(pending_.size()) + " submissions wait for their receipts"});
  }
  const auto [it, fresh] = pending_.try_emplace(message_id);
  if (!fresh) {
    return fail(invalid_argument("DUPLICATE_MESSAGE_ID", "Message id " + message_id + " is already under way"));
  }
  it->second.max_sequencing_time = max_sequencing_time;
  it->second.amplify = amplify;
  by_deadline_.emplace(max_sequencing_time, message_id);
  set_due(message_id, it->second, now);
  return {};
}

std::vector<std::string> SendTracker::due(std::int64_t now) const {
  std::vector<std::string> out;
  for (const auto& [when, message_id] : by_due_) {
    if (when > now) break;
    out.push_back(message_id);
  }
  return out;
}

std::set<protocol::Member> SendTracker::excluded(const std::string& message_id) const {
  const auto it = pending_.find(message_id);
  return it == pending_.end() ? std::set<protocol::Member>() : it->second.tried;
}

std::set<ConnectionIndex> SendTracker::debtors(const std::string& message_id) const {
  const auto it = pending_.find(message_id);
  if (it == pending_.end()) return {};
  std::set<ConnectionIndex> result = it->second.holders;
  result.insert(it->second.in_flight.begin(), it->second.in_flight.end());
  return result;
}

void SendTracker::started(const std::string& message_id, ConnectionIndex connection, const protocol::Member& sequencer,
                          std::int64_t now) {
  const auto it = pending_.find(message_id);
  if (it == pending_.end()) return;
  Pending& pending = it->second;
  pending.tried.insert(sequencer);
  pending.in_flight.insert(connection);
  // Patience also covers a sequencer that neither answers nor goes away.
  const bool another =
      pending.amplify && pending.in_flight.size() + pending.holders.size() < limits_.amplification.factor;
  set_due(message_id, pending, another ? std::optional(now + limits_.amplification.patience.micros) : std::nullopt);
}

std::optional<Completion> SendTracker::no_connection(const std::string& message_id, std::int64_t now) {
  const auto it = pending_.find(message_id);
  if (it == pending_.end()) return std::nullopt;
  Pending& pending = it->second;
  if (!pending.amplify && !pending.accepted_ever && pending.in_flight.empty() && pending.failures == 0) {
    // Nothing has been sent yet: waiting for a connection cannot repeat anything.
    pending.failures++;
    set_due(message_id, pending, now + retry_delay(3));
    return std::nullopt;
  }
  if (!pending.amplify && pending.in_flight.empty() && !pending.accepted_ever) {
    Completion completion{message_id, fail(unavailable("SEQUENCER_NOT_CONNECTED", "No sequencer can be reached"))};
    erase(message_id);
    return completion;
  }
  pending.tried.clear();  // all have been asked: begin again
  if (!pending.holders.empty() || !pending.in_flight.empty()) {
    set_due(message_id, pending, std::nullopt);  // somebody has it; its loss makes this due again
  } else {
    set_due(message_id, pending, now + retry_delay(pending.failures++));
  }
  return std::nullopt;
}

void SendTracker::once_only(const std::string& message_id, std::int64_t now) {
  const auto it = pending_.find(message_id);
  if (it == pending_.end()) return;
  it->second.amplify = false;
  it->second.tried.clear();
  it->second.failures = 0;
  set_due(message_id, it->second, now);
}

Completion SendTracker::failed(const std::string& message_id, const Error& error) {
  erase(message_id);
  return {message_id, fail(error)};
}

void SendTracker::accepted(const std::string& message_id, ConnectionIndex connection) {
  const auto it = pending_.find(message_id);
  if (it == pending_.end()) return;
  Pending& pending = it->second;
  if (const auto at = pending.in_flight.find(connection); at != pending.in_flight.end()) pending.in_flight.erase(at);
  pending.accepted_ever = true;
  pending.holders.insert(connection);
  pending.failures = 0;
}

std::optional<Completion> SendTracker::refused(const std::string& message_id, ConnectionIndex connection,
                                               const Error& error, std::int64_t now) {
  const auto it = pending_.find(message_id);
  if (it == pending_.end()) return std::nullopt;
  Pending& pending = it->second;
  if (const auto at = pending.in_flight.find(connection); at != pending.in_flight.end()) pending.in_flight.erase(at);
  if (classify_refusal(error) == Refusal::try_next && pending.amplify) {
    set_due(message_id, pending, now);  // the next sequencer at once; no_connection() slows down when all were tried
    return std::nullopt;
  }
  if (pending.accepted_ever || !pending.in_flight.empty()) return std::nullopt;  // another one has it
  Completion completion{message_id, fail(error)};
  erase(message_id);
  return completion;
}

std::vector<Completion> SendTracker::connection_lost(ConnectionIndex connection, std::int64_t now) {
  std::vector<Completion> out;
  for (auto& [message_id, pending] : pending_) {
    if (pending.holders.erase(connection) == 0 || !pending.holders.empty() || !pending.in_flight.empty()) continue;
    if (pending.amplify) {
      set_due(message_id, pending, now);
    } else if (pending.max_sequencing_time == Timestamp::max()) {
      out.push_back({message_id, fail(unavailable("SEQUENCER_NOT_CONNECTED", "The sequencer that took it is gone"))});
    }
  }
  for (const Completion& completion : out) erase(completion.message_id);
  return out;
}

std::vector<Completion> SendTracker::observed(const std::optional<std::string>& message_id, Timestamp timestamp,
                                              const std::optional<Error>& rejection) {
  std::vector<Completion> out;
  if (message_id && pending_.contains(*message_id)) {
    if (rejection) {
      out.push_back({*message_id, fail(*rejection)});
    } else {
      out.push_back({*message_id, timestamp});
    }
    erase(*message_id);
  }
  while (!by_deadline_.empty() && by_deadline_.begin()->first < timestamp) {
    const std::string expired = by_deadline_.begin()->second;
    out.push_back({expired, fail(Error("SEQUENCER_SUBMISSION_TIMED_OUT", ErrorCategory::contention_on_shared_resources,
                                       "Not sequenced until " + by_deadline_.begin()->first.to_string())
                                     .with("observed_time", timestamp.to_string()))});
    erase(expired);
  }
  return out;
}

std::optional<std::int64_t> SendTracker::next_due() const {
  if (by_due_.empty()) return std::nullopt;
  return by_due_.begin()->first;
}

std::optional<Timestamp> SendTracker::earliest_deadline() const {
  if (by_deadline_.empty()) return std::nullopt;
  return by_deadline_.begin()->first;
}

void SendTracker::set_due(const std::string& message_id, Pending& pending, std::optional<std::int64_t> due) {
  if (pending.due) by_due_.erase({*pending.due, message_id});
  pending.due = due;
  if (due) by_due_.emplace(*due, message_id);
}

void SendTracker::erase(const std::string& message_id) {
  const auto it = pending_.find(message_id);
  by_deadline_.erase({it->second.max_sequencing_time, message_id});
  if (it->second.due) by_due_.erase({*it->second.due, message_id});
  pending_.erase(it);
}

std::int64_t SendTracker::retry_delay(std::uint32_t failures) const {
  return std::min(limits_.min_retry_delay.micros << std::min<std::uint32_t>(failures, 20),
                  limits_.max_retry_delay.micros);
}

}  // namespace synod::sequencer::client
