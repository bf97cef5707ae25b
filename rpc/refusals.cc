#include "rpc/refusals.h"

#include <google/protobuf/descriptor.h>
#include <grpcpp/server_context.h>

#include <mutex>
#include <utility>

#include "base/env.h"
#include "base/log.h"

namespace synod::rpc {
namespace {

std::mutex limit_mutex;
RefusalLimit refusal_limit;

void write_refusal(const grpc::CallbackServerContext& call, const google::protobuf::Descriptor* response,
                   const std::string& id, const std::string& text, const std::string& trace_id) {
  std::string method = methods_that_answer(response);
  std::optional<std::uint64_t> passed_over;
  {
    const std::int64_t now = system_clock()->monotonic_micros();
    std::lock_guard lock(limit_mutex);
    passed_over = refusal_limit.add(method + " " + id, now);
  }
  if (!passed_over) return;
  const log::TraceScope trace(trace_id.empty() ? log::trace_id() : trace_id);
  log::info("rpc", "{} refuses {}: {}{}", method, call.peer(), text,
            *passed_over == 0 ? "" : fmt::format(" (and {} more like it since the last line)", *passed_over));
}

bool log_takes_refusals() { return log::level() <= log::Level::info; }

}  // namespace

RefusalLimit::Kind* RefusalLimit::find(const std::string& kind, std::int64_t now) {
  const auto known = kinds_.find(kind);
  if (known != kinds_.end()) return &known->second;
  if (kinds_.size() < limits_.max_kinds) return nullptr;
  std::erase_if(kinds_, [&](const auto& entry) { return entry.second.said_at + limits_.interval.micros <= now; });
  return nullptr;
}

std::optional<std::uint64_t> RefusalLimit::add(const std::string& kind, std::int64_t monotonic_micros) {
  Kind* known = find(kind, monotonic_micros);
  if (!known) {
    const std::string& counted = kinds_.size() < limits_.max_kinds ? kind : std::string();
    const auto [entry, is_new] = kinds_.emplace(counted, Kind{monotonic_micros, 0});
    if (is_new) return 0;
    known = &entry->second;
  }
  if (monotonic_micros < known->said_at + limits_.interval.micros) {
    ++known->passed_over;
    return std::nullopt;
  }
  known->said_at = monotonic_micros;
  return std::exchange(known->passed_over, 0);
}

std::string methods_that_answer(const google::protobuf::Descriptor* response) {
  if (!response) return "a method of raw bytes";
  std::string methods;
  for (int i = 0; i < response->file()->service_count(); ++i) {
    const auto* service = response->file()->service(i);
    for (int j = 0; j < service->method_count(); ++j) {
      if (service->method(j)->output_type() != response) continue;
      methods += methods.empty() ? service->full_name() + "/" : "|";
      methods += service->method(j)->name();
    }
  }
  return methods.empty() ? "what answers with " + response->full_name() : methods;
}

void log_refusal(const grpc::CallbackServerContext& call, const google::protobuf::Descriptor* response,
                 const Error& error, const RequestIds& ids) {
  if (!log_takes_refusals()) return;
  write_refusal(call, response, error.id, error_text(error, ids.correlation_id), ids.trace_id);
}

void log_refusal(const grpc::CallbackServerContext& call, const google::protobuf::Descriptor* response,
                 const grpc::Status& status) {
  if (status.ok() || !log_takes_refusals()) return;
  const Error error = from_grpc_status(status);
  write_refusal(call, response, error.id, error_text(error, ""), "");
}

void forget_refusals() {
  std::lock_guard lock(limit_mutex);
  refusal_limit.forget();
}

}  // namespace synod::rpc
