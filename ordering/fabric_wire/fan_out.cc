#include "ordering/fabric_wire/fan_out.h"

namespace synod::ordering::fabric_wire {
namespace {

// One envelope's answers.
struct Poll {
  std::mutex mutex;
  std::size_t accepted = 0, unknown = 0, invalid = 0, answered = 0;
  std::optional<Error> error;              // of the first refusal; one for the envelope's own fault goes before others
  std::function<void(SubmitResult)> done;  // empty once called
};

// Whether every correct orderer would refuse the envelope, now and later.
bool for_good(const Error& error) { return error.category != ErrorCategory::transient_server_failure; }

std::optional<SubmitResult> verdict(const Poll& poll, std::size_t orderers, std::size_t needed) {
  if (poll.accepted >= needed) return SubmitResult{};
  if (poll.invalid >= needed) return SubmitResult{SubmitOutcome::refused, poll.error};
  if (poll.answered < orderers) return std::nullopt;
  // Too few took it; those who did, or may have, may still get it ordered.
  const bool nobody = poll.accepted == 0 && poll.unknown == 0;
  return SubmitResult{nobody ? SubmitOutcome::refused : SubmitOutcome::unknown,
                      poll.error ? poll.error : unavailable("ORDERING_UNAVAILABLE", "too few orderers answered")};
}

}  // namespace

FanOut::FanOut(const std::shared_ptr<Link>& link, std::size_t accepts_needed) : accepts_needed_(accepts_needed) {
  for (std::size_t i = 0; i < link->config.endpoints.size(); ++i)
    submitters_.push_back(std::make_shared<Submitter>(link, i));
}

void FanOut::start() {
  for (const auto& submitter : submitters_) submitter->start();
}

void FanOut::submit(grpc::ByteBuffer envelope, std::size_t bytes, std::function<void(SubmitResult)> done) {
  auto poll = std::make_shared<Poll>();
  poll->done = std::move(done);
  const std::size_t orderers = submitters_.size(), needed = accepts_needed_;
  ++*undecided_;
  for (const auto& submitter : submitters_)
    submitter->submit(envelope, bytes, [poll, orderers, needed, undecided = undecided_](SubmitResult result) {
      std::function<void(SubmitResult)> tell;
      std::optional<SubmitResult> outcome;
      {
        std::lock_guard lock(poll->mutex);
        ++poll->answered;
        poll->accepted += result.outcome == SubmitOutcome::accepted;
        poll->unknown += result.outcome == SubmitOutcome::unknown;
        const bool invalid = result.outcome == SubmitOutcome::refused && result.error && for_good(*result.error);
        poll->invalid += invalid;
        if (result.error && (!poll->error || (invalid && !for_good(*poll->error)))) poll->error = result.error;
        outcome = verdict(*poll, orderers, needed);
        if (outcome && poll->done) tell.swap(poll->done);
      }
      if (!tell) return;
      --*undecided;
      tell(std::move(*outcome));
    });
}

void FanOut::stop() {
  for (const auto& submitter : submitters_) submitter->stop();
}

void FanOut::describe(Health& health) const {
  std::size_t ready = 0;
  std::optional<Health> worst;
  for (const auto& submitter : submitters_) {
    Health one;
    submitter->describe(one);
    if (one.state == Health::State::ready)
      ++ready;
    else if (!worst || one.state == Health::State::stopped)
      worst = one;
  }
  health.pending_submissions = *undecided_;
  if (ready >= accepts_needed_) {
    health.state = Health::State::ready;
  } else if (worst) {
    health.state = worst->state;
    if (!worst->last_error.empty()) health.last_error = worst->last_error;
  }
}

}  // namespace synod::ordering::fabric_wire
