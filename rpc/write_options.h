// How a message is handed to gRPC when others wait behind it.
#pragma once

#include <grpcpp/impl/call_op_set.h>

namespace synod::rpc {

// With another right behind it a message may stay in gRPC's buffer: they go to the socket together, which costs one
// call to the kernel and one packet instead of one for each. Whoever says so must send another message, or an end; and
// never of the first message of a server's stream: that goes with the initial metadata, which gRPC then leaves in the
// buffer as well, and it says that the message is written only when both are (grpc issue 34231).
inline grpc::WriteOptions write_options(bool another_follows) {
  grpc::WriteOptions options;
  if (another_follows) options.set_buffer_hint();
  return options;
}

}  // namespace synod::rpc
