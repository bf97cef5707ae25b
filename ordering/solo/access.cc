#include "ordering/solo/access.h"

#include "fabric/envelope.pb.h"

namespace synod::ordering::solo {

Result<fabric_wire::Envelope> admit(const AccessPolicy& policy, fabric_wire::EnvelopeType type, ByteView bytes) {
  SYNOD_TRY(auto envelope, fabric_wire::parse_envelope(bytes));
  if (envelope.channel_id != policy.channel)
    return fail(not_found("ORDERING_WRONG_CHANNEL", "this orderer serves channel " + policy.channel + ", not " +
                                                        envelope.channel_id.substr(0, 100)));
  const bool fits = type == fabric_wire::EnvelopeType::message ? fabric_wire::holds_record(envelope)
                                                               : envelope.type == static_cast<int>(type);
  if (!fits)
    return fail(invalid_argument("ORDERING_WRONG_TYPE",
                                 "envelopes of type " + std::to_string(envelope.type) + " are not taken here"));
  if (envelope.data.empty()) return fail(invalid_argument("ORDERING_MALFORMED_ENVELOPE", "the envelope holds no data"));
  if (envelope.signature.empty()) {
    if (!policy.allow_unsigned)
      return fail(Error("ORDERING_NOT_AUTHORIZED", ErrorCategory::permission, "the envelope is not signed"));
  } else if (!policy.allow_unsigned || !policy.clients.empty()) {
    SYNOD_RETURN_IF_ERROR(policy.clients.verify(envelope.creator, envelope.payload, envelope.signature));
  }
  return envelope;
}

int status_of(const Error& error) {
  if (error.id == "ORDERING_RECORD_TOO_LARGE") return common::REQUEST_ENTITY_TOO_LARGE;
  switch (error.category) {
    case ErrorCategory::transient_server_failure:
      return common::SERVICE_UNAVAILABLE;
    case ErrorCategory::permission:
      return common::FORBIDDEN;
    case ErrorCategory::invalid_state_missing:
      return common::NOT_FOUND;
    case ErrorCategory::invalid_argument:
      return common::BAD_REQUEST;
    default:
      return common::INTERNAL_SERVER_ERROR;
  }
}

}  // namespace synod::ordering::solo
