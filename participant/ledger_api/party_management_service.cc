// PartyManagementService: allocating and listing parties.
#include <algorithm>

#include "ledger/admin_parties.grpc.pb.h"
#include "participant/ledger_api/annotation_checks.h"
#include "participant/ledger_api/request_checks.h"
#include "participant/ledger_api/update_codec.h"
#include "rpc/unary.h"

namespace synod::participant {
namespace {

namespace admin = api::admin;

void show(const PartyDetails& party, admin::PartyDetails* out) {
  out->set_party(party.party);
  out->set_is_local(party.is_local);
  out->set_identity_provider_id(party.identity_provider_id);
  if (party.is_local)
    out->mutable_local_metadata()->set_resource_version("0");
  else
    out->mutable_local_metadata();
  for (const auto& [key, value] : party.annotations)
    (*out->mutable_local_metadata()->mutable_annotations())[key] = value;
}

class PartyManagementService final : public admin::PartyManagementService::CallbackService {
 public:
  explicit PartyManagementService(ContextPtr context) : context_(std::move(context)) {}

  grpc::ServerUnaryReactor* GetParticipantId(grpc::CallbackServerContext* call, const admin::GetParticipantIdRequest*,
                                             admin::GetParticipantIdResponse* response) override {
    return rpc::answer_now(call, response, [&](rpc::CallContext&) -> Result<admin::GetParticipantIdResponse> {
      admin::GetParticipantIdResponse answer;
      answer.set_participant_id(context_->node.participant_id());
      return answer;
    });
  }
  grpc::ServerUnaryReactor* GetParties(grpc::CallbackServerContext* call, const admin::GetPartiesRequest* request,
                                       admin::GetPartiesResponse* response) override {
    return rpc::answer_now(call, response, [&](rpc::CallContext&) -> Result<admin::GetPartiesResponse> {
      SYNOD_TRY(const lf::PartySet parties, party_ids(request->parties(), "parties"));
      admin::GetPartiesResponse answer;
      for (const lf::Party& party : parties)
        if (const auto details = context_->node.parties().find(party)) show(*details, answer.add_party_details());
      return answer;
    });
  }
  grpc::ServerUnaryReactor* ListKnownParties(grpc::CallbackServerContext* call,
                                             const admin::ListKnownPartiesRequest* request,
                                             admin::ListKnownPartiesResponse* response) override {
    return rpc::answer_now(call, response, [&](rpc::CallContext&) -> Result<admin::ListKnownPartiesResponse> {
      const std::int64_t limit = context_->config.max_parties_page_size;
      if (request->page_size() < 0) return fail(invalid_request("page_size must not be negative"));
      if (request->page_size() > limit)
        return fail(invalid_request("page_size must not exceed " + std::to_string(limit)));
      const std::size_t page = static_cast<std::size_t>(request->page_size() == 0 ? limit : request->page_size());
      admin::ListKnownPartiesResponse answer;
      std::string last;
      for (const PartyDetails& party : context_->node.parties().list(request->page_token(), page)) {
        last = party.party;
        if (party.party.starts_with(request->filter_party())) show(party, answer.add_party_details());
      }
      // The next page begins behind the last party looked at, whether it matched or not.
      if (!last.empty() && !context_->node.parties().list(last, 1).empty()) answer.set_next_page_token(last);
      return answer;
    });
  }
  grpc::ServerUnaryReactor* AllocateParty(grpc::CallbackServerContext* call, const admin::AllocatePartyRequest* request,
                                          admin::AllocatePartyResponse* response) override {
    return rpc::answer(call, response, [&](rpc::CallContext&, rpc::Reply<admin::AllocatePartyResponse> reply) {
      if (!request->local_metadata().resource_version().empty())
        return reply.error(invalid_field("party.local_metadata.resource_version", "must not be set"));
      if (!request->party_id_hint().empty())
        if (const auto hint = party_id(request->party_id_hint(), "party_id_hint"); !hint)
          return reply.error(hint.error());
      PartyService::Allocation allocation{request->party_id_hint(), request->identity_provider_id(), {}};
      for (const auto& [key, value] : request->local_metadata().annotations()) allocation.annotations[key] = value;
      const auto annotations = check_annotations(allocation.annotations, false, "party.metadata.annotations");
      if (!annotations) return reply.error(annotations.error());
      context_->node.parties().allocate(std::move(allocation), [reply](Result<PartyDetails> party) {
        if (!party) return reply.error(party.error());
        admin::AllocatePartyResponse answer;
        show(*party, answer.mutable_party_details());
        reply(std::move(answer));
      });
    });
  }

 private:
  ContextPtr context_;
};

}  // namespace

std::shared_ptr<grpc::Service> make_party_management_service(ContextPtr context) {
  return std::make_shared<PartyManagementService>(std::move(context));
}

}  // namespace synod::participant
