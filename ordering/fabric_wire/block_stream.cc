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
  const Route route = link_->route(attempts_.endpoint());
  stream_ = open_call<orderer::DeliverResponse>(link_, route, "Deliver", link_->config.window_bytes, Duration{},
                                                std::move(handlers));
  // The last block received is asked for again: its hash tells whether this is still the same log.
  const std::int64_t from = std::min(first_wanted(), newest_at_endpoint_.value_or(INT64_MAX));
  behind_.reset();
  stream_->write(to_buffer(link_->seek(route, static_cast<std::uint64_t>(from), UINT64_MAX, SeekContent::blocks)));
}

void BlockStream::received(std::uint64_t generation, orderer::DeliverResponse response, std::size_t credit) {
  {
    std::lock_guard lock(mutex_);
    if (generation != generation_ || left_ || closed_ || ending_) return;
    if (response.has_block())
      take_message(std::move(*response.mutable_block()), credit);
    else
      take_status(response.status());
  }
  drain();
}

// Under the lock.
void BlockStream::take_message(common::Block message, std::size_t credit) {
  if (const Status believed = link_->believe(message); !believed)
    return hold_against(believed.error(), "gives blocks that are not to be believed: " + believed.error().to_string());
  auto native = from_message(std::move(message));
  const std::optional<Error> error =
      native ? take_block(std::move(*native), credit) : std::optional<Error>(native.error());
  if (!error) return;
  if (error->id != "ORDERING_FORKED") {
    link_->accusations.accuse(attempts_.endpoint(), "gives blocks that do not belong here: " + error->to_string());
    return leave(error->cause);
  }
  // Both blocks are signed: it is not this orderer alone that lies.
  if (link_->config.trust) return end_locked(*error);
  hold_against(*error, "gives another history: " + error->cause);
}

// Under the lock. The next orderer is read from.
void BlockStream::leave(const std::string& because) {
  complained_ = true;
  link_->saw_error(link_->config.endpoints[attempts_.endpoint()] + ": " + because);
  if (!stream_) return;  // the probe's end brings us there
  left_ = true;
  stream_->cancel();
}

// Under the lock. With this orderer we cannot go on. It may lie or be mistaken; when all of them keep us here, we are
// not where we were configured to be.
void BlockStream::hold_against(const Error& error, const std::string& because) {
  against_.insert_or_assign(attempts_.endpoint(), error);
  if (against_.size() == link_->config.endpoints.size()) return end_locked(common_complaint());
  link_->accusations.accuse(attempts_.endpoint(), because);
  leave(error.cause);
}

// What most orderers say.
Error BlockStream::common_complaint() const {
  std::map<std::string, std::size_t> count;
  const Error* most = nullptr;
  for (const auto& [endpoint, error] : against_)
    if (const std::size_t seen = ++count[error.id]; most == nullptr || seen > count[most->id]) most = &error;
  if (most->id != "ORDERING_BLOCK_NOT_SIGNED") return *most;
  return forked("no orderer serves the channel that was configured: " + most->cause);
}

// Under the lock.
void BlockStream::take_status(common::Status status) {
  const std::string at = "block " + std::to_string(next_.value);
  switch (status) {
    case common::NOT_FOUND:
      left_ = not_found_ = true;  // what it means is found out when the stream has ended
      return stream_->cancel();
    case common::FORBIDDEN:
      return hold_against({"ORDERING_NOT_AUTHORIZED", ErrorCategory::permission, "the orderer does not let us read"},
                          "does not let us read");
    case common::BAD_REQUEST:
      return hold_against(invalid_argument("ORDERING_REFUSED", "the orderer does not understand our request for " + at),
                          "does not understand our request for " + at);
    default:
      return leave("the orderer answers " + common::Status_Name(status));
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
  ask_for_newest(link_, attempts_.endpoint(), std::move(handlers));
}

void BlockStream::start_found(std::uint64_t generation, const orderer::DeliverResponse& response) {
  {
    std::lock_guard lock(mutex_);
    if (generation != generation_ || closed_ || ending_) return;
    take_newest(response);
  }
  drain();
}

// Under the lock. Unless we find where to start, the probe's end brings us to the next orderer.
void BlockStream::take_newest(const orderer::DeliverResponse& response) {
  if (!response.has_block()) {
    if (response.status() == common::NOT_FOUND) leave("does not serve channel " + link_->config.channel);
    return;
  }
  if (const Status believed = link_->believe(response.block()); !believed)
    return hold_against(believed.error(),
                        "tells of blocks that are not to be believed: " + believed.error().to_string());
  const std::int64_t newest = static_cast<std::int64_t>(response.block().header().number());
  if (newest >= first_wanted()) {
    // It may have come there only after it was asked for that block: then it is asked again, and has it.
    if (std::exchange(should_have_, true))
      return hold_against({"ORDERING_HEIGHT_PRUNED", ErrorCategory::invalid_state_missing,
                           "the ordering service no longer has block " + std::to_string(first_wanted())},
                          "says that it no longer has block " + std::to_string(first_wanted()));
  } else {
    newest_at_endpoint_ = newest;
  }
  ++generation_;  // the probe's end is no loss
  link_->loop.post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->connect();
  });
}

