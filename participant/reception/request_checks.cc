#include "participant/reception/request_checks.h"

#include <algorithm>
#include <set>

#include "lf/ledger/value_codec.h"
#include "participant/reception/key_consistency.h"
#include "participant/reception/local_reject.h"
#include "participant/reception/model_conformance.h"

namespace synod::participant {
namespace {

bool contains(const std::vector<protocol::Party>& parties, const std::string& party) {
  return std::find(parties.begin(), parties.end(), party) != parties.end();
}

std::string join(const std::vector<std::string>& items) {
  std::string out;
  for (const auto& item : items) out += (out.empty() ? "" : ", ") + item;
  return out;
}

std::vector<ViewFacts> facts_of(ReceivedRequest& request) {
  std::vector<ViewFacts> out;
  for (const auto& full : request.views) {
    for_each_view(full, [&](const protocol::TransactionView& view, const protocol::ViewPosition& position) {
      ViewFacts facts;
      facts.position = position;
      facts.common = &view.common().value();
      facts.participant = &view.participant().value();
      auto contracts = contracts_of(*facts.participant);
      if (!contracts) {
        request.malformed.add(contracts.error().cause);
        return;
      }
      facts.contracts = std::move(*contracts);
      out.push_back(std::move(facts));
    });
  }
  return out;
}

void check_authentication(const ReceivedRequest& request, const CheckContext& context, CheckedRequest& checked) {
  const auto* submitter = request.submitter();
  if (!submitter) return;
  Status status;
  if (submitter->external_authorization)
    status = fail(invalid_argument("UNSUPPORTED", "external signatures are not supported"));
  else if (!request.submitter_signature)
    status = fail(invalid_argument("SIGNATURE_MISSING", "the submitting participant's signature is missing"));
  else
    status = context.snapshot.verify(protocol::Member::participant(submitter->submitting_participant),
                                     crypto::KeyUsage::protocol, request.root_hash, *request.submitter_signature);
  if (status) return;
  for (const auto& full : request.views) {
    if (!full.position.is_root_view()) continue;
    checked.unauthenticated[full.position] =
        "Received a request with id " + request.id.to_string() +
        " with a view that is not correctly authenticated. Rejecting request...\n" + status.error().cause;
  }
}

std::optional<std::string> authorization_problem(const ReceivedRequest& request, const protocol::FullView& full,
                                                 const CheckContext& context) {
  const auto authorizers = authorizers_of(full.view);
  if (!authorizers) return authorizers.error().cause;
  const auto* submitter = request.submitter();
  if (submitter && full.position.is_root_view()) {
    std::vector<std::string> uncovered, not_allowed;
    for (const auto& party : *authorizers) {
      if (!contains(submitter->act_as, party)) uncovered.push_back(party);
    }
    if (!uncovered.empty()) return "Missing authorization for " + join(uncovered) + " through the submitting parties.";
    const auto member = protocol::Member::participant(submitter->submitting_participant);
    for (const auto& party : submitter->act_as) {
      const auto hosting = context.snapshot.hosting(party);
      const auto found = hosting.participants.find(member);
      if (found == hosting.participants.end() || found->second.permission != topology::Permission::submission)
        not_allowed.push_back(party);
    }
    if (!not_allowed.empty())
      return "The submitting participant " + member.to_string() +
             " is not authorized to submit on behalf of the submitting parties " + join(not_allowed) + ".";
    return std::nullopt;
  }
  // Who hosts an authoriser here also gets the view above this one, which shows where the authority comes from.
  std::vector<std::string> hosted;
  for (const auto& party : *authorizers) {
    if (context.snapshot.hosting(party).participants.contains(context.own)) hosted.push_back(party);
  }
  if (!hosted.empty()) return "Missing authorization for " + join(hosted) + ", " + full.position.to_string() + ".";
  return std::nullopt;
}

void check_authorization(const ReceivedRequest& request, const CheckContext& context, CheckedRequest& checked) {
  for (const auto& full : request.views) {
    if (auto problem = authorization_problem(request, full, context)) {
      checked.unauthorized[full.position] = "Received a request with id " + request.id.to_string() +
                                            " with a view that is not correctly authorized. Rejecting request...\n" +
                                            *problem;
    }
  }
}

void check_times(const ReceivedRequest& request, const CheckContext& context, CheckedRequest& checked) {
  const auto& times = request.tree->participant().value();
  const auto& parameters = context.snapshot.dynamic_parameters();
  auto outside = [&](Timestamp t, Duration tolerance) {
    return t < request.id - tolerance || t > request.id + tolerance;
  };
  const auto record = ", recordTime=" + request.id.to_string() + ", maxDelta=";
  if (outside(times.ledger_time, parameters.ledger_time_record_time_tolerance)) {
    checked.out_of_time =
        ledger_time_out_of_bound("ledgerTime=" + times.ledger_time.to_string() + record +
                                 std::to_string(parameters.ledger_time_record_time_tolerance.micros / 1'000'000) + "s");
  } else if (outside(times.preparation_time, parameters.preparation_time_record_time_tolerance)) {
    checked.out_of_time = preparation_time_out_of_bound(
        "preparationTime=" + times.preparation_time.to_string() + record +
        std::to_string(parameters.preparation_time_record_time_tolerance.micros / 1'000'000) + "s");
  }
}

// Among the views that are seen apart from each other, in their order: nothing is used before its creation or after its
// end.
void check_internal_consistency(const ReceivedRequest& request, CheckedRequest& checked) {
  ContractIds referenced, consumed;
  std::size_t at = 0;
  for (const auto& full : request.views) {
    ContractIds created_here, used_here, consumed_here;
    for_each_view(full, [&](const protocol::TransactionView&, const protocol::ViewPosition&) {
      const auto& contracts = checked.views[at++].contracts;
      for (const auto& [contract, ended] : contracts.created) {
        created_here.insert(contract.contract_id);
        if (ended) consumed_here.insert(contract.contract_id);
      }
      for (const auto& [id, input] : contracts.inputs) {
        used_here.insert(id);
        if (input.second) consumed_here.insert(id);
      }
      consumed_here.insert(contracts.archived_from_below.begin(), contracts.archived_from_below.end());
    });
    for (const auto& id : created_here) {
      if (referenced.contains(id))
        checked.internally_inconsistent = "Contract " + id.to_hex() + " is used before its creation";
    }
    referenced.insert(created_here.begin(), created_here.end());
    referenced.insert(used_here.begin(), used_here.end());
    for (const auto& ids : {created_here, used_here}) {
      for (const auto& id : ids) {
        if (consumed.contains(id))
          checked.internally_inconsistent = "Contract " + id.to_hex() + " is used after it was archived";
      }
    }
    consumed.insert(consumed_here.begin(), consumed_here.end());
  }
}

void check_contract_times(const ReceivedRequest& request, CheckedRequest& checked) {
  const auto ledger_time = request.tree->participant().value().ledger_time;
  for (const auto& [id, contract] : checked.effects.inputs) {
    if (contract.created_at > ledger_time) {
      checked.contracts_inconsistent = "Contract " + id.to_hex() + " was created at " +
                                       contract.created_at.to_string() + ", after the ledger time " +
                                       ledger_time.to_string() + " of the transaction";
      return;
    }
  }
}

}  // namespace

CheckedRequest check_request(ReceivedRequest& request, const CheckContext& context) {
  CheckedRequest checked;
  checked.views = facts_of(request);
  if (!request.malformed.empty()) return checked;
  std::map<lf::Party, bool> known;
  const std::function<bool(const lf::Party&)> hosted = [&](const lf::Party& party) {
    const auto [found, added] = known.try_emplace(party, false);
    if (added) found->second = context.snapshot.hosting(party).participants.contains(context.own);
    return found->second;
  };
  checked.effects = contract_effects(checked.views, hosted);
  check_authentication(request, context, checked);
  check_authorization(request, context, checked);
  check_times(request, context, checked);
  check_contract_times(request, checked);
  check_internal_consistency(request, checked);
  if (auto rebuilt = rebuild(request, context)) {
    checked.transaction = std::move(rebuilt->transaction);
    checked.created = std::move(rebuilt->created);
    if (const auto keys = check_keys(request, checked.transaction, hosted); !keys && !checked.internally_inconsistent)
      checked.internally_inconsistent = keys.error().cause;
  } else {
    checked.not_conformant = rebuilt.error().to_string();
  }
  return checked;
}

}  // namespace synod::participant
