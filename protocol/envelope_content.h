// What stands in an envelope without signatures: W(31, EnvelopeContent). Fact: EnvelopeContent.scala.
#pragma once

#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/sign.h"
#include "protocol/confirmation.h"
#include "protocol/encrypted_view.h"
#include "protocol/view_tree.h"

namespace synod::protocol {

// To the mediator: the blinded transaction and the submitting participant's signature over its root hash.
struct InformeeMessage {
  InformeeTree tree;
  crypto::Signature submitter_signature;
};

// To one participant and the mediator group: which transaction, so that both see the same.
struct RootHashMessage {
  Hash root_hash;
  PhysicalSynchronizerId synchronizer;
  ViewType view_type = ViewType::transaction;
  Timestamp submission_topology_time;
  Bytes payload;  // empty for transactions
  bool operator==(const RootHashMessage&) const = default;
};

// Serialised SignedTopologyTransactions (each with its version wrapper), to all members.
struct TopologyBroadcast {
  PhysicalSynchronizerId synchronizer;
  std::vector<Bytes> transactions;
  bool operator==(const TopologyBroadcast&) const = default;
};

// A commitment travels unsigned outside and signed inside: see acs_commitment.h.
struct AcsCommitmentMessage {
  Bytes commitment;  // W(30, AcsCommitment)
  std::vector<crypto::Signature> signatures;
  bool operator==(const AcsCommitmentMessage&) const = default;
};

// monostate: a kind that Synod does not use (reassignments, tests of synchronizer upgrades).
using EnvelopeContent = std::variant<std::monostate, InformeeMessage, EncryptedViews, RootHashMessage,
                                     TopologyBroadcast, AcsCommitmentMessage>;

Result<EnvelopeContent> parse_envelope_content(ByteView content);
Bytes serialize_envelope_content(const InformeeMessage& message);
Bytes serialize_envelope_content(const EncryptedViews& message);
Bytes serialize_envelope_content(const RootHashMessage& message);
Bytes serialize_envelope_content(const TopologyBroadcast& message);
Bytes serialize_envelope_content(const AcsCommitmentMessage& message);

}  // namespace synod::protocol
