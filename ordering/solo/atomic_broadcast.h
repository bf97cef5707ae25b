// Fabric's orderer.AtomicBroadcast over the solo engine.
//
// Broadcast: answers come in the order of the envelopes. SUCCESS means here that the envelope is in a durable block.
// After any other status the stream ends, as with Fabric, and envelopes that were sent after the refused one have an
// unknown fate. Deliver: one seek after the other; each is answered by its blocks and a status. A status other than
// SUCCESS ends the stream. Blocks are served also while the engine is read-only.
#pragma once

#include <memory>

#include "ordering/solo/access.h"
#include "ordering/solo/engine.h"

namespace grpc {
class Service;
}

namespace synod::ordering::solo {

struct BroadcastLimits {
  std::size_t max_unanswered_bytes =
      32u << 20;                            // of envelopes, per Broadcast stream; above it the stream is not read on
  std::size_t max_unsent_bytes = 1u << 20;  // of blocks, per Deliver stream; above it no more blocks are looked up
};

// The engine must live until the server that offers the service has stopped and the service is destroyed.
std::shared_ptr<grpc::Service> make_atomic_broadcast(Engine& engine, AccessPolicy policy, BroadcastLimits limits = {});

}  // namespace synod::ordering::solo
