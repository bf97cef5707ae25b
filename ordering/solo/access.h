// Who may submit to the solo engine and read from it, and what an acceptable submission is.
#pragma once

#include <string>

#include "base/result.h"
#include "ordering/fabric_wire/envelope.h"
#include "ordering/fabric_wire/identity.h"

namespace synod::ordering::solo {

struct AccessPolicy {
  std::string channel;
  // Take envelopes without a signature: where the network or mutual TLS keeps strangers out.
  bool allow_unsigned = false;
  fabric_wire::TrustedClients clients;  // whose signatures are accepted
};

// The opened envelope, or why it is refused: ORDERING_MALFORMED_ENVELOPE, ORDERING_WRONG_CHANNEL, ORDERING_WRONG_TYPE,
// ORDERING_NOT_AUTHORIZED.
Result<fabric_wire::Envelope> admit(const AccessPolicy& policy, fabric_wire::EnvelopeType type, ByteView envelope);

// The common.Status that tells a client about an error of this folder; the text is Error::to_string().
int status_of(const Error& error);

}  // namespace synod::ordering::solo
