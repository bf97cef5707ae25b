// Changing who takes part in a Fabric channel: what an operator does with Fabric's configtxlator and peer, without
// them.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "ordering/fabric_wire/identity.h"
#include "rpc/tls.h"

namespace common {
class ConfigGroup;
class ConfigUpdate;
}  // namespace common

namespace synod::ordering::fabric {

// Pure: the change that takes the organisation's group over from `wanted`, the configuration of a channel that has it,
// into `current`. Both are whole channel groups. Error id ORDERING_CHANNEL_CHANGE_INVALID.
Result<common::ConfigUpdate> admission(const std::string& channel, const common::ConfigGroup& current,
                                       const common::ConfigGroup& wanted, const std::string& organisation);

struct ChannelMembers {
  std::vector<std::string> endpoints;  // host:port of all orderers
  std::string channel;
  rpc::ClientTls tls;  // of a member
  // Who agree: of as many members as the channel's policy asks for. The first one submits the change.
  std::vector<fabric_wire::SigningIdentity> administrators;
};

// Lets the organisation write and read, unless it may already; returns when every orderer that can be reached knows it.
// `wanted_block`: a configuration block as configtxgen writes it. Blocking calls. Error ids:
// ORDERING_CHANNEL_CHANGE_INVALID, ORDERING_CHANNEL_CHANGE_REFUSED with the orderer's words, ORDERING_UNAVAILABLE.
Status admit_organisation(const ChannelMembers& members, const std::string& organisation, ByteView wanted_block,
                          Duration patience);

}  // namespace synod::ordering::fabric
