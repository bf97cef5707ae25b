// Bidirectional calls from the client's side, with back-pressure both ways.
#pragma once

#include "rpc/send_queue.h"
#include "rpc/stream_reader.h"
#include "rpc/write_options.h"

namespace synod::rpc {

// One stream: writes like ServerStream, reads like StreamReader. Thread rules: any method from any thread.
template <typename Out, typename In>
class ClientBidi final : public ClientStream, public grpc::ClientBidiReactor<Out, In> {
 public:
  ClientBidi(CallOptions options, std::size_t max_queued_bytes, std::size_t max_unconsumed_bytes,
             StreamHandlers<In> handlers)
      : options_(std::move(options)),
        queue_(max_queued_bytes),
        credit_(max_unconsumed_bytes),
        handlers_(std::move(handlers)) {
    apply(options_, context_);
  }
  grpc::ClientContext* context() { return &context_; }
  void start(std::shared_ptr<ClientBidi> self) {
    self_ = std::move(self);
    this->AddMultipleHolds(2);  // one for reads and one for writes from other threads, until each side has ended
    std::lock_guard lock(mutex_);
    credit_.take_read();
    this->StartRead(&incoming_);
    this->StartCall();
  }

  WriteOutcome write(Out message) {
    std::lock_guard lock(mutex_);
    const std::size_t bytes = message_bytes(message);
    const WriteOutcome outcome = queue_.push(std::move(message), bytes);
    step();
    return outcome;
  }
  // Half-close after what is queued.
  void writes_done() {
    std::lock_guard lock(mutex_);
    queue_.end(true, true);
    step();
  }
  // Called each time the queue is half empty again after write() said `full`.
  void on_drained(std::function<void()> callback) {
    std::lock_guard lock(mutex_);
    drained_ = std::move(callback);
  }
  void consumed(std::size_t bytes) override {
    std::lock_guard lock(mutex_);
    credit_.consumed(bytes);
    if (credit_.take_read()) this->StartRead(&incoming_);
  }
  void cancel() override {
    context_.TryCancel();
    std::lock_guard lock(mutex_);
    queue_.end(false, false);
    step();
    if (credit_.force_read()) this->StartRead(&incoming_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      {
        std::lock_guard lock(mutex_);
        credit_.end();
        queue_.end(false, false);  // the server has ended the call: nothing can be sent any more
        step();
      }
      this->RemoveHold();
      return;
    }
    In message = std::move(incoming_);
    incoming_ = In();
    const std::size_t bytes = message_bytes(message);
    {
      std::lock_guard lock(mutex_);
      credit_.add(bytes);
    }
    handlers_.on_message(std::move(message), bytes);
    std::lock_guard lock(mutex_);
    credit_.read_done();
    if (credit_.take_read()) this->StartRead(&incoming_);
  }
  void OnWriteDone(bool ok) override {
    std::function<void()> drained;
    {
      std::lock_guard lock(mutex_);
      queue_.written();
      if (!ok) queue_.end(false, false);
      if (queue_.take_drained() && ok) drained = drained_;
      step();
    }
    if (drained) drained();
  }
  void OnDone(const grpc::Status& status) override {
    auto self = std::move(self_);
    auto handlers = std::move(handlers_);
    handlers_ = {};
    handlers.on_end(status.ok() ? std::nullopt : std::optional<Error>(call_error(status, context_, options_)));
  }

 private:
  using Queue = SendQueue<Out, bool>;  // the ending says whether to half-close

  // Under the lock, which also keeps the hold for writes alive while a write starts.
  void step() {
    switch (queue_.next()) {
      case Queue::Do::nothing:
        return;
      case Queue::Do::write:
        this->StartWrite(&queue_.in_flight(), write_options(queue_.more()));
        return;
      case Queue::Do::finish:
        if (queue_.ending()) this->StartWritesDone();
        this->RemoveHold();
        return;
    }
  }

  grpc::ClientContext context_;
  CallOptions options_;
  std::mutex mutex_;
  Queue queue_;
  ReadCredit credit_;
  In incoming_;
  StreamHandlers<In> handlers_;
  std::function<void()> drained_;
  std::shared_ptr<ClientBidi> self_;
};

template <typename AsyncStub, typename AsyncInterface, typename Out, typename In>
std::shared_ptr<ClientBidi<Out, In>> open_bidi(
    AsyncStub* stub, void (AsyncInterface::*method)(grpc::ClientContext*, grpc::ClientBidiReactor<Out, In>*),
    CallOptions options, std::size_t max_queued_bytes, std::size_t max_unconsumed_bytes, StreamHandlers<In> handlers) {
  auto bidi = std::make_shared<ClientBidi<Out, In>>(std::move(options), max_queued_bytes, max_unconsumed_bytes,
                                                    std::move(handlers));
  (stub->*method)(bidi->context(), bidi.get());
  bidi->start(bidi);
  return bidi;
}

}  // namespace synod::rpc
