// What gRPC needs to be told once in a process.
#pragma once

namespace synod::rpc {

// How many threads wait for gRPC's sockets and run its callbacks (callback_threads.cc).
unsigned callback_threads();

// gRPC's own log lines go to ours at debug level: what matters of them comes back as an Error as well. Debian's build
// of abseil looks for lock cycles at every lock, which gRPC takes often: that is switched off. Later calls do nothing.
void prepare_grpc();

}  // namespace synod::rpc
