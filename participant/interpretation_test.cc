// What a participant asks of the Daml-LF engine beyond running the commands: names stand for vetted packages only, and
// failures tell where they happened.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lf/text/assembler.h"
#include "participant/testing/mini_network.h"

namespace synod::participant {
namespace {

using lf::Value;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr const char* kFace = R"(metadata ('face' : '1.0.0') module F {
  record @serializable View = {} ;
  interface (this : I) = { viewtype F:View ;
    choice @nonConsuming Look (self) (who: Party) : Unit , controllers Cons @Party [who] (Nil @Party) to upure @Unit () ; } ;
})";
constexpr const char* kApp = R"(metadata ('app' : '1.0.0') module M {
  record @serializable T = { p: Party } ; record @serializable Fail = {} ;
  template (this : T) = { signatories Cons @Party [M:T {p} this] (Nil @Party) ;
    choice @nonConsuming Fail (self) (f: M:Fail) : Unit , controllers Cons @Party [M:T {p} this] (Nil @Party)
      to FAIL_WITH_STATUS @(Update Unit) "TOO_LATE" INVALID_GIVEN_CURRENT_SYSTEM_STATE_OTHER "closed" (TEXTMAP_EMPTY @Text) ;
    implements 'face':F:I { view = 'face':F:View {} ; } ; } ;
})";

class Interpretation : public ::testing::Test {
 protected:
  Interpretation() {
    const auto face = lf::assemble_package(kFace);
    EXPECT_TRUE(face);
    const auto app = lf::assemble_package(kApp, {.dependencies = std::span(&*face, 1)});
    EXPECT_TRUE(app);
    face_ = face->package;
    app_ = app->package;
  }
  // A network whose participant has vetted these packages.
  void start(const std::vector<lf::PackagePtr>& vetted) {
    auto packages = std::make_shared<lf::PackageStore>();
    for (const auto& package : vetted) packages->add(package);
    net_ = std::make_unique<MiniNetwork>(std::move(packages), 1);
    alice_ = net_->host("alice", 0);
    net_->start();
  }
  Error refusal(lf::Command command, std::vector<lf::ContractInstance> disclosed = {}) {
    CommandSubmission submission;
    submission.act_as = {alice_};
    submission.commands = {std::move(command)};
    submission.disclosed_contracts = std::move(disclosed);
    auto result = net_->nodes[0].core->interpret(submission, net_->clock);
    EXPECT_FALSE(result);
    return result ? Error() : result.error();
  }

  lf::PackagePtr face_, app_;
  std::unique_ptr<MiniNetwork> net_;
  std::string alice_;
};

TEST_F(Interpretation, NamesStandForVettedPackages) {
  start({face_});
  net_->packages->add(app_);  // uploaded, but not vetted
  lf::ContractInstance contract;
  contract.contract_id = *lf::ContractId::from_bytes(Bytes(1, '\0') + Bytes(32, 'c') + "suffix");
  contract.version = "2.1";
  contract.package_name = "app";
  contract.template_id = {app_->id(), "M", "T"};
  contract.argument = Value::record({Value::party(alice_)});
  contract.signatories = contract.stakeholders = {alice_};
  const Error by_interface = refusal(
      lf::ExerciseCommand{{face_->id(), "F", "I"}, contract.contract_id, "Look", Value::party(alice_)}, {contract});
  EXPECT_EQ(by_interface.id, "UNRESOLVED_PACKAGE_NAME");
  EXPECT_THAT(by_interface.cause, HasSubstr("failed package name resolution: app"));
  const Error by_name = refusal(lf::CreateCommand{{"#app", "M", "T"}, contract.argument});
  EXPECT_EQ(by_name.id, "PACKAGE_NOT_FOUND");
}

TEST_F(Interpretation, FailuresTellWhereTheyHappened) {
  start({face_, app_});
  const Error failure = refusal(lf::CreateAndExerciseCommand{
      {"#app", "M", "T"}, Value::record({Value::party(alice_)}), "Fail", Value::record({})});
  EXPECT_EQ(failure.id, "DAML_FAILURE");
  EXPECT_EQ(failure.category, ErrorCategory::invalid_state_other);
  std::map<std::string, std::string> context(failure.context.begin(), failure.context.end());
  EXPECT_EQ(context["error_id"], "TOO_LATE");
  const std::string type = app_->id().substr(0, 8) + ":M:T:Fail";
  EXPECT_THAT(context["exercise_trace"], AllOf(HasSubstr("in choice " + type + " on contract 00"),
                                               HasSubstr("in create-and-exercise command " + type + ".\n")));
}

}  // namespace
}  // namespace synod::participant
