// Commitments of two participants to the contracts they share, every reconciliation interval.
// Facts: LegacyAcsCommitment.scala; recipe 7 of the recordings.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/hash.h"
#include "protocol/ids.h"

namespace synod::protocol {

struct AcsCommitment {
  PhysicalSynchronizerId synchronizer;
  ParticipantId sender;
  ParticipantId counter_participant;
  Timestamp from_exclusive;
  Timestamp to_inclusive;
  Bytes commitment;  // 34-byte hash of the digest
  bool operator==(const AcsCommitment&) const = default;

  static Result<AcsCommitment> parse(ByteView versioned);  // W(30, …)
  Bytes serialize() const;
};

// What is signed: as if the commitment stood in typed signed content, H(38, W(30, {4: commitment})).
crypto::Hash acs_commitment_hash(ByteView versioned_commitment);

}  // namespace synod::protocol
