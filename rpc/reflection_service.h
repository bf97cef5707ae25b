// grpc.reflection of a server: what it offers, for tools such as grpcurl. gRPC has one of its own, which waits in a
// thread for what a client asks next: when the server stops, a client that asks nothing more would hold it until its
// deadline.
#pragma once

#include <grpcpp/impl/server_builder_option.h>
#include <grpcpp/impl/service_type.h>

#include <memory>
#include <string>
#include <vector>

#include "grpc/reflection.pb.h"

namespace synod::rpc {

// From the generated descriptors of this process; the same answers as gRPC's own (pure).
grpc::reflection::v1::ServerReflectionResponse reflect(const grpc::reflection::v1::ServerReflectionRequest& request,
                                                       const std::vector<std::string>& services);

struct Reflection {
  std::vector<std::shared_ptr<grpc::Service>> services;     // to be registered like all others: v1 and v1alpha
  std::unique_ptr<grpc::ServerBuilderOption> names_of_all;  // tells them what the server has, once it is built
};
Reflection make_reflection();

}  // namespace synod::rpc
