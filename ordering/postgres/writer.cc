#include "ordering/postgres/writer.h"

#include <algorithm>
#include <utility>

#include "ordering/postgres/block_row.h"
#include "ordering/postgres/schema.h"

namespace synod::ordering::postgres {
namespace {

SubmitResult refused(const char* id, std::string cause) {
  return {SubmitOutcome::refused, unavailable(id, std::move(cause))};
}
SubmitResult unknown(std::string cause) {
  return {SubmitOutcome::unknown, unavailable("ORDERING_UNAVAILABLE", std::move(cause))};
}

}  // namespace

void Writer::start() {
  link_->threads.spawn([self = shared_from_this()] { self->run(); });
}

std::size_t Writer::pending() const {
  std::lock_guard lock(mutex_);
  return waiting_.size() + (batch_ ? batch_->waiting : 0);
}

// Under the lock.
std::optional<SubmitResult> Writer::refusal_for(const Bytes& record) const {
  const PostgresLogConfig& config = link_->config;
  if (record.size() > config.max_record_bytes)
    return SubmitResult{SubmitOutcome::refused,
                        invalid_argument("ORDERING_RECORD_TOO_LARGE", "a record of " + std::to_string(record.size()) +
                                                                          " bytes exceeds the limit of " +
                                                                          std::to_string(config.max_record_bytes))};
  if (record.empty())
    return SubmitResult{SubmitOutcome::refused, invalid_argument("ORDERING_REFUSED", "a record may not be empty")};
  if (stopped_) return refused("ORDERING_UNAVAILABLE", "the ordering client has stopped");
  if (pending_bytes_ + record.size() > config.max_pending_bytes)
    return refused("ORDERING_OVERLOADED", "too many records are waiting to be ordered");
  return std::nullopt;
}

void Writer::submit(Bytes record, std::function<void(SubmitResult)> done) {
  std::optional<SubmitResult> refusal;
  {
    std::lock_guard lock(mutex_);
    refusal = refusal_for(record);
    if (!refusal) {
      pending_bytes_ += record.size();
      waiting_.push_back(
          {std::move(record), link_->clock->monotonic_micros() + link_->config.submit_timeout.micros, std::move(done)});
      arm_timer();
      changed_.notify_all();
      return;
    }
  }
  done(std::move(*refusal));
}

void Writer::deliver(Completions completions) {
  for (auto& [done, result] : completions) done(std::move(result));
}

// Under the lock.
void Writer::complete(Pending& pending, SubmitResult result, Completions& completions) {
  if (!pending.done) return;
  pending_bytes_ -= pending.record.size();
  completions.emplace_back(std::move(pending.done), std::move(result));
  pending.done = nullptr;
}

void Writer::pause(Duration delay) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::microseconds(delay.micros), [&] { return stopped_; });
}

void Writer::note(const Error& error) {
  std::lock_guard lock(link_->mutex);
  link_->last_error = error.cause;
  link_->read_only = error.id == "ORDERING_READ_ONLY" ? error.cause : "";
}

void Writer::run() {
  Duration delay = link_->config.min_reconnect_delay;
  while (take_batch()) {
    const Status appended = append();
    if (appended) {
      delay = link_->config.min_reconnect_delay;
      continue;
    }
    note(appended.error());
    bool doubtful = false;
    {
      std::lock_guard lock(mutex_);
      connection_.reset();
      doubtful = batch_ && batch_->sent;
    }
    if (appended.error().id == "ORDERING_NOT_AUTHORIZED" && !doubtful)
      finish_batch({SubmitOutcome::refused, appended.error()});
    if (appended.error().id == "ORDERING_READ_ONLY" && !doubtful)
      finish_batch(refused("ORDERING_UNAVAILABLE", appended.error().cause));
    pause(delay);
    delay = std::min(delay * 2, link_->config.max_reconnect_delay);
  }
  std::lock_guard lock(mutex_);
  connection_.reset();
}

