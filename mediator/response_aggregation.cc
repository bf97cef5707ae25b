#include "mediator/response_aggregation.h"

#include <algorithm>

namespace synod::mediator {

using protocol::ConfirmationResponse;
using protocol::LocalVerdict;
using protocol::Member;
using protocol::ParticipantId;
using protocol::ParticipantReject;
using protocol::Party;
using protocol::Quorum;
using protocol::Verdict;
using protocol::ViewPosition;

namespace {

bool can_confirm(const ParticipantId& participant, const Party& party, const topology::Snapshot& topology) {
  const topology::PartyInfo info = topology.hosting(party);
  const auto hosting = info.participants.find(Member::participant(participant));
  return hosting != info.participants.end() && hosting->second.can_confirm();
}

bool is_approval(LocalVerdict::Code code) { return code == LocalVerdict::Code::approve; }
bool is_rejection(LocalVerdict::Code code) {
  return code == LocalVerdict::Code::reject || code == LocalVerdict::Code::malformed;
}

std::string to_string(LocalVerdict::Code code) {
  switch (code) {
    case LocalVerdict::Code::approve:
      return "approve";
    case LocalVerdict::Code::reject:
      return "reject";
    case LocalVerdict::Code::malformed:
      return "malformed";
    case LocalVerdict::Code::abstain:
      return "abstain";
  }
  return "unknown";
}

}  // namespace

std::optional<LocalVerdict::Code> ResponseAggregation::PartyVotes::vote_of(const ParticipantId& participant) const {
  if (approvals.count(participant)) return LocalVerdict::Code::approve;
  for (const auto& [who, verdict] : rejections)
    if (who == participant) return verdict.code;
  if (abstains.count(participant)) return LocalVerdict::Code::abstain;
  return std::nullopt;
}

void ResponseAggregation::PartyVotes::add(const ParticipantId& participant, const LocalVerdict& verdict) {
  if (vote_of(participant)) return;
  if (is_approval(verdict.code))
    approvals.insert(participant);
  else if (is_rejection(verdict.code))
    rejections.insert(rejections.begin(), {participant, verdict});
  else
    abstains.insert(participant);
}

bool ResponseAggregation::ViewVotes::satisfied() const {
  return std::all_of(open.begin(), open.end(), [](const Quorum& quorum) { return quorum.threshold == 0; });
}

bool ResponseAggregation::ViewVotes::can_be_satisfied() const {
  return std::all_of(open.begin(), open.end(), [](const Quorum& quorum) {
    std::int64_t weight = 0;
    for (const Quorum::Confirmer& confirmer : quorum.confirmers) weight += confirmer.weight;
    return quorum.threshold <= weight;
  });
}

bool ResponseAggregation::ViewVotes::is_pending(const Party& party) const {
  return std::any_of(open.begin(), open.end(), [&](const Quorum& quorum) {
    return std::any_of(quorum.confirmers.begin(), quorum.confirmers.end(),
                       [&](const Quorum::Confirmer& confirmer) { return confirmer.party == party; });
  });
}

void ResponseAggregation::ViewVotes::remove(const std::vector<Party>& voted, bool approved) {
  for (Quorum& quorum : open) {
    std::int64_t weight = 0;
    std::erase_if(quorum.confirmers, [&](const Quorum::Confirmer& confirmer) {
      const bool has_voted = std::find(voted.begin(), voted.end(), confirmer.party) != voted.end();
      if (has_voted) weight += confirmer.weight;
      return has_voted;
    });
    if (approved) quorum.threshold = static_cast<int>(std::max<std::int64_t>(0, quorum.threshold - weight));
  }
}

ResponseAggregation::ResponseAggregation(const Request& request, const topology::Snapshot& topology) {
  request.tree().for_each_view([&](const protocol::TransactionView& view, const ViewPosition& position) {
    ViewVotes& votes = views_[position];
    votes.open = view.common().value().quorums;
    for (const Quorum& quorum : votes.open)
      for (const Quorum::Confirmer& confirmer : quorum.confirmers) {
        if (votes.parties.count(confirmer.party)) continue;
        const topology::PartyInfo info = topology.hosting(confirmer.party);
        PartyVotes& party = votes.parties[confirmer.party];
        party.threshold = info.threshold;
        party.hosting = std::max<std::size_t>(
            1,
            static_cast<std::size_t>(std::count_if(info.participants.begin(), info.participants.end(),
                                                   [](const auto& hosting) { return hosting.second.can_confirm(); })));
      }
  });
}

void ResponseAggregation::add(const ParticipantId& sender, const ConfirmationResponse& response,
                              const topology::Snapshot& topology, const Report& report) {
  const bool malformed = response.verdict.code == LocalVerdict::Code::malformed;
  if (!response.view_position) {
    // The participant could not make sense of the request: a rejection for every party that it may confirm for.
    for (auto& [position, view] : views_) {
      std::vector<Party> parties;
      for (const auto& [party, votes] : view.parties)
        if (can_confirm(sender, party, topology)) parties.push_back(party);
      if (!parties.empty()) progress(position, view, parties, sender, response.verdict, report);
    }
    return;
  }
  const auto found = views_.find(*response.view_position);
  if (found == views_.end()) {
    report("a confirmation response by " + sender.to_string() + " for an unknown view position " +
           response.view_position->to_string());
    return;
  }
  ViewVotes& view = found->second;
  std::vector<Party> parties;
  if (malformed) {
    for (const auto& [party, votes] : view.parties)
      if (can_confirm(sender, party, topology)) parties.push_back(party);
  } else {
    parties = response.confirming_parties;
    for (const Party& party : parties) {
      if (!view.parties.count(party)) {
        report("a confirmation response by " + sender.to_string() + " with unexpected confirming party " + party);
        return;
      }
      if (!can_confirm(sender, party, topology)) {
        report("an unauthorized confirmation response by " + sender.to_string() + " on behalf of " + party);
        return;
      }
    }
  }
  progress(found->first, view, parties, sender, response.verdict, report);
}

void ResponseAggregation::progress(const ViewPosition& position, ViewVotes& view, const std::vector<Party>& parties,
                                   const ParticipantId& sender, const LocalVerdict& verdict, const Report& report) {
  for (const Party& party : parties) {
    const auto earlier = view.parties.at(party).vote_of(sender);
    if (!earlier) continue;
    const bool contradiction =
        (is_approval(*earlier) && is_rejection(verdict.code)) || (is_rejection(*earlier) && is_approval(verdict.code));
    if (contradiction)
      report("MEDIATOR_PARTICIPANT_EQUIVOCATION: " + sender.to_string() + " has already responded for " + party +
             " and view " + position.to_string() + " with `" + to_string(*earlier) + "`, now `" +
             to_string(verdict.code) + "`; the first counts");
  }
  if (verdict_) return;
  std::vector<Party> pending;
  for (const Party& party : parties)
    if (view.is_pending(party)) pending.push_back(party);
  if (pending.empty()) return;
  for (const Party& party : pending) view.parties.at(party).add(sender, verdict);

  if (is_approval(verdict.code)) {
    std::erase_if(pending, [&](const Party& party) { return !view.parties.at(party).approved(); });
    view.remove(pending, true);
    if (std::all_of(views_.begin(), views_.end(), [](const auto& entry) { return entry.second.satisfied(); }))
      verdict_ = protocol::Approve{};
    return;
  }
  std::vector<Party> full_votes;
  for (const Party& party : parties)
    if (view.parties.at(party).rejected()) full_votes.push_back(party);
  if (!full_votes.empty()) reject(view, full_votes, sender, verdict);
}

void ResponseAggregation::reject(ViewVotes& view, const std::vector<Party>& full_votes, const ParticipantId& sender,
                                 const LocalVerdict& verdict) {
  std::vector<ParticipantReject::Reason> reasons;
  if (is_rejection(verdict.code)) {
    reasons.push_back({full_votes, verdict, sender});
  } else {
    // Abstaining completes the rejection; a real reason given earlier says more.
    std::vector<Party> without_reason;
    for (const Party& party : full_votes) {
      const auto& earlier = view.parties.at(party).rejections;
      if (earlier.empty())
        without_reason.push_back(party);
      else
        reasons.push_back({{party}, earlier.front().second, earlier.front().first});
    }
    if (!without_reason.empty()) reasons.insert(reasons.begin(), {without_reason, verdict, sender});
  }
  view.rejections.insert(view.rejections.begin(), reasons.begin(), reasons.end());
  view.remove(full_votes, false);
  if (!view.can_be_satisfied()) verdict_ = ParticipantReject{view.rejections};
}

Verdict ResponseAggregation::timeout_verdict() const {
  std::set<Party> missing;
  for (const auto& [position, view] : views_) {
    if (view.satisfied()) continue;
    for (const Quorum& quorum : view.open)
      for (const Quorum::Confirmer& confirmer : quorum.confirmers) missing.insert(confirmer.party);
  }
  std::string names;
  for (const Party& party : missing) names += (names.empty() ? "" : ",") + party;
  Error error(
      "MEDIATOR_SAYS_TX_TIMED_OUT", ErrorCategory::contention_on_shared_resources,
      "Rejected transaction as the mediator did not receive sufficient confirmations within the expected timeframe.");
  return protocol::MediatorReject{protocol::RpcStatus::of(std::move(error).with("unresponsiveParties", names)), false};
}

}  // namespace synod::mediator
