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

// What a stranger may not learn is logged here and replaced by `public_text`.
grpc::Status refusal(const AuthenticationError& error, const std::string& member, const char* public_text) {
  log::info("sequencer", "{} of {}: {} ({})", public_text, member, error.reason, error.code);
  return {code_of(error.status), error.sensitive ? public_text : error.reason};
}

class AuthenticationService final : public api::SequencerAuthenticationService::CallbackService {
 public:
  explicit AuthenticationService(NodeState& node) : node_(node) {}

  grpc::ServerUnaryReactor* Challenge(grpc::CallbackServerContext* context,
                                      const Authentication::ChallengeRequest* request,
                                      Authentication::ChallengeResponse* response) override {
    constexpr const char* kPublic = "Bad challenge request";
    auto* reactor = context->DefaultReactor();
    const std::vector<int> versions(request->member_protocol_versions().begin(),
                                    request->member_protocol_versions().end());
    if (auto problem = handshake_problem(versions, std::nullopt, request->client_version())) {
      reactor->Finish({grpc::StatusCode::INVALID_ARGUMENT, *problem});
      return reactor;
    }
    const auto member = protocol::Member::parse(request->member());
    if (!member) {
      reactor->Finish({grpc::StatusCode::INVALID_ARGUMENT, kPublic});
      return reactor;
    }
    const auto challenge =
        node_.authenticator().challenge(*member, node_.view()->authentication(), node_.parts().clock->now());
    if (!challenge) {
      reactor->Finish(refusal(challenge.error(), request->member(), kPublic));
      return reactor;
    }
    response->set_nonce(challenge->nonce);
    for (const auto& fingerprint : challenge->fingerprints) response->add_fingerprints(fingerprint);
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  grpc::ServerUnaryReactor* Authenticate(grpc::CallbackServerContext* context,
                                         const Authentication::AuthenticateRequest* request,
                                         Authentication::AuthenticateResponse* response) override {
    constexpr const char* kPublic = "Bad authentication request";
    auto* reactor = context->DefaultReactor();
    const auto member = protocol::Member::parse(request->member());
    const auto signature = crypto::Signature::from_proto(request->signature());
    if (!member || !signature) {
      reactor->Finish({grpc::StatusCode::INVALID_ARGUMENT, kPublic});
      return reactor;
    }
    const auto token = node_.authenticator().authenticate(*member, *signature, request->nonce(),
                                                          node_.view()->authentication(), node_.parts().clock->now());
    if (!token) {
      reactor->Finish(refusal(token.error(), request->member(), kPublic));
      return reactor;
    }
    constexpr std::int64_t kMicrosPerSecond = 1'000'000;
    response->set_token(token->token);
    response->mutable_expires_at()->set_seconds(token->expires_at.micros / kMicrosPerSecond);
    response->mutable_expires_at()->set_nanos(
        static_cast<std::int32_t>(token->expires_at.micros % kMicrosPerSecond * 1000));
    log::info("sequencer", "{} authenticated, token expires {}", request->member(), token->expires_at.to_string());
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  grpc::ServerUnaryReactor* Logout(grpc::CallbackServerContext* context, const Authentication::LogoutRequest* request,
                                   Authentication::LogoutResponse*) override {
    auto* reactor = context->DefaultReactor();
    const auto member = node_.authenticator().logout(request->token(), node_.parts().clock->now());
    if (!member) {
      reactor->Finish({grpc::StatusCode::FAILED_PRECONDITION, "Failed to logout: LogoutTokenDoesNotExist"});
      return reactor;
    }
    node_.subscriptions().close(*member);
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

 private:
  NodeState& node_;
};

}  // namespace

std::shared_ptr<grpc::Service> make_authentication_service(NodeState& node) {
  return std::make_shared<AuthenticationService>(node);
}

}  // namespace synod::sequencer
