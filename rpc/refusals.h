// What servers refuse, in the log: at info, with method, peer, error id and cause. Replies and streams see to it
// (unary.h, stream_writer.h), so handlers do not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/time.h"
#include "rpc/error_status.h"

namespace google::protobuf {
class Descriptor;
}
namespace grpc {
class CallbackServerContext;
class Status;
}  // namespace grpc

namespace synod::rpc {

// Says of an answer that it makes no line: its reason is in the log already, or it refuses nothing.
struct Quiet {};
inline constexpr Quiet quietly;

// Which refusals make a line: whoever asks again and again must not fill our disk. The first of a kind, then at most
// one in `interval`, which tells how many were passed over. Thread rules: one thread at a time.
class RefusalLimit {
 public:
  struct Limits {
    Duration interval = Duration::seconds(10);
    std::size_t max_kinds = 256;  // remembered; what is beyond counts as one kind
  };
  RefusalLimit() : RefusalLimit(Limits()) {}
  explicit RefusalLimit(const Limits& limits) : limits_(limits) {}

  // One more of this kind. How many were passed over since its last line; none: this one is passed over too.
  std::optional<std::uint64_t> add(const std::string& kind, std::int64_t monotonic_micros);
  void forget() { kinds_.clear(); }

 private:
  struct Kind {
    std::int64_t said_at = 0;
    std::uint64_t passed_over = 0;
  };
  Kind* find(const std::string& kind, std::int64_t now);  // null: a new one

  const Limits limits_;
  std::map<std::string, Kind> kinds_;
};

// The methods that answer with this message, e.g. `fabric.Orderer/Get|GetAll`; the message where they cannot be told.
std::string methods_that_answer(const google::protobuf::Descriptor* response);

template <typename Response>
const google::protobuf::Descriptor* descriptor_of() {
  if constexpr (requires { Response::descriptor(); })
    return Response::descriptor();
  else
    return nullptr;  // raw bytes
}

// One more refusal of the kind: what answers with `response`, and the error's id. `call` must be open. The log gets the
// whole error, also what clients may not see. Thread rules: any thread.
void log_refusal(const grpc::CallbackServerContext& call, const google::protobuf::Descriptor* response,
                 const Error& error, const RequestIds& ids);
void log_refusal(const grpc::CallbackServerContext& call, const google::protobuf::Descriptor* response,
                 const grpc::Status& status);

// The next one of each kind makes a line again. For tests.
void forget_refusals();

}  // namespace synod::rpc
