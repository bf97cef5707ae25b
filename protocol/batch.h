// Envelopes and batches. On the wire recipients are compressed apart from the envelopes, and each envelope on its own,
// so that a sequencer routes without unpacking payloads and forwards the compressed bytes unchanged. Facts:
// Batch.scala, recipe 7 of the recordings. PV35 (CompressedBatch v31).
#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/sign.h"
#include "protocol/recipients.h"

namespace com::digitalasset::canton::protocol::v31 {
class CompressedBatch;
}

namespace synod::protocol {

namespace v31 = ::com::digitalasset::canton::protocol::v31;

// `content` is W(31, EnvelopeContent) without signatures, W(30, TypedSignedProtocolMessageContent) with them.
struct Envelope {
  Bytes content;
  std::vector<crypto::Signature> signatures;
  Recipients recipients;
  bool operator==(const Envelope&) const = default;
};

struct BatchLimits {
  std::size_t max_envelopes = 100'000;
  std::size_t max_recipients_bytes = 10u << 20;  // unpacked recipients of one batch
  std::size_t max_envelope_bytes = 10u << 20;    // one unpacked envelope; normally the synchronizer's max_request_size
  std::size_t max_total_bytes = 64u << 20;       // all unpacked envelopes of a batch together, with their signatures
};

// As received or as sent. Recipients are unpacked, envelopes stay compressed: recipients[i] belongs to envelopes[i].
struct CompressedBatch {
  std::vector<Recipients> recipients;
  std::vector<Bytes> envelopes;
  // The received compressed form of `recipients`; kept so that nothing is re-compressed needlessly. May be empty.
  Bytes compressed_recipients;

  static Result<CompressedBatch> from_proto(const v31::CompressedBatch& proto, const BatchLimits& limits);
  void to_proto(v31::CompressedBatch& out) const;

  static CompressedBatch compress(const std::vector<Envelope>& envelopes);
  Result<std::vector<Envelope>> decompress(const BatchLimits& limits) const;
  // One envelope: content and signatures; its recipients are copied in.
  Result<Envelope> decompress_envelope(std::size_t index, std::size_t limit) const;
  // The same out of a budget that several envelopes share: see gunzip.
  Result<Envelope> decompress_envelope(std::size_t index, std::size_t limit, std::size_t& budget) const;

  RecipientSet all_recipients() const;
  // Only the envelopes that this reader sees, with recipients pruned; may be empty.
  CompressedBatch filter(const AddressedBy& mine) const;
};

// One envelope's compressed form; with these signatures instead of its own when aggregated.
Bytes compress_envelope(ByteView content, const std::vector<crypto::Signature>& signatures);

}  // namespace synod::protocol
