// StateService: ledger end, active contracts, connected synchronizers, pruning offsets.
#include <utility>

#include "ledger/state_service.grpc.pb.h"
#include "participant/ledger_api/request_checks.h"
#include "participant/ledger_api/update_codec.h"
#include "rpc/stream_writer.h"
#include "rpc/unary.h"

namespace synod::participant {
namespace {

constexpr int kContractsAtOnce = 500;  // then others get their turn

// One GetActiveContracts call: sends as much as the stream takes, then goes on behind the last contract sent.
class ContractsCall : public std::enable_shared_from_this<ContractsCall> {
 public:
  using Stream = rpc::ServerStreamPtr<api::GetActiveContractsResponse>;
  ContractsCall(ContextPtr context, Stream stream, Offset at, EventFilter filter)
      : context_(std::move(context)), stream_(std::move(stream)), visit_(at), filter_(std::move(filter)) {}

  void start() {
    std::weak_ptr<ContractsCall> weak = weak_from_this();
    stream_->on_drained([weak] {
      if (const auto self = weak.lock()) self->wake();
    });
    stream_->on_closed([self = shared_from_this()] {});  // keeps the call alive as long as its stream
    wake();
  }

 private:
  void wake() {
    context_->loop.post([self = shared_from_this()] { self->step(); });
  }

  void step() {
    if (stream_->closed()) return;
    bool full = false;
    int budget = kContractsAtOnce;
    Status outcome;
    const Status status = context_->node.ledger().active_contracts(visit_, [&](const ActiveContract& active) {
      --budget;
      const Visibility visibility = filter_.visibility(active.contract.template_id, active.contract.package_name,
                                                       active.contract.stakeholders, *context_->node.package_store());
      if (!visibility.shown()) return budget > 0;
      api::GetActiveContractsResponse response;
      response.set_workflow_id(active.workflow_id);
      outcome = UpdateCodec(*context_).created(active.contract, active.created_at_offset, active.node_id, true,
                                               visibility, filter_.verbose(),
                                               response.mutable_active_contract()->mutable_created_event());
      if (!outcome) return false;
      response.mutable_active_contract()->set_synchronizer_id(synchronizer_);
      full = stream_->write(std::move(response)) != rpc::WriteOutcome::accepted;
      return !full && budget > 0;
    });
    if (!status) return stream_->abort(status.error());
    if (!outcome) return stream_->abort(outcome.error());
    if (full) return;  // until it has drained
    if (visit_.done())
      stream_->finish();
    else
      wake();
  }

  ContextPtr context_;
  Stream stream_;
  ContractVisit visit_;
  EventFilter filter_;
  std::string synchronizer_ = logical_synchronizer_id(context_->node);
};

api::ParticipantPermission show(topology::Permission permission) {
  switch (permission) {
    case topology::Permission::observation:
      return api::PARTICIPANT_PERMISSION_OBSERVATION;
    case topology::Permission::confirmation:
      return api::PARTICIPANT_PERMISSION_CONFIRMATION;
    case topology::Permission::submission:
      break;
  }
  return api::PARTICIPANT_PERMISSION_SUBMISSION;
}

class StateService final : public api::StateService::CallbackService {
 public:
  explicit StateService(ContextPtr context) : context_(std::move(context)) {}

  grpc::ServerWriteReactor<api::GetActiveContractsResponse>* GetActiveContracts(
      grpc::CallbackServerContext* call, const api::GetActiveContractsRequest* request) override {
    return rpc::stream_answer<api::GetActiveContractsResponse>(
        call, {.max_queued_bytes = context_->config.max_queued_bytes}, [&](rpc::CallContext& info, auto stream) {
          if (const Status status = start(*request, stream); !status) stream->abort(status.error(), info.request_ids());
        });
  }

  grpc::ServerUnaryReactor* GetConnectedSynchronizers(grpc::CallbackServerContext* call,
                                                      const api::GetConnectedSynchronizersRequest* request,
                                                      api::GetConnectedSynchronizersResponse* response) override {
    return rpc::answer_now(call, response, [&](rpc::CallContext&) -> Result<api::GetConnectedSynchronizersResponse> {
      api::GetConnectedSynchronizersResponse answer;
      const ParticipantStatus status = context_->node.status();
      SYNOD_RETURN_IF_ERROR(identity_provider_exists(request->identity_provider_id()));
      std::optional<topology::Permission> permission;
      if (!request->party().empty()) {
        SYNOD_TRY(const lf::Party party, party_id(request->party(), "party"));
        permission = context_->node.parties().permission(party, request->participant_id());
        if (!permission) return answer;
      }
      if (!status.connected) return answer;
      auto& synchronizer = *answer.add_connected_synchronizers();
      synchronizer.set_synchronizer_id(logical_synchronizer_id(context_->node));
      synchronizer.set_synchronizer_alias(
          synchronizer.synchronizer_id().substr(0, synchronizer.synchronizer_id().find("::")));
      if (permission) synchronizer.set_permission(show(*permission));
      return answer;
    });
  }

  grpc::ServerUnaryReactor* GetLedgerEnd(grpc::CallbackServerContext* call, const api::GetLedgerEndRequest*,
                                         api::GetLedgerEndResponse* response) override {
    return rpc::answer_now(call, response, [&](rpc::CallContext&) -> Result<api::GetLedgerEndResponse> {
      api::OffsetCheckpoint checkpoint;
      const LedgerReader& ledger = context_->node.ledger();
      const Offset end = ledger.ledger_end();
      api::GetLedgerEndResponse answer;
      answer.set_offset(end.value);
      if (end.value == 0) return answer;
      UpdateCodec(*context_).checkpoint(end, ledger.record_time(), &checkpoint);
      *answer.mutable_synchronizer_times() = std::move(*checkpoint.mutable_synchronizer_times());
      return answer;
    });
  }

  grpc::ServerUnaryReactor* GetLatestPrunedOffsets(grpc::CallbackServerContext* call,
                                                   const api::GetLatestPrunedOffsetsRequest*,
                                                   api::GetLatestPrunedOffsetsResponse* response) override {
    return rpc::answer_now(call, response, [&](rpc::CallContext&) -> Result<api::GetLatestPrunedOffsetsResponse> {
      api::GetLatestPrunedOffsetsResponse answer;
      answer.set_participant_pruned_up_to_inclusive(context_->node.ledger().pruned_through().value);
      answer.set_all_divulged_contracts_pruned_up_to_inclusive(context_->node.ledger().pruned_through().value);
      return answer;
    });
  }

 private:
  Status start(const api::GetActiveContractsRequest& request, ContractsCall::Stream stream) {
    if (!request.has_event_format()) return fail(missing_field("event_format"));
    if (request.has_stream_continuation_token() && !request.stream_continuation_token().empty())
      return fail(Error("INVALID_CONTINUATION_TOKEN", ErrorCategory::invalid_argument,
                        "This participant issues no continuation tokens; leave the field out"));
    SYNOD_TRY(EventFilter filter, EventFilter::parse(request.event_format(), *context_->node.package_store()));
    SYNOD_TRY(const Offset at, non_negative_offset(request.active_at_offset(), "active_at_offset"));
    const Offset end = context_->node.ledger().ledger_end();
    if (at > end) return fail(offset_after_end("active_at_offset", at, end));
    std::make_shared<ContractsCall>(context_, std::move(stream), at, std::move(filter))->start();
    return {};
  }

  ContextPtr context_;
};

}  // namespace

std::shared_ptr<grpc::Service> make_state_service(ContextPtr context) {
  return std::make_shared<StateService>(std::move(context));
}

}  // namespace synod::participant
