#include "protocol/sequenced_event.h"

#include "canton/sequencing_v31.pb.h"
#include "protocol/versioned.h"

namespace synod::protocol {

Result<SequencedEvent> SequencedEvent::parse(ByteView bytes, const BatchLimits& limits) {
  SYNOD_TRY(ByteView message, unwrap(bytes, 31, "sequenced event"));
  v31::SequencedEvent proto;
  SYNOD_RETURN_IF_ERROR(parse_proto(message, proto, "sequenced event"));
  SequencedEvent out;
  if (proto.has_previous_timestamp()) {
    SYNOD_TRY(out.previous_timestamp, timestamp_from(proto.previous_timestamp(), "sequenced event"));
  }
  SYNOD_TRY(out.timestamp, timestamp_from(proto.timestamp(), "sequenced event"));
  SYNOD_TRY(out.synchronizer, PhysicalSynchronizerId::parse(proto.physical_synchronizer_id()));
  if (proto.has_message_id()) out.message_id = proto.message_id();
  if (proto.has_topology_timestamp()) {
    SYNOD_TRY(out.topology_timestamp, timestamp_from(proto.topology_timestamp(), "sequenced event"));
  }
  if (proto.has_batch() == proto.has_deliver_error_reason())
    return fail(malformed("sequenced event", "exactly one of batch and error is expected"));
  if (proto.has_batch()) {
    SYNOD_TRY(out.batch, CompressedBatch::from_proto(proto.batch(), limits));
  } else {
    out.error = DeliverError{proto.deliver_error_reason().code(), proto.deliver_error_reason().message()};
  }
  return out;
}

Bytes SequencedEvent::serialize() const {
  v31::SequencedEvent proto;
  if (previous_timestamp) proto.set_previous_timestamp(previous_timestamp->micros);
  proto.set_timestamp(timestamp.micros);
  proto.set_physical_synchronizer_id(synchronizer.to_string());
  if (message_id) proto.set_message_id(*message_id);
  if (error) {
    proto.mutable_deliver_error_reason()->set_code(error->code);
    proto.mutable_deliver_error_reason()->set_message(error->message);
  } else {
    batch.to_proto(*proto.mutable_batch());
  }
  if (topology_timestamp) proto.set_topology_timestamp(topology_timestamp->micros);
  return wrap(31, proto);
}

}  // namespace synod::protocol
