#pragma once

#include <memory>

#include "testnet/ordering_engine.h"

namespace synod::testnet {

// A PostgreSQL server of this machine's packages.
std::unique_ptr<OrderingEngine> postgres_ordering(const NetworkPlan& plan);

}  // namespace synod::testnet
