#include "sequencer/writer.h"

#include <algorithm>

#include "base/log.h"
#include "sequencer/deliver_error.h"

namespace synod::sequencer {
namespace {

constexpr Duration kLongestRetryDelay = Duration::seconds(2);
constexpr int kPatienceGrowth = 16;
constexpr std::size_t kMostArrivals = 10'000;
constexpr std::uint64_t kApart = 1'000'000;  // from numbers of an earlier life: more than it had on their way

}  // namespace

Writer::Writer(WriterConfig config, protocol::PhysicalSynchronizerId synchronizer, protocol::Member self,
               SequenceNumber first, SignHash sign)
    : config_(config),
      synchronizer_(std::move(synchronizer)),
      self_(std::move(self)),
      next_(first),
      sign_(std::move(sign)) {}

SequenceNumber Writer::first_number(std::optional<SequenceNumber> latest, Timestamp now) {
  const auto by_clock = static_cast<std::uint64_t>(std::max<std::int64_t>(1, now.micros));
  return SequenceNumber(std::max(latest ? latest->value + kApart : 1, by_clock));
}

Writer::Effects Writer::begin(Timestamp now) {
  held_ = false;
  Effects effects;
  seal_waiting(now, effects);
  return finish(std::move(effects), now);
}

Result<Writer::Effects> Writer::accept(SealedEntry entry, Timestamp now) {
  if (waiting_bytes_ + entry.bytes() > config_.max_waiting_bytes) {
    return fail(overloaded("Too many requests wait for the ordering service: " + std::to_string(waiting_bytes_) +
                           " bytes. Retry later or through another sequencer."));
  }
  waiting_bytes_ += entry.bytes();
  waiting_.push_back(std::move(entry));
  arrivals_.push_back(now);
  if (arrivals_.size() > std::min(config_.busy_requests, kMostArrivals)) arrivals_.pop_front();
  Effects effects;
  seal_waiting(now, effects);
  return finish(std::move(effects), now);
}

Writer::Effects Writer::tick(Timestamp now) {
  Effects effects;
  if (waiting_.empty() && submissions_outstanding() == 0) {
    waiting_.push_back(SealedEntry{TickEntry{}, ""});
    waiting_bytes_ += waiting_.back().bytes();
    seal_waiting(now, effects);
  }
  return finish(std::move(effects), now);
}

Writer::Effects Writer::on_submitted(SequenceNumber number, ordering::SubmitOutcome outcome, bool worth_another_attempt,
                                     Timestamp now) {
  Effects effects;
  if (const auto sealed = unordered_.find(number); sealed != unordered_.end()) {
    Sealed& batch = sealed->second;
    batch.in_submission = false;
    batch.accepted = outcome == ordering::SubmitOutcome::accepted;
    batch.missing_after.reset();
    if (batch.accepted) {
      batch.delay = config_.retry_delay;
      batch.due = now + batch.patience;
      batch.patience = std::min(batch.patience * 2, config_.resubmit_after * kPatienceGrowth);
    } else if (outcome == ordering::SubmitOutcome::refused && !worth_another_attempt) {
      log::error("sequencer", "the ordering service refuses batch {} for good; its requests are lost", number.value);
      unordered_.erase(sealed);
    } else {
      batch.due = now + batch.delay;
      batch.delay = std::min(batch.delay * 2, kLongestRetryDelay);
    }
  }
  seal_waiting(now, effects);
  return finish(std::move(effects), now);
}

Writer::Effects Writer::on_ordered(SequenceNumber number, Timestamp now) {
  unordered_.erase(number);
  if (number >= next_) next_ = SequenceNumber(number.value + kApart);
  Effects effects;
  seal_waiting(now, effects);
  return finish(std::move(effects), now);
}

Writer::Effects Writer::on_time(Timestamp now, ordering::Height head) {
  Effects effects;
  for (auto& [number, batch] : unordered_) {
    if (batch.in_submission || batch.due > now) continue;
    if (batch.accepted) {
      if (!batch.missing_after) batch.missing_after = head;
      if (seen_height_ < *batch.missing_after) {
        batch.due = now + config_.retry_delay;
        continue;
      }
    }
    batch.in_submission = true;
    effects.submit.push_back(Submit{number, batch.record});
  }
  seal_waiting(now, effects);
  return finish(std::move(effects), now);
}

std::size_t Writer::submissions_outstanding() const {
  return static_cast<std::size_t>(std::count_if(unordered_.begin(), unordered_.end(),
                                                [](const auto& entry) { return entry.second.in_submission; }));
}

// The clock may have been set back meanwhile: then nobody waits.
std::optional<Timestamp> Writer::gathering_ends(Timestamp now) const {
  const bool busy = !arrivals_.empty() && arrivals_.size() >= config_.busy_requests &&
                    arrivals_.back() - arrivals_.front() <= config_.busy_time;
  if (!busy || now < last_sealed_ || now >= last_sealed_ + config_.gather_time) return std::nullopt;
  return last_sealed_ + config_.gather_time;
}

bool Writer::handed_over() const {
  return waiting_.empty() &&
         std::all_of(unordered_.begin(), unordered_.end(), [](const auto& batch) { return batch.second.accepted; });
}

bool Writer::may_seal(Timestamp now) const {
  if (held_ || waiting_.empty() || submissions_outstanding() >= config_.max_submissions) return false;
  if (waiting_bytes_ >= config_.max_batch_bytes) return unordered_.size() < config_.max_unordered_batches;
  if (gathering_ends(now)) return false;
  return unordered_.size() < std::min(config_.eager_batches, config_.max_unordered_batches);
}

void Writer::seal_waiting(Timestamp now, Effects& effects) {
  while (may_seal(now)) {
    last_sealed_ = now;
    SealedBatch batch;
    batch.synchronizer = synchronizer_;
    batch.sequencer = self_;
    batch.number = next_;
    batch.proposed_time = now;
    batch.seen_height = seen_height_;
    batch.seen_state = seen_state_;
    std::size_t bytes = 0;
    while (!waiting_.empty() &&
           (batch.entries.empty() || bytes + waiting_.front().bytes() <= config_.max_batch_bytes)) {
      bytes += waiting_.front().bytes();
      batch.entries.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
    waiting_bytes_ -= bytes;
    next_ = next_.next();
    auto record = seal(batch, sign_);
    if (!record) {
      ++failed_to_seal_;
      log::error("sequencer", "batch {} cannot be signed, its requests are lost: {}", batch.number.value,
                 record.error().to_string());
      continue;
    }
    Sealed& sealed = unordered_[batch.number];
    sealed.record = *record;
    sealed.in_submission = true;
    sealed.delay = config_.retry_delay;
    sealed.patience = config_.resubmit_after;
    effects.submit.push_back(Submit{batch.number, std::move(*record)});
  }
}

Writer::Effects Writer::finish(Effects effects, Timestamp now) const {
  for (const auto& [number, batch] : unordered_) {
    if (batch.in_submission) continue;
    if (!effects.call_again_at || batch.due < *effects.call_again_at) effects.call_again_at = batch.due;
  }
  const auto gathered = waiting_.empty() ? std::nullopt : gathering_ends(now);
  if (gathered && (!effects.call_again_at || *gathered < *effects.call_again_at)) effects.call_again_at = gathered;
  return effects;
}

}  // namespace synod::sequencer
