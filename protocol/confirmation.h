// Responses of participants and the mediator's result. Facts: ConfirmationResponse, LocalVerdict, Verdict,
// ConfirmationResultMessage .scala. All are signed: H(38, W(30, TypedSignedProtocolMessageContent)).
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/hash.h"
#include "crypto/sign.h"
#include "protocol/batch.h"
#include "protocol/ids.h"
#include "protocol/rpc_status.h"
#include "protocol/view_position.h"

namespace synod::protocol {

enum class ViewType : int { unspecified = 0, transaction = 1, unassignment = 2, assignment = 3 };

struct LocalVerdict {
  enum class Code : int { approve = 1, reject = 2, malformed = 3, abstain = 4 };
  Code code = Code::approve;
  RpcStatus reason;  // OK for an approval
  bool operator==(const LocalVerdict&) const = default;
};

struct ConfirmationResponse {
  LocalVerdict verdict;
  std::vector<Party> confirming_parties;      // empty iff malformed
  std::optional<ViewPosition> view_position;  // may be absent iff malformed
  bool operator==(const ConfirmationResponse&) const = default;
};

struct ConfirmationResponses {
  Timestamp request_id;  // the request's sequencing time
  crypto::Hash root_hash;
  PhysicalSynchronizerId synchronizer;
  ParticipantId sender;
  std::vector<ConfirmationResponse> responses;  // not empty
  bool operator==(const ConfirmationResponses&) const = default;
};

// Why participants rejected: who, and for which parties.
struct ParticipantReject {
  struct Reason {
    std::vector<Party> parties;
    LocalVerdict verdict;
    ParticipantId participant;
    bool operator==(const Reason&) const = default;
  };
  std::vector<Reason> reasons;  // not empty
  bool operator==(const ParticipantReject&) const = default;
};
struct MediatorReject {
  RpcStatus reason;  // not OK
  bool malformed = false;
  bool operator==(const MediatorReject&) const = default;
};
struct Approve {
  bool operator==(const Approve&) const = default;
};
using Verdict = std::variant<Approve, ParticipantReject, MediatorReject>;

struct ConfirmationResult {
  PhysicalSynchronizerId synchronizer;
  ViewType view_type = ViewType::transaction;
  Timestamp request_id;
  crypto::Hash root_hash;
  Verdict verdict;
  bool operator==(const ConfirmationResult&) const = default;
};

// What a signed envelope carries; monostate: a known kind that Synod has no use for (traffic purchases).
using SignedMessage = std::variant<std::monostate, ConfirmationResponses, ConfirmationResult>;

// W(30, TypedSignedProtocolMessageContent): the content of an envelope with signatures.
Result<SignedMessage> parse_signed_message(ByteView content);
Bytes serialize_signed_message(const ConfirmationResponses& responses);
Bytes serialize_signed_message(const ConfirmationResult& result);
// What is signed: H(38, content).
crypto::Hash signed_message_hash(ByteView content);
// An envelope with that content and one signature.
Envelope signed_envelope(Bytes content, const crypto::SigningKeyPair& key, Recipients recipients);

// The verdict as storage bytes: W(30, Verdict).
Bytes serialize_verdict(const Verdict& verdict);
Result<Verdict> parse_verdict(ByteView bytes);

}  // namespace synod::protocol
