#include "topology/manager/read_service.h"

#include <algorithm>

#include "canton/topology_admin_v30.grpc.pb.h"
#include "topology/manager/answer_with_state.h"
#include "topology/manager/query.h"
#include "topology/mapping_proto.h"
#include "topology/stored_codec.h"

namespace synod::topology {
namespace {

namespace v30 = ::com::digitalasset::canton::topology::admin::v30;
using com::digitalasset::canton::protocol::v30::TopologyMapping;
using grpc::CallbackServerContext;
using Reactor = grpc::ServerUnaryReactor;

class ReadService final : public v30::TopologyManagerReadService::CallbackService {
 public:
  explicit ReadService(AdminBackend& backend) : backend_(backend) {}

  Reactor* ListNamespaceDelegation(CallbackServerContext* c, const v30::ListNamespaceDelegationRequest* q,
                                   v30::ListNamespaceDelegationResponse* r) override {
    return list<NamespaceDelegation>(
        c, q, r,
        [q](const NamespaceDelegation& m) {
          return m.ns.starts_with(q->filter_namespace()) &&
                 m.target.fingerprint().starts_with(q->filter_target_key_fingerprint());
        },
        [](TopologyMapping& m, auto& result) { *result.mutable_v30() = std::move(*m.mutable_namespace_delegation()); });
  }
  Reactor* ListDecentralizedNamespaceDefinition(CallbackServerContext* c,
                                                const v30::ListDecentralizedNamespaceDefinitionRequest* q,
                                                v30::ListDecentralizedNamespaceDefinitionResponse* r) override {
    return list<DecentralizedNamespace>(
        c, q, r, [q](const DecentralizedNamespace& m) { return m.ns.starts_with(q->filter_namespace()); },
        [](TopologyMapping& m, auto& result) {
          *result.mutable_item() = std::move(*m.mutable_decentralized_namespace_definition());
        });
  }
  Reactor* ListOwnerToKeyMapping(CallbackServerContext* c, const v30::ListOwnerToKeyMappingRequest* q,
                                 v30::ListOwnerToKeyMappingResponse* r) override {
    return list<OwnerToKey>(
        c, q, r,
        [q](const OwnerToKey& m) {
          return m.member.to_string().starts_with(q->filter_key_owner_type()) &&
                 matches_uid(q->filter_key_owner_uid(), m.member.uid());
        },
        [](TopologyMapping& m, auto& result) { *result.mutable_v30() = std::move(*m.mutable_owner_to_key_mapping()); });
  }
  Reactor* ListPartyToKeyMapping(CallbackServerContext* c, const v30::ListPartyToKeyMappingRequest* q,
                                 v30::ListPartyToKeyMappingResponse* r) override {
    return list<PartyToKey>(
        c, q, r, [q](const PartyToKey& m) { return matches_uid(q->filter_party(), m.party); },
        [](TopologyMapping& m, auto& result) { *result.mutable_v30() = std::move(*m.mutable_party_to_key_mapping()); });
  }
  Reactor* ListSynchronizerTrustCertificate(CallbackServerContext* c,
                                            const v30::ListSynchronizerTrustCertificateRequest* q,
                                            v30::ListSynchronizerTrustCertificateResponse* r) override {
    return list<TrustCertificate>(
        c, q, r, [q](const TrustCertificate& m) { return matches_uid(q->filter_uid(), m.participant); },
        [](TopologyMapping& m, auto& result) {
          *result.mutable_item() = std::move(*m.mutable_synchronizer_trust_certificate());
        });
  }
  Reactor* ListParticipantSynchronizerPermission(CallbackServerContext* c,
                                                 const v30::ListParticipantSynchronizerPermissionRequest* q,
                                                 v30::ListParticipantSynchronizerPermissionResponse* r) override {
    return list<ParticipantPermission>(
        c, q, r, [q](const ParticipantPermission& m) { return matches_uid(q->filter_uid(), m.participant); },
        [](TopologyMapping& m, auto& result) {
          *result.mutable_item() = std::move(*m.mutable_participant_permission());
        });
  }
  Reactor* ListPartyHostingLimits(CallbackServerContext* c, const v30::ListPartyHostingLimitsRequest* q,
                                  v30::ListPartyHostingLimitsResponse* r) override {
    return list<PartyHostingLimits>(
        c, q, r, [q](const PartyHostingLimits& m) { return matches_uid(q->filter_uid(), m.party); },
        [](TopologyMapping& m, auto& result) {
          *result.mutable_item() = std::move(*m.mutable_party_hosting_limits());
        });
  }
  Reactor* ListVettedPackages(CallbackServerContext* c, const v30::ListVettedPackagesRequest* q,
                              v30::ListVettedPackagesResponse* r) override {
    return list<VettedPackages>(
        c, q, r, [q](const VettedPackages& m) { return matches_uid(q->filter_participant(), m.participant); },
        [](TopologyMapping& m, auto& result) { *result.mutable_item() = std::move(*m.mutable_vetted_packages()); });
  }
  Reactor* ListPartyToParticipant(CallbackServerContext* c, const v30::ListPartyToParticipantRequest* q,
                                  v30::ListPartyToParticipantResponse* r) override {
    return list<PartyToParticipant>(
        c, q, r,
        [q](const PartyToParticipant& m) {
          if (!matches_uid(q->filter_party(), m.party)) return false;
          return q->filter_participant().empty() ||
                 std::any_of(m.participants.begin(), m.participants.end(),
                             [&](const auto& host) { return matches_uid(q->filter_participant(), host.participant); });
        },
        [](TopologyMapping& m, auto& result) { *result.mutable_v30() = std::move(*m.mutable_party_to_participant()); });
  }
  Reactor* ListSynchronizerParametersState(CallbackServerContext* c,
                                           const v30::ListSynchronizerParametersStateRequest* q,
                                           v30::ListSynchronizerParametersStateResponse* r) override {
    return list<SynchronizerParametersState>(
        c, q, r,
        [q](const SynchronizerParametersState& m) { return matches_uid(q->filter_synchronizer_id(), m.synchronizer); },
        [](TopologyMapping& m, auto& result) {
          *result.mutable_item() =
              std::move(*m.mutable_synchronizer_parameters_state()->mutable_synchronizer_parameters());
        });
  }
  Reactor* ListSequencingParametersState(CallbackServerContext* c, const v30::ListSequencingParametersStateRequest* q,
                                         v30::ListSequencingParametersStateResponse* r) override {
    return list<SequencingParametersState>(
        c, q, r,
        [q](const SequencingParametersState& m) { return matches_uid(q->filter_synchronizer_id(), m.synchronizer); },
        [](TopologyMapping& m, auto& result) {
          *result.mutable_item() =
              std::move(*m.mutable_sequencing_dynamic_parameters_state()->mutable_sequencing_parameters());
        });
  }
  Reactor* ListMediatorSynchronizerState(CallbackServerContext* c, const v30::ListMediatorSynchronizerStateRequest* q,
                                         v30::ListMediatorSynchronizerStateResponse* r) override {
    return list<MediatorState>(
        c, q, r, [q](const MediatorState& m) { return matches_uid(q->filter_synchronizer_id(), m.synchronizer); },
        [](TopologyMapping& m, auto& result) {
          *result.mutable_item() = std::move(*m.mutable_mediator_synchronizer_state());
        });
  }
  Reactor* ListSequencerSynchronizerState(CallbackServerContext* c, const v30::ListSequencerSynchronizerStateRequest* q,
                                          v30::ListSequencerSynchronizerStateResponse* r) override {
    return list<SequencerState>(
        c, q, r, [q](const SequencerState& m) { return matches_uid(q->filter_synchronizer_id(), m.synchronizer); },
        [](TopologyMapping& m, auto& result) {
          *result.mutable_item() = std::move(*m.mutable_sequencer_synchronizer_state());
        });
  }

