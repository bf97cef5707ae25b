// Daml scripts on the command line: against a ledger in memory, and against a participant's Ledger API.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <filesystem>

#include "base/testing/shared_files.h"
#include "tests/e2e/command_line.h"

namespace synod::e2e {
namespace {

using ::testing::HasSubstr;

TEST(Scripts, TheSameScriptsPassInMemoryAndOnAParticipant) {
  SYNOD_NEEDS_SHARED(dar, "dars/CantonExamples-3.2.0.dar");
  const Ran memory = synod("script test '" + dar + "' --json");
  ASSERT_EQ(memory.exit_code, 0) << memory.output;
  EXPECT_EQ(boost::json::parse(memory.output).at("passed").to_number<int>(), 11);

  TestNetwork network;
  const std::string ledger = "127.0.0.1:" + std::to_string(network.first_port() + 2);  // of the first participant
  const Ran up = network.testnet("up --detach");
  ASSERT_EQ(up.exit_code, 0) << up.output;
  ASSERT_THAT(up.output, HasSubstr(ledger));
  const Ran participant =
      synod("script test '" + dar + "' --json --filter 'Iou:*' --filter 'Divulgence:*' --ledger " + ledger);
  EXPECT_EQ(participant.exit_code, 0) << participant.output;
  EXPECT_EQ(boost::json::parse(participant.output).at("passed").to_number<int>(), 5);

  const Ran again =
      synod("script test '" + dar + "' --no-upload --filter SafePaint:safePainterOffers* --ledger " + ledger);
  EXPECT_EQ(again.exit_code, 0) << again.output;
  EXPECT_THAT(again.output, HasSubstr("2 passed, 0 failed"));
}

TEST(Scripts, AnArgumentComesFromAFile) {
  // What of the script library is needed for a script that asks nothing.
  const std::string folder = ::testing::TempDir() + "script_argument_" + std::to_string(getpid());
  std::filesystem::create_directory(folder);
  write_text(folder + "/main.lf", R"(metadata ('daml-script' : '3.5.0')
    module DA.Types { record @serializable Tuple2 (a: *) (b: *) = { _1: a, _2: b } ; }
    module Daml.Script.Internal.Free { variant Free (f: * -> *) (a: *) = Pure: a | Free: f (Daml.Script.Internal.Free:Free f a) ; }
    module Daml.Script.Internal.LowLevel {
      record ScriptF (a: *) = { unpack: a } ;
      record Script (a: *) =
        { runScript: Unit -> Daml.Script.Internal.Free:Free Daml.Script.Internal.LowLevel:ScriptF (DA.Types:Tuple2 a Unit), dummy: Unit } ;
      val double : Int64 -> Daml.Script.Internal.LowLevel:Script Int64 = \(n: Int64) -> Daml.Script.Internal.LowLevel:Script @Int64 {
        runScript = \(u: Unit) -> Daml.Script.Internal.Free:Free:Pure @Daml.Script.Internal.LowLevel:ScriptF @(DA.Types:Tuple2 Int64 Unit)
          (DA.Types:Tuple2 @Int64 @Unit { _1 = ADD_INT64 n n, _2 = u }), dummy = () } ;
    })");
  write_text(folder + "/good.json", "21");
  write_text(folder + "/bad.json", "\"many\"");
  const std::string dar = folder + "/main.dar";
  const Ran built = synod("dar build " + folder + "/main.lf -o " + dar);
  ASSERT_EQ(built.exit_code, 0) << built.output;
  EXPECT_EQ(synod("script test " + dar).exit_code, 2) << "there is no script without an argument";
  const Ran good = synod("script test " + dar + " --filter :double --input-file " + folder + "/good.json --json");
  EXPECT_EQ(good.exit_code, 0) << good.output;
  EXPECT_THAT(good.output, HasSubstr(R"("result":"42")"));
  const Ran bad = synod("script test " + dar + " --filter :double --input-file " + folder + "/bad.json");
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_THAT(bad.output, HasSubstr("SCRIPT_ARGUMENT_MALFORMED: argument: expected a value of type Int64"));
  EXPECT_EQ(synod("script test " + dar + " --filter :double --input-file /no/such.json").exit_code, 2);
  std::filesystem::remove_all(folder);
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
