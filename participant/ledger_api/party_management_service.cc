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
      SYNOD_RETURN_IF_ERROR(identity_provider_exists(request->identity_provider_id()));
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
      SYNOD_RETURN_IF_ERROR(identity_provider_exists(request->identity_provider_id()));
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
      if (const auto here = check_synchronizer(context_->node, request->synchronizer_id()); !here)
        return reply.error(here.error());
      if (const auto exists = identity_provider_exists(request->identity_provider_id()); !exists)
        return reply.error(exists.error());
      if (const auto user = known_user(*request); !user) return reply.error(user.error());
      PartyService::Allocation allocation{request->party_id_hint(), request->identity_provider_id(), {}};
      for (const auto& [key, value] : request->local_metadata().annotations()) allocation.annotations[key] = value;
      const auto annotations = check_annotations(allocation.annotations, false, "party.metadata.annotations");
      if (!annotations) return reply.error(annotations.error());
      context_->node.parties().allocate(std::move(allocation), [this, request, reply](Result<PartyDetails> party) {
        if (!party) return reply.error(party.error());
        if (request->user_id().empty()) return answer(*party, reply);
        // A change that is synced to disk: not on the participant's thread.
        context_->loop.post([this, request, reply, party = std::move(*party)] {
          const auto granted = context_->node.users().grant(request->user_id(), request->identity_provider_id(),
                                                            {{UserRight::Kind::can_act_as, party.party}});
          if (!granted) return reply.error(granted.error());
          answer(party, reply);
        });
      });
    });
  }

 private:
  static void answer(const PartyDetails& party, const rpc::Reply<admin::AllocatePartyResponse>& reply) {
    admin::AllocatePartyResponse response;
    show(party, response.mutable_party_details());
    reply(std::move(response));
  }
  // The one who may act as the new party.
  Status known_user(const admin::AllocatePartyRequest& request) const {
    if (request.user_id().empty()) return {};
    SYNOD_TRY(const std::string id, user_id(request.user_id(), "user_id"));
    SYNOD_TRY(const auto rights, context_->node.users().rights(id, request.identity_provider_id()));
    if (rights.size() >= context_->node.users().limits().max_rights_per_user)
      return fail(failed_precondition("TOO_MANY_USER_RIGHTS",
                                      "allocating party failed, as user \"" + id + "\" would have too many rights."));
    return {};
  }

  ContextPtr context_;
};

}  // namespace

std::shared_ptr<grpc::Service> make_party_management_service(ContextPtr context) {
  return std::make_shared<PartyManagementService>(std::move(context));
}

}  // namespace synod::participant
