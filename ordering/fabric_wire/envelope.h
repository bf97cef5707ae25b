// Fabric's envelopes: what is submitted, what asks for blocks, and what the log's records travel in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "ordering/fabric_wire/identity.h"

namespace synod::ordering::fabric_wire {

// Numbers are Fabric's common.HeaderType.
enum class EnvelopeType : int {
  message = 0,
  config = 1,
  config_update = 2,
  endorser_transaction = 3,
  deliver_seek_info = 5
};

struct Envelope {
  int type = 0;
  std::string channel_id;
  Bytes creator;  // empty in an unsigned envelope
  Bytes data;
  Bytes payload;  // what the signature is over
  Bytes signature;
};

// What an envelope adds to its data, at most (header, certificate, signature, and lengths).
constexpr std::size_t max_envelope_overhead = 8192;

// Whether its data are a record: messages are what solo and Raft orderers are given. SmartBFT takes only transactions,
// as those of chaincodes, into blocks, without looking into them either.
inline bool holds_record(const Envelope& envelope) {
  return envelope.type == static_cast<int>(EnvelopeType::message) ||
         envelope.type == static_cast<int>(EnvelopeType::endorser_transaction);
}

// Serialised common.Envelope; unsigned if there is no signer.
Bytes make_envelope(EnvelopeType type, const std::string& channel_id, ByteView data, const SigningIdentity* signer);

// Error ORDERING_MALFORMED_ENVELOPE. Does not check the signature.
Result<Envelope> parse_envelope(ByteView bytes);

// Orderers before Fabric 3 send whole blocks in any case.
enum class SeekContent { blocks, signed_headers };

// Blocks from..to, inclusive; for ever without `to`. `from` none: the newest. `tls_certificate_hash`: SHA-256 of the
// client's TLS certificate, which orderers want to see under mutual TLS; else empty.
Bytes make_seek(const std::string& channel_id, std::optional<std::uint64_t> from, std::optional<std::uint64_t> to,
                SeekContent content, ByteView tls_certificate_hash, const SigningIdentity* signer);

}  // namespace synod::ordering::fabric_wire
