// SequencerAuthenticationService: challenge, token, logout.
#include <grpcpp/server_context.h>

#include "base/log.h"
#include "canton/sequencer_api_v30.grpc.pb.h"
#include "rpc/unary.h"
#include "sequencer/handshake.h"
#include "sequencer/node_state.h"
#include "sequencer/public_services.h"

namespace synod::sequencer {
namespace {

namespace api = ::com::digitalasset::canton::sequencer::api::v30;
using Authentication = api::SequencerAuthentication;

grpc::StatusCode code_of(AuthenticationError::Status status) {
  switch (status) {
    case AuthenticationError::Status::permission_denied:
      return grpc::StatusCode::PERMISSION_DENIED;
    case AuthenticationError::Status::invalid_argument:
      return grpc::StatusCode::INVALID_ARGUMENT;
    case AuthenticationError::Status::failed_precondition:
      return grpc::StatusCode::FAILED_PRECONDITION;
    case AuthenticationError::Status::unauthenticated:
      return grpc::StatusCode::UNAUTHENTICATED;
    case AuthenticationError::Status::resource_exhausted:
      return grpc::StatusCode::RESOURCE_EXHAUSTED;
  }
  return grpc::StatusCode::UNAUTHENTICATED;
}

// What a stranger may not learn goes into the log only, and is replaced by `public_text`.
template <typename Response>
void refuse_login(const rpc::Reply<Response>& reply, const AuthenticationError& error, const std::string& member,
                  const char* public_text) {
  const grpc::StatusCode code = code_of(error.status);
  reply.status({code, error.sensitive ? public_text : error.reason},
               Error(error.code, rpc::category_of_grpc_code(code), member + ": " + error.reason));
}

class AuthenticationService final : public api::SequencerAuthenticationService::CallbackService {
 public:
  explicit AuthenticationService(NodeState& node) : node_(node) {}

  grpc::ServerUnaryReactor* Challenge(grpc::CallbackServerContext* context,
                                      const Authentication::ChallengeRequest* request,
                                      Authentication::ChallengeResponse* response) override {
    using Response = Authentication::ChallengeResponse;
    constexpr const char* kPublic = "Bad challenge request";
    return rpc::answer(context, response, [&](rpc::CallContext&, const rpc::Reply<Response>& reply) {
      const std::vector<int> versions(request->member_protocol_versions().begin(),
                                      request->member_protocol_versions().end());
      if (auto problem = handshake_problem(versions, std::nullopt, request->client_version()))
        return reply.status({grpc::StatusCode::INVALID_ARGUMENT, *problem});
      const auto member = protocol::Member::parse(request->member());
      if (!member) return reply.status({grpc::StatusCode::INVALID_ARGUMENT, kPublic}, member.error());
      const auto challenge =
          node_.authenticator().challenge(*member, node_.view()->authentication(), node_.parts().clock->now());
      if (!challenge) return refuse_login(reply, challenge.error(), request->member(), kPublic);
      Response answer;
      answer.set_nonce(challenge->nonce);
      for (const auto& fingerprint : challenge->fingerprints) answer.add_fingerprints(fingerprint);
      reply(std::move(answer));
    });
  }

  grpc::ServerUnaryReactor* Authenticate(grpc::CallbackServerContext* context,
                                         const Authentication::AuthenticateRequest* request,
                                         Authentication::AuthenticateResponse* response) override {
    using Response = Authentication::AuthenticateResponse;
    constexpr const char* kPublic = "Bad authentication request";
    return rpc::answer(context, response, [&](rpc::CallContext&, const rpc::Reply<Response>& reply) {
      const grpc::Status bad{grpc::StatusCode::INVALID_ARGUMENT, kPublic};
      const auto member = protocol::Member::parse(request->member());
      if (!member) return reply.status(bad, member.error());
      const auto signature = crypto::Signature::from_proto(request->signature());
      if (!signature) return reply.status(bad, signature.error());
      const auto token = node_.authenticator().authenticate(*member, *signature, request->nonce(),
                                                            node_.view()->authentication(), node_.parts().clock->now());
      if (!token) return refuse_login(reply, token.error(), request->member(), kPublic);
      constexpr std::int64_t kMicrosPerSecond = 1'000'000;
      Response answer;
      answer.set_token(token->token);
      answer.mutable_expires_at()->set_seconds(token->expires_at.micros / kMicrosPerSecond);
      answer.mutable_expires_at()->set_nanos(
          static_cast<std::int32_t>(token->expires_at.micros % kMicrosPerSecond * 1000));
      log::info("sequencer", "{} authenticated, token expires {}", request->member(), token->expires_at.to_string());
      reply(std::move(answer));
    });
  }

  grpc::ServerUnaryReactor* Logout(grpc::CallbackServerContext* context, const Authentication::LogoutRequest* request,
                                   Authentication::LogoutResponse* response) override {
    using Response = Authentication::LogoutResponse;
    return rpc::answer(context, response, [&](rpc::CallContext&, const rpc::Reply<Response>& reply) {
      const auto member = node_.authenticator().logout(request->token(), node_.parts().clock->now());
      if (!member)
        return reply.status({grpc::StatusCode::FAILED_PRECONDITION, "Failed to logout: LogoutTokenDoesNotExist"});
      node_.subscriptions().close(*member);
      reply(Response());
    });
  }

 private:
  NodeState& node_;
};

}  // namespace

std::shared_ptr<grpc::Service> make_authentication_service(NodeState& node) {
  return std::make_shared<AuthenticationService>(node);
}

}  // namespace synod::sequencer