void BlockStream::head_seen(const KnownHead& head) {
  std::lock_guard lock(mutex_);
  if (closed_ || ending_ || !stream_ || left_) return;
  const std::string& teller = link_->config.endpoints[head.endpoint];
  const std::string& ours = link_->config.endpoints[attempts_.endpoint()];
  if (last_hash_ && head.height.value == next_.value - 1) {
    if (head.hash == *last_hash_)
      other_heads_.erase(head.endpoint);
    else if (other_heads_.insert(head.endpoint).second)
      log::alarm("ordering", "at height {} {} has another block than {} gave us", head.height.value, teller, ours);
  }
  if (head.height < next_) return;
  const std::int64_t now = link_->clock->monotonic_micros();
  // What waits for the sink is not the orderer's delay.
  if (!buffer_.empty() || !behind_ || behind_->next != next_) {
    behind_ = Behind{now, next_};
    return;
  }
  if (now - behind_->since < link_->config.stall_patience.micros) return;
  behind_.reset();
  const std::string because = "does not give block " + std::to_string(next_.value) + ", " + teller + " is at " +
                              std::to_string(head.height.value);
  // Where orderers may lie this may be on purpose; elsewhere it is just behind.
  if (link_->config.accepts_needed > 0)
    link_->accusations.accuse(attempts_.endpoint(), because);
  else
    log::info("ordering", "{} {}: reading from another orderer", ours, because);
  leave(because);
}

// Under the lock.
std::optional<Error> BlockStream::take_block(FabricBlock native, std::size_t credit) {
  attempts_.succeeded();
  should_have_ = false;
  against_.erase(attempts_.endpoint());
  const std::int64_t number = static_cast<std::int64_t>(native.number);
  if (newest_at_endpoint_ && number >= *newest_at_endpoint_ && number < first_wanted()) {
    stream_->consumed(credit);
    return std::nullopt;
  }
  Bytes hash = header_hash(native);
  link_->saw_head(Height(number));
  if (last_hash_ && number == next_.value - 1) {
    stream_->consumed(credit);
    if (hash == *last_hash_) {
      if (std::exchange(complained_, false)) link_->saw_error("");
      return std::nullopt;
    }
    return forked("block " + std::to_string(number) + " is not the one received before");
  }
  if (number != next_.value)
    return Error("ORDERING_MALFORMED_BLOCK", ErrorCategory::malicious_or_faulty,
                 "block " + std::to_string(number) + " came where " + std::to_string(next_.value) + " belongs");
  if (last_hash_ && native.previous_hash != *last_hash_)
    return forked("block " + std::to_string(number) + " does not follow the one received before");
  against_.clear();
  link_->accusations.acquit(attempts_.endpoint());
  if (std::exchange(complained_, false)) link_->saw_error("");
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
  const bool told_us_where = std::exchange(newest_at_endpoint_, std::nullopt).has_value();
  const bool left = std::exchange(left_, false);
  if (closed_ || ending_) return;
  // One that does not even have what it called its newest block is left.
  if (std::exchange(not_found_, false) && !told_us_where) return look_for_start();
  should_have_ = false;
  ++generation_;
  if (error && !left) {
    complained_ = true;
    link_->saw_error(error->cause);
  }
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
