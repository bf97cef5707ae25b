// The synchronizer that is simulated: who is in it, with which keys, and its genesis. The same in every run, so it is
// made once; everything in it is immutable.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "crypto/keys.h"
#include "protocol/ids.h"
#include "topology/genesis.h"

namespace synod::sim {

struct Deployment {
  topology::StaticParameters static_parameters;
  topology::Genesis genesis;
  std::vector<protocol::Member> sequencers;
  std::vector<protocol::Member> participants;
  protocol::Member mediator;
  protocol::Member hostile;                                            // one more participant, which hosts nobody
  std::map<protocol::Member, std::shared_ptr<crypto::KeyStore>> keys;  // each member's own
  std::shared_ptr<crypto::KeyStore> owner_keys;

  static const Deployment& instance();
};

}  // namespace synod::sim
