// Moves what lies between two offsets into a stream, as far as the stream takes it, and goes on when the stream has
// room or the ledger has grown. One pump serves one call.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>

#include "participant/ledger_api/service_context.h"
#include "rpc/stream_writer.h"

namespace synod::participant {

// Runs on the context's loop. Message is the response type of the call.
template <typename Message>
class StreamPump : public std::enable_shared_from_this<StreamPump<Message>> {
 public:
  // Says where the reader now is and gives the message to send for it, if any. False: stop reading.
  using Emit = std::function<bool(Offset at, std::optional<Message> message)>;
  // Reads after < offset <= until and emits in order.
  using Read = std::function<Status(Offset after, Offset until, const Emit& emit)>;
  // The message that tells a client how far the stream has come while nothing was visible to it.
  using Checkpoint = std::function<Message(Offset at)>;

  static void start(ContextPtr context, rpc::ServerStreamPtr<Message> stream, Offset after, std::optional<Offset> until,
                    Read read, Checkpoint checkpoint) {
    auto pump = std::shared_ptr<StreamPump>(
        new StreamPump(std::move(context), std::move(stream), after, until, std::move(read), std::move(checkpoint)));
    // The subscription and the stream know the pump weakly; the stream's end lets go of the one strong hold.
    std::weak_ptr<StreamPump> weak = pump;
    const auto wake = [weak] {
      if (const auto self = weak.lock()) self->wake();
    };
    pump->growth_ = pump->context_->node.ledger().on_new_offsets([wake](Offset) { wake(); });
    pump->stream_->on_drained([weak] {
      if (const auto self = weak.lock()) {
        self->blocked_ = false;
        self->wake();
      }
    });
    pump->stream_->on_closed([pump]() mutable {
      // Ends on the loop: the growth subscription may be in the middle of calling us.
      const ContextPtr context = pump->context_;
      context->loop.post([pump = std::move(pump)] {
        pump->closed_ = true;
        pump->growth_.reset();
      });
    });
    pump->wake();
  }

 private:
  StreamPump(ContextPtr context, rpc::ServerStreamPtr<Message> stream, Offset after, std::optional<Offset> until,
             Read read, Checkpoint checkpoint)
      : context_(std::move(context)),
        stream_(std::move(stream)),
        at_(after),
        until_(until),
        read_(std::move(read)),
        checkpoint_(std::move(checkpoint)),
        last_message_micros_(context_->clock->monotonic_micros()) {}

  void wake() {
    if (scheduled_.exchange(true)) return;
    context_->loop.post([self = this->shared_from_this()] { self->step(); });
  }

  void step() {
    scheduled_ = false;
    if (closed_ || blocked_ || stream_->closed()) return;
    const Offset end = context_->node.ledger().ledger_end();
    const Offset target = until_ ? std::min(*until_, end) : end;
    int budget = 500;  // then others get their turn
    if (at_ < target) {
      const Status status = read_(at_, target, [&](Offset at, std::optional<Message> message) {
        at_ = at;
        if (message && !send(std::move(*message))) return false;
        return --budget > 0;
      });
      if (!status) return stream_->abort(status.error());
      if (budget > 0 && !blocked_) at_ = target;  // the rest of the offsets holds nothing for this reader
    }
    if (blocked_) return;
    if (until_ && at_ >= *until_) return stream_->finish();
    const std::int64_t now = context_->clock->monotonic_micros();
    if (checkpoint_ && at_ > told_ && now - last_message_micros_ >= context_->config.checkpoint_interval.micros)
      send(checkpoint_(at_));
    if (at_ < target) wake();
  }

  bool send(Message message) {
    told_ = at_;
    last_message_micros_ = context_->clock->monotonic_micros();
    // Set before writing: the drained callback may come at once from another thread.
    blocked_ = true;
    const rpc::WriteOutcome outcome = stream_->write(std::move(message));
    if (outcome == rpc::WriteOutcome::accepted) blocked_ = false;
    return outcome == rpc::WriteOutcome::accepted;
  }

  ContextPtr context_;
  rpc::ServerStreamPtr<Message> stream_;
  Offset at_;
  Offset told_{0};
  std::optional<Offset> until_;
  Read read_;
  Checkpoint checkpoint_;
  Subscription growth_;
  std::atomic<bool> scheduled_ = false;
  std::atomic<bool> blocked_ = false;
  bool closed_ = false;
  std::int64_t last_message_micros_;
};

}  // namespace synod::participant
