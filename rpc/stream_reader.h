// Server-streaming calls from the client's side, with back-pressure.
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "rpc/client_call.h"
#include "rpc/message_bytes.h"
#include "rpc/read_credit.h"

namespace synod::rpc {

template <typename Message>
struct StreamHandlers {
  // Both run on gRPC's threads, in order and never at the same time: they only enqueue. Give `bytes` back with
  // consumed() when the message has been dealt with.
  std::function<void(Message message, std::size_t bytes)> on_message;
  // The last callback. No error: the server ended the stream with OK.
  std::function<void(std::optional<Error> error)> on_end;
};

// One stream. Thread rules: any method from any thread. Letting go of it does not cancel it.
class ClientStream {
 public:
  virtual ~ClientStream() = default;
  virtual void consumed(std::size_t bytes) = 0;
  virtual void cancel() = 0;  // on_end still comes
};

template <typename Message>
class StreamReader final : public ClientStream, public grpc::ClientReadReactor<Message> {
 public:
  StreamReader(CallOptions options, std::size_t max_unconsumed_bytes, StreamHandlers<Message> handlers)
      : options_(std::move(options)), credit_(max_unconsumed_bytes), handlers_(std::move(handlers)) {
    apply(options_, context_);
  }
  grpc::ClientContext* context() { return &context_; }
  void start(std::shared_ptr<StreamReader> self) {
    self_ = std::move(self);
    this->AddHold();  // reads start from other threads too; given back when the stream has ended
    std::lock_guard lock(mutex_);
    credit_.take_read();
    this->StartRead(&incoming_);
    this->StartCall();
  }

  void consumed(std::size_t bytes) override {
    std::lock_guard lock(mutex_);
    credit_.consumed(bytes);
    if (credit_.take_read()) this->StartRead(&incoming_);
  }
  void cancel() override {
    context_.TryCancel();
    std::lock_guard lock(mutex_);
    if (credit_.force_read()) this->StartRead(&incoming_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      {
        std::lock_guard lock(mutex_);
        credit_.end();
      }
      this->RemoveHold();
      return;
    }
    Message message = std::move(incoming_);
    incoming_ = Message();
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
  void OnDone(const grpc::Status& status) override {
    auto self = std::move(self_);
    auto handlers = std::move(handlers_);
    handlers_ = {};
    handlers.on_end(status.ok() ? std::nullopt : std::optional<Error>(call_error(status, context_, options_)));
  }

 private:
  grpc::ClientContext context_;
  CallOptions options_;
  std::mutex mutex_;
  ReadCredit credit_;
  Message incoming_;
  StreamHandlers<Message> handlers_;
  std::shared_ptr<StreamReader> self_;
};

// `options.deadline` zero: the stream may stay open for ever.
template <typename AsyncStub, typename AsyncInterface, typename Request, typename Response>
std::shared_ptr<ClientStream> read_stream(AsyncStub* stub,
                                          void (AsyncInterface::*method)(grpc::ClientContext*, const Request*,
                                                                         grpc::ClientReadReactor<Response>*),
                                          const Request& request, CallOptions options, std::size_t max_unconsumed_bytes,
                                          StreamHandlers<Response> handlers) {
  auto reader = std::make_shared<StreamReader<Response>>(std::move(options), max_unconsumed_bytes, std::move(handlers));
  (stub->*method)(reader->context(), &request, reader.get());  // serialises the request at once
  reader->start(reader);
  return reader;
}

}  // namespace synod::rpc
