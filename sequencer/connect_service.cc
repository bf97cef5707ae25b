// ApiInfoService and SequencerConnectService: what a client asks before it has a token.
#include <grpcpp/server_context.h>

#include "base/log.h"
#include "canton/connection_v30.grpc.pb.h"
#include "canton/sequencer_api_v30.grpc.pb.h"
#include "rpc/unary.h"
#include "sequencer/handshake.h"
#include "sequencer/node_state.h"
#include "sequencer/own_broadcast.h"
#include "sequencer/public_services.h"
#include "topology/onboarding.h"

namespace synod::sequencer {
namespace {

namespace api = ::com::digitalasset::canton::sequencer::api::v30;
namespace connection = ::com::digitalasset::canton::connection::v30;
using Connect = api::SequencerConnect;

grpc::Status invalid(std::string text) { return {grpc::StatusCode::INVALID_ARGUMENT, std::move(text)}; }

// Canton's onboarding errors are plain statuses without details.
grpc::Status plain(const Error& error) {
  return {static_cast<grpc::StatusCode>(rpc::grpc_code(error.category)), error.cause};
}

class ApiInfoService final : public connection::ApiInfoService::CallbackService {
 public:
  grpc::ServerUnaryReactor* GetApiInfo(grpc::CallbackServerContext* context, const connection::GetApiInfoRequest*,
                                       connection::GetApiInfoResponse* response) override {
    response->set_name("sequencer-public-api");
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

class ConnectService final : public api::SequencerConnectService::CallbackService {
 public:
  explicit ConnectService(NodeState& node) : node_(node) {}

  grpc::ServerUnaryReactor* Handshake(grpc::CallbackServerContext* context, const Connect::HandshakeRequest* request,
                                      Connect::HandshakeResponse* response) override {
    using Response = Connect::HandshakeResponse;
    return rpc::answer(context, response, [&](rpc::CallContext&, const rpc::Reply<Response>& reply) {
      const std::vector<int> versions(request->client_protocol_versions().begin(),
                                      request->client_protocol_versions().end());
      const auto minimum = request->has_minimum_protocol_version()
                               ? std::optional<int>(request->minimum_protocol_version())
                               : std::nullopt;
      if (auto problem = handshake_problem(versions, minimum, request->client_version()))
        return reply.status(invalid(std::move(*problem)));
      Response answer;
      answer.set_server_protocol_version(protocol::kProtocolVersion);
      answer.mutable_success();
      reply(std::move(answer));
    });
  }

  grpc::ServerUnaryReactor* GetSynchronizerId(grpc::CallbackServerContext* context,
                                              const Connect::GetSynchronizerIdRequest*,
                                              Connect::GetSynchronizerIdResponse* response) override {
    response->set_physical_synchronizer_id(node_.parts().synchronizer.to_string());
    response->set_sequencer_uid(node_.parts().self.uid().to_string());
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  grpc::ServerUnaryReactor* GetSynchronizerParameters(grpc::CallbackServerContext* context,
                                                      const Connect::GetSynchronizerParametersRequest*,
                                                      Connect::GetSynchronizerParametersResponse* response) override {
    node_.view()->current.static_parameters().to_proto(*response->mutable_parameters_v1());
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  grpc::ServerUnaryReactor* VerifyActive(grpc::CallbackServerContext* context, const Connect::VerifyActiveRequest*,
                                         Connect::VerifyActiveResponse* response) override {
    using Response = Connect::VerifyActiveResponse;
    return rpc::answer(context, response, [&](rpc::CallContext& call, const rpc::Reply<Response>& reply) {
      const auto participant = caller(call);
      if (!participant) return reply.status(participant.error());
      Response answer;
      answer.mutable_success()->set_is_active(node_.view()->current.is_participant_active(*participant));
      reply(std::move(answer));
    });
  }

  grpc::ServerUnaryReactor* RegisterOnboardingTopologyTransactions(
      grpc::CallbackServerContext* context, const Connect::RegisterOnboardingTopologyTransactionsRequest* request,
      Connect::RegisterOnboardingTopologyTransactionsResponse* response) override {
    using Response = Connect::RegisterOnboardingTopologyTransactionsResponse;
    return rpc::answer(context, response, [&](rpc::CallContext& call, rpc::Reply<Response> reply) {
      const auto participant = caller(call);
      if (!participant) return reply.status(participant.error());
      std::vector<Bytes> transactions;
      for (const auto& transaction : request->topology_transactions()) {
        transactions.push_back(transaction.SerializeAsString());
      }
      if (const auto status = node_.accepting(); !status) return reply.error(status.error());
      node_.with_core([this, reply, member = *participant, traceparent = call.traceparent(),
                       transactions = std::move(transactions)](const SequencerCore& core) {
        const auto checked = topology::check_onboarding(core.topology(), member, transactions);
        if (!checked) {
          Error reason = checked.error();
          reason.cause = member.to_string() + ": " + reason.cause;
          return reply.status(plain(checked.error()), reason);
        }
        broadcast(core, *checked, member, traceparent, reply);
      });
    });
  }

 private:
  static tl::expected<protocol::Member, grpc::Status> caller(const rpc::CallContext& call) {
    const auto text = call.metadata("memberId");
    if (!text) return tl::unexpected(invalid("Unable to find participant id in gRPC context"));
    auto member = protocol::Member::parse(*text);
    if (!member) return tl::unexpected(invalid("Failed to deserialize member id: " + member.error().cause));
    if (member->kind() != protocol::MemberKind::participant) {
      return tl::unexpected(invalid("Only participants should use this endpoint, but found another member " + *text +
                                    " in the gRPC context."));
    }
    return std::move(*member);
  }

  // The sequencer sends what the new participant cannot send yet, under its own name.
  template <typename Reply>
  void broadcast(const SequencerCore& core, const std::vector<topology::SignedTransaction>& transactions,
                 const protocol::Member& participant, const std::string& traceparent, const Reply& reply) {
    log::info("sequencer", "broadcasting {} onboarding transactions of {}", transactions.size(),
              participant.to_string());
    broadcast_as_sequencer(node_, core, transactions, traceparent, [reply](Status status) {
      if (!status) return reply.error(status.error());
      reply(Connect::RegisterOnboardingTopologyTransactionsResponse());
    });
  }

  NodeState& node_;
};

}  // namespace

std::shared_ptr<grpc::Service> make_api_info_service() { return std::make_shared<ApiInfoService>(); }
std::shared_ptr<grpc::Service> make_connect_service(NodeState& node) { return std::make_shared<ConnectService>(node); }

}  // namespace synod::sequencer
