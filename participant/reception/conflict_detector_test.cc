#include "participant/reception/conflict_detector.h"

#include <gtest/gtest.h>

namespace synod::participant {
namespace {

lf::ContractId id(char which) { return lf::ContractId::local_v1(Bytes(32, which)); }

class ConflictDetectorTest : public ::testing::Test {
 protected:
  std::map<lf::ContractId, ContractStatus> stored{{id('a'), ContractStatus::active},
                                                  {id('z'), ContractStatus::archived}};
  ConflictDetector detector{[this](const lf::ContractId& c) {
    const auto found = stored.find(c);
    return found == stored.end() ? ContractStatus::unknown : found->second;
  }};
};

TEST_F(ConflictDetectorTest, TellsWhyAContractCannotBeUsed) {
  const auto result = detector.check_and_lock({{id('a'), id('n')}, {id('a'), id('z'), id('u')}, {}});
  EXPECT_EQ(result.not_fresh, ContractIds{id('a')});
  EXPECT_EQ(result.not_active, ContractIds{id('z')});
  EXPECT_EQ(result.unknown, ContractIds{id('u')});
  EXPECT_TRUE(result.locked.empty());
}

TEST_F(ConflictDetectorTest, ALockHoldsUntilItsRequestEnds) {
  EXPECT_TRUE(detector.check_and_lock({{}, {id('a')}, {id('a')}}).ok());
  const auto second = detector.check_and_lock({{}, {id('a')}, {id('a')}});
  EXPECT_EQ(second.locked, ContractIds{id('a')});
  detector.finish({id('a')}, {}, {});
  EXPECT_TRUE(detector.locked(id('a'))) << "the second request holds it as well, although it will be rejected";
  detector.finish({id('a')}, {}, {});
  EXPECT_TRUE(detector.check_and_lock({{}, {id('a')}, {}}).ok());
}

TEST_F(ConflictDetectorTest, ChangesCountBeforeTheyAreStored) {
  detector.check_and_lock({{id('n')}, {id('a')}, {id('a'), id('n')}});
  EXPECT_EQ(detector.check_and_lock({{id('n')}, {}, {}}).locked, ContractIds{id('n')});
  detector.finish({id('a'), id('n')}, {id('n')}, {id('a')});
  EXPECT_EQ(detector.status(id('n')), ContractStatus::active);
  EXPECT_EQ(detector.status(id('a')), ContractStatus::archived);
  detector.forget({id('n'), id('a')});
  EXPECT_EQ(detector.status(id('a')), ContractStatus::active) << "now the store decides";
}

}  // namespace
}  // namespace synod::participant
