// What a member receives at one sequencing time. Facts: SequencedEvent.scala; surprises in the recordings README.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "protocol/batch.h"
#include "protocol/ids.h"

namespace synod::protocol {

// Why a submission was not delivered: google.rpc.Status without details.
struct DeliverError {
  int code = 0;  // gRPC code
  std::string message;
  bool operator==(const DeliverError&) const = default;
};

struct SequencedEvent {
  std::optional<Timestamp> previous_timestamp;  // of this member's previous event; absent on its first
  Timestamp timestamp;
  PhysicalSynchronizerId synchronizer;
  std::optional<std::string> message_id;  // for the sender only
  // Either a batch (possibly without envelopes: a receipt) or an error.
  CompressedBatch batch;
  std::optional<DeliverError> error;
  std::optional<Timestamp> topology_timestamp;

  // W(31, …)
  static Result<SequencedEvent> parse(ByteView bytes, const BatchLimits& limits);
  Bytes serialize() const;
};

}  // namespace synod::protocol
