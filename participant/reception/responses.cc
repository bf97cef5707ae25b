#include <algorithm>

#include "base/log.h"
#include "participant/reception/local_reject.h"
#include "participant/reception/request_checks.h"

namespace synod::participant {
namespace {

using Code = protocol::LocalVerdict::Code;

ContractIds intersection(const ContractIds& a, const ContractIds& b) {
  ContractIds out;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::inserter(out, out.end()));
  return out;
}

// The confirming parties of a view for which this participant may speak, in the view's order of informees.
std::vector<protocol::Party> own_confirmers(const protocol::ViewCommonData& data, const CheckContext& context) {
  std::vector<protocol::Party> out;
  for (const auto& party : data.informees) {
    const bool confirms = std::any_of(data.quorums.begin(), data.quorums.end(), [&](const auto& quorum) {
      return std::any_of(quorum.confirmers.begin(), quorum.confirmers.end(),
                         [&](const auto& c) { return c.party == party; });
    });
    if (!confirms) continue;
    const auto hosting = context.snapshot.hosting(party);
    const auto found = hosting.participants.find(context.own);
    if (found != hosting.participants.end() && found->second.can_confirm()) out.push_back(party);
  }
  return out;
}

std::optional<protocol::LocalVerdict> conflict_verdict(const ViewFacts& view, const ActivenessResult& activeness,
                                                       const std::vector<protocol::Party>& confirmers) {
  if (confirmers.empty()) return std::nullopt;
  ContractIds created, own_inputs;
  for (const auto& [contract, ended] : view.contracts.created) created.insert(contract.contract_id);
  for (const auto& [id, input] : view.contracts.inputs) {
    const auto& stakeholders = input.first.stakeholders;
    if (std::any_of(confirmers.begin(), confirmers.end(),
                    [&](const auto& party) { return stakeholders.contains(party); }))
      own_inputs.insert(id);
  }
  if (const auto existing = intersection(activeness.not_fresh, created); !existing.empty())
    return creates_existing_contracts(existing);
  auto inactive = intersection(activeness.unknown, own_inputs);
  inactive.merge(intersection(activeness.not_active, own_inputs));
  if (!inactive.empty()) return inactive_contracts(inactive);
  if (const auto locked = intersection(activeness.locked, own_inputs); !locked.empty()) return locked_contracts(locked);
  return std::nullopt;
}

template <typename Key>
void add_malformed(std::vector<protocol::LocalVerdict>& verdicts, const std::map<Key, std::string>& problems,
                   const Key& key) {
  if (const auto found = problems.find(key); found != problems.end())
    verdicts.push_back(malformed_request(found->second));
}

protocol::ConfirmationResponse answer(const ViewFacts& view, std::vector<protocol::LocalVerdict> verdicts,
                                      std::vector<protocol::Party> confirmers) {
  protocol::ConfirmationResponse response;
  response.view_position = view.position;
  const auto first = std::find_if(verdicts.begin(), verdicts.end(),
                                  [&](const auto& v) { return v.code == Code::malformed || !confirmers.empty(); });
  response.verdict = first != verdicts.end() ? std::move(*first) : approve();
  if (response.verdict.code != Code::malformed) response.confirming_parties = std::move(confirmers);
  return response;
}

}  // namespace

std::optional<protocol::ConfirmationResponses> respond(const ReceivedRequest& request, const CheckedRequest* checked,
                                                       const ActivenessResult& activeness, const CheckContext& context,
                                                       const protocol::PhysicalSynchronizerId& synchronizer) {
  protocol::ConfirmationResponses responses;
  responses.request_id = request.id;
  responses.root_hash = request.root_hash;
  responses.synchronizer = synchronizer;
  responses.sender = context.own.uid();
  if (!request.malformed.empty() || !checked) {
    std::string details = request.malformed.first();
    if (request.malformed.count() > 1) details += "; and " + std::to_string(request.malformed.count() - 1) + " more";
    log::alarm("participant", "request {} has malformed payloads: {}", request.id.to_string(), details);
    responses.responses.push_back({malformed_payload(details), {}, std::nullopt});
    return responses;
  }
  protocol::Complaints malformed;
  for (const auto& view : checked->views) {
    auto confirmers = own_confirmers(*view.common, context);
    std::vector<protocol::LocalVerdict> verdicts;
    if (auto conflict = conflict_verdict(view, activeness, confirmers)) verdicts.push_back(std::move(*conflict));
    if (checked->out_of_time) verdicts.push_back(*checked->out_of_time);
    if (checked->contracts_inconsistent) verdicts.push_back(malformed_request(*checked->contracts_inconsistent));
    add_malformed(verdicts, checked->unauthenticated, view.position);
    add_malformed(verdicts, checked->unauthorized, view.position);
    if (checked->not_conformant) verdicts.push_back(failed_model_conformance(*checked->not_conformant));
    if (checked->internally_inconsistent)
      verdicts.push_back(failed_model_conformance(*checked->internally_inconsistent));
    if (verdicts.empty() && confirmers.empty()) continue;
    auto response = answer(view, std::move(verdicts), std::move(confirmers));
    if (response.verdict.code == Code::approve && response.confirming_parties.empty()) continue;
    if (response.verdict.code == Code::reject && response.confirming_parties.empty()) continue;
    if (response.verdict.code == Code::malformed) malformed.add(response.verdict.reason.message);
    responses.responses.push_back(std::move(response));
  }
  if (!malformed.empty())
    log::alarm("participant", "request {}: {}", request.id.to_string(), malformed.of(checked->views.size(), "views"));
  if (responses.responses.empty()) return std::nullopt;
  return responses;
}

}  // namespace synod::participant
