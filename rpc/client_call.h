// Unary calls of a client.
//
//   auto call = rpc::unary_call(stub->async(), &Stub::async::GetTime, request, {.deadline = Duration::seconds(2)},
//                               [this](Result<GetTimeResponse> result) { executor_.post(...); });
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "rpc/error_status.h"

namespace synod::rpc {

struct CallOptions {
  Duration deadline = Duration::seconds(10);                  // from now; zero: none (streams)
  std::vector<std::pair<std::string, std::string>> metadata;  // request headers; "-bin" keys take raw bytes
  // Trailers to copy into the context of an Error, lower case.
  std::vector<std::string> error_trailers;
  std::string traceparent;  // W3C header, or empty
};

// Puts the options into a context that has not been used yet.
void apply(const CallOptions& options, grpc::ClientContext& context);
// The Error of a failed call: from_grpc_status plus the trailers asked for. Its context always has `grpc_code`.
Error call_error(const grpc::Status& status, const grpc::ClientContext& context, const CallOptions& options);

// A call under way. Letting go of it does not cancel it.
class PendingCall {
 public:
  virtual ~PendingCall() = default;
  virtual void cancel() = 0;  // any thread; the callback still comes, with CANCELLED unless the answer was faster
};

// `done` is called once, on one of gRPC's threads: it only enqueues.
template <typename AsyncStub, typename AsyncInterface, typename Request, typename Response>
std::shared_ptr<PendingCall> unary_call(AsyncStub* stub,
                                        void (AsyncInterface::*method)(grpc::ClientContext*, const Request*, Response*,
                                                                       std::function<void(grpc::Status)>),
                                        Request request, CallOptions options,
                                        std::function<void(Result<Response>)> done) {
  struct Call final : PendingCall {
    grpc::ClientContext context;
    Request request;
    Response response;
    CallOptions options;
    std::function<void(Result<Response>)> done;
    void cancel() override { context.TryCancel(); }
  };
  auto call = std::make_shared<Call>();
  call->request = std::move(request);
  call->options = std::move(options);
  call->done = std::move(done);
  apply(call->options, call->context);
  (stub->*method)(&call->context, &call->request, &call->response, [call](grpc::Status status) {
    auto finished = std::move(call->done);
    call->done = nullptr;
    if (status.ok()) {
      finished(std::move(call->response));
    } else {
      finished(fail(call_error(status, call->context, call->options)));
    }
  });
  return call;
}

}  // namespace synod::rpc
