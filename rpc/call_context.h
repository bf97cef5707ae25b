// What a handler may know about the call it answers, without gRPC's types.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rpc/error_status.h"

namespace grpc {
class CallbackServerContext;
}

namespace synod::rpc {

// A view of a call that is still open: valid until its Reply is given or its stream is finished.
class CallContext {
 public:
  explicit CallContext(grpc::CallbackServerContext* context) : context_(context) {}

  // The first value of a request header; header names are matched without regard to case. Keys that end in "-bin" have
  // raw bytes as value.
  std::optional<std::string> metadata(std::string_view key) const;
  std::string peer() const;  // for logs, e.g. ipv4:127.0.0.1:5011
  // From the W3C header `traceparent`: 32 hex digits, or empty.
  std::string trace_id() const;
  std::string traceparent() const;  // the whole header value, or empty
  // Correlation id for errors: the trace id, or fresh random hex digits in its form.
  RequestIds request_ids() const;
  // Names in the client's certificate (mTLS), in order; empty without one.
  std::vector<std::string> client_certificate_names() const;

  // Sent to the client after the answer. Only before the answer is given.
  void add_trailer(std::string key, std::string value);

 private:
  grpc::CallbackServerContext* context_;
};

}  // namespace synod::rpc
