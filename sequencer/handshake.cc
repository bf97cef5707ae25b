#include "sequencer/handshake.h"

#include <algorithm>

#include "protocol/ids.h"

namespace synod::sequencer {

std::optional<std::string> handshake_problem(const std::vector<int>& client_versions, std::optional<int> minimum,
                                             const std::string& client_version) {
  const std::string ours = std::to_string(protocol::kProtocolVersion);
  if (client_version.empty()) {
    return "The server is running protocol " + ours +
           " and does not support clients with binary 'Binary version not provided. Participant binary version is too "
           "old.'. This may mean that your binary is explicitly blocked from connecting. Please upgrade to a supported "
           "version.";
  }
  const bool supported =
      std::find(client_versions.begin(), client_versions.end(), protocol::kProtocolVersion) != client_versions.end();
  if (minimum && *minimum > protocol::kProtocolVersion) {
    return "The version required by the synchronizer (" + ours +
           ") is lower than the minimum version configured by the participant (" + std::to_string(*minimum) + "). " +
           (supported
                ? "The participant supports the version required by the synchronizer and would be able to connect "
                  "to the synchronizer if the minimum required version is configured to be lower."
                : "");
  }
  if (supported) return std::nullopt;
  std::string list;
  for (const int version : client_versions) list += (list.empty() ? "" : ", ") + std::to_string(version);
  return "The protocol version required by the server (" + ours +
         ") is not among the supported protocol versions by the client: Seq(" + list + "). ";
}

}  // namespace synod::sequencer
