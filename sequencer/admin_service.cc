// Canton's sequencer administration: pruning status, shutting a member out, and the state that a joining sequencer
// starts from.
#include <grpcpp/server_context.h>

#include "base/log.h"
#include "canton/sequencer_admin_v30.grpc.pb.h"
#include "rpc/pull_writer.h"
#include "rpc/stream_writer.h"
#include "rpc/unary.h"
#include "sequencer/admin_services.h"
#include "sequencer/housekeeping.h"
#include "sequencer/onboarding_state.h"

namespace synod::sequencer {
namespace {

namespace admin = ::com::digitalasset::canton::sequencer::admin::v30;

constexpr std::size_t kPieceBytes = 1u << 20;

class AdministrationService final : public admin::SequencerAdministrationService::CallbackService {
 public:
  explicit AdministrationService(NodeState& node) : node_(node) {}

  grpc::ServerUnaryReactor* PruningStatus(grpc::CallbackServerContext* context, const admin::PruningStatusRequest*,
                                          admin::PruningStatusResponse* response) override {
    using Response = admin::PruningStatusResponse;
    return rpc::answer(context, response, [&](rpc::CallContext&, rpc::Reply<Response> reply) {
      node_.housekeeping().members([this, reply](const std::vector<PruningMember>& members) {
        const auto lower_bound = read_lower_bound(*node_.parts().store);
        if (!lower_bound) return reply.error(lower_bound.error());
        Response answer;
        auto& status = *answer.mutable_pruning_status();
        status.set_now(node_.parts().clock->now().micros);
        status.set_earliest_event_timestamp(lower_bound->value_or(Timestamp::min()).micros);
        for (const PruningMember& member : members) {
          auto& out = *status.add_members();
          out.set_member(member.status.member.to_string());
          out.set_registered_at(member.status.registered_at.micros);
          if (member.status.acknowledged) out.set_last_acknowledged(member.status.acknowledged->micros);
          out.set_enabled(member.enabled);
        }
        reply(std::move(answer));
      });
    });
  }

  grpc::ServerUnaryReactor* DisableMember(grpc::CallbackServerContext* context,
                                          const admin::DisableMemberRequest* request,
                                          admin::DisableMemberResponse* response) override {
    return rpc::answer_now(context, response, [&](rpc::CallContext&) -> Result<admin::DisableMemberResponse> {
      SYNOD_RETURN_IF_ERROR(set_member_enabled(node_, request->member(), false));
      return admin::DisableMemberResponse();
    });
  }

  grpc::ServerWriteReactor<admin::OnboardingStateV2Response>* OnboardingStateV2(
      grpc::CallbackServerContext* context, const admin::OnboardingStateV2Request*) override {
    using Response = admin::OnboardingStateV2Response;
    return rpc::stream_answer<Response>(context, {}, [&](rpc::CallContext&, rpc::ServerStreamPtr<Response> stream) {
      // Between two blocks: the store holds the state after one block.
      node_.with_core([this, stream](const SequencerCore& core) {
        auto exported = export_onboarding_state(*node_.parts().store, core.topology().static_parameters());
        if (!exported) return stream->abort(exported.error());
        log::info("sequencer", "exports its state at height {}: {} bytes", core.height().value, exported->size());
        auto at = std::make_shared<std::size_t>(0);
        auto state = std::make_shared<const Bytes>(std::move(*exported));
        rpc::write_pulled<Response>(stream, [state, at]() -> std::optional<Response> {
          if (*at >= state->size()) return std::nullopt;
          Response piece;
          piece.set_onboarding_state_for_sequencer(state->substr(std::exchange(*at, *at + kPieceBytes), kPieceBytes));
          return piece;
        });
      });
    });
  }

 private:
  NodeState& node_;
};

class PruningService final : public admin::SequencerPruningAdministrationService::CallbackService {
 public:
  explicit PruningService(NodeState& node) : node_(node) {}

  grpc::ServerUnaryReactor* Prune(grpc::CallbackServerContext* context, const admin::PruneRequest* request,
                                  admin::PruneResponse* response) override {
    using Response = admin::PruneResponse;
    return rpc::answer(context, response, [&](rpc::CallContext&, rpc::Reply<Response> reply) {
      if (!request->has_timestamp()) return reply.error(malformed("timestamp", "is missing"));
      PruneRequest prune;
      prune.before = Timestamp{request->timestamp().seconds() * 1'000'000 + request->timestamp().nanos() / 1000};
      node_.housekeeping().prune(prune, [reply](Result<PruneReport> report) {
        if (!report) return reply.error(report.error());
        Response answer;
        answer.set_details("Removed " + std::to_string(report->removed.events) + " events (" +
                           std::to_string(report->removed.bytes) + " bytes) before " + report->before.to_string());
        reply(std::move(answer));
      });
    });
  }

 private:
  NodeState& node_;
};

}  // namespace

Status set_member_enabled(NodeState& node, const std::string& text, bool enabled) {
  SYNOD_TRY(const auto member, protocol::Member::parse(text));
  const auto view = node.view();
  if (!view->members->contains(member)) {
    return fail(not_found("SEQUENCER_UNKNOWN_MEMBER", text + " is not a member of this synchronizer"));
  }
  SYNOD_RETURN_IF_ERROR(node.access().set_disabled(*node.parts().store, member, !enabled));
  node.authenticator().block(member, !enabled);
  if (!enabled) node.subscriptions().close(member);
  log::info("sequencer", "{} is {} by the operator", text, enabled ? "enabled" : "disabled");
  return {};
}

std::shared_ptr<grpc::Service> make_administration_service(NodeState& node) {
  return std::make_shared<AdministrationService>(node);
}
std::shared_ptr<grpc::Service> make_pruning_service(NodeState& node) { return std::make_shared<PruningService>(node); }

}  // namespace synod::sequencer
