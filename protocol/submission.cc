#include "protocol/submission.h"

#include <limits>

#include "base/check.h"
#include "canton/sequencing_v31.pb.h"
#include "protocol/versioned.h"

namespace synod::protocol {
namespace {

constexpr std::size_t kMaxMessageId = 73;

Result<AggregationRule> rule_from(const v30::AggregationRule& proto) {
  std::vector<Recipient> eligible;
  for (const std::string& text : proto.eligible_members()) {
    SYNOD_TRY(Recipient recipient, Recipient::parse(text));
    eligible.push_back(std::move(recipient));
  }
  if (eligible.empty()) return AggregationRule::sender_dedup();
  if (eligible.size() == 1 && eligible[0].kind() == Recipient::Kind::mediator_group)
    return AggregationRule::mediator_group(eligible[0].group());
  AggregationRule out;
  if (eligible.size() == 1 && eligible[0].kind() == Recipient::Kind::sequencers) {
    out.kind = AggregationRule::Kind::sequencer_group;
    return out;
  }
  out.kind = AggregationRule::Kind::members;
  for (const Recipient& recipient : eligible) {
    if (!recipient.is_member()) return fail(malformed("aggregation rule", "members and groups are mixed"));
    out.members.push_back(recipient.member());
  }
  if (proto.threshold() < 1) return fail(malformed("aggregation rule", "the threshold is not positive"));
  out.threshold = proto.threshold();
  return out;
}

void rule_to(const AggregationRule& rule, v30::AggregationRule& out) {
  switch (rule.kind) {
    case AggregationRule::Kind::members:
      for (const Member& member : rule.members) out.add_eligible_members(member.to_string());
      out.set_threshold(rule.threshold);
      break;
    case AggregationRule::Kind::mediator_group:
      out.add_eligible_members(Recipient::mediator_group(rule.group).to_string());
      break;
    case AggregationRule::Kind::sequencer_group:
      out.add_eligible_members(Recipient::sequencers().to_string());
      break;
    case AggregationRule::Kind::sender_dedup:
      break;
  }
}

}  // namespace

Result<SubmissionRequest> SubmissionRequest::parse(ByteView bytes, const BatchLimits& limits) {
  SYNOD_TRY(ByteView message, unwrap(bytes, 31, "submission request"));
  v31::SubmissionRequest proto;
  SYNOD_RETURN_IF_ERROR(parse_proto(message, proto, "submission request"));
  SubmissionRequest out;
  SYNOD_TRY(out.sender, Member::parse(proto.sender()));
  if (proto.message_id().size() > kMaxMessageId)
    return fail(malformed("submission request", "the message id has more than 73 characters"));
  if (!proto.has_batch()) return fail(malformed("submission request", "no batch"));
  out.message_id = proto.message_id();
  SYNOD_TRY(out.batch, CompressedBatch::from_proto(proto.batch(), limits));
  SYNOD_TRY(out.max_sequencing_time, timestamp_from(proto.max_sequencing_time(), "submission request"));
  if (proto.has_topology_timestamp()) {
    SYNOD_TRY(out.topology_timestamp, timestamp_from(proto.topology_timestamp(), "submission request"));
  }
  if (proto.has_aggregation_rule()) {
    SYNOD_TRY(out.aggregation_rule, rule_from(proto.aggregation_rule()));
  }
  if (proto.has_submission_cost()) out.submission_cost = proto.submission_cost().cost();
  return out;
}

Bytes SubmissionRequest::serialize() const {
  v31::SubmissionRequest proto;
  proto.set_sender(sender.to_string());
  proto.set_message_id(message_id);
  batch.to_proto(*proto.mutable_batch());
  proto.set_max_sequencing_time(max_sequencing_time.micros);
  if (topology_timestamp) proto.set_topology_timestamp(topology_timestamp->micros);
  if (aggregation_rule) rule_to(*aggregation_rule, *proto.mutable_aggregation_rule());
  if (submission_cost) proto.mutable_submission_cost()->set_cost(*submission_cost);
  return wrap(31, proto);
}

SubmissionKind SubmissionRequest::kind() const {
  bool participants = false, mediators = false, sequencers = false, broadcast = false;
  for (const Recipient& recipient : batch.all_recipients()) {
    switch (recipient.kind()) {
      case Recipient::Kind::all_members:
        broadcast = true;
        break;
      case Recipient::Kind::mediator_group:
        mediators = true;
        break;
      case Recipient::Kind::sequencers:
        sequencers = true;
        break;
      case Recipient::Kind::member:
        participants |= recipient.member().kind() == MemberKind::participant;
        mediators |= recipient.member().kind() == MemberKind::mediator;
        sequencers |= recipient.member().kind() == MemberKind::sequencer;
    }
  }
  if (broadcast) return participants || mediators || sequencers ? SubmissionKind::unexpected : SubmissionKind::topology;
  if (!participants && !mediators && !sequencers) return SubmissionKind::time_proof;
  const int mask = participants * 4 + mediators * 2 + sequencers;
  switch (sender.kind()) {
    case MemberKind::participant:
      if (mask == 2) return SubmissionKind::confirmation_response;
      if (mask == 6) return SubmissionKind::confirmation_request;
      if (mask == 4) return SubmissionKind::commitment;
      break;
    case MemberKind::mediator:
      if (mask == 4) return SubmissionKind::verdict;
      break;
    case MemberKind::sequencer:
      if (mask == 5 || mask == 3) return SubmissionKind::top_up;
      if (mask == 2) return SubmissionKind::lsu_test;
      break;
  }
  return SubmissionKind::unexpected;
}

crypto::Hash aggregation_id(const SubmissionRequest& request, const std::vector<Envelope>& envelopes) {
  SYNOD_CHECK(request.aggregation_rule.has_value());
  crypto::Hasher hasher(crypto::HashPurpose::aggregation_id);
  hasher.add_i32(static_cast<std::int32_t>(envelopes.size()));
  // Each item carries two length prefixes: of the encoding, and of the encoded bytes.
  auto add_twice = [&hasher](ByteView bytes) {
    hasher.add_i32(static_cast<std::int32_t>(bytes.size() + 4));
    hasher.add_bytes(bytes);
  };
  for (const Envelope& envelope : envelopes) {
    add_twice(envelope.content);
    add_twice(envelope.recipients.serialize());
    hasher.add_bytes(envelope.signatures.empty() ? ByteView("\0", 1) : ByteView("\1", 1));
  }
  hasher.add_i64(request.max_sequencing_time.micros);
  hasher.add_i64(request.topology_timestamp ? request.topology_timestamp->micros
                                            : std::numeric_limits<std::int64_t>::min());
  const AggregationRule& rule = *request.aggregation_rule;
  switch (rule.kind) {
    case AggregationRule::Kind::members:
      hasher.add_i32(static_cast<std::int32_t>(rule.members.size()));
      for (const Member& member : rule.members) hasher.add_string(member.to_string());
      hasher.add_i32(rule.threshold);
      break;
    case AggregationRule::Kind::mediator_group:
      hasher.add_i32(1).add_i32(rule.group);
      break;
    case AggregationRule::Kind::sequencer_group:
      hasher.add_i32(2);
      break;
    case AggregationRule::Kind::sender_dedup:
      hasher.add_i32(3).add_string(request.sender.to_string());
      break;
  }
  return hasher.finish();
}

}  // namespace synod::protocol
