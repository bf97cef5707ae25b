#include "protocol/acs_commitment.h"

#include "canton/commitment_v30.pb.h"
#include "canton/envelope_v30.pb.h"
#include "protocol/confirmation.h"
#include "protocol/versioned.h"

namespace synod::protocol {

namespace v30 = ::com::digitalasset::canton::protocol::v30;

Result<AcsCommitment> AcsCommitment::parse(ByteView versioned) {
  SYNOD_TRY(ByteView message, unwrap(versioned, 30, "commitment"));
  v30::AcsCommitment proto;
  SYNOD_RETURN_IF_ERROR(parse_proto(message, proto, "commitment"));
  AcsCommitment out;
  SYNOD_TRY(out.synchronizer, PhysicalSynchronizerId::parse(proto.physical_synchronizer_id()));
  SYNOD_TRY(out.sender, UniqueId::parse(proto.sending_participant_uid()));
  SYNOD_TRY(out.counter_participant, UniqueId::parse(proto.counter_participant_uid()));
  SYNOD_TRY(out.from_exclusive, timestamp_from(proto.from_exclusive(), "commitment"));
  SYNOD_TRY(out.to_inclusive, timestamp_from(proto.to_inclusive(), "commitment"));
  if (out.to_inclusive <= out.from_exclusive) return fail(malformed("commitment", "the period is empty"));
  out.commitment = proto.commitment();
  return out;
}

Bytes AcsCommitment::serialize() const {
  v30::AcsCommitment proto;
  proto.set_physical_synchronizer_id(synchronizer.to_string());
  proto.set_sending_participant_uid(sender.to_string());
  proto.set_counter_participant_uid(counter_participant.to_string());
  proto.set_from_exclusive(from_exclusive.micros);
  proto.set_to_inclusive(to_inclusive.micros);
  proto.set_commitment(commitment);
  return wrap(30, proto);
}

crypto::Hash acs_commitment_hash(ByteView versioned_commitment) {
  v30::TypedSignedProtocolMessageContent typed;
  typed.set_acs_commitment(versioned_commitment.data(), versioned_commitment.size());
  return signed_message_hash(wrap(30, typed));
}

}  // namespace synod::protocol
