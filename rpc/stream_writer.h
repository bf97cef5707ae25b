// Server-streaming methods: a handle that any thread writes to, over a reactor that looks after itself.
//
//   grpc::ServerWriteReactor<Item>* List(grpc::CallbackServerContext* context, const ListRequest* request) override {
//     return rpc::stream_answer<Item>(context, {}, [&](rpc::CallContext& call, rpc::ServerStreamPtr<Item> stream) {
//       ...stream->write(item); stream->finish();
//     });
//   }
//
// Message may be grpc::ByteBuffer (raw methods), so that bytes are serialised once for many subscribers.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/log.h"
#include "rpc/call_context.h"
#include "rpc/error_status.h"
#include "rpc/message_bytes.h"
#include "rpc/refusals.h"
#include "rpc/send_queue.h"
#include "rpc/write_options.h"

namespace synod::rpc {

struct StreamLimits {
  std::size_t max_queued_bytes = 4u << 20;      // queued for sending; above: WriteOutcome::full, twice that: cancelled
  std::size_t max_unconsumed_bytes = 4u << 20;  // received and not yet consumed; above: no more reads (bidirectional)
};

// The sending side of one call. An end that is not OK goes into the log (refusals.h), unless said quietly. Thread
// rules: any method from any thread. The callbacks run on gRPC's threads (or on the thread that sets them when the
// event was before): they only enqueue.
template <typename Message>
class ServerStream {
 public:
  explicit ServerStream(const StreamLimits& limits) : queue_(limits.max_queued_bytes) {}
  virtual ~ServerStream() = default;

  // When the producer goes on after `full` until twice the limit is queued, the call is cancelled: a client that does
  // not read would not see another end either.
  WriteOutcome write(Message message) {
    std::unique_lock lock(mutex_);
    const WriteOutcome outcome = push(std::move(message));
    cancel_if_overrun();
    step(lock);
    return outcome;
  }
  // Several, not none, which go to the socket together; the outcome is that of the last one. The call is cancelled only
  // if twice the limit was queued before.
  WriteOutcome write_all(std::vector<Message> messages) {
    std::unique_lock lock(mutex_);
    WriteOutcome outcome = WriteOutcome::closed;
    cancel_if_overrun();
    for (Message& message : messages) outcome = push(std::move(message));
    step(lock);
    return outcome;
  }
  // Ends the stream after what is queued.
  void finish(grpc::Status status = grpc::Status::OK) { refuse(std::move(status), true); }
  void finish(grpc::Status status, Quiet) { end(std::move(status), true); }
  // `reason`: what the log gets instead.
  void finish(grpc::Status status, const Error& reason) { refuse(std::move(status), true, &reason); }
  // Ends the stream now; what is queued is dropped.
  void abort(grpc::Status status) { refuse(std::move(status), false); }
  void abort(const Error& error, const RequestIds& ids = {}) { refuse(to_grpc_status(error, ids), false, &error, ids); }

  // Called each time the queue is half empty again after write() said `full`.
  void on_drained(std::function<void()> callback) {
    std::lock_guard lock(mutex_);
    drained_ = std::move(callback);
  }
  // Called once when nothing can be sent any more: the client has gone, or the end has been sent.
  void on_closed(std::function<void()> callback) {
    std::unique_lock lock(mutex_);
    if (!closed_) {
      on_closed_ = std::move(callback);
      return;
    }
    lock.unlock();
    callback();
  }
  std::size_t queued_bytes() const {
    std::lock_guard lock(mutex_);
    return queue_.bytes();
  }
  bool closed() const {
    std::lock_guard lock(mutex_);
    return closed_ || queue_.is_ending();
  }

  // For the reactor below only.
  struct Transport {
    std::function<void(const Message&, grpc::WriteOptions)> write;
    std::function<void(grpc::Status)> finish;
    std::function<void()> cancel;
  };
  void open(Transport transport, const grpc::CallbackServerContext* call = nullptr) {
    transport_ = std::move(transport);
    call_ = call;
  }
  void written(bool ok) {
    std::unique_lock lock(mutex_);
    queue_.written();
    if (!ok) queue_.end(grpc::Status::CANCELLED, false);
    std::function<void()> drained = queue_.take_drained() && ok ? drained_ : nullptr;
    step(lock);
    if (lock.owns_lock()) lock.unlock();
    if (drained) drained();
  }
  void cancelled() {
    end(grpc::Status::CANCELLED, false);
    notify_closed();
  }
  virtual void done() { notify_closed(); }

