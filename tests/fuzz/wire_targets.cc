#include "base/check.h"
#include "canton/sequencing_v31.pb.h"
#include "protocol/batch.h"
#include "protocol/signed_content.h"
#include "protocol/versioned.h"
#include "sequencer/sealed_batch.h"
#include "tests/fuzz/targets.h"
#include "topology/transaction.h"

namespace synod::fuzz {

void batch(ByteView input) {
  protocol::v31::CompressedBatch proto;
  if (!protocol::parse_proto(input, proto, "CompressedBatch")) return;
  const protocol::BatchLimits limits{1'000, 1 << 20, 1 << 20, 4 << 20};
  auto read = protocol::CompressedBatch::from_proto(proto, limits);
  if (!read) return;
  auto envelopes = read->decompress(limits);
  if (!envelopes) return;
  auto again = protocol::CompressedBatch::compress(*envelopes).decompress(limits);
  SYNOD_CHECK(again.has_value() && *again == *envelopes);
}

void signed_content(ByteView input) {
  if (auto read = protocol::SignedContent::parse(input)) {
    auto again = protocol::SignedContent::parse(read->serialize());
    SYNOD_CHECK(again.has_value() && *again == *read);
  }
  if (auto read = protocol::AcknowledgeRequest::parse(input)) {
    auto again = protocol::AcknowledgeRequest::parse(read->serialize());
    SYNOD_CHECK(again.has_value() && *again == *read);
  }
}

void topology_transaction(ByteView input) {
  (void)topology::Transaction::parse(Bytes(input));
  (void)topology::SignedTransaction::parse_versioned(input);
  (void)topology::SignedTransaction::parse_bare(input);
}

void sealed_batch(ByteView input) { (void)sequencer::open_record(input); }

}  // namespace synod::fuzz
