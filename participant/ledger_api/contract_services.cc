// EventQueryService: the events of one contract.
#include "ledger/contract_services.grpc.pb.h"
#include "participant/ledger_api/request_checks.h"
#include "participant/ledger_api/update_codec.h"
#include "rpc/unary.h"

namespace synod::participant {
namespace {

class EventQueryService final : public api::EventQueryService::CallbackService {
 public:
  explicit EventQueryService(ContextPtr context) : context_(std::move(context)) {}

  grpc::ServerUnaryReactor* GetEventsByContractId(grpc::CallbackServerContext* call,
                                                  const api::GetEventsByContractIdRequest* request,
                                                  api::GetEventsByContractIdResponse* response) override {
    return rpc::answer(call, response, [&](rpc::CallContext&, rpc::Reply<api::GetEventsByContractIdResponse> reply) {
      context_->loop.post([this, request, reply] { reply(events(*request)); });
    });
  }

 private:
  Result<api::GetEventsByContractIdResponse> events(const api::GetEventsByContractIdRequest& request) const {
    if (request.contract_id().empty()) return fail(missing_field("contract_id"));
    const Result<lf::ContractId> id = lf::ContractId::from_hex(request.contract_id());
    if (!id) return fail(invalid_field("contract_id", "cannot parse ContractId \"" + request.contract_id() + "\""));
    if (!request.has_event_format()) return fail(missing_field("event_format"));
    SYNOD_TRY(const EventFilter filter, EventFilter::parse(request.event_format(), *context_->node.package_store()));
    SYNOD_TRY(const std::optional<ContractLifecycle> lifecycle, context_->node.ledger().contract(*id));

    api::GetEventsByContractIdResponse response;
    const UpdateCodec codec(*context_);
    if (lifecycle && lifecycle->created.value > 0) {
      const lf::ContractInstance& contract = lifecycle->contract;
      const Visibility visibility = filter.visibility(contract.template_id, contract.package_name,
                                                      contract.stakeholders, *context_->node.package_store());
      if (visibility.shown()) {
        SYNOD_TRY(const std::optional<Update> update, context_->node.ledger().update_at(lifecycle->created));
        if (const CreatedEvent* event =
                find<CreatedEvent>(update, [&](const CreatedEvent& e) { return e.contract.contract_id == *id; })) {
          SYNOD_RETURN_IF_ERROR(codec.created(contract, lifecycle->created, event->node_id, event->acs_delta,
                                              visibility, filter.verbose(),
                                              response.mutable_created()->mutable_created_event()));
          response.mutable_created()->set_synchronizer_id(update->synchronizer_id);
        }
        if (lifecycle->archived) {
          SYNOD_TRY(const std::optional<Update> end, context_->node.ledger().update_at(*lifecycle->archived));
          if (const ExercisedEvent* event = find<ExercisedEvent>(
                  end, [&](const ExercisedEvent& e) { return e.consuming && e.contract_id == *id; })) {
            codec.archived(*event, *lifecycle->archived, visibility.witnesses,
                           response.mutable_archived()->mutable_archived_event());
            response.mutable_archived()->set_synchronizer_id(end->synchronizer_id);
          }
        }
      }
    }
    if (!response.has_created() && !response.has_archived())
      return fail(not_found("CONTRACT_EVENTS_NOT_FOUND", "Contract events not found, or not visible."));
    return response;
  }

  template <typename Kind, typename Matches>
  static const Kind* find(const std::optional<Update>& update, Matches matches) {
    if (!update || !update->transaction()) return nullptr;
    for (const Event& event : update->transaction()->events)
      if (const Kind* kind = std::get_if<Kind>(&event); kind && matches(*kind)) return kind;
    return nullptr;
  }

  ContextPtr context_;
};

}  // namespace

std::shared_ptr<grpc::Service> make_event_query_service(ContextPtr context) {
  return std::make_shared<EventQueryService>(std::move(context));
}

}  // namespace synod::participant
