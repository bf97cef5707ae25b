// google.rpc.Status as it stands inside verdicts: signed by somebody, so its details are kept byte by byte.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace google::rpc {
class Status;
}

namespace synod::protocol {

struct RpcStatus {
  int code = 0;  // gRPC code; 0: OK
  std::string message;
  std::vector<Bytes> details;  // each a serialised google.protobuf.Any
  bool operator==(const RpcStatus&) const = default;

  static RpcStatus from_proto(const google::rpc::Status& proto);
  void to_proto(google::rpc::Status& out) const;

  // As Canton puts a rejection into a verdict: `ID(category,0): cause` with ErrorInfo (and RetryInfo where a retry
  // makes sense, ResourceInfo for `resources`). The correlation id is 0, so that all copies are identical.
  struct Resource {
    std::string type;  // e.g. CONTRACT_ID
    std::string name;
  };
  static RpcStatus of(const Error& error, const std::vector<Resource>& resources = {});
  // The error id in front of the message's parenthesis; empty if there is none.
  std::string error_id() const;
};

}  // namespace synod::protocol
