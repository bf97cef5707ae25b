#include "participant/reception/conflict_detector.h"

#include <gtest/gtest.h>

namespace synod::participant {
namespace {

lf::ContractId contract(char which) { return lf::ContractId::local_v1(Bytes(32, which)); }

class ConflictDetectorTest : public ::testing::Test {
 protected:
  std::map<lf::ContractId, ContractStatus> stored{{contract('a'), ContractStatus::active},
                                                  {contract('z'), ContractStatus::archived}};
  ConflictDetector detector{[this](const lf::ContractId& c) {
    const auto found = stored.find(c);
    return found == stored.end() ? ContractStatus::unknown : found->second;
  }};
};

TEST_F(ConflictDetectorTest, TellsWhyAContractCannotBeUsed) {
  const auto result =
      detector.check_and_lock({{contract('a'), contract('n')}, {contract('a'), contract('z'), contract('u')}, {}});
  EXPECT_EQ(result.not_fresh, ContractIds{contract('a')});
  EXPECT_EQ(result.not_active, ContractIds{contract('z')});
  EXPECT_EQ(result.unknown, ContractIds{contract('u')});
  EXPECT_TRUE(result.locked.empty());
}

TEST_F(ConflictDetectorTest, ALockHoldsUntilItsRequestEnds) {
  EXPECT_TRUE(detector.check_and_lock({{}, {contract('a')}, {contract('a')}}).ok());
  const auto second = detector.check_and_lock({{}, {contract('a')}, {contract('a')}});
  EXPECT_EQ(second.locked, ContractIds{contract('a')});
  detector.finish({contract('a')}, {}, {});
  EXPECT_TRUE(detector.locked(contract('a'))) << "the second request holds it as well, although it will be rejected";
  detector.finish({contract('a')}, {}, {});
  EXPECT_TRUE(detector.check_and_lock({{}, {contract('a')}, {}}).ok());
}

TEST_F(ConflictDetectorTest, ChangesCountBeforeTheyAreStored) {
  detector.check_and_lock({{contract('n')}, {contract('a')}, {contract('a'), contract('n')}});
  EXPECT_EQ(detector.check_and_lock({{contract('n')}, {}, {}}).locked, ContractIds{contract('n')});
  detector.finish({contract('a'), contract('n')}, {contract('n')}, {contract('a')});
  EXPECT_EQ(detector.status(contract('n')), ContractStatus::active);
  EXPECT_EQ(detector.status(contract('a')), ContractStatus::archived);
  detector.forget({contract('n'), contract('a')});
  EXPECT_EQ(detector.status(contract('a')), ContractStatus::active) << "now the store decides";
}

}  // namespace
}  // namespace synod::participant
