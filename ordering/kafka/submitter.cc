#include "ordering/kafka/submitter.h"

#include <algorithm>
#include <iterator>

#include "base/log.h"

namespace synod::ordering::kafka {
namespace {

constexpr int kPollMillis = 50;
constexpr Duration kStopPatience = Duration::seconds(3);  // for librdkafka to give back what it holds

SubmitResult refused(const char* id, std::string cause) {
  return {SubmitOutcome::refused, unavailable(id, std::move(cause))};
}

// Only messages that were not persisted for sure count as refused.
SubmitResult interpret(const rd_kafka_message_t& message) {
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  const std::string cause = rd_kafka_err2str(message.err);
  if (rd_kafka_message_status(&message) != RD_KAFKA_MSG_STATUS_NOT_PERSISTED)
    return {SubmitOutcome::unknown, unavailable("ORDERING_UNAVAILABLE", cause)};
  switch (message.err) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
      return {SubmitOutcome::refused, invalid_argument("ORDERING_RECORD_TOO_LARGE", cause)};
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return {SubmitOutcome::refused, Error("ORDERING_NOT_AUTHORIZED", ErrorCategory::permission, cause)};
    default:
      return refused("ORDERING_UNAVAILABLE", cause);
  }
}

}  // namespace

Submitter::~Submitter() {
  for (Pending* pending : produced_) delete pending;
}

void Submitter::start() {
  link_->threads.spawn([self = shared_from_this()] { self->run(); });
}

void Submitter::submit(Bytes record, std::function<void(SubmitResult)> done) {
  const KafkaLogConfig& config = link_->config;
  if (record.size() > config.max_record_bytes)
    return done({SubmitOutcome::refused,
                 invalid_argument("ORDERING_RECORD_TOO_LARGE", "a record of " + std::to_string(record.size()) +
                                                                   " bytes exceeds the limit of " +
                                                                   std::to_string(config.max_record_bytes))});
  if (record.empty())
    return done({SubmitOutcome::refused, invalid_argument("ORDERING_REFUSED", "a record may not be empty")});
  auto pending = std::make_unique<Pending>();
  pending->record = std::move(record);
  pending->done = std::move(done);
  {
    std::lock_guard lock(link_->mutex);
    if (link_->known) pending->witness = encode_witness(*link_->known);
  }
  enqueue(std::move(pending));
}

void Submitter::witness(const Witness& block, std::function<void(SubmitResult)> done) {
  auto pending = std::make_unique<Pending>();
  pending->witness = encode_witness(block);
  pending->done = std::move(done);
  enqueue(std::move(pending));
}

void Submitter::enqueue(std::unique_ptr<Pending> pending) {
  std::optional<SubmitResult> refusal;
  {
    std::lock_guard lock(link_->mutex);
    if (link_->topic_refusal) refusal = SubmitResult{SubmitOutcome::refused, *link_->topic_refusal};
  }
  if (!refusal) {
    std::lock_guard lock(mutex_);
    if (stopped_) {
      refusal = refused("ORDERING_UNAVAILABLE", "the ordering client has stopped");
    } else if (pending_bytes_ + pending->bytes() > link_->config.max_pending_bytes) {
      refusal = refused("ORDERING_OVERLOADED", "too many records are waiting to be ordered");
    } else {
      pending->deadline = link_->clock->monotonic_micros() + link_->config.submit_timeout.micros;
      pending->number = ++submitted_;
      pending_bytes_ += pending->bytes();
      const bool at_once = waiting_.empty() && producer_ && !fatal_;
      if (at_once && produce_locked(pending)) return;
      waiting_.push_back(std::move(pending));
      changed_.notify_all();
      return;
    }
  }
  pending->done(std::move(*refusal));
}

std::size_t Submitter::pending() const {
  std::lock_guard lock(mutex_);
  return waiting_.size() + produced_.size();
}

