#include "ordering/fabric_wire/submitter.h"

#include <iterator>
#include <utility>

#include "base/log.h"
#include "ordering/fabric_wire/envelope.h"

namespace synod::ordering::fabric_wire {
namespace {

// Our engine begins its text with an error id; of others the status decides.
SubmitResult interpret(const orderer::BroadcastResponse& response) {
  const std::string& info = response.info();
  const auto starts = [&](const char* id) { return info.rfind(std::string(id) + ":", 0) == 0; };
  switch (response.status()) {
    case common::SUCCESS:
      return {};
    case common::BAD_REQUEST:
    case common::NOT_FOUND:
      return {SubmitOutcome::refused, invalid_argument("ORDERING_REFUSED", info)};
    case common::FORBIDDEN:
      return {SubmitOutcome::refused, Error("ORDERING_NOT_AUTHORIZED", ErrorCategory::permission, info)};
    case common::REQUEST_ENTITY_TOO_LARGE:
      return {SubmitOutcome::refused, invalid_argument("ORDERING_RECORD_TOO_LARGE", info)};
    case common::SERVICE_UNAVAILABLE:
      return {SubmitOutcome::refused,
              unavailable(starts("ORDERING_OVERLOADED") ? "ORDERING_OVERLOADED" : "ORDERING_UNAVAILABLE", info)};
    default:
      return {SubmitOutcome::unknown, unavailable("ORDERING_UNAVAILABLE", info)};
  }
}

// What an orderer means that does not tell its newest block.
Error no_answer(common::Status status, const std::string& channel) {
  if (status == common::FORBIDDEN)
    return {"ORDERING_NOT_AUTHORIZED", ErrorCategory::permission,
            "the orderer does not let us read channel " + channel};
  if (status == common::NOT_FOUND)
    return unavailable("ORDERING_UNAVAILABLE", "the orderer does not serve channel " + channel);
  return unavailable("ORDERING_UNAVAILABLE", "the orderer answers " + common::Status_Name(status));
}

// SmartBFT's pool refuses a request that another orderer has passed on to it, or that is ordered (requestpool.go).
bool already_known(const orderer::BroadcastResponse& response) {
  const auto says = [&](const char* text) { return response.info().find(text) != std::string::npos; };
  return response.status() == common::SERVICE_UNAVAILABLE &&
         (says("request already exists") || says("request already processed"));
}

SubmitResult refused(const char* id, std::string cause) {
  return {SubmitOutcome::refused, unavailable(id, std::move(cause))};
}
SubmitResult unknown(std::string cause) {
  return {SubmitOutcome::unknown, unavailable("ORDERING_UNAVAILABLE", std::move(cause))};
}

}  // namespace

void Submitter::run(Completions completions) {
  for (auto& [done, result] : completions) done(std::move(result));
}

// Under the lock.
void Submitter::complete(Pending pending, SubmitResult result, Completions& completions) {
  pending_bytes_ -= pending.bytes;
  completions.emplace_back(std::move(pending.done), std::move(result));
}

void Submitter::submit(grpc::ByteBuffer envelope, std::size_t bytes, std::function<void(SubmitResult)> done) {
  std::optional<SubmitResult> refusal;
  {
    std::lock_guard lock(mutex_);
    if (stopped_) refusal = refused("ORDERING_UNAVAILABLE", "the ordering client has stopped");
    if (!refusal && pending_bytes_ + bytes > link_->config.max_pending_bytes)
      refusal = refused("ORDERING_OVERLOADED", "too many records are waiting to be ordered");
    if (!refusal) {
      pending_bytes_ += bytes;
      waiting_.push_back({std::move(envelope), bytes,
                          link_->clock->monotonic_micros() + link_->config.submit_timeout.micros, std::move(done)});
      arm_timer();
      pump();
    }
  }
  if (refusal) done(std::move(*refusal));
}

// First asks for the newest block. The answer tells the head before anybody subscribes, and that the connection stands:
// only then the Broadcast stream is opened, so a record that still waits has certainly not been sent.
void Submitter::connect() {
  std::lock_guard lock(mutex_);
  if (stopped_ || stream_) return;
  const std::uint64_t generation = ++generation_;
  rpc::StreamHandlers<orderer::DeliverResponse> handlers;
  handlers.on_message = [weak = weak_from_this(), link = link_, generation](const orderer::DeliverResponse& response,
                                                                            std::size_t) {
    // A lying orderer must not make us wait for blocks that there are not.
    if (response.has_block() && link->believe(response.block()))
      link->saw_head(Height(static_cast<std::int64_t>(response.block().header().number())));
    const auto self = weak.lock();
    if (!self) return;
    if (response.has_block())
      self->open_stream(generation);
    else if (response.status() != common::SUCCESS)
      self->lost(generation, no_answer(response.status(), link->config.channel));
  };
  handlers.on_end = [weak = weak_from_this(), generation](const std::optional<Error>& error) {
    if (const auto self = weak.lock()) self->lost(generation, error);
  };
  ask_for_newest(link_, attempts_.endpoint(), std::move(handlers));
}

void Submitter::open_stream(std::uint64_t probe_generation) {
  std::lock_guard lock(mutex_);
  if (stopped_ || probe_generation != generation_) return;
  const std::uint64_t generation = ++generation_;
  rpc::StreamHandlers<orderer::BroadcastResponse> handlers;
  handlers.on_message = [weak = weak_from_this(), generation](const orderer::BroadcastResponse& response, std::size_t) {
    if (const auto self = weak.lock()) self->answered(generation, response);
  };
  handlers.on_end = [weak = weak_from_this(), generation](const std::optional<Error>& error) {
    if (const auto self = weak.lock()) self->lost(generation, error);
  };
  // Answers are small, and there is at most one for each envelope sent: no further limit is needed.
  stream_ = open_call<orderer::BroadcastResponse>(link_, link_->route(attempts_.endpoint()), "Broadcast", SIZE_MAX / 4,
                                                  Duration{}, std::move(handlers));
  last_status_ = common::SUCCESS;
  link_->saw_error("");
  pump();
}

// Under the lock, which keeps the order.
void Submitter::pump() {
  while (stream_ && !waiting_.empty() && sent_.size() < link_->config.max_unanswered) {
    Pending pending = std::move(waiting_.front());
    waiting_.pop_front();
    stream_->write(pending.envelope);
    sent_.push_back(std::move(pending));
  }
}

void Submitter::answered(std::uint64_t generation, const orderer::BroadcastResponse& response) {
  Completions completions;
  {
    std::lock_guard lock(mutex_);
    if (generation != generation_ || sent_.empty()) return;
    const bool known = already_known(response);
    // Neither the orderer nor the connection is at fault then; what came after it was not looked at.
    last_status_ = known ? common::BAD_REQUEST : response.status();
    refusal_ = last_status_ == common::SERVICE_UNAVAILABLE ? response.info() : "";
    if (known)
      again_later_ = true;
    else if (submit_again_later(response))
      return;
    SubmitResult result = known ? SubmitResult{} : interpret(response);
    if (last_status_ == common::SUCCESS) attempts_.succeeded();
    complete(std::move(sent_.front()), std::move(result), completions);
    sent_.pop_front();
    pump();
  }
  run(std::move(completions));
}

// Under the lock. An orderer of Fabric that knows no leader takes nothing for now, and ends the stream without having
// looked at what came after. That passes in seconds: the records wait for it, in their order, until their deadlines.
// Our own engine says with an error id why it refuses; its callers want to know at once.
bool Submitter::submit_again_later(const orderer::BroadcastResponse& response) {
  again_later_ = response.status() == common::SERVICE_UNAVAILABLE && response.info().rfind("ORDERING_", 0) != 0;
  return again_later_;
}

void Submitter::lost(std::uint64_t generation, const std::optional<Error>& error) {
  Completions completions;
  {
    std::lock_guard lock(mutex_);
    if (generation != generation_) return;
    ++generation_;  // a probe may end after its answer
    stream_.reset();
    const std::string cause = error ? error->cause : "the orderer ended the stream";
    if (std::exchange(again_later_, false))
      waiting_.insert(waiting_.begin(), std::make_move_iterator(sent_.begin()), std::make_move_iterator(sent_.end()));
    else
      for (Pending& pending : sent_) complete(std::move(pending), unknown(cause), completions);
    sent_.clear();
    if (!stopped_) {
      // After a refusal the engine ends the stream as a rule. If the record was at fault, that is no reason to wait or
      // to go elsewhere; an orderer that takes nothing now, one that knows no leader say, is left for another.
      const bool record_refused = last_status_ != common::SUCCESS && last_status_ != common::SERVICE_UNAVAILABLE;
      if (last_status_ == common::SUCCESS) {
        log::debug("ordering", "no stream to {}: {}", link_->config.endpoints[attempts_.endpoint()], cause);
        link_->saw_error(cause);
      }
      last_status_ = common::SUCCESS;
      link_->loop.after(record_refused ? Duration{} : attempts_.failed(), [weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->connect();
      });
    }
  }
  run(std::move(completions));
}

// Under the lock.
void Submitter::arm_timer() {
  if (timer_armed_ || (waiting_.empty() && sent_.empty())) return;
  const std::int64_t first = sent_.empty() ? waiting_.front().deadline : sent_.front().deadline;
  timer_armed_ = true;
  link_->loop.after(Duration{std::max<std::int64_t>(first - link_->clock->monotonic_micros(), 1000)},
                    [weak = weak_from_this()] {
                      if (const auto self = weak.lock()) self->expire();
                    });
}

void Submitter::expire() {
  Completions completions;
  std::shared_ptr<Stream> stuck;
  {
    std::lock_guard lock(mutex_);
    timer_armed_ = false;
    const std::int64_t now = link_->clock->monotonic_micros();
    while (!waiting_.empty() && waiting_.front().deadline <= now) {
      complete(std::move(waiting_.front()),
               refused("ORDERING_UNAVAILABLE", refusal_.empty() ? "no connection to the orderer in time"
                                                                : "the orderer takes nothing: " + refusal_),
               completions);
      waiting_.pop_front();
    }
    // Answers come in order, so one that is late holds up all: give the stream up, and all become unknown.
    if (!sent_.empty() && sent_.front().deadline <= now) stuck = stream_;
    arm_timer();
  }
  if (stuck) stuck->cancel();
  run(std::move(completions));
}

void Submitter::stop() {
  Completions completions;
  std::shared_ptr<Stream> stream;
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    stream = stream_;
    for (Pending& pending : sent_)
      complete(std::move(pending), unknown("the ordering client has stopped"), completions);
    for (Pending& pending : waiting_)
      complete(std::move(pending), refused("ORDERING_UNAVAILABLE", "the ordering client has stopped"), completions);
    sent_.clear();
    waiting_.clear();
  }
  if (stream) stream->cancel();
  run(std::move(completions));
}

void Submitter::describe(Health& health) const {
  std::lock_guard lock(mutex_);
  health.pending_submissions = waiting_.size() + sent_.size();
  if (stopped_) {
    health.state = Health::State::stopped;
  } else if (!refusal_.empty()) {
    health.state = Health::State::read_only;
    health.last_error = refusal_;
  } else if (stream_) {
    health.state = Health::State::ready;
    health.leader = link_->config.endpoints[attempts_.endpoint()];
  }
}

}  // namespace synod::ordering::fabric_wire
