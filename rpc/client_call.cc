#include "rpc/client_call.h"

#include <algorithm>
#include <cctype>
#include <chrono>

namespace synod::rpc {

void apply(const CallOptions& options, grpc::ClientContext& context) {
  if (options.deadline.micros > 0) {
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::microseconds(options.deadline.micros));
  }
  for (const auto& [key, value] : options.metadata) {
    std::string name = key;  // HTTP/2 header names are lower case
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    context.AddMetadata(name, value);
  }
  if (!options.traceparent.empty()) context.AddMetadata("traceparent", options.traceparent);
}

Error call_error(const grpc::Status& status, const grpc::ClientContext& context, const CallOptions& options) {
  Error error = from_grpc_status(status);
  error.context.emplace_back("grpc_code", std::to_string(status.error_code()));
  const auto& trailers = context.GetServerTrailingMetadata();
  for (const std::string& key : options.error_trailers) {
    const auto it = trailers.find(grpc::string_ref(key.data(), key.size()));
    if (it != trailers.end()) error.context.emplace_back(key, std::string(it->second.data(), it->second.size()));
  }
  return error;
}

}  // namespace synod::rpc
