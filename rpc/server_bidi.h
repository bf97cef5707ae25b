// Bidirectional methods on the server: a ServerStream that also receives.
#pragma once

#include "base/log.h"
#include "rpc/read_credit.h"
#include "rpc/stream_writer.h"

namespace synod::rpc {

// Thread rules: as ServerStream. Set the callbacks in the handler, before it returns.
template <typename In, typename Out>
class ServerBidi final : public ServerStream<Out> {
 public:
  explicit ServerBidi(const StreamLimits& limits) : ServerStream<Out>(limits), credit_(limits.max_unconsumed_bytes) {}

  // For each message received, with its size: give the size back with consumed() when it has been dealt with.
  void on_message(std::function<void(In message, std::size_t bytes)> callback) { on_message_ = std::move(callback); }
  // The client sends no more.
  void on_half_close(std::function<void()> callback) { on_half_close_ = std::move(callback); }
  void consumed(std::size_t bytes) {
    std::lock_guard lock(this->mutex_);
    credit_.consumed(bytes);
    read_more();
  }

  // For the reactor below only.
  void open_reads(std::function<void(In*)> read) {
    std::lock_guard lock(this->mutex_);
    read_ = std::move(read);
    read_more();
  }
  void received(bool ok) {
    std::unique_lock lock(this->mutex_);
    if (!ok) {
      credit_.end();
      auto half_close = std::move(on_half_close_);
      on_half_close_ = nullptr;
      lock.unlock();
      if (half_close) half_close();
      return;
    }
    In message = std::move(incoming_);
    incoming_ = In();
    const std::size_t bytes = message_bytes(message);
    credit_.add(bytes);
    auto deliver = on_message_;
    lock.unlock();
    if (deliver) deliver(std::move(message), bytes);  // before the next read, so that the order is kept
    lock.lock();
    credit_.read_done();
    read_more();
  }
  void done() override {
    ServerStream<Out>::done();
    on_message_ = nullptr;
  }

 private:
  // Under the lock: a read must not start once the end is being sent.
  void read_more() {
    if (read_ && !this->finishing_ && credit_.take_read()) read_(&incoming_);
  }

  ReadCredit credit_;
  In incoming_;
  std::function<void(In*)> read_;
  std::function<void(In, std::size_t)> on_message_;
  std::function<void()> on_half_close_;
};

template <typename In, typename Out>
using ServerBidiPtr = std::shared_ptr<ServerBidi<In, Out>>;

template <typename In, typename Out>
class BidiReactor final : public grpc::ServerBidiReactor<In, Out> {
 public:
  BidiReactor(ServerBidiPtr<In, Out> stream, grpc::CallbackServerContext* context) : stream_(std::move(stream)) {
    stream_->open(
        {[this](const Out& message, grpc::WriteOptions options) { this->StartWrite(&message, options); },
         [this](grpc::Status status) { this->Finish(std::move(status)); }, [context] { context->TryCancel(); }},
        context);
  }
  void start() {
    stream_->open_reads([this](In* into) { this->StartRead(into); });
  }
  void OnWriteDone(bool ok) override { stream_->written(ok); }
  void OnReadDone(bool ok) override { stream_->received(ok); }
  void OnCancel() override { stream_->cancelled(); }
  void OnDone() override {
    auto stream = std::move(stream_);
    delete this;
    stream->done();
  }

 private:
  ServerBidiPtr<In, Out> stream_;
};

// `handler(CallContext&, ServerBidiPtr<In, Out>)` sets the callbacks; reading starts after it.
template <typename In, typename Out, typename Handler>
grpc::ServerBidiReactor<In, Out>* bidi_answer(grpc::CallbackServerContext* context, const StreamLimits& limits,
                                              Handler&& handler) {
  auto stream = std::make_shared<ServerBidi<In, Out>>(limits);
  auto* reactor = new BidiReactor<In, Out>(stream, context);
  CallContext call(context);
  const log::TraceScope trace(call.trace_id());
  std::forward<Handler>(handler)(call, std::move(stream));
  reactor->start();
  return reactor;
}

}  // namespace synod::rpc
