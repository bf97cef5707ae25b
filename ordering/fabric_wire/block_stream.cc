#include "ordering/fabric_wire/block_stream.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "ordering/fabric_wire/envelope.h"

namespace synod::ordering::fabric_wire {
namespace {

Error forked(std::string cause) { return {"ORDERING_FORKED", ErrorCategory::malicious_or_faulty, std::move(cause)}; }

}  // namespace

void BlockStream::connect() {
  std::lock_guard lock(mutex_);
  if (closed_ || ending_ || stream_) return;
  const std::uint64_t generation = ++generation_;
  rpc::StreamHandlers<orderer::DeliverResponse> handlers;
  handlers.on_message = [weak = weak_from_this(), generation](orderer::DeliverResponse response, std::size_t credit) {
    if (const auto self = weak.lock()) self->received(generation, std::move(response), credit);
  };
  handlers.on_end = [weak = weak_from_this(), generation](const std::optional<Error>& error) {
    if (const auto self = weak.lock()) self->lost(generation, error);
  };
  stream_ = open_call<orderer::DeliverResponse>(link_, attempts_.endpoint(), "Deliver", link_->config.window_bytes,
                                                Duration{}, std::move(handlers));
  // The last block received is asked for again: its hash tells whether this is still the same log.
  const std::int64_t from = std::min(first_wanted(), newest_at_endpoint_.value_or(INT64_MAX));
  behind_.reset();
  stream_->write(to_buffer(link_->seek(static_cast<std::uint64_t>(from), UINT64_MAX, SeekContent::blocks)));
}

void BlockStream::received(std::uint64_t generation, orderer::DeliverResponse response, std::size_t credit) {
  {
    std::lock_guard lock(mutex_);
    if (generation != generation_ || closed_ || ending_) return;
    if (!response.has_block()) {
      take_status(response.status());
    } else {
      const Status believed = link_->config.trust ? link_->config.trust->check(response.block()) : Status();
      auto native = from_message(std::move(*response.mutable_block()));
      std::optional<Error> error;
      if (!believed)
        error = not_believed(believed.error());
      else if (native)
        error = take_block(std::move(*native), credit);
      else
        error = native.error();
      if (error && error->id == "ORDERING_FORKED") {
        end_locked(std::move(*error));
      } else if (error) {
        log::alarm("ordering", "{}: {}", link_->config.endpoints[attempts_.endpoint()], error->to_string());
        stream_->cancel();
      }
    }
  }
  drain();
}

// Under the lock. One orderer may lie, and another is asked then. If all do, we are not where we were configured to be.
Error BlockStream::not_believed(const Error& error) {
  unbelieved_.insert(attempts_.endpoint());
  if (unbelieved_.size() < link_->config.endpoints.size()) return error;
  return forked("no orderer serves the channel that was configured: " + error.cause);
}

// Under the lock.
void BlockStream::take_status(common::Status status) {
  const std::string at = "block " + std::to_string(next_.value);
  switch (status) {
    case common::NOT_FOUND:
      not_found_ = true;  // what it means is found out when the stream has ended
      return;
    case common::FORBIDDEN:
      return end_locked({"ORDERING_NOT_AUTHORIZED", ErrorCategory::permission, "the orderer does not let us read"});
    case common::BAD_REQUEST:
      return end_locked(invalid_argument("ORDERING_REFUSED", "the orderer does not understand our request for " + at));
    default:
      return;  // the stream ends and is opened again
  }
}

// Under the lock. On the same orderer that answered NOT_FOUND.
void BlockStream::look_for_start() {
  const std::uint64_t generation = ++generation_;
  rpc::StreamHandlers<orderer::DeliverResponse> handlers;
  handlers.on_message = [weak = weak_from_this(), generation](const orderer::DeliverResponse& response, std::size_t) {
    if (const auto self = weak.lock()) self->start_found(generation, response);
  };
  handlers.on_end = [weak = weak_from_this(), generation](const std::optional<Error>& error) {
    if (const auto self = weak.lock()) self->lost(generation, error);
  };
  const auto probe = open_call<orderer::DeliverResponse>(link_, attempts_.endpoint(), "Deliver", SIZE_MAX / 4,
                                                         link_->config.probe_timeout, std::move(handlers));
  probe->write(to_buffer(link_->seek(std::nullopt, std::nullopt, SeekContent::signed_headers)));
  probe->writes_done();
}

void BlockStream::start_found(std::uint64_t generation, const orderer::DeliverResponse& response) {
  {
    std::lock_guard lock(mutex_);
    if (generation != generation_ || closed_ || ending_) return;
    if (!response.has_block()) {
      if (response.status() == common::NOT_FOUND)
        link_->saw_error(link_->config.endpoints[attempts_.endpoint()] + " does not serve channel " +
                         link_->config.channel);
      return;  // the probe's end brings us to the next orderer
    }
    const std::int64_t newest = static_cast<std::int64_t>(response.block().header().number());
    if (newest < first_wanted()) {
      newest_at_endpoint_ = newest;
      ++generation_;  // the probe's end is no loss
      link_->loop.post([weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->connect();
      });
      return;
    }
    if (++endpoints_without_it_ < link_->config.endpoints.size()) return;
    end_locked({"ORDERING_HEIGHT_PRUNED", ErrorCategory::invalid_state_missing,
                "the ordering service no longer has block " + std::to_string(first_wanted())});
  }
  drain();
}

void BlockStream::head_seen(const KnownHead& head) {
  std::lock_guard lock(mutex_);
  if (closed_ || ending_ || !stream_) return;
  const std::string& teller = link_->config.endpoints[head.endpoint];
  const std::string& ours = link_->config.endpoints[attempts_.endpoint()];
  if (last_hash_ && head.height.value == next_.value - 1 && head.hash != *last_hash_ &&
      std::exchange(fork_alarmed_, head.height) != head.height)
    log::alarm("ordering", "at height {} {} has another block than {} gave us", head.height.value, teller, ours);
  if (head.height < next_) return;
  const std::int64_t now = link_->clock->monotonic_micros();
  // What waits for the sink is not the orderer's delay.
  if (!buffer_.empty() || !behind_ || behind_->next != next_) {
    behind_ = Behind{now, next_};
    return;
  }
  if (now - behind_->since < link_->config.stall_patience.micros) return;
  log::info("ordering", "{} does not give block {}, {} is at {}: reading from another orderer", ours, next_.value,
            teller, head.height.value);
  behind_.reset();
  stream_->cancel();
}

// Under the lock.
std::optional<Error> BlockStream::take_block(FabricBlock native, std::size_t credit) {
  attempts_.succeeded();
  endpoints_without_it_ = 0;
  unbelieved_.clear();
  const std::int64_t number = static_cast<std::int64_t>(native.number);
  if (newest_at_endpoint_ && number >= *newest_at_endpoint_ && number < first_wanted()) {
    stream_->consumed(credit);
    return std::nullopt;
  }
  Bytes hash = header_hash(native);
  link_->saw_head(Height(number));
  if (last_hash_ && number == next_.value - 1) {
    stream_->consumed(credit);
    if (hash == *last_hash_) return std::nullopt;
    return forked("block " + std::to_string(number) + " is not the one received before");
  }
  if (number != next_.value)
    return Error("ORDERING_MALFORMED_BLOCK", ErrorCategory::malicious_or_faulty,
                 "block " + std::to_string(number) + " came where " + std::to_string(next_.value) + " belongs");
  if (last_hash_ && native.previous_hash != *last_hash_)
    return forked("block " + std::to_string(number) + " does not follow the one received before");
  last_hash_ = hash;
  next_ = next_.next();
  buffer_.push_back({to_block(std::move(native), std::move(hash)), credit, stream_});
  return std::nullopt;
}

// Records are the data of our channel's messages; configuration and whatever else an engine keeps in blocks is left
// out.
Block BlockStream::to_block(FabricBlock native, Bytes hash) const {
  Block block;
  block.height = Height(static_cast<std::int64_t>(native.number));
  block.native_position = native.number;
  block.previous_hash = std::move(native.previous_hash);
  block.hash = std::move(hash);
  for (const Bytes& item : native.data) {
    auto envelope = parse_envelope(item);
    if (envelope && holds_record(*envelope) && envelope->channel_id == link_->config.channel)
      block.records.push_back(std::move(envelope->data));
  }
  return block;
}

void BlockStream::lost(std::uint64_t generation, const std::optional<Error>& error) {
  std::lock_guard lock(mutex_);
  if (generation != generation_) return;
  stream_.reset();
  newest_at_endpoint_.reset();
  if (closed_ || ending_) return;
  if (std::exchange(not_found_, false)) return look_for_start();
  ++generation_;
  if (error) link_->saw_error(error->cause);
  link_->loop.after(attempts_.failed(), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->connect();
  });
}

