#include "rpc/call_context.h"

#include <grpcpp/security/auth_context.h>
#include <grpcpp/server_context.h>

#include <algorithm>
#include <cctype>

#include "base/bytes.h"
#include "base/env.h"
#include "base/log.h"

namespace synod::rpc {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

}  // namespace

std::optional<std::string> CallContext::metadata(std::string_view key) const {
  const std::string name = lower(key);  // HTTP/2 header names are lower case
  const auto& all = context_->client_metadata();
  const auto it = all.find(grpc::string_ref(name.data(), name.size()));
  if (it == all.end()) return std::nullopt;
  return std::string(it->second.data(), it->second.size());
}

std::string CallContext::peer() const { return context_->peer(); }

std::string CallContext::traceparent() const { return metadata("traceparent").value_or(""); }

std::string CallContext::trace_id() const { return log::trace_id_of(traceparent()); }

RequestIds CallContext::request_ids() const {
  std::string trace = trace_id();
  if (trace.empty()) trace = to_hex(system_random()->bytes(16));
  return {trace, trace};
}

std::vector<std::string> CallContext::client_certificate_names() const {
  std::vector<std::string> names;
  const auto auth = context_->auth_context();
  if (!auth || !auth->IsPeerAuthenticated()) return names;
  for (const auto& name : auth->GetPeerIdentity()) names.emplace_back(name.data(), name.size());
  return names;
}

void CallContext::add_trailer(std::string key, std::string value) { context_->AddTrailingMetadata(lower(key), value); }

}  // namespace synod::rpc