void Submitter::stop() {
  std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

void Submitter::close_producer() {
  TopicPtr topic;
  ClientPtr producer;
  {
    std::lock_guard lock(mutex_);
    topic = std::move(topic_);
    producer = std::move(producer_);
    fatal_ = false;
  }
  topic.reset();
}

Status Submitter::open_producer() {
  close_producer();
  SYNOD_TRY(ConfPtr conf, make_conf(link_->config, producer_settings(link_->config), this));
  rd_kafka_conf_set_dr_msg_cb(conf.get(), on_delivery);
  rd_kafka_conf_set_error_cb(conf.get(), on_error);
  SYNOD_TRY(ClientPtr producer, make_client(RD_KAFKA_PRODUCER, std::move(conf)));
  TopicPtr topic(rd_kafka_topic_new(producer.get(), link_->config.topic.c_str(), nullptr));
  if (!topic) return fail(kafka_error(rd_kafka_last_error(), "cannot open topic " + link_->config.topic));
  std::lock_guard lock(mutex_);
  producer_ = std::move(producer);
  topic_ = std::move(topic);
  return {};
}

void Submitter::run() {
  for (;;) {
    if (producer_) {
      rd_kafka_poll(producer_.get(), kPollMillis);
    } else {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, std::chrono::milliseconds(kPollMillis), [&] { return stopped_; });
    }
    {
      std::lock_guard lock(mutex_);
      if (stopped_) break;
    }
    if (!producer_ && link_->wait_for_topic(std::chrono::milliseconds(0)))
      if (const Status opened = open_producer(); !opened) link_->saw_trouble(opened.error().cause);
    replace_if_fatal();
    if (producer_) produce_waiting();
    expire_waiting();
    deliver_completions();
  }
  finish_all();
}

// In the order of submission, which is that of the deadlines too: what cannot be produced now holds up those behind it.
void Submitter::produce_waiting() {
  std::lock_guard lock(mutex_);
  while (!waiting_.empty() && !fatal_ && produce_locked(waiting_.front())) waiting_.pop_front();
}

// False: not now, and `pending` is as before.
bool Submitter::produce_locked(std::unique_ptr<Pending>& pending) {
  rd_kafka_headers_t* headers = rd_kafka_headers_new(1);
  if (!pending->witness.empty())
    rd_kafka_header_add(headers, kWitnessHeader, -1, pending->witness.data(),
                        static_cast<ssize_t>(pending->witness.size()));
  rd_kafka_vu_t values[6] = {};
  values[0].vtype = RD_KAFKA_VTYPE_RKT;
  values[0].u.rkt = topic_.get();
  values[1].vtype = RD_KAFKA_VTYPE_PARTITION;
  values[1].u.i32 = 0;
  values[2].vtype = RD_KAFKA_VTYPE_VALUE;
  values[2].u.mem.ptr = pending->record ? pending->record->data() : nullptr;
  values[2].u.mem.size = pending->bytes();
  values[3].vtype = RD_KAFKA_VTYPE_HEADERS;
  values[3].u.headers = headers;
  values[4].vtype = RD_KAFKA_VTYPE_OPAQUE;
  values[4].u.ptr = pending.get();
  values[5].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  values[5].u.i = 0;
  rd_kafka_error_t* error = rd_kafka_produceva(producer_.get(), values, 6);
  if (error == nullptr) {
    produced_.insert(pending.release());
    return true;
  }
  // A full queue, or a producer that has failed: the size was checked before.
  if (rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__FATAL) fatal_ = true;
  rd_kafka_error_destroy(error);
  rd_kafka_headers_destroy(headers);
  return false;
}

void Submitter::on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
  static_cast<Submitter*>(self)->delivered(*message);
}

void Submitter::on_error(rd_kafka_t* client, int code, const char* text, void* self) {
  auto* submitter = static_cast<Submitter*>(self);
  std::string cause = text;
  if (code == RD_KAFKA_RESP_ERR__FATAL) {
    char reason[512];
    rd_kafka_fatal_error(client, reason, sizeof reason);
    cause = reason;
    std::lock_guard lock(submitter->mutex_);
    submitter->fatal_ = true;
  }
  submitter->link_->saw_trouble(cause);
}

void Submitter::delivered(const rd_kafka_message_t& message) {
  auto* pending = static_cast<Pending*>(message._private);
  const bool in_time = link_->clock->monotonic_micros() < pending->deadline;
  if (in_time && message.err != RD_KAFKA_RESP_ERR_NO_ERROR &&
      rd_kafka_message_status(&message) == RD_KAFKA_MSG_STATUS_NOT_PERSISTED) {
    std::lock_guard lock(mutex_);
    if (fatal_ && !stopped_) {
      produced_.erase(pending);
      again_.emplace_back(pending);
      return;
    }
  }
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR && message.offset >= 0) link_->saw_success(Height(message.offset));
  complete(pending, interpret(message));
}

