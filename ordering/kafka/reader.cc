#include "ordering/kafka/reader.h"

#include "base/log.h"

namespace synod::ordering::kafka {
namespace {

constexpr std::chrono::milliseconds kTick{50};  // how soon a closed subscription lets go of its consumer
constexpr std::size_t kRememberedHashes = 4096;
constexpr int kBeyondEndIsFork = 4;
constexpr Duration kBeyondEndPause = Duration::milliseconds(400);

Error forked(std::string cause) { return {"ORDERING_FORKED", ErrorCategory::malicious_or_faulty, std::move(cause)}; }

bool is_final(const Error& error) { return error.id != "ORDERING_UNAVAILABLE"; }

}  // namespace

void Reader::start() {
  link_->threads.spawn([self = shared_from_this()] { self->run(); });
}

void Reader::request(std::size_t blocks) {
  std::lock_guard lock(mutex_);
  requested_ = requested_ + blocks < requested_ ? SIZE_MAX : requested_ + blocks;
  changed_.notify_all();
}

void Reader::end(Error error) {
  std::lock_guard lock(mutex_);
  if (!ending_) ending_ = std::move(error);
  changed_.notify_all();
}

void Reader::close() {
  std::unique_lock lock(mutex_);
  closed_ = true;
  changed_.notify_all();
  changed_.wait(lock, [&] { return !in_sink_ || thread_ == std::this_thread::get_id(); });
}

bool Reader::over() const {
  std::lock_guard lock(mutex_);
  return closed_ || ending_.has_value();
}

bool Reader::wait_for_request() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return closed_ || ending_ || requested_ > 0; });
  return !closed_ && !ending_;
}

void Reader::pause(Duration delay) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::microseconds(delay.micros), [&] { return closed_ || ending_.has_value(); });
}

void Reader::run() {
  {
    std::lock_guard lock(mutex_);
    thread_ = std::this_thread::get_id();
  }
  while (!over() && !link_->wait_for_topic(kTick)) {
  }
  if (!over()) {
    auto consumption = Consumption::open(link_);
    if (!consumption) end(consumption.error());
    Duration delay = link_->config.min_reconnect_delay;
    while (!over()) {
      const Height before = next_;
      Status status = position(**consumption);
      if (status) status = read(**consumption);
      if (!status && is_final(status.error())) end(status.error());
      if (next_ > before) delay = link_->config.min_reconnect_delay;
      if (over()) break;
      pause(delay);
      delay = std::min(delay * 2, link_->config.max_reconnect_delay);
    }
    finish();  // before the consumer goes, which takes its time
    return;
  }
  finish();
}

void Reader::finish() {
  std::unique_lock lock(mutex_);
  if (closed_ || !ending_) return;
  const Error error = *ending_;
  in_sink_ = true;
  lock.unlock();
  if (error.id == "ORDERING_FORKED") link_->forget_known();
  sink_->on_end(error);
  lock.lock();
  in_sink_ = false;
  changed_.notify_all();
}

Status Reader::position(Consumption& consumption) {
  if (!last_hash_) SYNOD_RETURN_IF_ERROR(find_start(consumption));
  if (consumption.take_trouble()) consumption.stop();
  verifying_ = last_content_.has_value();
  return consumption.start(verifying_ ? next_.value - 1 : next_.value);
}

// Where to begin, and the hash before it. A height that does not exist yet is reached from the end of the log.
Status Reader::find_start(Consumption& consumption) {
  SYNOD_TRY(const Watermarks marks, consumption.watermarks());
  if (marks.high > 0) link_->saw_head(Height(marks.high - 1));
  if (deliver_from_.value < marks.low)
    return fail(Error("ORDERING_HEIGHT_PRUNED", ErrorCategory::invalid_state_missing,
                      "block " + std::to_string(deliver_from_.value) + " was pruned; the oldest kept is " +
                          std::to_string(marks.low)));
  next_ = std::min(deliver_from_, Height(marks.high));
  SYNOD_TRY(Anchored anchored, find_anchor(consumption, marks, next_, [this] { return over(); }));
  last_hash_ = std::move(anchored.hash);
  return {};
}

