// Answers of the topology admin services that depend on the present state alone.
#pragma once

#include <utility>

#include "rpc/unary.h"
#include "topology/manager/admin_backend.h"

namespace synod::topology {

// `use(const TopologyState&)` gives a Result<Response>. Whatever it has of the request stays valid until the answer.
template <typename Response, typename Use>
grpc::ServerUnaryReactor* answer_with_state(AdminBackend& backend, grpc::CallbackServerContext* context,
                                            Response* response, Use use) {
  return rpc::answer(context, response, [&](rpc::CallContext&, rpc::Reply<Response> reply) {
    backend.with_state([reply, use = std::move(use)](Result<const TopologyState*> state) {
      if (!state) return reply.error(state.error());
      reply(use(**state));
    });
  });
}

}  // namespace synod::topology