// An idempotent producer that cannot keep its promise stops for good; a new one goes on. What the old one has certainly
// not persisted is produced again, in its order and before what was submitted later.
void Submitter::replace_if_fatal() {
  {
    std::lock_guard lock(mutex_);
    if (!fatal_) return;
  }
  log::debug("ordering", "kafka: a new producer follows one that failed");
  rd_kafka_purge(producer_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  const std::int64_t give_up = link_->clock->monotonic_micros() + kStopPatience.micros;
  while (rd_kafka_outq_len(producer_.get()) > 0 && link_->clock->monotonic_micros() < give_up)
    rd_kafka_poll(producer_.get(), 10);
  // While fatal_ is set nothing is given to a producer: what was produced is the old one's.
  std::vector<Pending*> lost;
  {
    std::lock_guard lock(mutex_);
    lost.assign(produced_.begin(), produced_.end());
    // librdkafka tells of them in some other order.
    std::sort(again_.begin(), again_.end(), [](const auto& a, const auto& b) { return a->number < b->number; });
    waiting_.insert(waiting_.begin(), std::make_move_iterator(again_.begin()), std::make_move_iterator(again_.end()));
    again_.clear();
  }
  close_producer();  // first, since it may still look at their records
  for (Pending* pending : lost)
    complete(pending, {SubmitOutcome::unknown, unavailable("ORDERING_UNAVAILABLE", "the producer failed")});
  if (const Status opened = open_producer(); !opened)  // run() tries again
    log::error("ordering", "kafka: {}", opened.error().to_string());
}

void Submitter::expire_waiting() {
  std::vector<Pending*> expired;
  {
    std::lock_guard lock(mutex_);
    const std::int64_t now = link_->clock->monotonic_micros();
    while (!waiting_.empty() && waiting_.front()->deadline <= now) {
      expired.push_back(waiting_.front().release());
      waiting_.pop_front();
    }
  }
  for (Pending* pending : expired)
    complete(pending, refused("ORDERING_UNAVAILABLE", "no connection to the topic in time"));
}

// The record stays for as long as the caller keeps it.
std::unique_ptr<Submitter::Pending> Submitter::complete(Pending* pending, SubmitResult result) {
  {
    std::lock_guard lock(mutex_);
    produced_.erase(pending);
    pending_bytes_ -= pending->bytes();
  }
  completions_.emplace_back(std::move(pending->done), std::move(result));
  return std::unique_ptr<Pending>(pending);
}

// Not from within librdkafka's callbacks, nor under the lock.
void Submitter::deliver_completions() {
  Completions ready;
  ready.swap(completions_);
  for (auto& [done, result] : ready) done(std::move(result));
}

void Submitter::finish_all() {
  if (producer_) {
    rd_kafka_purge(producer_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    const std::int64_t give_up = link_->clock->monotonic_micros() + kStopPatience.micros;
    while (rd_kafka_outq_len(producer_.get()) > 0 && link_->clock->monotonic_micros() < give_up)
      rd_kafka_poll(producer_.get(), 10);
  }
  std::vector<Pending*> unknown, never;
  {
    std::lock_guard lock(mutex_);
    unknown.assign(produced_.begin(), produced_.end());
    for (auto& pending : again_) never.push_back(pending.release());
    for (auto& pending : waiting_) never.push_back(pending.release());
    again_.clear();
    waiting_.clear();
  }
  const std::string cause = "the ordering client has stopped";
  std::vector<std::unique_ptr<Pending>> records;  // which the producer may still look at
  for (Pending* pending : unknown)
    records.push_back(complete(pending, {SubmitOutcome::unknown, unavailable("ORDERING_UNAVAILABLE", cause)}));
  for (Pending* pending : never) complete(pending, refused("ORDERING_UNAVAILABLE", cause));
  deliver_completions();  // before the producer goes, which takes its time
  close_producer();
}

}  // namespace synod::ordering::kafka
