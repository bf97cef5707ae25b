// An OrderingLog over Fabric's orderer.AtomicBroadcast: the driver of the solo engine and the core of the Fabric
// driver.
//
// One Broadcast stream carries all submissions, pipelined; a record that was not yet written to it when the connection
// broke waits for the next one, a record that was written and not answered completes as unknown. Each subscription has
// a Deliver stream of its own, reconnects by itself, and checks that the blocks chain.
//
// Where orderers may lie (BFT), every envelope goes to all of them, because one alone may keep it to itself. Blocks are
// read in full from one, and the newest signed header is asked of all: when one is ahead of what we are given for too
// long, another orderer is read from. The same finds an orderer that hangs.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ordering/fabric_wire/block_trust.h"
#include "ordering/fabric_wire/identity.h"
#include "ordering/ordering_log.h"
#include "rpc/tls.h"

namespace synod::ordering::fabric_wire {

struct FabricLogConfig {
  std::vector<std::string> endpoints;  // host:port; the next one is tried when one fails
  std::string channel = "synod";
  std::optional<rpc::ClientTls> tls;
  std::optional<SigningIdentity> identity;             // none: envelopes are not signed
  std::size_t max_record_bytes = (16u << 20) - 16384;  // keep below the engine's limit of an envelope
  std::size_t max_pending_bytes = 64u << 20;           // submitted and not completed; beyond it ORDERING_OVERLOADED
  std::size_t max_unanswered = 1000;                   // envelopes on the stream without an answer; the others wait
  std::size_t window_bytes = 4u << 20;                 // blocks received ahead of request(), per subscription
  Duration submit_timeout = Duration::seconds(10);     // then refused if never sent, unknown otherwise
  Duration probe_timeout = Duration::seconds(3);       // for a first answer of an endpoint; then the next one is tried
  std::shared_ptr<BlockTrust> trust;                   // none: blocks are believed for the sake of the connection
  std::size_t accepts_needed = 0;  // SmartBFT: every orderer gets each record, and so many accept it; else 0
  Duration head_check_interval = Duration::seconds(2);  // with several endpoints: asked this often how far the log is
  Duration stall_patience = Duration::seconds(5);       // behind another's head for so long: read from another one
  Duration keepalive_interval = Duration::seconds(10);  // Fabric's orderers take it amiss below their ServerMinInterval
  Duration min_reconnect_delay = Duration::milliseconds(10);
  Duration max_reconnect_delay = Duration::seconds(1);
};

// Returns at once; the connection is made in the background. Errors: TLS_CONFIGURATION_INVALID, ORDERING_NO_ENDPOINT.
Result<std::unique_ptr<OrderingLog>> connect_fabric(FabricLogConfig config);

}  // namespace synod::ordering::fabric_wire
