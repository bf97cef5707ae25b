// Fields of requests that are easily passed over: each is honoured, or refused with its reason.
#include <limits>

#include "base/testing/shared_files.h"
#include "tests/ledger/ledger_rpcs.h"

namespace synod::ledger_rpcs {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr auto kAllocate = &admin::PartyManagementService::Stub::AllocateParty;
constexpr auto kUpload = &admin::PackageManagementService::Stub::UploadDarFile;
constexpr auto kValidate = &admin::PackageManagementService::Stub::ValidateDarFile;
constexpr auto kSynchronizers = &api::StateService::Stub::GetConnectedSynchronizers;
constexpr std::int64_t kForEver = std::numeric_limits<std::int64_t>::max();

}  // namespace

class LedgerFields : public LedgerRpcs {
 protected:
  static grpc::Status submitting(const std::function<void(api::Commands&)>& change) {
    static int submissions = 0;
    const auto payer = allocate("hasty-" + std::to_string(++submissions));
    api::SubmitAndWaitRequest request;
    *request.mutable_commands() = commands("changed", {payer}, {create(iou(payer, payer, "1.0"))});
    change(*request.mutable_commands());
    return end_of(&api::CommandService::Stub::SubmitAndWait, request);
  }
  static std::size_t parties_called(const std::string& hint) {
    admin::ListKnownPartiesRequest request;
    request.set_filter_party(hint + "::");
    return static_cast<std::size_t>(
        ask(&admin::PartyManagementService::Stub::ListKnownParties, request).party_details_size());
  }
};

TEST_F(LedgerFields, WhoeverAPartyIsAllocatedForMayActAsIt) {
  admin::CreateUserRequest user;
  user.mutable_user()->set_id("keeper");
  ask(&admin::UserManagementService::Stub::CreateUser, user);
  admin::AllocatePartyRequest request;
  request.set_party_id_hint("kept");
  request.set_user_id("keeper");
  const std::string party = ask(kAllocate, request).party_details().party();
  admin::ListUserRightsRequest of_keeper;
  of_keeper.set_user_id("keeper");
  const auto rights = ask(&admin::UserManagementService::Stub::ListUserRights, of_keeper).rights();
  ASSERT_THAT(rights, SizeIs(1));
  EXPECT_EQ(rights[0].can_act_as().party(), party);
}

TEST_F(LedgerFields, APartyIsAllocatedAsAskedOrNotAtAll) {
  const auto refuses = [](const std::function<void(admin::AllocatePartyRequest&)>& change, StatusCode code,
                          const std::string& id) {
    admin::AllocatePartyRequest request;
    request.set_party_id_hint("unwanted");
    change(request);
    EXPECT_TRUE(refused(end_of(kAllocate, request), code, id));
  };
  refuses([](auto& request) { request.set_user_id("nobody"); }, StatusCode::NOT_FOUND, "USER_NOT_FOUND");
  refuses([](auto& request) { request.set_user_id("no body"); }, StatusCode::INVALID_ARGUMENT, "INVALID_FIELD");
  refuses([](auto& request) { request.set_synchronizer_id("other::1220"); }, StatusCode::NOT_FOUND,
          "SYNCHRONIZER_NOT_FOUND");
  refuses([](auto& request) { request.set_identity_provider_id("somebody"); }, StatusCode::INVALID_ARGUMENT,
          "INVALID_ARGUMENT");
  EXPECT_EQ(parties_called("unwanted"), 0u);
}

TEST_F(LedgerFields, ADarGoesWhereItIsMeantToAndIsVettedAsAsked) {
  admin::UploadDarFileRequest upload;
  upload.set_dar_file(dar_);
  upload.set_synchronizer_id(synchronizer_);
  EXPECT_TRUE(end_of(kUpload, upload).ok());
  upload.set_synchronizer_id("other::1220");
  EXPECT_TRUE(refused(end_of(kUpload, upload), StatusCode::NOT_FOUND, "SYNCHRONIZER_NOT_FOUND"));
  upload.clear_synchronizer_id();
  upload.set_vetting_change(static_cast<admin::UploadDarFileRequest::VettingChange>(77));
  EXPECT_TRUE(refused(end_of(kUpload, upload), StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", "vetting_change"));
  admin::ValidateDarFileRequest validate;
  validate.set_dar_file(dar_);
  validate.set_synchronizer_id("other::1220");
  EXPECT_TRUE(refused(end_of(kValidate, validate), StatusCode::NOT_FOUND, "SYNCHRONIZER_NOT_FOUND"));
}

TEST_F(LedgerFields, ConnectedSynchronizersAreThoseOfTheParticipantAskedFor) {
  api::GetConnectedSynchronizersRequest request;
  request.set_party(allocate("hosted"));
  request.set_participant_id(ask(&admin::PartyManagementService::Stub::GetParticipantId, {}).participant_id());
  const auto here = ask(kSynchronizers, request).connected_synchronizers();
  ASSERT_THAT(here, SizeIs(1));
  EXPECT_EQ(here[0].permission(), api::PARTICIPANT_PERMISSION_SUBMISSION);
  request.set_participant_id("elsewhere::1220" + std::string(64, '0'));
  EXPECT_THAT(ask(kSynchronizers, request).connected_synchronizers(), IsEmpty());
}

TEST_F(LedgerFields, TimesBeyondWhatCanBeToldAreRefused) {
  const auto refuses = [](const std::string& field, const std::function<void(api::Commands&)>& change) {
    EXPECT_TRUE(refused(submitting(change), StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", field));
  };
  refuses("deduplication_period", [](auto& c) { c.mutable_deduplication_duration()->set_seconds(kForEver); });
  refuses("deduplication_period",
          [](auto& c) { c.mutable_deduplication_duration()->set_seconds(kForEver / 1'000'000); });
  refuses("min_ledger_time_abs", [](auto& c) { c.mutable_min_ledger_time_abs()->set_seconds(kForEver); });
  refuses("min_ledger_time_rel", [](auto& c) { c.mutable_min_ledger_time_rel()->set_seconds(-kForEver); });
  refuses("min_ledger_time_rel", [](auto& c) { c.mutable_min_ledger_time_rel()->set_nanos(-2'000'000'000); });
}

TEST_F(LedgerFields, AnEndBeforeTheBeginningIsOutOfRange) {
  allocate("somebody");
  allocate("somebody-else");  // an update each: this test may run alone
  api::GetUpdatesRequest request;
  const std::int64_t end = ledger_end();
  ASSERT_GE(end, 2);
  request.set_begin_exclusive(end);
  request.set_end_inclusive(end - 1);
  *request.mutable_update_format() = transactions_of({"somebody"}, kDelta);
  EXPECT_TRUE(refused(end_of(&api::UpdateService::Stub::GetUpdates, request), StatusCode::FAILED_PRECONDITION,
                      "OFFSET_OUT_OF_RANGE", "is before begin offset"));
}

}  // namespace synod::ledger_rpcs
