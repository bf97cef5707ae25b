// What a sequencer checks before it takes a request to the log: all that the state machine would drop or reject anyway,
// as far as it can be told beforehand, so that a client learns it at once. Pure. Facts: GrpcSequencerService.scala,
// BlockSequencer.scala (send checks and their order).
#pragma once

#include <cstdint>
#include <map>
#include <mutex>

#include "base/result.h"
#include "base/time.h"
#include "protocol/ids.h"
#include "sequencer/prepared.h"
#include "topology/snapshot.h"

namespace synod::sequencer {

// Errors: SEQUENCER_SUBMISSION_REQUEST_MALFORMED, _REFUSED, SEQUENCER_UNKNOWN_RECIPIENTS, SEQUENCER_SENDER_UNKNOWN,
// SEQUENCER_AGGREGATE_INVALID_RULE, SEQUENCER_MAX_SEQUENCING_TIME_TOO_FAR, MAX_SEQUENCING_TIME_EXCEEDED,
// INVALID_SUBMISSION_REQUEST_SIGNATURE. `authenticated`: whose token came with the call; `now`: the time the request
// would get about now.
Result<PreparedSubmission> admit_submission(ByteView signed_request, const protocol::Member& authenticated,
                                            const topology::Snapshot& snapshot, Timestamp now);

// Errors: PROTO_DESERIALIZATION_FAILURE, PERMISSION_DENIED, INVALID_ACKNOWLEDGEMENT_TIMESTAMP,
// INVALID_ACKNOWLEDGEMENT_SIGNATURE.
Result<PreparedAcknowledgement> admit_acknowledgement(ByteView signed_request, const protocol::Member& authenticated,
                                                      const topology::Snapshot& snapshot, Timestamp last_time);

// A bucket of tokens per member: `rate` a second, at most one second's worth saved up (and always at least one).
// Thread rules: any thread.
class RateLimits {
 public:
  // False: too many. `rate` 0 means no limit.
  bool allow(const protocol::Member& member, std::uint32_t rate, Timestamp now);

 private:
  struct Bucket {
    double tokens = 0;
    Timestamp filled;
  };
  std::mutex mutex_;
  std::map<protocol::Member, Bucket> buckets_;
};

}  // namespace synod::sequencer