Status Reader::read(Consumption& consumption) {
  Received received;
  while (next_ < deliver_from_ || wait_for_request()) {
    if (over()) return {};
    const auto event = consumption.poll(kTick, received);
    // What was fetched before the trouble is dropped as well: it may be of another log already.
    if (event != Consumption::Event::out_of_range && consumption.take_trouble()) return {};
    switch (event) {
      case Consumption::Event::nothing:
        break;
      case Consumption::Event::failed:
        return {};
        break;
      case Consumption::Event::end_of_log:
        if (received.offset > 0) link_->saw_head(Height(received.offset - 1));
        break;
      case Consumption::Event::message:
        beyond_end_ = 0;
        SYNOD_RETURN_IF_ERROR(take(std::move(received)));
        break;
      case Consumption::Event::out_of_range:
        return explain_range(consumption);
    }
  }
  return {};
}

// Kafka does not have what we asked for.
Status Reader::explain_range(Consumption& consumption) {
  SYNOD_TRY(const Watermarks marks, consumption.watermarks());
  if (next_.value < marks.low)
    return fail(
        Error("ORDERING_HEIGHT_PRUNED", ErrorCategory::invalid_state_missing,
              "block " + std::to_string(next_.value) + " was pruned; the oldest kept is " + std::to_string(marks.low)));
  if (verifying_ && next_.value == marks.low) {
    last_content_.reset();  // the block to compare with was pruned; the chain goes on
    return {};
  }
  // A new leader may not know at once how far the log goes; a log that stays shorter is another one.
  if (next_.value > marks.high && ++beyond_end_ >= kBeyondEndIsFork)
    return fail(forked("the topic ends at offset " + std::to_string(marks.high) + ", block " +
                       std::to_string(next_.value - 1) + " was received before"));
  pause(kBeyondEndPause);
  return {};
}

Status Reader::take(Received received) {
  if (verifying_ && received.offset >= next_.value - 1) {
    verifying_ = false;
    SYNOD_RETURN_IF_ERROR(verify(received));
  }
  if (received.offset < next_.value) return {};
  check(received);
  while (next_.value < received.offset) {
    SYNOD_RETURN_IF_ERROR(add_block(next_.value, std::nullopt));
    if (over()) return {};
  }
  return add_block(received.offset, std::move(received.record));
}

Status Reader::verify(const Received& received) {
  const bool there = received.offset == next_.value - 1;
  if (*last_content_ == (there ? content_digest(received.record) : content_digest(std::nullopt))) return {};
  return fail(forked("block " + std::to_string(next_.value - 1) + " is not the one received before"));
}

void Reader::check(const Received& received) {
  if (!received.witness || alarmed_) return;
  const auto ours = recent_.find(received.witness->height.value);
  if (ours == recent_.end() || ours->second == received.witness->hash) return;
  alarmed_ = true;
  log::alarm("ordering", "the message at offset {} tells another hash of block {} than we have", received.offset,
             received.witness->height.value);
}

Status Reader::add_block(std::int64_t offset, std::optional<Bytes> record) {
  const bool wanted = offset >= deliver_from_.value;
  if (wanted && !wait_for_request()) return {};
  Block block;
  block.height = Height(offset);
  block.native_position = static_cast<std::uint64_t>(offset);
  block.previous_hash = *last_hash_;
  Bytes content = content_digest(record);
  block.hash = block_hash(block.height, block.previous_hash, content);
  if (record) block.records.push_back(std::move(*record));
  recent_.emplace_hint(recent_.end(), offset, block.hash);
  if (recent_.size() > kRememberedHashes) recent_.erase(recent_.begin());
  last_hash_ = block.hash;
  last_content_ = std::move(content);
  next_ = next_.next();
  link_->saw_block({block.height, block.hash});
  if (!wanted) return {};
  std::unique_lock lock(mutex_);
  if (closed_ || ending_) return {};
  --requested_;
  in_sink_ = true;
  lock.unlock();
  sink_->on_block(std::move(block));
  lock.lock();
  in_sink_ = false;
  changed_.notify_all();
  return {};
}

}  // namespace synod::ordering::kafka
