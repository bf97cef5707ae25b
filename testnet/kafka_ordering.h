#pragma once

#include <memory>

#include "testnet/ordering_engine.h"

namespace synod::testnet {

// One Kafka broker: enough to develop with, not to be relied on.
std::unique_ptr<OrderingEngine> kafka_ordering(const NetworkPlan& plan);

}  // namespace synod::testnet