// Waits for records and cuts a batch of them, unless one is still to be appended. False: stopped.
bool Writer::take_batch() {
  std::unique_lock lock(mutex_);
  if (batch_ && batch_->waiting == 0) batch_.reset();  // nobody waits for it any more
  changed_.wait(lock, [&] { return stopped_ || batch_ || !waiting_.empty(); });
  if (stopped_) return false;
  if (batch_) return true;
  batch_.emplace(Batch{});
  batch_->id = system_random()->bytes(16);
  std::size_t bytes = 0;
  while (!waiting_.empty() && batch_->records.size() < link_->config.max_block_records &&
         (batch_->records.empty() || bytes + waiting_.front().record.size() <= link_->config.max_block_bytes)) {
    bytes += waiting_.front().record.size();
    batch_->records.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  batch_->waiting = batch_->records.size();
  return true;
}

Status Writer::connect() {
  SYNOD_TRY(const auto connection, Connection::open(link_->config));
  SYNOD_TRY(const LogState state, open_schema(*connection, link_->config));
  link_->saw_head(state.head);
  SYNOD_RETURN_IF_ERROR(guarded(
      [&] { connection->session().prepare("append", "SELECT " + quoted(link_->config.schema) + ".append($1, $2)"); }));
  std::lock_guard lock(mutex_);
  if (stopped_) return fail(unavailable("ORDERING_UNAVAILABLE", "the ordering client has stopped"));
  connection_ = connection;
  return {};
}

Status Writer::append() {
  // A connection that ended while it was idle is noticed here, before anything is sent.
  if (connection_ && !connection_->is_quiet()) {
    std::lock_guard lock(mutex_);
    connection_.reset();
  }
  if (!connection_) SYNOD_RETURN_IF_ERROR(connect());
  std::vector<Bytes> records;
  bool doubtful = false;
  {
    std::lock_guard lock(mutex_);
    if (batch_->waiting == 0 && !batch_->sent) return {};
    doubtful = std::exchange(batch_->sent, true);
    for (Pending& pending : batch_->records) records.push_back(pending.record);
  }
  const Bytes content = encode_records(records);
  std::int64_t height = 0;
  const Status appended = guarded([&] {
    pqxx::nontransaction work(connection_->session());
    height = work.exec_prepared1("append", pqxx::binarystring(batch_->id.data(), batch_->id.size()),
                                 pqxx::binarystring(content.data(), content.size()))[0]
                 .as<std::int64_t>();
  });
  if (!appended) {
    // With these answers the database has certainly not done it.
    const std::string& id = appended.error().id;
    std::lock_guard lock(mutex_);
    if (batch_ && (id == "ORDERING_READ_ONLY" || id == "ORDERING_NOT_AUTHORIZED")) batch_->sent = doubtful;
    return appended;
  }
  link_->saw_head(Height(height));
  {
    std::lock_guard lock(link_->mutex);
    link_->read_only.clear();
    if (link_->connected) link_->last_error.clear();
  }
  finish_batch({});
  return {};
}

void Writer::finish_batch(const SubmitResult& result) {
  Completions completions;
  {
    std::lock_guard lock(mutex_);
    for (Pending& pending : batch_->records) complete(pending, result, completions);
    batch_.reset();
  }
  deliver(std::move(completions));
}

// Under the lock.
void Writer::arm_timer() {
  if (timer_armed_ || stopped_) return;
  std::optional<std::int64_t> first;
  if (!waiting_.empty()) first = waiting_.front().deadline;
  if (batch_)
    for (const Pending& pending : batch_->records)
      if (pending.done) first = first ? std::min(*first, pending.deadline) : pending.deadline;
  if (!first) return;
  timer_armed_ = true;
  link_->loop.after(Duration{std::max<std::int64_t>(*first - link_->clock->monotonic_micros(), 1000)},
                    [weak = weak_from_this()] {
                      if (const auto self = weak.lock()) self->expire();
                    });
}

void Writer::expire() {
  Completions completions;
  std::shared_ptr<Connection> stuck;
  {
    std::lock_guard lock(mutex_);
    timer_armed_ = false;
    const std::int64_t now = link_->clock->monotonic_micros();
    const SubmitResult never = refused("ORDERING_UNAVAILABLE", "no connection to the database in time");
    while (!waiting_.empty() && waiting_.front().deadline <= now) {
      complete(waiting_.front(), never, completions);
      waiting_.pop_front();
    }
    if (batch_) {
      for (Pending& pending : batch_->records) {
        if (!pending.done || pending.deadline > now) continue;
        complete(pending, batch_->sent ? unknown("no answer of the database in time") : never, completions);
        --batch_->waiting;
      }
      // The statement is given up; whether it is carried out is unknown.
      if (batch_->waiting == 0 && batch_->sent) stuck = connection_;
    }
    arm_timer();
  }
  if (stuck) stuck->interrupt();
  deliver(std::move(completions));
}

void Writer::stop() {
  Completions completions;
  std::shared_ptr<Connection> connection;
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    connection = connection_;
    const std::string cause = "the ordering client has stopped";
    if (batch_)
      for (Pending& pending : batch_->records)
        complete(pending, batch_->sent ? unknown(cause) : refused("ORDERING_UNAVAILABLE", cause), completions);
    for (Pending& pending : waiting_) complete(pending, refused("ORDERING_UNAVAILABLE", cause), completions);
    waiting_.clear();
    if (batch_) batch_->waiting = 0;
    changed_.notify_all();
  }
  if (connection) connection->interrupt();
  deliver(std::move(completions));
}

}  // namespace synod::ordering::postgres