void BlockStream::request(std::size_t blocks) {
  {
    std::lock_guard lock(mutex_);
    requested_ += blocks;
    // From within the sink the running drain goes on by itself.
    if (buffer_.empty() || (draining_ && drainer_ == std::this_thread::get_id())) return;
  }
  link_->loop.post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->drain();
  });
}

void BlockStream::end_locked(Error error) {
  if (!ending_) ending_ = std::move(error);
  if (stream_) stream_->cancel();
}

void BlockStream::end(Error error) {
  {
    std::lock_guard lock(mutex_);
    end_locked(std::move(error));
    buffer_.clear();
  }
  drain();
}

void BlockStream::drain() {
  std::unique_lock lock(mutex_);
  if (draining_) return;
  draining_ = true;
  drainer_ = std::this_thread::get_id();
  while (!closed_ && requested_ > 0 && !buffer_.empty()) {
    Buffered next = std::move(buffer_.front());
    buffer_.pop_front();
    --requested_;
    lock.unlock();
    next.stream->consumed(next.credit);
    sink_->on_block(std::move(next.block));
    lock.lock();
  }
  if (!closed_ && !ended_ && ending_ && buffer_.empty()) {
    ended_ = true;
    const Error error = *ending_;
    lock.unlock();
    sink_->on_end(error);
    lock.lock();
  }
  draining_ = false;
  drained_.notify_all();
}

void BlockStream::close() {
  std::unique_lock lock(mutex_);
  closed_ = true;
  if (stream_) stream_->cancel();
  buffer_.clear();
  drained_.wait(lock, [&] { return !draining_ || drainer_ == std::this_thread::get_id(); });
}

}  // namespace synod::ordering::fabric_wire
