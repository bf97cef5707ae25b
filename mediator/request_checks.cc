#include "mediator/request_checks.h"

#include <algorithm>
#include <set>

namespace synod::mediator {
namespace {

using protocol::Member;
using protocol::MemberKind;
using protocol::Party;
using protocol::Recipient;
using protocol::RecipientSet;
using Check = std::optional<Rejection>;

std::string list(const auto& items) {
  std::string out;
  for (const auto& item : items) {
    if (!out.empty()) out += ", ";
    if constexpr (requires { item.to_string(); })
      out += item.to_string();
    else
      out += item;
  }
  return out;
}

std::string request_name(const Request& request) {
  return "Received a mediator confirmation request with id " + request.id.to_string();
}

Check check_signature(const Request& request, const topology::Snapshot& topology) {
  const Status verified = topology.verify(request.submitter(), crypto::KeyUsage::protocol, request.tree().root_hash(),
                                          request.informee_message.submitter_signature);
  if (verified) return std::nullopt;
  return malformed_request(request_name(request) + " from " + request.submitter().to_string() +
                           " with an invalid signature. Rejecting request. " + verified.error().cause);
}

Check check_informees_hosted(const Request& request, const topology::Snapshot& topology) {
  std::vector<Party> unhosted;
  for (const Party& party : request.informees())
    if (topology.hosting(party).participants.empty()) unhosted.push_back(party);
  if (unhosted.empty()) return std::nullopt;
  return invalid_request(request_name(request) + " with some informees not being hosted by an active participant: " +
                         list(unhosted) + ". Rejecting request...");
}

Check check_mediator_group(const Request& request, const Member& self, const topology::Snapshot& topology) {
  const int declared = request.common().mediator_group;
  auto wrong = [&](const std::string& hint) {
    return malformed_request("Rejecting mediator confirmation request with " + request.id.to_string() +
                             ", mediator MGR::" + std::to_string(declared) + " due to " + hint);
  };
  const auto group = topology.mediator_group(static_cast<std::uint32_t>(declared));
  if (!group) return wrong("unknown mediator group");
  if (!group->contains(self)) return wrong("this mediator not being part of the mediator group");
  if (request.recipients != protocol::Recipients::together({Recipient::mediator_group(declared)}))
    return wrong("wrong recipients of the informee message");
  if (group->active.size() < group->threshold) return wrong("inactive mediator group");
  return std::nullopt;
}

Check check_root_hash_messages(const Request& request, const topology::Snapshot& topology) {
  auto wrong = [&](const std::string& reason) {
    return malformed_request(request_name(request) +
                             " with invalid root hash messages. Rejecting... Reason: " + reason);
  };
  const Recipient mediator = Recipient::mediator_group(request.common().mediator_group);
  std::set<Member> participants;
  for (const AddressedRootHashMessage& addressed : request.root_hash_messages) {
    for (const protocol::RecipientsTree& tree : addressed.recipients.trees) {
      const Recipient* participant = nullptr;
      for (const Recipient& recipient : tree.recipients)
        if (recipient.is_member() && recipient.member().kind() == MemberKind::participant) participant = &recipient;
      if (!tree.children.empty() || tree.recipients.size() != 2 || !tree.recipients.count(mediator) || !participant)
        return wrong("Root hash messages with wrong recipients tree");
      if (!participants.insert(participant->member()).second)
        return wrong("Several root hash messages for recipients: " + participant->to_string());
    }
  }
  for (const AddressedRootHashMessage& addressed : request.root_hash_messages) {
    const protocol::RootHashMessage& message = addressed.message;
    if (message.payload != request.root_hash_messages.front().message.payload)
      return wrong("Different payloads in root hash messages");
    if (message.root_hash != request.tree().root_hash()) return wrong("Wrong root hashes: " + message.root_hash.hex());
    if (message.view_type != protocol::ViewType::transaction)
      return wrong("View types in root hash messages differ from expected view type");
  }
  const std::vector<Member> expected = hosts_of(request.informees(), topology);
  std::vector<Member> missing, superfluous;
  std::set_difference(expected.begin(), expected.end(), participants.begin(), participants.end(),
                      std::back_inserter(missing));
  std::set_difference(participants.begin(), participants.end(), expected.begin(), expected.end(),
                      std::back_inserter(superfluous));
  if (!missing.empty()) return wrong("Missing root hash message for informee participants: " + list(missing));
  if (!superfluous.empty()) return wrong("Superfluous root hash message for members: " + list(superfluous));
  return std::nullopt;
}

Check check_thresholds(const Request& request) {
  Check out;
  request.tree().for_each_view([&](const protocol::TransactionView& view, const protocol::ViewPosition& position) {
    const auto& quorums = view.common().value().quorums;
    const bool some =
        std::any_of(quorums.begin(), quorums.end(), [](const protocol::Quorum& q) { return q.threshold >= 1; });
    if (!some && !out)
      out = malformed_request(request_name(request) + " for transaction view at " + position.to_string() +
                              ", where no quorum of the list satisfies the minimum threshold. Rejecting request...");
  });
  return out;
}

bool somebody_can_confirm(const Party& party, const topology::Snapshot& topology) {
  const topology::PartyInfo info = topology.hosting(party);
  return std::any_of(info.participants.begin(), info.participants.end(),
                     [](const auto& hosting) { return hosting.second.can_confirm(); });
}

Check check_confirmers(const Request& request, const topology::Snapshot& topology) {
  Check out;
  request.tree().for_each_view([&](const protocol::TransactionView& view, const protocol::ViewPosition& position) {
    if (out) return;
    std::set<Party> unauthorized;
    bool enough = true;
    for (const protocol::Quorum& quorum : view.common().value().quorums) {
      std::int64_t weight = 0;
      for (const protocol::Quorum::Confirmer& confirmer : quorum.confirmers) {
        if (somebody_can_confirm(confirmer.party, topology))
          weight += confirmer.weight;
        else
          unauthorized.insert(confirmer.party);
      }
      enough = enough && weight >= quorum.threshold;
    }
    if (!enough)
      out = malformed_request(
          request_name(request) + " with insufficient authorized confirming parties for transaction view at " +
          position.to_string() +
          ". Rejecting request. Parties without participant having permission to confirm: " + list(unauthorized));
  });
  return out;
}

}  // namespace

Member Request::submitter() const { return Member::participant(tree().submitter().value().submitting_participant); }

std::vector<Party> Request::informees() const {
  std::set<Party> out;
  tree().for_each_view([&](const protocol::TransactionView& view, const protocol::ViewPosition&) {
    const auto& informees = view.common().value().informees;
    out.insert(informees.begin(), informees.end());
  });
  return {out.begin(), out.end()};
}

Rejection malformed_request(std::string cause) {
  return {Error("MEDIATOR_RECEIVED_MALFORMED_MESSAGE", ErrorCategory::malicious_or_faulty, std::move(cause)), true};
}

Rejection invalid_request(std::string cause) {
  return {Error("MEDIATOR_INVALID_MESSAGE", ErrorCategory::invalid_state_other, std::move(cause)), false};
}

std::vector<Member> hosts_of(const std::vector<Party>& parties, const topology::Snapshot& snapshot) {
  std::set<Member> out;
  for (const Party& party : parties)
    for (const auto& [participant, hosting] : snapshot.hosting(party).participants) out.insert(participant);
  return {out.begin(), out.end()};
}

std::optional<Rejection> check_request(const Request& request, const Member& self,
                                       const topology::Snapshot& at_request) {
  if (Check failed = check_signature(request, at_request)) return failed;
  if (Check failed = check_informees_hosted(request, at_request)) return failed;
  if (Check failed = check_mediator_group(request, self, at_request)) return failed;
  if (Check failed = check_root_hash_messages(request, at_request)) return failed;
  if (Check failed = check_thresholds(request)) return failed;
  if (Check failed = check_confirmers(request, at_request)) return failed;
  if (request.with_topology_transactions)
    return malformed_request(request_name(request) + " also containing a topology transaction.");
  return std::nullopt;
}

}  // namespace synod::mediator
