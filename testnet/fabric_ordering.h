// Hyperledger Fabric's ordering service for a test network.
#pragma once

#include "testnet/ordering_engine.h"

namespace synod::testnet {

// Three Raft orderers, or for "fabric-bft" four of which one may lie. Each sequencer signs as its own organisation.
std::unique_ptr<OrderingEngine> fabric_ordering(const NetworkPlan& plan);

}  // namespace synod::testnet
