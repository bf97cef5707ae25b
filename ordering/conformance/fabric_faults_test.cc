// Single orderers of Fabric fail while clients go on.
#include "ordering/conformance/fabric_world.h"
#include "ordering/conformance/single_fault.h"

namespace synod::ordering::conformance {
namespace {

class FabricFaults : public SingleFault {
 protected:
  void begin(engines::FabricConsensus consensus, int orderers) {
    SingleFault::begin(std::make_unique<FabricWorld>(consensus, orderers));
  }
  engines::FabricEngine& engine() { return fabric().engine(); }
  FabricWorld& fabric() { return static_cast<FabricWorld&>(*world_); }
};

TEST_F(FabricFaults, TheRaftLeaderIsKilledUnderLoad) {
  ASSERT_NO_FATAL_FAILURE(begin(engines::FabricConsensus::etcdraft, 3));
  if (!log_) return;
  std::optional<std::size_t> leader;
  dies_under_load(
      "the leader",
      [&] {
        // None while one is being elected, or while an orderer is too busy to say.
        eventually([&] { return (leader = engine().leader(fabric().channel())).has_value(); });
        return leader && engine().orderer(*leader).stop(SIGKILL, Duration::seconds(20));
      },
      [&] { return engine().orderer(*leader).start(); });
  expect_one_history();  // also of the killed orderer
}

// The first orderer leads SmartBFT at the beginning, and is the one that blocks are read from.
TEST_F(FabricFaults, ABftLeaderHangsThatBlocksAreReadFrom) {
  ASSERT_NO_FATAL_FAILURE(begin(engines::FabricConsensus::smartbft, 4));
  if (!log_) return;
  ASSERT_TRUE(ordered("before"));
  engine().orderer(0).signal(SIGSTOP);
  EXPECT_TRUE(ordered("while it hangs"));
  engine().orderer(0).signal(SIGCONT);
  EXPECT_TRUE(ordered("afterwards"));
  EXPECT_TRUE(seen_->chained());
  EXPECT_FALSE(seen_->end());
}

}  // namespace
}  // namespace synod::ordering::conformance
