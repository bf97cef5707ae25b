#include "protocol/batch.h"

#include <unordered_map>

#include "canton/sequencing_v31.pb.h"
#include "protocol/compression.h"
#include "protocol/versioned.h"

namespace synod::protocol {
namespace {

// The same few recipients are compressed again and again, for each event of each reader: each thread remembers some.
Bytes compress_recipients(const std::vector<Recipients>& recipients) {
  constexpr std::size_t kRemembered = 64;
  constexpr std::size_t kLongest = 2048;
  thread_local std::unordered_map<Bytes, Bytes> known;
  v31::CompressedBatch::DecompressedRecipients list;
  for (const Recipients& one : recipients) one.to_proto(*list.add_recipients());
  Bytes plain = serialize_proto(list);
  if (plain.size() > kLongest) return gzip(plain);
  if (const auto found = known.find(plain); found != known.end()) return found->second;
  if (known.size() >= kRemembered) known.clear();
  return known.emplace(plain, gzip(plain)).first->second;
}

}  // namespace

Result<CompressedBatch> CompressedBatch::from_proto(const v31::CompressedBatch& proto, const BatchLimits& limits) {
  if (proto.algorithm() != v30::CompressedBatch::COMPRESSION_ALGORITHM_GZIP)
    return fail(malformed("batch", "unknown compression algorithm " + std::to_string(proto.algorithm())));
  if (static_cast<std::size_t>(proto.compressed_envelopes_size()) > limits.max_envelopes)
    return fail(malformed("batch", "more than " + std::to_string(limits.max_envelopes) + " envelopes"));
  CompressedBatch out;
  out.compressed_recipients = proto.compressed_recipients();
  v31::CompressedBatch::DecompressedRecipients list;
  if (!out.compressed_recipients.empty()) {
    SYNOD_TRY(Bytes plain, gunzip(out.compressed_recipients, limits.max_recipients_bytes));
    SYNOD_RETURN_IF_ERROR(parse_proto(plain, list, "recipients of a batch"));
  }
  if (list.recipients_size() != proto.compressed_envelopes_size())
    return fail(malformed("batch", std::to_string(list.recipients_size()) + " recipients for " +
                                       std::to_string(proto.compressed_envelopes_size()) + " envelopes"));
  out.recipients.reserve(static_cast<std::size_t>(list.recipients_size()));
  for (const v30::Recipients& one : list.recipients()) {
    SYNOD_TRY(Recipients recipients, Recipients::from_proto(one));
    out.recipients.push_back(std::move(recipients));
  }
  out.envelopes.assign(proto.compressed_envelopes().begin(), proto.compressed_envelopes().end());
  return out;
}

void CompressedBatch::to_proto(v31::CompressedBatch& out) const {
  out.Clear();
  out.set_algorithm(v30::CompressedBatch::COMPRESSION_ALGORITHM_GZIP);
  // Even without envelopes this is the gzip of nothing, not an empty field.
  out.set_compressed_recipients(compressed_recipients.empty() ? compress_recipients(recipients)
                                                              : compressed_recipients);
  for (const Bytes& envelope : envelopes) out.add_compressed_envelopes(envelope);
}

CompressedBatch CompressedBatch::compress(const std::vector<Envelope>& envelopes) {
  CompressedBatch out;
  for (const Envelope& envelope : envelopes) {
    out.recipients.push_back(envelope.recipients);
    out.envelopes.push_back(compress_envelope(envelope.content, envelope.signatures));
  }
  out.compressed_recipients = compress_recipients(out.recipients);
  return out;
}

Result<Envelope> CompressedBatch::decompress_envelope(std::size_t index, std::size_t limit) const {
  std::size_t budget = limit;
  return decompress_envelope(index, limit, budget);
}

Result<Envelope> CompressedBatch::decompress_envelope(std::size_t index, std::size_t limit, std::size_t& budget) const {
  SYNOD_TRY(Bytes plain, gunzip(envelopes.at(index), limit, budget));
  v31::EnvelopeWithoutRecipients proto;
  SYNOD_RETURN_IF_ERROR(parse_proto(plain, proto, "envelope"));
  Envelope out;
  out.content = std::move(*proto.mutable_content());
  for (const auto& signature : proto.signatures()) {
    SYNOD_TRY(crypto::Signature parsed, crypto::Signature::from_proto(signature));
    out.signatures.push_back(std::move(parsed));
  }
  out.recipients = recipients.at(index);
  return out;
}

Result<std::vector<Envelope>> CompressedBatch::decompress(const BatchLimits& limits) const {
  std::vector<Envelope> out;
  out.reserve(envelopes.size());
  std::size_t left = limits.max_total_bytes;
  for (std::size_t i = 0; i < envelopes.size(); ++i) {
    SYNOD_TRY(Envelope envelope, decompress_envelope(i, limits.max_envelope_bytes, left));
    out.push_back(std::move(envelope));
  }
  return out;
}

RecipientSet CompressedBatch::all_recipients() const {
  RecipientSet out;
  for (const Recipients& one : recipients) out.merge(one.all());
  return out;
}

CompressedBatch CompressedBatch::filter(const AddressedBy& mine) const {
  CompressedBatch out;
  for (std::size_t i = 0; i < envelopes.size(); ++i) {
    std::optional<Recipients> pruned = recipients[i].pruned(mine);
    if (!pruned) continue;
    out.recipients.push_back(std::move(*pruned));
    out.envelopes.push_back(envelopes[i]);
  }
  if (out.recipients == recipients) out.compressed_recipients = compressed_recipients;
  return out;
}

Bytes compress_envelope(ByteView content, const std::vector<crypto::Signature>& signatures) {
  v31::EnvelopeWithoutRecipients proto;
  proto.set_content(content.data(), content.size());
  for (const crypto::Signature& signature : signatures) signature.to_proto(*proto.add_signatures());
  return gzip(serialize_proto(proto));
}

}  // namespace synod::protocol
