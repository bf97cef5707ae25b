#include "participant/reception/conflict_detector.h"

#include <gtest/gtest.h>

namespace synod::participant {
namespace {

lf::ContractId contract_named(char which) { return lf::ContractId::local_v1(Bytes(32, which)); }

class ConflictDetectorTest : public ::testing::Test {
 protected:
  std::map<lf::ContractId, ContractStatus> stored{{contract_named('a'), ContractStatus::active},
                                                  {contract_named('z'), ContractStatus::archived}};
  ConflictDetector detector{[this](const lf::ContractId& c) {
    const auto found = stored.find(c);
    return found == stored.end() ? ContractStatus::unknown : found->second;
  }};
};

TEST_F(ConflictDetectorTest, TellsWhyAContractCannotBeUsed) {
  const auto result = detector.check_and_lock({{contract_named('a'), contract_named('n')},
                                               {contract_named('a'), contract_named('z'), contract_named('u')},
                                               {}});
  EXPECT_EQ(result.not_fresh, ContractIds{contract_named('a')});
  EXPECT_EQ(result.not_active, ContractIds{contract_named('z')});
  EXPECT_EQ(result.unknown, ContractIds{contract_named('u')});
  EXPECT_TRUE(result.locked.empty());
}

TEST_F(ConflictDetectorTest, ALockHoldsUntilItsRequestEnds) {
  EXPECT_TRUE(detector.check_and_lock({{}, {contract_named('a')}, {contract_named('a')}}).ok());
  const auto second = detector.check_and_lock({{}, {contract_named('a')}, {contract_named('a')}});
  EXPECT_EQ(second.locked, ContractIds{contract_named('a')});
  detector.finish({contract_named('a')}, {}, {});
  EXPECT_TRUE(detector.locked(contract_named('a')))
      << "the second request holds it as well, although it will be rejected";
  detector.finish({contract_named('a')}, {}, {});
  EXPECT_TRUE(detector.check_and_lock({{}, {contract_named('a')}, {}}).ok());
}

TEST_F(ConflictDetectorTest, ChangesCountBeforeTheyAreStored) {
  detector.check_and_lock({{contract_named('n')}, {contract_named('a')}, {contract_named('a'), contract_named('n')}});
  EXPECT_EQ(detector.check_and_lock({{contract_named('n')}, {}, {}}).locked, ContractIds{contract_named('n')});
  detector.finish({contract_named('a'), contract_named('n')}, {contract_named('n')}, {contract_named('a')});
  EXPECT_EQ(detector.status(contract_named('n')), ContractStatus::active);
  EXPECT_EQ(detector.status(contract_named('a')), ContractStatus::archived);
  detector.forget({contract_named('n'), contract_named('a')});
  EXPECT_EQ(detector.status(contract_named('a')), ContractStatus::active) << "now the store decides";
}

}  // namespace
}  // namespace synod::participant
