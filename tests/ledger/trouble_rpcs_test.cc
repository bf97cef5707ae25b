// What a participant answers whose synchronizer is not there, or gives no verdicts.
#include "tests/ledger/ledger_rpcs.h"

namespace synod::ledger_rpcs {
namespace {

using ::testing::Contains;
using ::testing::StartsWith;

constexpr auto kSubmission = &api::CommandSubmissionService::Stub::Submit;

}  // namespace

// It reads what it has and takes packages, and says of the rest why it cannot.
class LedgerWithoutSynchronizer : public LedgerRpcs {
 protected:
  static void SetUpTestSuite() { start({.others = {}}); }
};

TEST_F(LedgerWithoutSynchronizer, ReadsAndTakesPackagesOnly) {
  EXPECT_THAT(strings(ask(&api::PackageService::Stub::ListPackages, {}).package_ids()), Contains(package_));
  const auto end = ask(&api::StateService::Stub::GetLedgerEnd, {});
  EXPECT_EQ(end.offset(), 0);
  EXPECT_EQ(end.synchronizer_times_size(), 0);
  api::GetActiveContractsRequest active;
  *active.mutable_event_format() = everything_of({"somebody::1220"});
  EXPECT_TRUE(ask(&api::StateService::Stub::GetActiveContracts, active).empty());
  EXPECT_EQ(ask(&admin::PartyManagementService::Stub::ListKnownParties, {}).party_details_size(), 0);

  api::SubmitRequest submit;
  *submit.mutable_commands() =
      commands("nobody takes it", {"somebody::1220"}, {create(iou("somebody::1220", "somebody::1220", "1.0"))});
  const auto submitted = end_of(kSubmission, submit);
  EXPECT_EQ(submitted.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(submitted.error_message(), StartsWith("NOT_CONNECTED_TO_ANY_SYNCHRONIZER("));
  admin::UpdateVettedPackagesRequest vet;
  vet.add_changes()->mutable_vet()->add_packages()->set_package_id(package_);
  const auto vetted = end_of(&admin::PackageManagementService::Stub::UpdateVettedPackages, vet);
  EXPECT_EQ(vetted.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(vetted.error_message(), StartsWith("NOT_CONNECTED_TO_ANY_SYNCHRONIZER("));
  admin::AllocatePartyRequest allocate;
  allocate.set_party_id_hint("Alice");
  const auto allocated = end_of(&admin::PartyManagementService::Stub::AllocateParty, allocate);
  EXPECT_EQ(allocated.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(allocated.error_message(), StartsWith("PARTY_ALLOCATION_WITHOUT_CONNECTED_SYNCHRONIZER("));
}

// No verdict comes, and as the time stands still no deadline passes either.
class LedgerWithoutMediator : public LedgerRpcs {
 protected:
  static void SetUpTestSuite() {
    start({.others = {"orderer", "sequencer"}, .static_time = true, .submit_timeout = Duration::milliseconds(100)});
  }
};

TEST_F(LedgerWithoutMediator, WhoWaitsIsToldThatTheOutcomeIsUnknown) {
  const auto payer = allocate("payer");
  api::SubmitAndWaitRequest waiting;
  *waiting.mutable_commands() = commands("undecided", {payer}, {create(iou(payer, payer, "1.0"))});
  const auto timed_out = end_of(&api::CommandService::Stub::SubmitAndWait, waiting);
  EXPECT_EQ(timed_out.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_THAT(timed_out.error_message(), StartsWith("REQUEST_TIME_OUT("));
  api::SubmitRequest again;
  *again.mutable_commands() = waiting.commands();
  const auto in_flight = end_of(kSubmission, again);
  EXPECT_EQ(in_flight.error_code(), grpc::StatusCode::ABORTED);
  EXPECT_THAT(in_flight.error_message(), StartsWith("SUBMISSION_ALREADY_IN_FLIGHT("));
}

}  // namespace synod::ledger_rpcs
