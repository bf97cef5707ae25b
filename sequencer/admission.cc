#include "sequencer/admission.h"

#include <algorithm>

#include "sequencer/aggregation.h"
#include "sequencer/core.h"
#include "sequencer/deliver_error.h"
#include "sequencer/validate.h"

namespace synod::sequencer {
namespace {

Error alarm_error(std::string id, std::string cause) {
  return Error(std::move(id), ErrorCategory::malicious_or_faulty, std::move(cause));
}

Status check_contents(const PreparedSubmission& submission, std::size_t request_bytes,
                      const topology::Snapshot& snapshot) {
  const auto& request = submission.request;
  const std::string sender = request.sender.to_string();
  const auto malformed_request = [&](const std::string& what) {
    return fail(submission_malformed(sender, request.message_id, what));
  };
  const std::size_t limit = snapshot.dynamic_parameters().max_request_size;
  if (request_bytes > limit) {
    return malformed_request("The request has " + std::to_string(request_bytes) +
                             " bytes, more than max_request_size " + std::to_string(limit) + ".");
  }
  const std::size_t envelope_limit = std::min(limit, kMaxUnpackedEnvelope);
  if (submission.envelope_error) {
    return malformed_request("Batch contains envelope with max bytes exceeded or that does not unpack. The limit is " +
                             std::to_string(envelope_limit) + " bytes. " + submission.envelope_error->cause);
  }
  for (const auto& envelope : submission.envelopes) {
    if (envelope.content.empty()) return malformed_request("Batch contains envelope without content.");
    if (envelope.content.size() > envelope_limit) {
      return malformed_request("Batch contains envelope with max bytes exceeded. The limit is " +
                               std::to_string(envelope_limit) + " bytes.");
    }
  }
  if (!at_most_one_mediator(request.batch.all_recipients())) {
    return fail(submission_refused("Request '" + request.message_id + "' from '" + sender +
                                   "' refused: Batch contains multiple mediators as recipients."));
  }
  return {};
}

Status check_rule_and_time(const PreparedSubmission& submission, const topology::Snapshot& snapshot, Timestamp now) {
  const auto& request = submission.request;
  if (request.aggregation_rule) {
    if (const auto rule = check_rule(*request.aggregation_rule, request.sender, snapshot); !rule) {
      return fail(submission_malformed(request.sender.to_string(), request.message_id, rule.error().cause));
    }
    if (request.aggregation_rule->kind == protocol::AggregationRule::Kind::members) {
      return fail(Error("SEQUENCER_AGGREGATE_INVALID_RULE", ErrorCategory::invalid_state_other,
                        "Resolved recipients are not allowed in aggregation rules beyond pv34"));
    }
  }
  if (request.max_sequencing_time <= now) {
    return fail(Error("MAX_SEQUENCING_TIME_EXCEEDED", ErrorCategory::contention_on_shared_resources,
                      "The sequencer time [" + now.to_string() + "] has exceeded by the max-sequencing-time [" +
                          request.max_sequencing_time.to_string() + "] of the send request with id " +
                          request.message_id));
  }
  if (request.aggregation_rule) {
    const Timestamp bound = now + snapshot.dynamic_parameters().sequencer_aggregate_submission_timeout;
    if (request.max_sequencing_time >= bound) {
      return fail(max_sequencing_time_too_far(request.message_id, request.max_sequencing_time, bound));
    }
  }
  if (request.topology_timestamp) return fail(topology_timestamp_unsupported());
  return {};
}

Status check_members(const PreparedSubmission& submission, const topology::Snapshot& snapshot) {
  const auto& request = submission.request;
  std::vector<protocol::Member> unknown;
  for (const auto& recipient : request.batch.all_recipients()) {
    if (recipient.is_member() && !snapshot.is_known(recipient.member())) unknown.push_back(recipient.member());
  }
  if (!unknown.empty()) return fail(unknown_recipients(unknown));
  if (!snapshot.is_known(request.sender)) {
    return fail(Error("SEQUENCER_SENDER_UNKNOWN", ErrorCategory::invalid_state_other,
                      "(Eligible) Senders are unknown: " + request.sender.to_string()));
  }
  return {};
}

}  // namespace

Result<PreparedSubmission> admit_submission(ByteView signed_request, const protocol::Member& authenticated,
                                            const topology::Snapshot& snapshot, Timestamp now) {
  auto submission = prepare_submission(signed_request, snapshot);
  if (!submission) return fail(submission_malformed("", "", submission.error().cause));
  const auto& request = submission->request;
  if (request.sender != authenticated) {
    return fail(submission_refused("Request '" + request.message_id + "' from '" + request.sender.to_string() +
                                   "' refused: " + request.sender.to_string() +
                                   " is not authorized to send: the call " + "was authenticated as " +
                                   authenticated.to_string()));
  }
  SYNOD_RETURN_IF_ERROR(check_contents(*submission, signed_request.size(), snapshot));
  SYNOD_RETURN_IF_ERROR(check_rule_and_time(*submission, snapshot, now));
  SYNOD_RETURN_IF_ERROR(check_members(*submission, snapshot));
  for (const auto& signature : submission->signatures) {
    if (const auto status = check_signature(signature, request.sender, snapshot); !status) {
      return fail(alarm_error("INVALID_SUBMISSION_REQUEST_SIGNATURE",
                              "Request '" + request.message_id + "' from '" + request.sender.to_string() +
                                  "' has an invalid signature: " + status.error().cause));
    }
  }
  for (const auto& signatures : submission->envelope_signatures) {
    for (const auto& signature : signatures) {
      if (const auto status = check_signature(signature, request.sender, snapshot); !status) {
        return fail(alarm_error("INVALID_ENVELOPE_SIGNATURE",
                                "An envelope of '" + request.message_id + "' from '" + request.sender.to_string() +
                                    "' has an invalid signature: " + status.error().cause));
      }
    }
  }
  return submission;
}

Result<PreparedAcknowledgement> admit_acknowledgement(ByteView signed_request, const protocol::Member& authenticated,
                                                      const topology::Snapshot& snapshot, Timestamp last_time) {
  SYNOD_TRY(auto acknowledgement, prepare_acknowledgement(signed_request, snapshot));
  const auto& request = acknowledgement.request;
  if (request.member != authenticated) {
    return fail(Error("PERMISSION_DENIED", ErrorCategory::permission,
                      "Authenticated member " + authenticated.to_string() + " may not acknowledge for " +
                          request.member.to_string()));
  }
  if (request.timestamp > last_time) {
    return fail(alarm_error("INVALID_ACKNOWLEDGEMENT_TIMESTAMP",
                            "Member " + request.member.to_string() + " has acknowledged the timestamp " +
                                request.timestamp.to_string() + " when only events with timestamps at most " +
                                last_time.to_string() + " have been delivered."));
  }
  for (const auto& signature : acknowledgement.signatures) {
    if (const auto status = check_signature(signature, request.member, snapshot); !status) {
      return fail(alarm_error("INVALID_ACKNOWLEDGEMENT_SIGNATURE",
                              "Member " + request.member.to_string() + " has acknowledged the timestamp " +
                                  request.timestamp.to_string() +
                                  " with an invalid signature: " + status.error().cause));
    }
  }
  return acknowledgement;
}

bool RateLimits::allow(const protocol::Member& member, std::uint32_t rate, Timestamp now) {
  if (rate == 0) return true;
  const double capacity = std::max(1.0, static_cast<double>(rate));
  std::lock_guard lock(mutex_);
  const auto [entry, is_new] = buckets_.try_emplace(member, Bucket{capacity, now});
  Bucket& bucket = entry->second;
  const double seconds = static_cast<double>(std::max<std::int64_t>(0, (now - bucket.filled).micros)) / 1e6;
  bucket.tokens = std::min(capacity, bucket.tokens + seconds * rate);
  bucket.filled = now;
  if (bucket.tokens < 1.0) return false;
  bucket.tokens -= 1.0;
  return true;
}

}  // namespace synod::sequencer
