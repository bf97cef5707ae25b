// Unary methods as functions: (context, request) → reply, now or later, from any thread.
//
//   grpc::ServerUnaryReactor* GetTime(grpc::CallbackServerContext* context, const GetTimeRequest* request,
//                                     GetTimeResponse* response) override {
//     return rpc::answer(context, response, [&](rpc::CallContext& call, rpc::Reply<GetTimeResponse> reply) {
//       executor_.post([this, reply] { reply(core_.time()); });   // Result<GetTimeResponse>, or reply.status(...)
//     });
//   }
//
// Few-threads rule: handlers run on one of gRPC's few threads, so they only check and enqueue.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <memory>
#include <utility>

#include "base/log.h"
#include "base/result.h"
#include "rpc/call_context.h"
#include "rpc/error_status.h"
#include "rpc/refusals.h"

namespace synod::rpc {

// The right to answer one call once. Copies share it; the first answer wins. When the last copy goes without an answer
// (an executor was stopped), the client gets UNAVAILABLE. What is not OK goes into the log (refusals.h), unless said
// quietly.
// Thread rules: any thread. The request message and the CallContext are valid until the answer.
template <typename Response>
class Reply {
 public:
  Reply(grpc::CallbackServerContext* context, Response* response, grpc::ServerUnaryReactor* reactor)
      : call_(std::make_shared<Call>(context, response, reactor)) {}

  void operator()(Result<Response> result) const {
    if (!result) return error(result.error());
    if (call_->answered.exchange(true)) return;
    *call_->response = std::move(*result);
    call_->reactor->Finish(grpc::Status::OK);
  }
  void error(const Error& error) const {
    if (call_->answered.exchange(true)) return;
    const RequestIds ids = CallContext(call_->context).request_ids();
    log_refusal(*call_->context, descriptor_of<Response>(), error, ids);
    call_->reactor->Finish(to_grpc_status(error, ids));
  }
  void error(const Error& error, Quiet) const {
    status(to_grpc_status(error, CallContext(call_->context).request_ids()), quietly);
  }
  // A status of another form than Canton's errors, where the protocol wants it.
  void status(grpc::Status status) const {
    if (call_->answered.exchange(true)) return;
    log_refusal(*call_->context, descriptor_of<Response>(), status);
    call_->reactor->Finish(std::move(status));
  }
  // `reason`: what the log gets instead.
  void status(grpc::Status status, const Error& reason) const {
    if (call_->answered.exchange(true)) return;
    log_refusal(*call_->context, descriptor_of<Response>(), reason, {});
    call_->reactor->Finish(std::move(status));
  }
  void status(grpc::Status status, Quiet) const {
    if (!call_->answered.exchange(true)) call_->reactor->Finish(std::move(status));
  }
  // Only before the answer.
  CallContext context() const { return CallContext(call_->context); }

 private:
  struct Call {
    Call(grpc::CallbackServerContext* c, Response* r, grpc::ServerUnaryReactor* u)
        : context(c), response(r), reactor(u) {}
    ~Call() {
      if (!answered.exchange(true)) reactor->Finish({grpc::StatusCode::UNAVAILABLE, "The server is shutting down"});
    }
    grpc::CallbackServerContext* context;
    Response* response;
    grpc::ServerUnaryReactor* reactor;
    std::atomic<bool> answered = false;
  };
  std::shared_ptr<Call> call_;
};

// `handler(CallContext&, Reply<Response>)` must lead to one answer.
template <typename Response, typename Handler>
grpc::ServerUnaryReactor* answer(grpc::CallbackServerContext* context, Response* response, Handler&& handler) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  CallContext call(context);
  const log::TraceScope trace(call.trace_id());
  std::forward<Handler>(handler)(call, Reply<Response>(context, response, reactor));
  return reactor;
}

// For handlers that know the answer at once: `handler(CallContext&)` returns Result<Response>.
template <typename Response, typename Handler>
grpc::ServerUnaryReactor* answer_now(grpc::CallbackServerContext* context, Response* response, Handler&& handler) {
  return answer(context, response, [&](CallContext& call, Reply<Response> reply) { reply(handler(call)); });
}

}  // namespace synod::rpc
