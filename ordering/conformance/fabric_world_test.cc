// Hyperledger Fabric's ordering service: three Raft orderers, and four that tolerate a lying one.
#include "ordering/conformance/fabric_world.h"

#include "ordering/conformance/conformance.h"

namespace synod::ordering::conformance {
namespace {

std::unique_ptr<EngineWorld> raft() { return std::make_unique<FabricWorld>(engines::FabricConsensus::etcdraft, 3); }
std::unique_ptr<EngineWorld> bft() { return std::make_unique<FabricWorld>(engines::FabricConsensus::smartbft, 4); }

INSTANTIATE_TEST_SUITE_P(fabric, OrderingConformance, ::testing::Values(&raft));
INSTANTIATE_TEST_SUITE_P(fabric_bft, OrderingConformance, ::testing::Values(&bft));

}  // namespace
}  // namespace synod::ordering::conformance
