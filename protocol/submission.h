// What a member asks the sequencer to sequence. Facts: SubmissionRequest.scala, AggregationRule.scala,
// SubmissionRequestType.scala.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/hash.h"
#include "protocol/batch.h"
#include "protocol/ids.h"

namespace synod::protocol {

// Deliver the envelopes once `threshold` eligible members have submitted the same content.
struct AggregationRule {
  enum class Kind {
    members,          // these, with this threshold
    mediator_group,   // the active mediators of `group`, with the group's threshold
    sequencer_group,  // the active sequencers, with their threshold
    sender_dedup,     // the sender alone: repeated submissions are sequenced once
  };
  Kind kind = Kind::sender_dedup;
  std::vector<Member> members;
  int threshold = 0;
  int group = 0;
  bool operator==(const AggregationRule&) const = default;

  static AggregationRule sender_dedup() { return {}; }
  static AggregationRule mediator_group(int group) { return {Kind::mediator_group, {}, 0, group}; }
};

// What a request is, judged by sender and recipients; decides its priority inside a block.
enum class SubmissionKind {
  verdict,
  confirmation_response,
  confirmation_request,
  commitment,
  topology,
  time_proof,
  top_up,
  lsu_test,
  unexpected
};

struct SubmissionRequest {
  Member sender;
  std::string message_id;  // at most 73 characters
  CompressedBatch batch;
  Timestamp max_sequencing_time;
  std::optional<Timestamp> topology_timestamp;  // refused by sequencers at PV35
  std::optional<AggregationRule> aggregation_rule;
  std::optional<std::int64_t> submission_cost;

  // W(31, …)
  static Result<SubmissionRequest> parse(ByteView bytes, const BatchLimits& limits);
  Bytes serialize() const;
  SubmissionKind kind() const;
};

// Identifies what is aggregated (purpose 39): contents, recipients, whether signed, max sequencing time, rule.
// `envelopes` are the unpacked ones of the request; the request has an aggregation rule.
crypto::Hash aggregation_id(const SubmissionRequest& request, const std::vector<Envelope>& envelopes);

// What the core of a client node wants sent; sequencer/client signs and tracks it.
struct Submission {
  std::string message_id;
  std::vector<Envelope> envelopes;
  Timestamp max_sequencing_time;
  std::optional<AggregationRule> aggregation_rule;
};

}  // namespace synod::protocol
