#include "sequencer/prepared.h"

#include <algorithm>

#include "sequencer/admitted.h"
#include "sequencer/core.h"

namespace synod::sequencer {
namespace {

CheckedSignature checked(const crypto::Hash& hash, const crypto::Signature& signature, const protocol::Member& member,
                         const topology::Snapshot& recent) {
  CheckedSignature result{hash, signature, false};
  // What a session key signed depends on the exact time, so it is left to the sequential step.
  if (!signature.delegation) {
    result.verified = recent.verify(member, crypto::KeyUsage::protocol, hash, signature).has_value();
  }
  return result;
}

// Canton signs with one key and looks at the last signature only.
CheckedSignature checked_content(const protocol::SignedContent& content, crypto::HashPurpose purpose,
                                 const protocol::Member& member, const topology::Snapshot& recent) {
  return checked(content.content_hash(purpose), content.signatures.back(), member, recent);
}

Result<PreparedEntry> prepare_entry(const SealedEntry& entry, const topology::Snapshot& recent,
                                    AdmittedSubmissions* admitted) {
  PreparedEntry prepared;
  prepared.traceparent = entry.traceparent;
  if (const auto* submission = std::get_if<SubmissionEntry>(&entry.item)) {
    auto known = admitted ? admitted->take(submission->signed_request) : std::nullopt;
    if (known) {
      prepared.item = std::move(*known);
    } else {
      SYNOD_TRY(prepared.item, prepare_submission(submission->signed_request, recent));
    }
  } else if (const auto* acknowledgement = std::get_if<AcknowledgementEntry>(&entry.item)) {
    SYNOD_TRY(prepared.item, prepare_acknowledgement(acknowledgement->signed_request, recent));
  } else {
    prepared.item = TickEntry{};
  }
  return prepared;
}

}  // namespace

protocol::BatchLimits batch_limits() {
  protocol::BatchLimits limits;
  limits.max_envelopes = kMaxEnvelopes;
  limits.max_recipients_bytes = kMaxUnpackedRecipients;
  limits.max_envelope_bytes = kMaxUnpackedEnvelope;
  limits.max_total_bytes = kMaxUnpackedBatch;
  return limits;
}

Status check_signature(const CheckedSignature& checked, const protocol::Member& member,
                       const topology::Snapshot& snapshot) {
  if (checked.verified) {
    const auto keys = snapshot.signing_keys(member, crypto::KeyUsage::protocol);
    const bool registered = std::any_of(keys.begin(), keys.end(), [&](const crypto::SigningPublicKey& key) {
      return key.fingerprint() == checked.signature.signed_by;
    });
    if (registered) return {};
  }
  return snapshot.verify(member, crypto::KeyUsage::protocol, checked.hash, checked.signature);
}

Result<PreparedSubmission> prepare_submission(ByteView signed_request, const topology::Snapshot& recent) {
  SYNOD_TRY(const auto content, protocol::SignedContent::parse(signed_request));
  PreparedSubmission prepared;
  SYNOD_TRY(prepared.request, protocol::SubmissionRequest::parse(content.content, batch_limits()));
  const protocol::Member& sender = prepared.request.sender;
  prepared.signatures.push_back(checked_content(content, crypto::HashPurpose::submission_request, sender, recent));

  auto envelopes = prepared.request.batch.decompress(batch_limits());
  if (!envelopes) {
    prepared.envelope_error = std::move(envelopes).error();
    return prepared;
  }
  prepared.envelopes = std::move(*envelopes);
  for (const protocol::Envelope& envelope : prepared.envelopes) {
    auto& list = prepared.envelope_signatures.emplace_back();
    if (envelope.signatures.empty()) continue;
    const crypto::Hash hash = crypto::hash(crypto::HashPurpose::signed_protocol_message, envelope.content);
    for (const crypto::Signature& signature : envelope.signatures) {
      list.push_back(checked(hash, signature, sender, recent));
    }
  }
  if (prepared.request.aggregation_rule) {
    prepared.aggregation_id = protocol::aggregation_id(prepared.request, prepared.envelopes);
  }
  return prepared;
}

Result<PreparedAcknowledgement> prepare_acknowledgement(ByteView signed_request, const topology::Snapshot& recent) {
  SYNOD_TRY(const auto content, protocol::SignedContent::parse(signed_request));
  PreparedAcknowledgement prepared;
  SYNOD_TRY(prepared.request, protocol::AcknowledgeRequest::parse(content.content));
  prepared.signatures.push_back(
      checked_content(content, crypto::HashPurpose::acknowledgement, prepared.request.member, recent));
  return prepared;
}

Result<PreparedRecord> prepare_record(ByteView record, const topology::Snapshot& recent,
                                      AdmittedSubmissions* admitted) {
  PreparedRecord prepared;
  SYNOD_TRY(prepared.record, open_record(record));
  const SealedBatch& batch = prepared.record.batch;
  prepared.signature_verified =
      checked(prepared.record.hash, prepared.record.signature, batch.sequencer, recent).verified;
  for (const SealedEntry& entry : batch.entries) prepared.entries.push_back(prepare_entry(entry, recent, admitted));
  return prepared;
}

PreparedBlock prepare_block(const ordering::Block& block, const topology::Snapshot& recent,
                            AdmittedSubmissions* admitted) {
  PreparedBlock prepared;
  for (const Bytes& record : block.records) prepared.records.push_back(prepare_record(record, recent, admitted));
  return prepared;
}

}  // namespace synod::sequencer
