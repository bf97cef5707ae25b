#include "protocol/rpc_status.h"

#include <google/protobuf/any.pb.h>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace synod::protocol {
namespace {

int grpc_code(ErrorCategory category) {
  switch (category) {
    case ErrorCategory::transient_server_failure:
    case ErrorCategory::background_degradation:
      return 14;
    case ErrorCategory::contention_on_shared_resources:
      return 10;
    case ErrorCategory::deadline_exceeded_state_unknown:
      return 4;
    case ErrorCategory::internal:
      return 13;
    case ErrorCategory::malicious_or_faulty:
    case ErrorCategory::invalid_argument:
      return 3;
    case ErrorCategory::authentication:
      return 16;
    case ErrorCategory::permission:
      return 7;
    case ErrorCategory::invalid_state_other:
      return 9;
    case ErrorCategory::invalid_state_exists:
      return 6;
    case ErrorCategory::invalid_state_missing:
      return 5;
    case ErrorCategory::seek_after_end:
      return 11;
    case ErrorCategory::unsupported:
      return 12;
  }
  return 13;
}

bool retryable(ErrorCategory category) {
  return category == ErrorCategory::transient_server_failure ||
         category == ErrorCategory::contention_on_shared_resources ||
         category == ErrorCategory::deadline_exceeded_state_unknown;
}

void append_entry(Bytes& out, const std::string& key, const std::string& value) {
  // One entry of ErrorInfo's map, written by hand: a protobuf map has no order, and what is signed needs one.
  google::rpc::ErrorInfo one;
  (*one.mutable_metadata())[key] = value;
  out += one.SerializeAsString();
}

Bytes any(const char* type, Bytes value) {
  google::protobuf::Any out;
  out.set_type_url(std::string("type.googleapis.com/google.rpc.") + type);
  out.set_value(std::move(value));
  return out.SerializeAsString();
}

}  // namespace

RpcStatus RpcStatus::from_proto(const google::rpc::Status& proto) {
  RpcStatus out{proto.code(), proto.message(), {}};
  for (const google::protobuf::Any& detail : proto.details()) out.details.push_back(detail.SerializeAsString());
  return out;
}

void RpcStatus::to_proto(google::rpc::Status& out) const {
  out.Clear();
  out.set_code(code);
  out.set_message(message);
  for (const Bytes& detail : details) out.add_details()->ParseFromString(detail);
}

RpcStatus RpcStatus::of(const Error& error, const std::vector<Resource>& resources) {
  const std::string category = std::to_string(static_cast<int>(error.category));
  RpcStatus out;
  out.code = grpc_code(error.category);
  out.message = error.id + "(" + category + ",0): " + error.cause;
  google::rpc::ErrorInfo info;
  info.set_reason(error.id);
  Bytes encoded = info.SerializeAsString();
  for (const auto& [key, value] : error.context) append_entry(encoded, key, value);
  append_entry(encoded, "definite_answer", "false");
  append_entry(encoded, "category", category);
  out.details.push_back(any("ErrorInfo", std::move(encoded)));
  if (retryable(error.category)) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(1);
    out.details.push_back(any("RetryInfo", retry.SerializeAsString()));
  }
  for (const Resource& resource : resources) {
    google::rpc::ResourceInfo named;
    named.set_resource_type(resource.type);
    named.set_resource_name(resource.name);
    out.details.push_back(any("ResourceInfo", named.SerializeAsString()));
  }
  return out;
}

std::string RpcStatus::error_id() const {
  const std::size_t at = message.find('(');
  return at == std::string::npos ? std::string() : message.substr(0, at);
}

}  // namespace synod::protocol
