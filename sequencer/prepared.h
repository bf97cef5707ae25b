// The part of validating a block that needs no state and may run anywhere, in parallel: decoding, decompressing, and
// checking signatures against the keys of a recent topology. The sequential step repeats only what the topology at the
// exact time may change: whether the key was the member's then. Pure. Fact:
// SubmissionRequestValidator.prevalidateEvent.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/hash.h"
#include "crypto/sign.h"
#include "ordering/ordering_log.h"
#include "protocol/batch.h"
#include "protocol/signed_content.h"
#include "protocol/submission.h"
#include "sequencer/sealed_batch.h"
#include "topology/snapshot.h"

namespace synod::sequencer {

// A signature, what it is over, and whether it was found to be the member's with the keys at hand. A `true` stays true
// as long as the key that signed_by names is registered: a fingerprint identifies a key.
struct CheckedSignature {
  crypto::Hash hash;
  crypto::Signature signature;
  bool verified = false;
};

// Whether the signature is by `member` in `snapshot`, using the earlier result where it says enough.
Status check_signature(const CheckedSignature& checked, const protocol::Member& member,
                       const topology::Snapshot& snapshot);

struct PreparedSubmission {
  protocol::SubmissionRequest request;
  std::vector<CheckedSignature> signatures;                        // on the request: the one that counts
  std::vector<protocol::Envelope> envelopes;                       // unpacked
  std::optional<Error> envelope_error;                             // why they could not be unpacked
  std::vector<std::vector<CheckedSignature>> envelope_signatures;  // one list per envelope
  std::optional<crypto::Hash> aggregation_id;  // iff the request has an aggregation rule and unpacked well
};

struct PreparedAcknowledgement {
  protocol::AcknowledgeRequest request;
  std::vector<CheckedSignature> signatures;
};

struct PreparedEntry {
  std::variant<PreparedSubmission, PreparedAcknowledgement, TickEntry> item;
  std::string traceparent;
};

struct PreparedRecord {
  OpenedRecord record;
  bool signature_verified = false;
  std::vector<Result<PreparedEntry>> entries;  // an error: this entry does not decode, with the reason
};

struct PreparedBlock {
  std::vector<Result<PreparedRecord>> records;  // an error: this record is not one of ours, or does not decode
};

class AdmittedSubmissions;

// `admitted` (may be null): what need not be decoded again.
PreparedBlock prepare_block(const ordering::Block& block, const topology::Snapshot& recent,
                            AdmittedSubmissions* admitted = nullptr);
// One record of a block; prepare_block() is this for each of them.
Result<PreparedRecord> prepare_record(ByteView record, const topology::Snapshot& recent,
                                      AdmittedSubmissions* admitted = nullptr);
// Also what a sequencer checks before it accepts a request.
Result<PreparedSubmission> prepare_submission(ByteView signed_request, const topology::Snapshot& recent);
Result<PreparedAcknowledgement> prepare_acknowledgement(ByteView signed_request, const topology::Snapshot& recent);

protocol::BatchLimits batch_limits();

}  // namespace synod::sequencer
