// Daml scripts on the command line: against a ledger in memory, and against a participant's Ledger API.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "base/testing/shared_files.h"
#include "tests/e2e/command_line.h"

namespace synod::e2e {
namespace {

using ::testing::HasSubstr;

constexpr int kFirstPort = 29280;
const std::string kLedger = "127.0.0.1:" + std::to_string(kFirstPort + 2);  // of the first organisation's participant

TEST(Scripts, TheSameScriptsPassInMemoryAndOnAParticipant) {
  SYNOD_NEEDS_SHARED(dar, "dars/CantonExamples-3.2.0.dar");
  const Ran memory = synod("script test '" + dar + "' --json");
  ASSERT_EQ(memory.exit_code, 0) << memory.output;
  EXPECT_EQ(boost::json::parse(memory.output).at("passed").to_number<int>(), 11);

  TestNetwork network(kFirstPort);
  const Ran up = network.testnet("up --detach");
  ASSERT_EQ(up.exit_code, 0) << up.output;
  ASSERT_THAT(up.output, HasSubstr(kLedger));
  const Ran participant =
      synod("script test '" + dar + "' --json --filter 'Iou:*' --filter 'Divulgence:*' --ledger " + kLedger);
  EXPECT_EQ(participant.exit_code, 0) << participant.output;
  EXPECT_EQ(boost::json::parse(participant.output).at("passed").to_number<int>(), 5);

  const Ran again =
      synod("script test '" + dar + "' --no-upload --filter SafePaint:safePainterOffers* --ledger " + kLedger);
  EXPECT_EQ(again.exit_code, 0) << again.output;
  EXPECT_THAT(again.output, HasSubstr("2 passed, 0 failed"));
}

TEST(Scripts, ExitCodesTellFailuresFromNothingToRun) {
  SYNOD_NEEDS_SHARED(dar, "dars/CantonExamples-3.2.0.dar");
  EXPECT_EQ(synod("script test '" + dar + "' --filter Iou:").exit_code, 0);
  EXPECT_EQ(synod("script test '" + dar + "' --filter NoSuchScript").exit_code, 2);
  EXPECT_EQ(synod("script test /no/such.dar").exit_code, 2);
  SYNOD_NEEDS_SHARED(amulet, "dars/splice-amulet-test-0.1.8.dar");
  // Catches exceptions around archives, which protocol version 35 does not allow.
  const Ran failing = synod("script test '" + amulet + "' --protocol 35 --filter *:testTransferExceedsMaxLockHolders");
  EXPECT_EQ(failing.exit_code, 1);
  EXPECT_THAT(failing.output, HasSubstr("Submit: DAML_EFFECTFUL_ROLLBACK_ERROR"));
  EXPECT_THAT(failing.output, HasSubstr("at Splice.Scripts.TestAmuletRulesTransferLimits:85:5"));
}

}  // namespace
}  // namespace synod::e2e
