#include "ordering/fabric/fabric_driver.h"

#include "ordering/fabric/channel_trust.h"
#include "ordering/fabric_wire/fabric_log.h"

namespace synod::ordering::fabric {
namespace {

constexpr std::size_t kMaxRecord = (16u << 20) - 16384;
// Of an envelope SmartBFT takes 500 KiB, whatever the channel says; header, certificate and signature need some.
constexpr std::size_t kMaxBftRecord = 480u << 10;

}  // namespace

Result<std::unique_ptr<OrderingLog>> connect(const FabricDriverConfig& config) {
  fabric_wire::FabricLogConfig wire;
  wire.endpoints = config.endpoints;
  wire.channel = config.channel;
  wire.tls = rpc::ClientTls{config.tls_roots_file, config.tls_certificate_file, config.tls_key_file};
  SYNOD_TRY(wire.identity, fabric_wire::SigningIdentity::from_files(config.msp_id, config.signing_certificate_file,
                                                                    config.signing_key_file));
  if (!config.channel_block_file.empty()) {
    SYNOD_TRY(wire.trust, ChannelTrust::from_file(config.channel_block_file, config.channel, config.learnt_file));
  } else if (config.bft) {
    return fail(
        invalid_argument("ORDERING_CHANNEL_BLOCK_INVALID",
                         "with BFT, where an orderer may lie, the channel's first block is needed to know whose "
                         "signatures count"));
  }
  // Of n orderers (n-1)/3 may be faulty; one more that accept include an honest one.
  if (config.bft) wire.accepts_needed = (config.endpoints.empty() ? 0 : (config.endpoints.size() - 1) / 3) + 1;
  wire.max_record_bytes = config.max_record_bytes ? config.max_record_bytes : config.bft ? kMaxBftRecord : kMaxRecord;
  wire.max_pending_bytes = config.max_pending_bytes;
  wire.window_bytes = config.window_bytes;
  wire.submit_timeout = config.submit_timeout;
  wire.keepalive_interval = config.keepalive_interval;
  wire.head_check_interval = config.head_check_interval;
  wire.stall_patience = config.stall_patience;
  wire.max_reconnect_delay = config.max_reconnect_delay;
  return fabric_wire::connect_fabric(std::move(wire));
}

}  // namespace synod::ordering::fabric
