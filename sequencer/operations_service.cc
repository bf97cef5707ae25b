// What an operator asks of a sequencer: details, pruning with a rehearsal, members, new keys.
#include <grpcpp/server_context.h>

#include "rpc/unary.h"
#include "sequencer/admin_services.h"
#include "sequencer/housekeeping.h"
#include "sequencer/key_rotation.h"
#include "synod/sequencer_operations.grpc.pb.h"

namespace synod::sequencer {
namespace {

namespace ops = ::synod::sequencer::operations::v1;

constexpr Duration kRotationTimeout = Duration::seconds(60);

void describe_member(const PruningMember& member, ops::MemberDetails& out) {
  out.set_member(member.status.member.to_string());
  out.set_registered_at(member.status.registered_at.micros);
  if (member.status.acknowledged) out.set_acknowledged(member.status.acknowledged->micros);
  if (member.status.last_event) out.set_last_event(member.status.last_event->micros);
  out.set_enabled(member.enabled);
  out.set_holds_back(member.holds_back());
}

void describe_core(const SequencerCore& core, ops::Details& out) {
  const CoreStatus status = core.status();
  out.set_height(status.height.value);
  out.set_sequencing_time(status.last_time.micros);
  for (const auto& [sequencer, height] : status.reported) {
    auto& peer = *out.add_peers();
    peer.set_sequencer(sequencer.to_string());
    peer.set_height(height.value);
    const auto& diverged = status.diverged;
    peer.set_diverged(std::find(diverged.begin(), diverged.end(), sequencer) != diverged.end());
  }
}

class OperationsService final : public ops::SequencerOperations::CallbackService {
 public:
  explicit OperationsService(NodeState& node) : node_(node), rotation_(std::make_shared<KeyRotation>(node)) {}

  grpc::ServerUnaryReactor* GetDetails(grpc::CallbackServerContext* context, const ops::GetDetailsRequest*,
                                       ops::Details* response) override {
    return rpc::answer(context, response, [&](rpc::CallContext&, rpc::Reply<ops::Details> reply) {
      node_.with_core([this, reply](const SequencerCore& core) {
        ops::Details details;
        details.set_sequencer(node_.parts().self.to_string());
        describe_core(core, details);
        if (const auto head = node_.parts().log->health().head) details.set_log_head(head->value);
        if (const auto taking = node_.accepting(); !taking) details.set_problem(taking.error().cause);
        node_.housekeeping().members([this, reply, details, last_time = core.last_time()](const auto& members) mutable {
          const auto lower_bound = read_lower_bound(*node_.parts().store);
          if (!lower_bound) return reply.error(lower_bound.error());
          if (*lower_bound) details.set_lower_bound((*lower_bound)->micros);
          details.set_safe_to_prune(safe_to_prune(members, last_time).micros);
          for (const PruningMember& member : members) describe_member(member, *details.add_members());
          reply(std::move(details));
        });
      });
    });
  }

  grpc::ServerUnaryReactor* Prune(grpc::CallbackServerContext* context, const ops::PruneRequest* request,
                                  ops::PruneResponse* response) override {
    return rpc::answer(context, response, [&](rpc::CallContext&, rpc::Reply<ops::PruneResponse> reply) {
      PruneRequest prune;
      if (request->has_before()) prune.before = Timestamp{request->before()};
      if (request->has_retention_micros()) prune.retention = Duration::microseconds(request->retention_micros());
      prune.dry_run = request->dry_run();
      node_.housekeeping().prune(prune, [reply](Result<PruneReport> report) {
        if (!report) return reply.error(report.error());
        ops::PruneResponse answer;
        answer.set_before(report->before.micros);
        answer.set_safe(report->safe.micros);
        if (report->lower_bound) answer.set_lower_bound(report->lower_bound->micros);
        answer.set_events(report->removed.events);
        answer.set_bytes(report->removed.bytes);
        answer.set_entries(report->removed.entries);
        for (const PruningMember& member : report->holding_back) describe_member(member, *answer.add_holding_back());
        reply(std::move(answer));
      });
    });
  }

  grpc::ServerUnaryReactor* SetMemberEnabled(grpc::CallbackServerContext* context,
                                             const ops::SetMemberEnabledRequest* request,
                                             ops::SetMemberEnabledResponse* response) override {
    return rpc::answer_now(context, response, [&](rpc::CallContext&) -> Result<ops::SetMemberEnabledResponse> {
      SYNOD_RETURN_IF_ERROR(set_member_enabled(node_, request->member(), request->enabled()));
      return ops::SetMemberEnabledResponse();
    });
  }

  grpc::ServerUnaryReactor* RotateKeys(grpc::CallbackServerContext* context, const ops::RotateKeysRequest* request,
                                       ops::RotateKeysResponse* response) override {
    return rpc::answer(context, response, [&](rpc::CallContext&, rpc::Reply<ops::RotateKeysResponse> reply) {
      const Duration timeout =
          request->timeout_micros() > 0 ? Duration::microseconds(request->timeout_micros()) : kRotationTimeout;
      rotation_->start(timeout, [reply](Result<RotatedKeys> rotated) {
        if (!rotated) return reply.error(rotated.error());
        ops::RotateKeysResponse answer;
        for (const auto& key : rotated->added) answer.add_added(key);
        for (const auto& key : rotated->removed) answer.add_removed(key);
        reply(std::move(answer));
      });
    });
  }

 private:
  NodeState& node_;
  std::shared_ptr<KeyRotation> rotation_;
};

}  // namespace

std::shared_ptr<grpc::Service> make_operations_service(NodeState& node) {
  return std::make_shared<OperationsService>(node);
}

}  // namespace synod::sequencer
