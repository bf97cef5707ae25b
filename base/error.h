// Errors as Canton's users know them: a stable id, a category that decides the gRPC code and whether a retry makes
// sense, and a cause in plain words. The wire form is `ID(category,correlation): cause` (rpc/error_status.h).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace synod {

// Numbers are Canton's error categories; they appear on the wire inside the message text and in ErrorInfo.
enum class ErrorCategory : int {
  transient_server_failure = 1,         // UNAVAILABLE: retry soon
  contention_on_shared_resources = 2,   // ABORTED: retry with backoff
  deadline_exceeded_state_unknown = 3,  // DEADLINE_EXCEEDED: may or may not have happened
  internal = 4,                         // INTERNAL: a bug or corruption; text is redacted towards clients
  malicious_or_faulty = 5,              // INVALID_ARGUMENT towards peers; an alarm
  authentication = 6,                   // UNAUTHENTICATED
  permission = 7,                       // PERMISSION_DENIED
  invalid_argument = 8,                 // INVALID_ARGUMENT, whatever the state
  invalid_state_other = 9,              // FAILED_PRECONDITION
  invalid_state_exists = 10,            // ALREADY_EXISTS
  invalid_state_missing = 11,           // NOT_FOUND
  seek_after_end = 12,                  // OUT_OF_RANGE
  background_degradation = 13,
  unsupported = 14,  // UNIMPLEMENTED
};

struct Error {
  std::string id;  // e.g. SEQUENCER_UNKNOWN_RECIPIENTS; upper snake case
  ErrorCategory category = ErrorCategory::internal;
  std::string cause;  // one sentence: what is wrong, and where it helps, the next step
  std::vector<std::pair<std::string, std::string>> context;    // further facts, in order
  std::vector<std::pair<std::string, std::string>> resources;  // (type, name) of what it is about, e.g. CONTRACT_ID

  Error() = default;
  Error(std::string error_id, ErrorCategory error_category, std::string error_cause)
      : id(std::move(error_id)), category(error_category), cause(std::move(error_cause)) {}

  Error&& with(std::string key, std::string value) && {
    context.emplace_back(std::move(key), std::move(value));
    return std::move(*this);
  }
  Error&& about(std::string resource_type, std::string name) && {
    resources.emplace_back(std::move(resource_type), std::move(name));
    return std::move(*this);
  }
  // For logs and tests: `ID: cause {key=value, ...}`.
  std::string to_string() const;
  bool operator==(const Error&) const = default;
};

// Shorthands for the most frequent categories.
Error invalid_argument(std::string id, std::string cause);
Error failed_precondition(std::string id, std::string cause);
Error not_found(std::string id, std::string cause);
Error unavailable(std::string id, std::string cause);
Error internal_error(std::string cause);  // id INTERNAL
Error malformed(std::string_view what,
                std::string cause);  // id PROTO_DESERIALIZATION_FAILURE: bytes that do not decode

}  // namespace synod
