// Why a sequenced request was not delivered, as its sender reads it in the event. Every sequencer must produce the same
// bytes, so nothing local (correlation ids, maps in random order) enters. Facts: SequencerDeliverError.scala.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/time.h"
#include "protocol/ids.h"

namespace synod::sequencer {

// google.rpc.Status with the text `ID(category,0): cause` (cause cut to 512 characters) and an ErrorInfo detail with
// definite_answer=true and the category.
Bytes deliver_error_status(const Error& error);

Error unknown_recipients(const std::vector<protocol::Member>& members);
Error submission_refused(std::string cause);
Error max_sequencing_time_too_far(const std::string& message_id, Timestamp max_sequencing_time, Timestamp bound);
Error aggregate_already_sent(const std::string& aggregation_id, Timestamp delivered_at);
Error aggregate_stuffing(const protocol::Member& sender, const std::string& aggregation_id, Timestamp at);
Error topology_timestamp_unsupported();
Error overloaded(std::string cause);
// Malformed requests are dropped; SendAsync answers with this.
Error submission_malformed(const std::string& sender, const std::string& message_id, const std::string& what);

}  // namespace synod::sequencer