 protected:
  using Queue = SendQueue<Message, grpc::Status>;

  // Both under the lock.
  WriteOutcome push(Message message) {
    const std::size_t bytes = message_bytes(message);
    return queue_.push(std::move(message), bytes);
  }
  void cancel_if_overrun() {
    if (queue_.is_ending() || !queue_.overrun()) return;
    queue_.end(grpc::Status::CANCELLED, false);
    transport_.cancel();  // under the lock: the call cannot end meanwhile, since it is not finished
  }
  void end(grpc::Status status, bool drain) {
    std::unique_lock lock(mutex_);
    queue_.end(std::move(status), drain);
    step(lock);
  }
  // Into the log before the client learns of it, and only what ends the stream: the call is open while it is not
  // closed.
  void refuse(grpc::Status status, bool drain, const Error* reason = nullptr, const RequestIds& ids = {}) {
    std::unique_lock lock(mutex_);
    if (call_ && !status.ok() && !closed_ && !queue_.is_ending()) {
      if (reason)
        log_refusal(*call_, descriptor_of<Message>(), *reason, ids);
      else
        log_refusal(*call_, descriptor_of<Message>(), status);
    }
    queue_.end(std::move(status), drain);
    step(lock);
  }
  // Performs the queue's next step. The lock is released before gRPC is called: the queue allows one step at a time.
  void step(std::unique_lock<std::mutex>& lock) {
    switch (queue_.next()) {
      case Queue::Do::nothing:
        return;
      case Queue::Do::write: {
        const Message& message = queue_.in_flight();
        const grpc::WriteOptions options = write_options(std::exchange(begun_, true) && queue_.more());
        lock.unlock();
        transport_.write(message, options);
        return;
      }
      case Queue::Do::finish: {
        finishing_ = true;
        grpc::Status status = queue_.ending();
        auto finish = transport_.finish;  // this object may be gone as soon as gRPC knows the end
        lock.unlock();
        finish(std::move(status));
        return;
      }
    }
  }
  void notify_closed() {
    std::unique_lock lock(mutex_);
    if (closed_) return;
    closed_ = true;
    auto callback = std::move(on_closed_);
    on_closed_ = nullptr;
    drained_ = nullptr;
    lock.unlock();
    if (callback) callback();
  }

  mutable std::mutex mutex_;
  Queue queue_;
  Transport transport_;
  const grpc::CallbackServerContext* call_ = nullptr;
  std::function<void()> drained_;
  std::function<void()> on_closed_;
  bool begun_ = false;  // the first message is on its way, or has been
  bool closed_ = false;
  bool finishing_ = false;
};

template <typename Message>
using ServerStreamPtr = std::shared_ptr<ServerStream<Message>>;

// The adapter: owned by gRPC, deletes itself when the call is over.
template <typename Message>
class WriteReactor final : public grpc::ServerWriteReactor<Message> {
 public:
  WriteReactor(ServerStreamPtr<Message> stream, grpc::CallbackServerContext* context) : stream_(std::move(stream)) {
    stream_->open(
        {[this](const Message& message, grpc::WriteOptions options) { this->StartWrite(&message, options); },
         [this](grpc::Status status) { this->Finish(std::move(status)); }, [context] { context->TryCancel(); }},
        context);
  }
  void OnWriteDone(bool ok) override { stream_->written(ok); }
  void OnCancel() override { stream_->cancelled(); }
  void OnDone() override {
    auto stream = std::move(stream_);
    delete this;
    stream->done();
  }

 private:
  ServerStreamPtr<Message> stream_;
};

// `handler(CallContext&, ServerStreamPtr<Message>)` runs on gRPC's thread; the stream must be ended some time.
template <typename Message, typename Handler>
grpc::ServerWriteReactor<Message>* stream_answer(grpc::CallbackServerContext* context, const StreamLimits& limits,
                                                 Handler&& handler) {
  auto stream = std::make_shared<ServerStream<Message>>(limits);
  auto* reactor = new WriteReactor<Message>(stream, context);
  CallContext call(context);
  const log::TraceScope trace(call.trace_id());
  std::forward<Handler>(handler)(call, std::move(stream));
  return reactor;
}

}  // namespace synod::rpc
