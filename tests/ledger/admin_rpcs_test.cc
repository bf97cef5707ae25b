// Packages, parties, users, the version and static time.
#include "base/testing/shared_files.h"
#include "crypto/hash.h"
#include "lf/archive/dar.h"
#include "lf/text/assembler.h"
#include "tests/ledger/ledger_rpcs.h"

namespace synod::ledger_rpcs {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

using Packages = api::PackageService::Stub;
using PackageAdmin = admin::PackageManagementService::Stub;
using Parties = admin::PartyManagementService::Stub;
using Users = admin::UserManagementService::Stub;

admin::Right act_as(const std::string& party) {
  admin::Right right;
  right.mutable_can_act_as()->set_party(party);
  return right;
}
admin::Right read_as(const std::string& party) {
  admin::Right right;
  right.mutable_can_read_as()->set_party(party);
  return right;
}

template <typename Rights>
std::vector<std::string> shown(const Rights& rights) {
  std::vector<std::string> out;
  for (const admin::Right& right : rights) out.push_back(right.ShortDebugString());
  std::sort(out.begin(), out.end());
  return out;
}

template <typename Details>
std::vector<std::string> names(const Details& details) {
  std::vector<std::string> out;
  for (const admin::PartyDetails& party : details) out.push_back(party.party());
  return out;
}

}  // namespace

TEST_F(LedgerRpcs, PackagesAreListedAndRead) {
  EXPECT_THAT(strings(ask(&Packages::ListPackages, {}).package_ids()), Contains(package_));
  const auto known = ask(&PackageAdmin::ListKnownPackages, {});
  const auto iou = std::find_if(known.package_details().begin(), known.package_details().end(),
                                [&](const auto& one) { return one.package_id() == package_; });
  ASSERT_NE(iou, known.package_details().end());
  EXPECT_EQ(iou->name(), "synod-example-iou");
  EXPECT_EQ(iou->version(), "1.0.0");
  EXPECT_GT(iou->package_size(), 0u);
  EXPECT_GT(iou->known_since().seconds(), 0);

  api::GetPackageRequest get;
  get.set_package_id(package_);
  const auto package = ask(&Packages::GetPackage, get);
  EXPECT_EQ(package.hash(), package_);
  EXPECT_EQ(package.hash_function(), api::HASH_FUNCTION_SHA256);
  EXPECT_EQ(to_hex(crypto::sha256(package.archive_payload())), package_);

  api::GetPackageStatusRequest status;
  status.set_package_id(package_);
  EXPECT_EQ(ask(&Packages::GetPackageStatus, status).package_status(), api::PACKAGE_STATUS_REGISTERED);
  status.set_package_id("unknown");
  EXPECT_EQ(ask(&Packages::GetPackageStatus, status).package_status(), api::PACKAGE_STATUS_UNSPECIFIED);
}

