// Every error that a submission can end with, as each version of the script library represents it.
#include "lf/script/submit_error.h"

#include <gtest/gtest.h>

#include "base/testing/shared_files.h"
#include "lf/archive/dar.h"
#include "lf/eval/machine.h"
#include "lf/ledger/value_codec.h"
#include "lf/package_store.h"

namespace synod::lf::script {
namespace {

struct Case {
  const char* id;
  const char* constructor;
  std::vector<std::pair<std::string, std::string>> resources;
};

class SubmitErrors : public ::testing::TestWithParam<const char*> {};

TEST_P(SubmitErrors, HaveTheirConstructor) {
  SYNOD_NEEDS_SHARED(path, std::string("dars/") + GetParam());
  auto dar = decode_dar(synod::testing::read_file(path));
  ASSERT_TRUE(dar);
  auto packages = std::make_shared<PackageStore>();
  for (const auto& entry : dar->entries) packages->add(entry.package);
  const Package* library = nullptr;
  const Package* holder = nullptr;  // of some template
  for (const Package* p : packages->all()) {
    if (p->has_module("Daml.Script.Internal.LowLevel")) library = p;
    if (!p->templates().empty()) holder = p;
  }
  ASSERT_TRUE(library && holder);
  const Template& t = holder->templates()[0];
  const std::string type = holder->id() + ":" + holder->qualified_name(t);
  const std::string contract = "00" + std::string(64, 'a') + "ca12";

  eval::Program program(packages);
  eval::Machine machine(program, {nullptr, nullptr, Timestamp(), {}, false, Limits(), {}});
  ScriptValues values(program, machine, *library);
  const std::vector<Case> cases{
      {"CONTRACT_NOT_FOUND", "ContractNotFound", {{"CONTRACT_ID", contract}}},
      {"CONTRACT_NOT_FOUND", "ContractNotFound", {{"CONTRACT_IDS", "[" + contract + ", " + contract + "]"}}},
      {"CONTRACT_NOT_ACTIVE", "ContractNotFound", {{"TEMPLATE_ID", type}, {"CONTRACT_ID", contract}}},
      {"DAML_AUTHORIZATION_ERROR", "AuthorizationError", {}},
      {"INTERPRETATION_USER_ERROR", "UserError", {{"EXCEPTION_TEXT", "no"}}},
      {"INTERPRETATION_USER_ERROR", "TruncatedError", {}},  // a participant left the resources out
      {"TEMPLATE_PRECONDITION_VIOLATED", "TemplatePreconditionViolated", {}},
      {"WRONGLY_TYPED_CONTRACT",
       "WronglyTypedContract",
       {{"CONTRACT_ID", contract}, {"TEMPLATE_ID", type}, {"TEMPLATE_ID", type}}},
      {"CONTRACT_DOES_NOT_IMPLEMENT_INTERFACE",
       "ContractDoesNotImplementInterface",
       {{"CONTRACT_ID", contract}, {"TEMPLATE_ID", type}, {"INTERFACE_ID", type}}},
      {"NON_COMPARABLE_VALUES", "NonComparableValues", {}},
      {"CONTRACT_ID_IN_CONTRACT_KEY", "ContractIdInContractKey", {}},
      {"CONTRACT_ID_COMPARABILITY", "ContractIdComparability", {{"CONTRACT_ID", contract}}},
      {"VALUE_NESTING", "ValueNesting", {}},
      {"LOCAL_VERDICT_LOCKED_CONTRACTS", "LocalVerdictLockedContracts", {}},
      {"SOMETHING_ELSE", "UnknownError", {}},
  };
  for (const auto& c : cases) {
    Refusal refusal{Error(c.id, ErrorCategory::invalid_argument, "Error: why"), std::nullopt, std::nullopt};
    refusal.error.resources = c.resources;
    EXPECT_EQ(ScriptValues::constructor(submit_error(values, refusal, false)), c.constructor) << c.id;
  }
}

// A participant's words reach the script as they came; of a ledger in memory it hears the error itself.
TEST_P(SubmitErrors, HaveTheLedgersText) {
  SYNOD_NEEDS_SHARED(path, std::string("dars/") + GetParam());
  auto dar = decode_dar(synod::testing::read_file(path));
  ASSERT_TRUE(dar);
  auto packages = std::make_shared<PackageStore>();
  const Package* library = nullptr;
  for (const auto& entry : dar->entries) {
    packages->add(entry.package);
    if (entry.package->has_module("Daml.Script.Internal.LowLevel")) library = entry.package.get();
  }
  ASSERT_TRUE(library);
  eval::Program program(packages);
  eval::Machine machine(program, {nullptr, nullptr, Timestamp(), {}, false, Limits(), {}});
  ScriptValues values(program, machine, *library);
  // The text that is first in the constructor's record.
  auto text = [&](const Refusal& refusal) {
    const eval::Cell error = ScriptValues::argument(submit_error(values, refusal, false));
    return ScriptValues::text_in(error.record->fields()[error.record->count - 1]);
  };
  const std::string sent = "SOMETHING_ELSE(8,12345678): Interpretation error: Error: why";
  Refusal remote{Error("SOMETHING_ELSE", ErrorCategory::invalid_argument, "Interpretation error: Error: why"),
                 std::nullopt, RemoteStatus{"INVALID_ARGUMENT", sent}};
  EXPECT_EQ(text(remote), sent);
  EXPECT_EQ(error_class(remote), "StatusRuntimeException");
  EXPECT_EQ(error_text(remote), "INVALID_ARGUMENT: " + sent);
  remote.error.id = "DAML_AUTHORIZATION_ERROR";
  EXPECT_EQ(text(remote), sent);
  remote.error.id = "CONTRACT_KEY_NOT_FOUND";  // its resources did not fit into the status
  EXPECT_EQ(text(remote), sent);

  auto memory = [](const char* id, const char* cause) {
    return Refusal{Error(id, ErrorCategory::invalid_argument, cause), std::nullopt, std::nullopt};
  };
  EXPECT_EQ(text(memory("DAML_AUTHORIZATION_ERROR", "Error: why")), "why");
  EXPECT_EQ(text(memory("PACKAGE_NOT_FOUND", "Error: unknown template")), "Lookup error: unknown template");
  EXPECT_EQ(text(memory("DAML_INTERPRETATION_ERROR", "Error: CRASH: bug")), "SErrorCrash(interpreter,bug)");
  EXPECT_EQ(error_class(memory("DAML_INTERPRETATION_ERROR", "Error: CRASH: bug")), "RunnerException");
  EXPECT_EQ(text(memory("INTERPRETATION_USER_ERROR", "Error: no")), "no") << "the resources are missing";
  if (!values.library_has("Daml.Script.Internal.Questions.Submit.Error", "SubmitError", "EffectfulRollbackError")) {
    EXPECT_EQ(text(memory("DAML_EFFECTFUL_ROLLBACK_ERROR", "Error: no")),
              "Outdated daml-script library failed to represent EffectfulRollbackError error as SubmitError");
  }
}

INSTANTIATE_TEST_SUITE_P(Libraries, SubmitErrors,
                         ::testing::Values("CantonExamples-3.2.0.dar", "splice-token-standard-test-v1-1.0.13.dar"));

TEST(FailureStatus, ComesBackFromTheErrorsText) {
  Error error("DAML_FAILURE", ErrorCategory::invalid_state_other,
              "Interpretation error: Error: User failure: my.app/NO (error category 9): not: (yet): done");
  error.context = {{"error_id", "my.app/NO"}, {"participant", "p1"}, {"colour", "red"}};
  auto status = failure_status_of(error, true);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->id, "my.app/NO");
  EXPECT_EQ(status->category, 9);
  EXPECT_EQ(status->message, "not: (yet): done");
  EXPECT_EQ(status->meta, (std::map<std::string, std::string>{{"colour", "red"}}));
  EXPECT_FALSE(failure_status_of(Error("OTHER", ErrorCategory::internal, ""), true));

  // What the program itself says is all its own, and the category may be any number.
  Error own("DAML_FAILURE", static_cast<ErrorCategory>(100), "User failure: a (error category 100): b");
  own.context = {{"error_id", "a"}, {"error_id", "other"}, {"participant", "mine"}};
  status = failure_status_of(own, false);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->id, "a");
  EXPECT_EQ(status->category, 100);
  EXPECT_EQ(status->message, "b");
  EXPECT_EQ(status->meta, (std::map<std::string, std::string>{{"error_id", "other"}, {"participant", "mine"}}));
}

}  // namespace
}  // namespace synod::lf::script
