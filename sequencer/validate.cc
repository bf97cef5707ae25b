#include "sequencer/validate.h"

#include <algorithm>

#include "sequencer/aggregation.h"
#include "sequencer/deliver_error.h"

namespace synod::sequencer {
namespace {

using Kind = protocol::Recipient::Kind;

std::vector<protocol::Member> unregistered(const std::set<protocol::Member>& members,
                                           const IsRegistered& is_registered) {
  std::vector<protocol::Member> missing;
  for (const auto& member : members) {
    if (!is_registered(member)) missing.push_back(member);
  }
  return missing;
}

std::string list_of(const std::vector<protocol::Member>& members) {
  std::string text;
  for (const auto& member : members) {
    if (!text.empty()) text += ", ";
    text += member.to_string();
  }
  return text;
}

// Resolves the groups into `accepted`, or says why not.
std::optional<Error> resolve_groups(const protocol::RecipientSet& recipients, const topology::Snapshot& snapshot,
                                    const IsRegistered& is_registered, Accepted& accepted) {
  std::string missing_groups;
  for (const auto& recipient : recipients) {
    if (recipient.kind() != Kind::mediator_group) continue;
    const auto group = snapshot.mediator_group(static_cast<std::uint32_t>(recipient.group()));
    if (!group) {
      missing_groups += (missing_groups.empty() ? "" : ", ") + std::to_string(recipient.group());
      continue;
    }
    std::set<protocol::Member> members(group->active.begin(), group->active.end());
    members.insert(group->observers.begin(), group->observers.end());
    const auto missing = unregistered(members, is_registered);
    if (!missing.empty()) {
      return submission_refused("The mediator group " + std::to_string(recipient.group()) +
                                " contains non registered mediators " + list_of(missing));
    }
    accepted.groups[recipient] = {members.begin(), members.end()};
  }
  if (!missing_groups.empty()) {
    return submission_refused("The following mediator groups do not exist List(" + missing_groups + ")");
  }
  if (recipients.count(protocol::Recipient::sequencers()) > 0) {
    const auto group = snapshot.sequencer_group();
    if (group.active.empty()) return submission_refused("No sequencer group found");
    std::set<protocol::Member> members(group.active.begin(), group.active.end());
    members.insert(group.observers.begin(), group.observers.end());
    accepted.groups[protocol::Recipient::sequencers()] = {members.begin(), members.end()};
  }
  return std::nullopt;
}

std::optional<Validated> check_aggregation(const PreparedSubmission& submission, Timestamp timestamp,
                                           const topology::Snapshot& snapshot, const IsRegistered& is_registered,
                                           bool in_flight) {
  const auto& request = submission.request;
  if (!request.aggregation_rule) return std::nullopt;
  const Timestamp bound = timestamp + snapshot.dynamic_parameters().sequencer_aggregate_submission_timeout;
  if (request.max_sequencing_time >= bound) {
    return Rejected{max_sequencing_time_too_far(request.message_id, request.max_sequencing_time, bound)};
  }
  if (const auto rule = check_rule(*request.aggregation_rule, request.sender, snapshot); !rule) {
    return Dropped{rule.error().cause, true};
  }
  if (request.aggregation_rule->kind == protocol::AggregationRule::Kind::members && !in_flight) {
    const auto& members = request.aggregation_rule->members;
    const auto missing = unregistered({members.begin(), members.end()}, is_registered);
    if (!missing.empty()) {
      return Rejected{
          submission_refused("Aggregation rule contains unregistered eligible members: " + list_of(missing))};
    }
  }
  return std::nullopt;
}

}  // namespace

bool at_most_one_mediator(const protocol::RecipientSet& recipients) {
  const auto is_mediator = [](const protocol::Recipient& recipient) {
    return recipient.kind() == Kind::mediator_group || recipient.kind() == Kind::all_members ||
           (recipient.is_member() && recipient.member().kind() == protocol::MemberKind::mediator);
  };
  return std::count_if(recipients.begin(), recipients.end(), is_mediator) <= 1;
}

Validated validate_submission(const PreparedSubmission& submission, Timestamp timestamp,
                              const topology::Snapshot& snapshot, const IsRegistered& is_registered,
                              bool aggregation_in_flight) {
  const auto& request = submission.request;
  if (!is_registered(request.sender)) return Dropped{"the sender is not registered", true};
  for (const auto& signature : submission.signatures) {
    if (const auto status = check_signature(signature, request.sender, snapshot); !status) {
      return Dropped{"signature on the request: " + status.error().cause, true};
    }
  }
  if (timestamp > request.max_sequencing_time) {
    return Dropped{"sequenced at " + timestamp.to_string() + ", after its max sequencing time " +
                       request.max_sequencing_time.to_string(),
                   false};
  }
  const protocol::RecipientSet recipients = request.batch.all_recipients();
  if (!at_most_one_mediator(recipients)) return Dropped{"several mediators among the recipients", true};

  Accepted accepted;
  for (const auto& recipient : recipients) {
    if (recipient.is_member()) accepted.recipients.insert(recipient.member());
  }
  const auto unknown = unregistered(accepted.recipients, is_registered);
  if (!unknown.empty()) return Rejected{unknown_recipients(unknown)};
  if (request.topology_timestamp) return Rejected{topology_timestamp_unsupported()};

  if (submission.envelope_error) {
    return Dropped{"an envelope does not unpack: " + submission.envelope_error->cause, true};
  }
  for (const auto& signatures : submission.envelope_signatures) {
    for (const auto& signature : signatures) {
      if (const auto status = check_signature(signature, request.sender, snapshot); !status) {
        return Dropped{"signature on an envelope: " + status.error().cause, true};
      }
    }
  }
  if (auto error = resolve_groups(recipients, snapshot, is_registered, accepted)) return Rejected{std::move(*error)};
  if (auto verdict = check_aggregation(submission, timestamp, snapshot, is_registered, aggregation_in_flight)) {
    return std::move(*verdict);
  }

  for (const auto& [recipient, members] : accepted.groups) accepted.recipients.insert(members.begin(), members.end());
  accepted.recipients.insert(request.sender);
  accepted.broadcast = recipients.count(protocol::Recipient::all_members()) > 0;
  return accepted;
}

}  // namespace synod::sequencer
