// Whether a client speaks our protocol version. Facts: HandshakeValidator.scala, ProtocolVersionCompatibility.scala.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace synod::sequencer {

// None: compatible. Else Canton's text for INVALID_ARGUMENT.
std::optional<std::string> handshake_problem(const std::vector<int>& client_versions, std::optional<int> minimum,
                                             const std::string& client_version);

}  // namespace synod::sequencer
