// The signed messages of a member, to the byte as Canton's client makes them. Pure.
// Facts: recipes 3 and 4 of the recordings.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/keys.h"
#include "crypto/sign.h"
#include "protocol/ids.h"
#include "protocol/submission.h"
#include "topology/snapshot.h"

namespace synod::sequencer::client {

// What goes into SendAsync. `signing_time` (outside the signature) is the topology time whose keys the signer believes
// in.
Bytes signed_submission(const protocol::SubmissionRequest& request, const crypto::SigningKeyPair& key,
                        std::optional<Timestamp> signing_time);
// What goes into AcknowledgeSigned; its signing time is the acknowledged time.
Bytes signed_acknowledgement(const protocol::Member& member, Timestamp timestamp, const crypto::SigningKeyPair& key);

// The answer to a challenge.
crypto::Signature authentication_signature(ByteView nonce, const protocol::PhysicalSynchronizerId& synchronizer,
                                           const crypto::SigningKeyPair& key);
// The member's own key that the sequencer accepts (by fingerprint, from the challenge). Error id NO_AUTHENTICATION_KEY.
Result<crypto::SigningKeyPair> authentication_key(const crypto::KeyStore& keys,
                                                  const std::vector<crypto::Fingerprint>& accepted);
// The protocol key that the topology names for the member and whose private half is at hand; without a topology the
// first protocol key. Error id NO_SIGNING_KEY.
Result<crypto::SigningKeyPair> protocol_key(const crypto::KeyStore& keys, const protocol::Member& member,
                                            const std::optional<topology::Snapshot>& snapshot);

// The request in what signed_submission() made.
Result<protocol::SubmissionRequest> request_of(ByteView signed_submission);

// The request for a submission of `sender`. `deduplicate`: add sender de-duplication unless there is another rule.
protocol::SubmissionRequest make_request(const protocol::Member& sender, protocol::Submission submission,
                                         bool deduplicate);

}  // namespace synod::sequencer::client
