// Requests that several members submit together, and requests that one member submits several times.
// Facts: InFlightAggregation.scala, AggregationRule.scala, canton-protocol §1.5.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "crypto/hash.h"
#include "crypto/sign.h"
#include "protocol/ids.h"
#include "protocol/submission.h"
#include "storage/store.h"
#include "topology/snapshot.h"

namespace synod::sequencer {

// What one sender contributed: the signatures on each envelope.
struct Contribution {
  Timestamp timestamp;
  std::vector<std::vector<crypto::Signature>> signatures;
};

struct Aggregation {
  Timestamp max_sequencing_time;
  std::map<protocol::Member, Contribution> contributions;  // dropped once delivered
  std::optional<Timestamp> delivered_at;

  Bytes serialize() const;
  static Result<Aggregation> parse(ByteView bytes);
};

// All aggregations in flight. Writes go to the batch given; keys start with `kPrefix` in the state column.
class Aggregations {
 public:
  static constexpr std::string_view kPrefix = "a/";

  Status load(const storage::Store& store);

  // One more request under this id. Returns: the signatures to deliver per envelope, in the order of their senders,
  // when this request completes the aggregation; none when more are needed; or why it is rejected
  // (SEQUENCER_AGGREGATE_SUBMISSION_ALREADY_SENT, SEQUENCER_AGGREGATE_SUBMISSION_STUFFING).
  // `snapshot` is the topology at `timestamp`.
  using Signatures = std::vector<std::vector<crypto::Signature>>;
  Result<std::optional<Signatures>> add(const crypto::Hash& id, const protocol::SubmissionRequest& request,
                                        const Signatures& signatures, Timestamp timestamp,
                                        const topology::Snapshot& snapshot, storage::WriteBatch& writes);
  bool contains(const crypto::Hash& id) const { return by_id_.count(id) > 0; }
  // Forgets what can no longer be completed.
  void expire(Timestamp now, storage::WriteBatch& writes);
  std::size_t size() const { return by_id_.size(); }

 private:
  std::map<crypto::Hash, Aggregation> by_id_;
  std::set<std::pair<Timestamp, crypto::Hash>> expiry_;
};

// Whether the rule makes sense for this sender: a reachable threshold, a group that exists, the sender in it. The error
// text is Canton's.
Status check_rule(const protocol::AggregationRule& rule, const protocol::Member& sender,
                  const topology::Snapshot& snapshot);

}  // namespace synod::sequencer
