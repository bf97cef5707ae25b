// The driver of Hyperledger Fabric's ordering service: what fabric_wire/ speaks, with the settings that Fabric's
// orderers need, and with their signatures checked.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "ordering/ordering_log.h"

namespace synod::ordering::fabric {

struct FabricDriverConfig {
  std::vector<std::string> endpoints;  // host:port of orderers; with BFT of all
  bool bft = false;                    // SmartBFT; else Raft
  std::string channel = "synod";
  std::string channel_block_file;  // whom to believe; optional with Raft
  std::string learnt_file;         // keeps later configurations of the channel over restarts; empty: none
  std::string tls_roots_file, tls_certificate_file, tls_key_file;
  std::string msp_id, signing_certificate_file, signing_key_file;
  std::size_t max_record_bytes = 0;  // 0: 16 MiB, or with BFT 480 KiB, since SmartBFT takes no envelope above 500
  std::size_t max_pending_bytes = 64u << 20;
  std::size_t window_bytes = 4u << 20;
  Duration submit_timeout = Duration::seconds(10);
  Duration keepalive_interval = Duration::seconds(70);
  Duration head_check_interval = Duration::seconds(2);
  Duration stall_patience = Duration::seconds(5);
  Duration max_reconnect_delay = Duration::seconds(1);
};

// Returns at once; the connection is made in the background. Error ids: TLS_CONFIGURATION_INVALID,
// ORDERING_IDENTITY_INVALID, ORDERING_NO_ENDPOINT, ORDERING_CHANNEL_BLOCK_INVALID.
Result<std::unique_ptr<OrderingLog>> connect(const FabricDriverConfig& config);

}  // namespace synod::ordering::fabric
