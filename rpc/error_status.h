// Error ⇄ gRPC status, in the form Canton's tools and clients parse: the text `ID(category,correlation): cause` and the
// details ErrorInfo, RetryInfo, RequestInfo, ResourceInfo in this order.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace google::rpc {
class Status;
}
namespace grpc {
class Status;
}

namespace synod::rpc {

// What identifies the request in an error. All optional.
struct RequestIds {
  std::string correlation_id;  // its first 8 characters stand in the text ("0" if empty); RequestInfo has all of it
  std::string trace_id;        // metadata key `tid`; RequestInfo if there is no correlation id
};

// Limits of what goes into one status: gRPC metadata default to 8 KiB, and the text is sent twice.
constexpr std::size_t max_status_bytes = 4096;
constexpr std::size_t max_cause_characters = 512;

int grpc_code(ErrorCategory category);          // the number of a grpc::StatusCode
ErrorCategory category_of_grpc_code(int code);  // the nearest category for a status without details
// Categories whose text is withheld from clients: they learn the request id to quote to the operator.
bool is_redacted(ErrorCategory category);
// Retrying as it is may succeed (Canton's retryable categories). RetryInfo says one second.
bool is_retryable(ErrorCategory category);

// `ID(category,correlation8): cause`; the cause cut to max_cause_characters.
std::string error_text(const Error& error, std::string_view correlation_id);

// Metadata of ErrorInfo: the error's context in order (that is also where `definite_answer`, `participant` etc. go),
// `tid`, `category`. Error::resources become ResourceInfo.
google::rpc::Status to_status_proto(const Error& error, const RequestIds& ids = {});
grpc::Status to_grpc_status(const Error& error, const RequestIds& ids = {});
grpc::Status to_grpc_status(const google::rpc::Status& status);

// Inverse. Without an ErrorInfo detail the id is the gRPC code's name, e.g. UNAVAILABLE, and the cause the whole text;
// a text of the form `ID(category,…): cause` is taken apart all the same. `tid` and `category` are removed from the
// context. `status` must not be OK.
Error from_status_proto(const google::rpc::Status& status);
Error from_grpc_status(const grpc::Status& status);
// The correlation or trace id that a status carries (RequestInfo), if any.
std::optional<std::string> request_id_of(const google::rpc::Status& status);

}  // namespace synod::rpc