  Reactor* ListAvailableStores(CallbackServerContext* c, const v30::ListAvailableStoresRequest*,
                               v30::ListAvailableStoresResponse* r) override {
    return answer_with_state(backend_, c, r,
                             [](const TopologyState& state) -> Result<v30::ListAvailableStoresResponse> {
                               v30::ListAvailableStoresResponse response;
                               put_store(state, *response.add_store_ids());
                               return response;
                             });
  }
  Reactor* ListAll(CallbackServerContext* c, const v30::ListAllRequest* q, v30::ListAllResponse* r) override {
    return list_all(c, q, r, q->exclude_mappings(), false);
  }
  Reactor* ListAllV2(CallbackServerContext* c, const v30::ListAllV2Request* q, v30::ListAllV2Response* r) override {
    return list_all(c, q, r, q->include_mappings(), true);
  }

 private:
  // The request stays valid until the answer.
  template <typename M, typename Request, typename Response, typename Match, typename Put>
  Reactor* list(CallbackServerContext* context, const Request* request, Response* response, Match match, Put put) {
    return answer_with_state(
        backend_, context, response, [request, match, put](const TopologyState& state) -> Result<Response> {
          SYNOD_TRY(const auto found, select(state, request->base_query(), [&](const StoredTransaction& stored) {
                      const auto* mapping = stored.transaction.transaction().as<M>();
                      return mapping && match(*mapping);
                    }));
          Response result;
          for (const auto* stored : found) {
            auto& item = *result.add_results();
            put_result(state, *stored, *item.mutable_context());
            TopologyMapping proto;
            put_mapping(stored->transaction.mapping(), proto);
            put(proto, item);
          }
          return result;
        });
  }

  // `names`: Canton's three-letter codes or full names; to include (then none means all) or to exclude.
  template <typename Request, typename Response, typename Names>
  Reactor* list_all(CallbackServerContext* context, const Request* request, Response* response, const Names& names,
                    bool include) {
    return answer_with_state(
        backend_, context, response, [request, &names, include](const TopologyState& state) -> Result<Response> {
          const auto named = [&](MappingCode code) {
            return std::any_of(names.begin(), names.end(),
                               [&](const std::string& n) { return n == short_name_of(code) || n == name_of(code); });
          };
          SYNOD_TRY(const auto found, select(state, request->base_query(), [&](const StoredTransaction& stored) {
                      const auto code = stored.transaction.transaction().code();
                      const bool wanted = include ? names.empty() || named(code) : !named(code);
                      return wanted &&
                             namespace_of(stored.transaction.mapping()).starts_with(request->filter_namespace());
                    }));
          Response result;
          for (const auto* stored : found) put_stored(*stored, *result.mutable_result()->add_items());
          return result;
        });
  }

  AdminBackend& backend_;
};

}  // namespace

std::shared_ptr<grpc::Service> make_read_service(AdminBackend& backend) {
  return std::make_shared<ReadService>(backend);
}

}  // namespace synod::topology
