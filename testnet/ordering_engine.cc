#include "testnet/ordering_engine.h"

#include "testnet/fabric_ordering.h"
#include "testnet/kafka_ordering.h"
#include "testnet/postgres_ordering.h"

namespace synod::testnet {

const std::vector<std::string>& orderings() {
  static const std::vector<std::string> names = {"solo", "fabric", "fabric-bft", "kafka", "postgres"};
  return names;
}

Result<std::unique_ptr<OrderingEngine>> engine_of(const NetworkPlan& plan) {
  if (plan.ordering == "fabric" || plan.ordering == "fabric-bft") return fabric_ordering(plan);
  if (plan.ordering == "kafka") return kafka_ordering(plan);
  if (plan.ordering == "postgres") return postgres_ordering(plan);
  return nullptr;
}

}  // namespace synod::testnet
