#include "rpc/error_status.h"

#include <grpcpp/support/status.h>

#include <algorithm>
#include <cctype>

#include "base/check.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace synod::rpc {
namespace {

constexpr std::string_view redacted_prefix =
    "An error occurred. Please contact the operator and inquire about the request ";
constexpr std::size_t max_id_characters = 256;

std::string cut(std::string_view text, std::size_t max, std::string_view mark) {
  if (text.size() <= max) return std::string(text);
  std::size_t end = max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // not inside a UTF-8 sequence
  return std::string(text.substr(0, end)) + std::string(mark);
}

const char* code_name(int code) {
  static constexpr const char* names[] = {
      "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED"};
  return code >= 0 && code <= 16 ? names[code] : "UNKNOWN";
}

// Characters that a metadata key of ErrorInfo may have.
std::string metadata_key(std::string_view key) {
  std::string out;
  for (char c : key) {
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '(' || c == ')') out += c;
  }
  return out.substr(0, 63);
}

template <typename Detail>
void add_detail(google::rpc::Status& status, const Detail& detail) {
  status.add_details()->PackFrom(detail);
}

void add_request_info(google::rpc::Status& status, const RequestIds& ids) {
  const std::string& id = ids.correlation_id.empty() ? ids.trace_id : ids.correlation_id;
  if (id.empty()) return;
  google::rpc::RequestInfo info;
  info.set_request_id(cut(id, max_id_characters - 3, "..."));
  add_detail(status, info);
}

google::rpc::Status redacted_status(const Error& error, const RequestIds& ids) {
  google::rpc::Status status;
  status.set_code(grpc_code(error.category));
  status.set_message(std::string(redacted_prefix) +
                     (ids.correlation_id.empty() ? "<no-correlation-id>" : cut(ids.correlation_id, 253, "...")) +
                     " with tid " + (ids.trace_id.empty() ? "<no-tid>" : cut(ids.trace_id, 253, "...")));
  add_request_info(status, ids);
  return status;
}

// Cuts the context to what fits: short entries first keep their whole text, long ones share the rest.
std::vector<std::pair<std::string, std::string>> fit(const std::vector<std::pair<std::string, std::string>>& context,
                                                     std::size_t budget) {
  std::vector<std::pair<std::string, std::string>> entries;
  for (const auto& [key, value] : context) {
    std::string clean = metadata_key(key);
    if (!clean.empty() && !value.empty()) entries.emplace_back(std::move(clean), value);
  }
  std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return a.first.size() + a.second.size() < b.first.size() + b.second.size();
  });
  std::vector<std::pair<std::string, std::string>> kept;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    auto& [key, value] = entries[i];
    const std::size_t share = budget / (entries.size() - i);
    if (share <= key.size() + 16) break;
    value = cut(value, share - key.size() - 13, "...");
    budget -= key.size() + value.size() + 10;
    kept.emplace_back(std::move(key), std::move(value));
  }
  return kept;
}

struct TextParts {
  std::string id;
  int category = 0;
  std::string cause;
};

// `ID(category,correlation): cause`
std::optional<TextParts> take_apart(std::string_view text) {
  const std::size_t open = text.find('(');
  if (open == std::string_view::npos || open == 0) return std::nullopt;
  for (char c : text.substr(0, open)) {
    if (!std::isupper(static_cast<unsigned char>(c)) && !std::isdigit(static_cast<unsigned char>(c)) && c != '_') {
      return std::nullopt;
    }
  }
  const std::size_t comma = text.find(',', open);
  const std::size_t end = text.find("): ", open);
  if (comma == std::string_view::npos || end == std::string_view::npos || comma > end) return std::nullopt;
  const std::string_view number = text.substr(open + 1, comma - open - 1);
  if (number.empty() || number.size() > 2) return std::nullopt;
  int category = 0;
  for (char c : number) {
    if (!std::isdigit(static_cast<unsigned char>(c))) return std::nullopt;
    category = category * 10 + (c - '0');
  }
  return TextParts{std::string(text.substr(0, open)), category, std::string(text.substr(end + 3))};
}

}  // namespace

int grpc_code(ErrorCategory category) {
  switch (category) {
    case ErrorCategory::transient_server_failure:
      return grpc::StatusCode::UNAVAILABLE;
    case ErrorCategory::contention_on_shared_resources:
      return grpc::StatusCode::ABORTED;
    case ErrorCategory::deadline_exceeded_state_unknown:
      return grpc::StatusCode::DEADLINE_EXCEEDED;
    case ErrorCategory::internal:
      return grpc::StatusCode::INTERNAL;
    case ErrorCategory::malicious_or_faulty:
      return grpc::StatusCode::INVALID_ARGUMENT;
    case ErrorCategory::authentication:
      return grpc::StatusCode::UNAUTHENTICATED;
    case ErrorCategory::permission:
      return grpc::StatusCode::PERMISSION_DENIED;
    case ErrorCategory::invalid_argument:
      return grpc::StatusCode::INVALID_ARGUMENT;
    case ErrorCategory::invalid_state_other:
      return grpc::StatusCode::FAILED_PRECONDITION;
    case ErrorCategory::invalid_state_exists:
      return grpc::StatusCode::ALREADY_EXISTS;
    case ErrorCategory::invalid_state_missing:
      return grpc::StatusCode::NOT_FOUND;
    case ErrorCategory::seek_after_end:
      return grpc::StatusCode::OUT_OF_RANGE;
    case ErrorCategory::background_degradation:
      return grpc::StatusCode::INTERNAL;
    case ErrorCategory::unsupported:
      return grpc::StatusCode::UNIMPLEMENTED;
  }
  return grpc::StatusCode::INTERNAL;
}

