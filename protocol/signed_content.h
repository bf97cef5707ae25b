// Bytes with signatures beside them: submissions (purpose 35), acknowledgements (36), sequenced events (1), ordering
// requests (42). Facts: SignedContent.scala. W(30, {1: content, 2: signatures, 3: timestamp of the signing key}).
#pragma once

#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/sign.h"
#include "protocol/ids.h"

namespace synod::protocol {

struct SignedContent {
  Bytes content;  // with its version wrapper
  std::vector<crypto::Signature> signatures;
  // Outside the signature: the topology time that the signer believed in. Absent on sequenced events.
  std::optional<Timestamp> timestamp_of_signing_key;
  bool operator==(const SignedContent&) const = default;

  static Result<SignedContent> parse(ByteView bytes);  // at least one signature
  Bytes serialize() const;
  crypto::Hash content_hash(crypto::HashPurpose purpose) const { return crypto::hash(purpose, content); }
};

SignedContent sign_content(crypto::HashPurpose purpose, Bytes content, const crypto::SigningKeyPair& key,
                           std::optional<Timestamp> timestamp_of_signing_key);

// W(30, {1: member, 2: timestamp}): "I have processed everything up to this time".
struct AcknowledgeRequest {
  Member member;
  Timestamp timestamp;
  bool operator==(const AcknowledgeRequest&) const = default;
  static Result<AcknowledgeRequest> parse(ByteView bytes);
  Bytes serialize() const;
};

// What a member signs to authenticate at a sequencer: H(14, nonce | S(physical synchronizer id)).
crypto::Hash authentication_hash(ByteView nonce, const PhysicalSynchronizerId& synchronizer);

}  // namespace synod::protocol
