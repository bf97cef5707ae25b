#include "sequencer/client/requests.h"

#include "protocol/signed_content.h"

namespace synod::sequencer::client {

Bytes signed_submission(const protocol::SubmissionRequest& request, const crypto::SigningKeyPair& key,
                        std::optional<Timestamp> signing_time) {
  return protocol::sign_content(crypto::HashPurpose::submission_request, request.serialize(), key, signing_time)
      .serialize();
}

Bytes signed_acknowledgement(const protocol::Member& member, Timestamp timestamp, const crypto::SigningKeyPair& key) {
  const protocol::AcknowledgeRequest request{member, timestamp};
  return protocol::sign_content(crypto::HashPurpose::acknowledgement, request.serialize(), key, timestamp).serialize();
}

crypto::Signature authentication_signature(ByteView nonce, const protocol::PhysicalSynchronizerId& synchronizer,
                                           const crypto::SigningKeyPair& key) {
  return crypto::sign(protocol::authentication_hash(nonce, synchronizer), key);
}

Result<crypto::SigningKeyPair> authentication_key(const crypto::KeyStore& keys,
                                                  const std::vector<crypto::Fingerprint>& accepted) {
  for (const crypto::Fingerprint& fingerprint : accepted) {
    auto key = keys.signing_key(fingerprint);
    if (key && key->public_key().usages().contains(crypto::KeyUsage::sequencer_authentication)) return std::move(*key);
  }
  return fail(failed_precondition("NO_AUTHENTICATION_KEY",
                                  "None of the keys that the sequencer accepts for this member is "
                                  "in its key store"));
}

Result<crypto::SigningKeyPair> protocol_key(const crypto::KeyStore& keys, const protocol::Member& member,
                                            const std::optional<topology::Snapshot>& snapshot) {
  if (snapshot) {
    for (const auto& candidate : snapshot->signing_keys(member, crypto::KeyUsage::protocol)) {
      if (auto key = keys.signing_key(candidate.fingerprint())) return std::move(*key);
    }
  } else if (auto key = keys.first_signing_key(crypto::KeyUsage::protocol)) {
    return std::move(*key);
  }
  return fail(failed_precondition("NO_SIGNING_KEY", "No protocol signing key of " + member.to_string() +
                                                        " is both in the topology and in the key store"));
}

Result<protocol::SubmissionRequest> request_of(ByteView signed_submission) {
  SYNOD_TRY(const auto content, protocol::SignedContent::parse(signed_submission));
  return protocol::SubmissionRequest::parse(content.content, protocol::BatchLimits{});
}

protocol::SubmissionRequest make_request(const protocol::Member& sender, protocol::Submission submission,
                                         bool deduplicate) {
  protocol::SubmissionRequest request;
  request.sender = sender;
  request.message_id = std::move(submission.message_id);
  request.batch = protocol::CompressedBatch::compress(submission.envelopes);
  request.max_sequencing_time = submission.max_sequencing_time;
  request.aggregation_rule = std::move(submission.aggregation_rule);
  if (deduplicate && !request.aggregation_rule) request.aggregation_rule = protocol::AggregationRule::sender_dedup();
  return request;
}

}  // namespace synod::sequencer::client
