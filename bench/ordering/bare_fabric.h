// Fabric's AtomicBroadcast, spoken directly to one orderer: a Broadcast stream of signed envelopes, a Deliver stream.
// Nothing that is received is checked.
#pragma once

#include <optional>

#include "bench/ordering/bare_client.h"
#include "ordering/fabric_wire/identity.h"
#include "rpc/tls.h"

namespace synod::bench {

struct BareFabricConfig {
  std::string endpoint;
  std::string channel;
  std::optional<rpc::ClientTls> tls;
  std::optional<ordering::fabric_wire::SigningIdentity> identity;  // none: envelopes are not signed
  bool bft = false;
};

Result<std::unique_ptr<BareClient>> make_bare_fabric(BareFabricConfig config, std::shared_ptr<EventLoop> loop);

}  // namespace synod::bench
