#pragma once

#include <memory>
#include <string>

#include "testnet/ordering_engine.h"

namespace synod::testnet {

// A PostgreSQL server of this machine's packages, in this folder of the network.
std::string postgres_ordering_folder(const NetworkPlan& plan);
std::unique_ptr<OrderingEngine> postgres_ordering(const NetworkPlan& plan);

}  // namespace synod::testnet