TEST_F(LedgerRpcs, ADarIsValidatedUploadedVettedAndUnvetted) {
  const auto dar = lf::assemble_dar(synod::testing::read_file("examples/ping.lf")).value();
  const auto ping = lf::decode_dar(dar)->main().id();
  const auto known = [&] { return strings(ask(&Packages::ListPackages, {}).package_ids()); };
  api::ListVettedPackagesRequest named;
  named.mutable_package_metadata_filter()->add_package_name_prefixes("synod-example-ping");
  const auto vetted = [&] { return ask(&Packages::ListVettedPackages, named).vetted_packages(); };

  admin::ValidateDarFileRequest validate;
  validate.set_dar_file(dar);
  ask(&PackageAdmin::ValidateDarFile, validate);
  EXPECT_THAT(known(), Not(Contains(ping))) << "it was only looked at";

  admin::UploadDarFileRequest upload;
  upload.set_dar_file(dar);
  upload.set_vetting_change(admin::UploadDarFileRequest::VETTING_CHANGE_DONT_VET_ANY_PACKAGES);
  ask(&PackageAdmin::UploadDarFile, upload);
  EXPECT_THAT(known(), Contains(ping));
  EXPECT_THAT(vetted(), IsEmpty());

  const auto party = allocate("vetting-party");
  api::SubmitRequest submit;
  api::Command create;
  create.mutable_create()->mutable_template_id()->set_package_id(ping);
  create.mutable_create()->mutable_template_id()->set_module_name("Ping");
  create.mutable_create()->mutable_template_id()->set_entity_name("Ping");
  auto& arguments = *create.mutable_create()->mutable_create_arguments();
  arguments.add_fields()->mutable_value()->set_text("1");
  for (int i = 0; i < 2; ++i) arguments.add_fields()->mutable_value()->set_party(party);
  *submit.mutable_commands() = commands("not vetted", {party}, {create});
  const auto refused = end_of(&api::CommandSubmissionService::Stub::Submit, submit);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(refused.error_message(), ::testing::StartsWith("PACKAGE_NOT_VETTED_BY_RECIPIENTS("));

  admin::UpdateVettedPackagesRequest vet;
  auto& reference = *vet.add_changes()->mutable_vet()->add_packages();
  reference.set_package_name("synod-example-ping");
  reference.set_package_version("1.0.0");
  vet.set_dry_run(true);
  const auto tried = ask(&PackageAdmin::UpdateVettedPackages, vet);
  EXPECT_THAT(vetted(), IsEmpty()) << "it was a dry run";
  vet.set_dry_run(false);
  vet.mutable_expected_topology_serial()->set_prior(tried.past_vetted_packages().topology_serial());
  const auto done = ask(&PackageAdmin::UpdateVettedPackages, vet);
  EXPECT_EQ(done.new_vetted_packages().topology_serial(), done.past_vetted_packages().topology_serial() + 1);
  EXPECT_EQ(done.new_vetted_packages().packages_size(), done.past_vetted_packages().packages_size() + 1);
  const auto listed = vetted();
  ASSERT_THAT(listed, SizeIs(1));
  EXPECT_EQ(listed[0].participant_id(), ask(&Parties::GetParticipantId, {}).participant_id());
  EXPECT_EQ(listed[0].synchronizer_id(), synchronizer_);
  EXPECT_EQ(listed[0].topology_serial(), done.new_vetted_packages().topology_serial());
  ASSERT_THAT(listed[0].packages(), SizeIs(1));
  EXPECT_EQ(listed[0].packages(0).package_id(), ping);
  api::SubmitAndWaitRequest through;  // before its package is not vetted any more
  *through.mutable_commands() = submit.commands();
  ask(&api::CommandService::Stub::SubmitAndWait, through);

  admin::UpdateVettedPackagesRequest unvet;
  unvet.add_changes()->mutable_unvet()->add_packages()->set_package_id(ping);
  ask(&PackageAdmin::UpdateVettedPackages, unvet);
  EXPECT_THAT(vetted(), IsEmpty());
  EXPECT_THAT(known(), Contains(ping));
}

TEST_F(LedgerRpcs, PartiesAreAllocatedAndListed) {
  const auto participant = ask(&Parties::GetParticipantId, {}).participant_id();
  EXPECT_THAT(participant, ::testing::StartsWith("participant::1220"));
  admin::AllocatePartyRequest allocating;
  allocating.set_party_id_hint("listed-1");
  (*allocating.mutable_local_metadata()->mutable_annotations())["synod.example/colour"] = "red";
  const auto first = ask(&Parties::AllocateParty, allocating).party_details();
  EXPECT_THAT(first.party(), ::testing::StartsWith("listed-1::1220"));
  EXPECT_TRUE(first.is_local());
  EXPECT_EQ(first.local_metadata().annotations().at("synod.example/colour"), "red");
  const auto second = allocate("listed-2"), third = allocate("listed-3");

  admin::GetPartiesRequest get;
  for (const auto& party : {third, first.party(), std::string("nobody::1220")}) get.add_parties(party);
  const auto found = ask(&Parties::GetParties, get);
  EXPECT_THAT(names(found.party_details()), ElementsAre(first.party(), third));
  EXPECT_EQ(found.party_details(0).local_metadata().annotations().at("synod.example/colour"), "red");

  admin::ListKnownPartiesRequest list;
  list.set_filter_party("listed-");
  EXPECT_THAT(names(ask(&Parties::ListKnownParties, list).party_details()), ElementsAre(first.party(), second, third));
  list.clear_filter_party();
  list.set_page_size(1);
  std::vector<std::string> paged;
  do {
    const auto page = ask(&Parties::ListKnownParties, list);
    ASSERT_LE(page.party_details_size(), 1);
    for (const auto& name : names(page.party_details())) paged.push_back(name);
    list.set_page_token(page.next_page_token());
  } while (!list.page_token().empty());
  list.set_page_size(0);
  EXPECT_THAT(paged, Contains(second));
  EXPECT_EQ(paged, names(ask(&Parties::ListKnownParties, list).party_details()));
}

