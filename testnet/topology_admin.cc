#include "testnet/topology_admin.h"

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include "canton/topology_admin_v30.grpc.pb.h"
#include "rpc/error_status.h"

namespace synod::testnet {

namespace canton = ::com::digitalasset::canton::protocol::v30;
namespace topology_api = ::com::digitalasset::canton::topology::admin::v30;

std::shared_ptr<grpc::Channel> admin_channel(std::uint16_t port) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(-1);
  return grpc::CreateCustomChannel(fmt::format("127.0.0.1:{}", port), grpc::InsecureChannelCredentials(), arguments);
}

std::chrono::system_clock::time_point until(Duration patience) {
  return std::chrono::system_clock::now() + std::chrono::microseconds(patience.micros);
}

Status done(const grpc::Status& status, const std::string& what) {
  if (status.ok()) return {};
  Error error = rpc::from_grpc_status(status);
  error.cause = what + ": " + error.cause;
  return fail(std::move(error));
}

const NodePlan& topology_manager(const NetworkPlan& plan) { return *plan.with_role(Role::topology_manager)[0]; }

Status introduce(const NetworkPlan& plan, const topology::MemberIdentity& identity, Duration patience) {
  topology_api::AddTransactionsRequest request;
  for (const auto& transaction : identity.transactions) transaction.to_proto(*request.add_transactions());
  request.mutable_wait_to_become_effective()->set_seconds(patience.micros / 1'000'000);
  topology_api::AddTransactionsResponse response;
  grpc::ClientContext context;
  context.set_deadline(until(patience));
  const Status added =
      done(topology_api::TopologyManagerWriteService::NewStub(admin_channel(topology_manager(plan).public_port))
               ->AddTransactions(&context, request, &response),
           "registering the keys of " + identity.member.to_string());
  // Of an earlier attempt.
  if (!added && added.error().id.find("ALREADY_EXISTS") != std::string::npos) return {};
  return added;
}

Status authorize(const NetworkPlan& plan, const canton::TopologyMapping& mapping, TopologyChange change,
                 Duration patience, const std::string& what) {
  topology_api::AuthorizeRequest request;
  *request.mutable_proposal()->mutable_v30() = mapping;
  if (change == TopologyChange::remove)
    request.mutable_proposal()->set_change(canton::Enums::TOPOLOGY_CHANGE_OP_REMOVE);
  request.set_must_fully_authorize(true);
  request.mutable_wait_to_become_effective()->set_seconds(patience.micros / 1'000'000);
  topology_api::AuthorizeResponse response;
  grpc::ClientContext context;
  context.set_deadline(until(patience));
  return done(topology_api::TopologyManagerWriteService::NewStub(admin_channel(topology_manager(plan).public_port))
                  ->Authorize(&context, request, &response),
              what);
}

}  // namespace synod::testnet
