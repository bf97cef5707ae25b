// What one sequencer writes into the shared log at a time: a signed batch of requests. Whoever reads the log can tell
// who ordered what. Pure.
//
// Wire form of a record: W(30, SignedContent{ W(30, OrderingRequest{sequencer uid, content}) , signature }), signed
// with the sequencer's protocol key over H(42, content of the SignedContent); the OrderingRequest's content is a
// synod.sequencer.v1.SealedBatch (proto/synod/sequencer.proto).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/strong.h"
#include "base/time.h"
#include "crypto/sign.h"
#include "ordering/ordering_log.h"
#include "protocol/ids.h"

namespace synod::sequencer {

// Unique per sequencer, not necessarily consecutive: a restarted sequencer begins with its clock in microseconds.
using SequenceNumber = Strong<struct SequenceNumberTag, std::uint64_t>;

struct SubmissionEntry {
  Bytes signed_request;  // SignedContent(SubmissionRequest), wrapped, as the client sent it
};
struct AcknowledgementEntry {
  Bytes signed_request;  // SignedContent(AcknowledgeRequest), wrapped, as the client sent it
};
struct TickEntry {};  // carries the batch's proposed time and nothing else

struct SealedEntry {
  std::variant<SubmissionEntry, AcknowledgementEntry, TickEntry> item;
  std::string traceparent;  // W3C, or empty
  std::size_t bytes() const;
};

struct SealedBatch {
  protocol::PhysicalSynchronizerId synchronizer;
  protocol::Member sequencer;
  SequenceNumber number;
  Timestamp proposed_time;
  std::vector<SealedEntry> entries;
  // The last block that the sequencer had applied when it sealed, and the hash of its state then: readers with another
  // hash at that height know that one of the two has gone wrong. -1: it tells nothing.
  ordering::Height seen_height{-1};
  Bytes seen_state;
};

// Serialised and signed. Errors: those of `sign`.
using SignHash = std::function<Result<crypto::Signature>(const crypto::Hash&)>;
Result<Bytes> seal(const SealedBatch& batch, const SignHash& sign);

// A record taken apart; its signature still has to be checked by the reader.
struct OpenedRecord {
  SealedBatch batch;
  crypto::Hash hash;  // what was signed
  crypto::Signature signature;
};
// Errors: PROTO_DESERIALIZATION_FAILURE for anything that is not a record of ours; the sequencer of the inner batch
// must be the one of the ordering request.
Result<OpenedRecord> open_record(ByteView record);

}  // namespace synod::sequencer