TEST_F(LedgerRpcs, UsersAreKeptWithTheirRights) {
  const auto party = allocate("users-party");
  admin::CreateUserRequest create;
  create.mutable_user()->set_id("teller");
  create.mutable_user()->set_primary_party(party);
  *create.add_rights() = act_as(party);
  const auto created = ask(&Users::CreateUser, create).user();
  EXPECT_EQ(created.primary_party(), party);
  EXPECT_NE(created.metadata().resource_version(), "");

  admin::UpdateUserRequest update;
  *update.mutable_user() = created;
  update.mutable_user()->set_is_deactivated(true);
  (*update.mutable_user()->mutable_metadata()->mutable_annotations())["desk"] = "4";
  update.mutable_update_mask()->add_paths("is_deactivated");
  update.mutable_update_mask()->add_paths("metadata.annotations");
  const auto updated = ask(&Users::UpdateUser, update).user();
  EXPECT_TRUE(updated.is_deactivated());
  EXPECT_NE(updated.metadata().resource_version(), created.metadata().resource_version());
  admin::GetUserRequest get;
  get.set_user_id("teller");
  EXPECT_EQ(ask(&Users::GetUser, get).user().metadata().annotations().at("desk"), "4");

  admin::GrantUserRightsRequest grant;
  grant.set_user_id("teller");
  *grant.add_rights() = act_as(party);
  *grant.add_rights() = read_as(party);
  EXPECT_EQ(shown(ask(&Users::GrantUserRights, grant).newly_granted_rights()), shown(std::vector{read_as(party)}));
  admin::RevokeUserRightsRequest revoke;
  revoke.set_user_id("teller");
  *revoke.add_rights() = act_as(party);
  EXPECT_EQ(shown(ask(&Users::RevokeUserRights, revoke).newly_revoked_rights()), shown(std::vector{act_as(party)}));
  admin::ListUserRightsRequest rights;
  rights.set_user_id("teller");
  EXPECT_EQ(shown(ask(&Users::ListUserRights, rights).rights()), shown(std::vector{read_as(party)}));

  admin::UpdateUserIdentityProviderIdRequest stay;  // the default identity provider is the only one
  stay.set_user_id("teller");
  ask(&Users::UpdateUserIdentityProviderId, stay);
  const auto users = [&] {
    std::vector<std::string> out;
    const auto listed = ask(&Users::ListUsers, {});
    for (const auto& user : listed.users()) out.push_back(user.id());
    return out;
  };
  EXPECT_THAT(users(), ElementsAre("participant_admin", "teller"));
  admin::DeleteUserRequest remove;
  remove.set_user_id("teller");
  ask(&Users::DeleteUser, remove);
  EXPECT_THAT(users(), ElementsAre("participant_admin"));
}

TEST_F(LedgerRpcs, TheVersionSaysWhatThereIs) {
  const auto answer = ask(&api::VersionService::Stub::GetLedgerApiVersion, {});
  EXPECT_THAT(answer.version(), ::testing::MatchesRegex("3\\.[0-9]+\\.[0-9]+"));
  EXPECT_TRUE(answer.features().user_management().supported());
  EXPECT_GT(answer.features().user_management().max_rights_per_user(), 0);
  EXPECT_GT(answer.features().user_management().max_users_page_size(), 0);
  EXPECT_GT(answer.features().party_management().max_parties_page_size(), 0);
  EXPECT_GT(answer.features().package_feature().max_vetted_packages_page_size(), 0);
  EXPECT_GT(answer.features().offset_checkpoint().max_offset_checkpoint_emission_delay().seconds(), 0);
  EXPECT_FALSE(answer.features().experimental().static_time().supported());
  EXPECT_EQ(end_of(&api::testing::TimeService::Stub::GetTime, {}).error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

// A network of its own, whose clock stands still until somebody sets it.
class LedgerWithStaticTime : public LedgerRpcs {
 protected:
  static void SetUpTestSuite() { start({.static_time = true}); }
};

TEST_F(LedgerWithStaticTime, TimeIsReadAndSet) {
  using Time = api::testing::TimeService::Stub;
  EXPECT_TRUE(
      ask(&api::VersionService::Stub::GetLedgerApiVersion, {}).features().experimental().static_time().supported());
  const auto before = ask(&Time::GetTime, {}).current_time();
  api::testing::SetTimeRequest set;
  *set.mutable_current_time() = before;
  *set.mutable_new_time() = before;
  set.mutable_new_time()->set_seconds(before.seconds() + 3600);
  ask(&Time::SetTime, set);
  EXPECT_EQ(ask(&Time::GetTime, {}).current_time().seconds(), before.seconds() + 3600);
  for (const auto& wrong : {set.current_time(), set.new_time()}) {  // what it no longer is, and a way back
    api::testing::SetTimeRequest back;
    *back.mutable_current_time() = wrong;
    *back.mutable_new_time() = before;
    const auto refused = end_of(&Time::SetTime, back);
    EXPECT_EQ(refused.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << refused.error_message();
  }

  const auto payer = allocate("payer");
  const auto transaction = submit(commands("at that time", {payer}, {create(iou(payer, payer, "1.0"))}));
  EXPECT_EQ(transaction.effective_at().seconds(), before.seconds() + 3600);
  ASSERT_EQ(transaction.events_size(), 1);
  EXPECT_EQ(transaction.events(0).created().created_at().seconds(), before.seconds() + 3600);
}

}  // namespace synod::ledger_rpcs