ErrorCategory category_of_grpc_code(int code) {
  switch (code) {
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::CANCELLED:
      return ErrorCategory::transient_server_failure;
    case grpc::StatusCode::ABORTED:
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return ErrorCategory::contention_on_shared_resources;
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return ErrorCategory::deadline_exceeded_state_unknown;
    case grpc::StatusCode::UNAUTHENTICATED:
      return ErrorCategory::authentication;
    case grpc::StatusCode::PERMISSION_DENIED:
      return ErrorCategory::permission;
    case grpc::StatusCode::INVALID_ARGUMENT:
      return ErrorCategory::invalid_argument;
    case grpc::StatusCode::FAILED_PRECONDITION:
      return ErrorCategory::invalid_state_other;
    case grpc::StatusCode::ALREADY_EXISTS:
      return ErrorCategory::invalid_state_exists;
    case grpc::StatusCode::NOT_FOUND:
      return ErrorCategory::invalid_state_missing;
    case grpc::StatusCode::OUT_OF_RANGE:
      return ErrorCategory::seek_after_end;
    case grpc::StatusCode::UNIMPLEMENTED:
      return ErrorCategory::unsupported;
    default:
      return ErrorCategory::internal;
  }
}

bool is_redacted(ErrorCategory category) {
  return category == ErrorCategory::internal || category == ErrorCategory::authentication ||
         category == ErrorCategory::permission;
}

bool is_retryable(ErrorCategory category) {
  return category == ErrorCategory::transient_server_failure ||
         category == ErrorCategory::contention_on_shared_resources ||
         category == ErrorCategory::deadline_exceeded_state_unknown || category == ErrorCategory::seek_after_end;
}

std::string error_text(const Error& error, std::string_view correlation_id) {
  return error.id + "(" + std::to_string(static_cast<int>(error.category)) + "," +
         (correlation_id.empty() ? "0" : std::string(correlation_id.substr(0, 8))) +
         "): " + cut(error.cause, max_cause_characters, "...");
}

google::rpc::Status to_status_proto(const Error& error, const RequestIds& ids) {
  if (is_redacted(error.category)) return redacted_status(error, ids);
  google::rpc::Status status;
  status.set_code(grpc_code(error.category));
  status.set_message(error_text(error, ids.correlation_id));

  google::rpc::ErrorInfo info;
  info.set_reason(error.id);
  auto& metadata = *info.mutable_metadata();
  const std::size_t fixed = status.message().size() + 4 * (error.id.size() + max_id_characters);
  std::size_t resources_size = 0;
  for (const auto& [type, name] : error.resources) resources_size += type.size() + name.size() + 60;
  const std::size_t taken = fixed + std::min(resources_size, max_status_bytes / 2);
  for (auto& [key, value] : fit(error.context, max_status_bytes > taken ? max_status_bytes - taken : 0)) {
    metadata[key] = value;
  }
  if (!ids.trace_id.empty()) metadata["tid"] = cut(ids.trace_id, max_id_characters - 3, "...");
  metadata["category"] = std::to_string(static_cast<int>(error.category));
  add_detail(status, info);

  if (is_retryable(error.category)) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(1);
    add_detail(status, retry);
  }
  add_request_info(status, ids);
  std::size_t room = max_status_bytes / 2;
  for (const auto& [type, name] : error.resources) {
    const std::size_t size = type.size() + name.size() + 60;
    if (size > room) break;
    room -= size;
    google::rpc::ResourceInfo resource;
    resource.set_resource_type(type);
    resource.set_resource_name(name);
    add_detail(status, resource);
  }
  return status;
}

grpc::Status to_grpc_status(const google::rpc::Status& status) {
  return {static_cast<grpc::StatusCode>(status.code()), status.message(),
          status.details_size() == 0 ? std::string() : status.SerializeAsString()};
}

grpc::Status to_grpc_status(const Error& error, const RequestIds& ids) {
  return to_grpc_status(to_status_proto(error, ids));
}

Error from_status_proto(const google::rpc::Status& status) {
  Error error(code_name(status.code()), category_of_grpc_code(status.code()), status.message());
  if (auto parts = take_apart(status.message())) {
    error.id = std::move(parts->id);
    if (parts->category >= 1 && parts->category <= 14) error.category = static_cast<ErrorCategory>(parts->category);
    error.cause = std::move(parts->cause);
  }
  for (const auto& any : status.details()) {
    if (google::rpc::ErrorInfo info; any.Is<google::rpc::ErrorInfo>() && any.UnpackTo(&info)) {
      if (!info.reason().empty()) error.id = info.reason();
      for (const auto& [key, value] : info.metadata()) {
        if (key != "tid" && key != "category") error.context.emplace_back(key, value);
      }
      std::sort(error.context.begin(), error.context.end());
    } else if (google::rpc::ResourceInfo resource; any.Is<google::rpc::ResourceInfo>() && any.UnpackTo(&resource)) {
      error.resources.emplace_back(resource.resource_type(), resource.resource_name());
    }
  }
  return error;
}

Error from_grpc_status(const grpc::Status& status) {
  SYNOD_CHECK(!status.ok());
  google::rpc::Status proto;
  if (status.error_details().empty() || !proto.ParseFromString(status.error_details())) proto.Clear();
  proto.set_code(status.error_code());
  proto.set_message(status.error_message());
  return from_status_proto(proto);
}

std::optional<std::string> request_id_of(const google::rpc::Status& status) {
  for (const auto& any : status.details()) {
    google::rpc::RequestInfo info;
    if (any.Is<google::rpc::RequestInfo>() && any.UnpackTo(&info)) return info.request_id();
  }
  return std::nullopt;
}

}  // namespace synod::rpc
