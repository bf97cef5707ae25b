// Parties, time, users and packages of a participant, as scripts ask for them.
#include <algorithm>
#include <thread>

#include "testnet/script_ledger_impl.h"
#include "topology/proto_time.h"

namespace synod::testnet {

using namespace lf::script;

namespace {

void to_proto(const UserRight& right, api::admin::Right* out) {
  if (right.kind == "ParticipantAdmin") out->mutable_participant_admin();
  if (right.kind == "IdentityProviderAdmin") out->mutable_identity_provider_admin();
  if (right.kind == "CanActAs") out->mutable_can_act_as()->set_party(right.party);
  if (right.kind == "CanReadAs") out->mutable_can_read_as()->set_party(right.party);
  if (right.kind == "CanExecuteAs") out->mutable_can_execute_as()->set_party(right.party);
  if (right.kind == "CanReadAsAnyParty") out->mutable_can_read_as_any_party();
  if (right.kind == "CanExecuteAsAnyParty") out->mutable_can_execute_as_any_party();
  if (right.kind == "CanActAsAnyParty") out->mutable_can_act_as_any_party();
}
UserRight from_proto(const api::admin::Right& right) {
  using K = api::admin::Right;
  switch (right.kind_case()) {
    case K::kParticipantAdmin:
      return {"ParticipantAdmin", ""};
    case K::kIdentityProviderAdmin:
      return {"IdentityProviderAdmin", ""};
    case K::kCanActAs:
      return {"CanActAs", right.can_act_as().party()};
    case K::kCanReadAs:
      return {"CanReadAs", right.can_read_as().party()};
    case K::kCanExecuteAs:
      return {"CanExecuteAs", right.can_execute_as().party()};
    case K::kCanReadAsAnyParty:
      return {"CanReadAsAnyParty", ""};
    case K::kCanExecuteAsAnyParty:
      return {"CanExecuteAsAnyParty", ""};
    case K::kCanActAsAnyParty:
      return {"CanActAsAnyParty", ""};
    case K::KIND_NOT_SET:
      break;
  }
  return {};
}
template <typename Rights>
std::vector<UserRight> from_proto_list(const Rights& rights) {
  std::vector<UserRight> out;
  for (const auto& r : rights) out.push_back(from_proto(r));
  return out;
}
User from_proto(const api::admin::User& user) {
  return {user.id(), user.primary_party().empty() ? std::nullopt : std::optional(user.primary_party())};
}

}  // namespace

// ---- parties and time
// ------------------------------------------------------------------------------------------------

std::string ApiScriptLedger::unique_suffix() { return impl_->random->uuid().substr(0, 8); }

Result<lf::Party> ApiScriptLedger::allocate_party(const std::string& hint,
                                                  const std::vector<std::string>& participants) {
  if (participants.size() > 1)
    return fail(Error(kNotImplemented, ErrorCategory::unsupported,
                      "a party on several participants needs a connection to each of them; this runner has one"));
  api::admin::AllocatePartyRequest request;
  request.set_party_id_hint(hint);
  SYNOD_TRY(auto response, impl_->call(*impl_->parties, &api::admin::PartyManagementService::Stub::AllocateParty,
                                       "AllocateParty", request));
  return response.party_details().party();
}

Result<std::vector<PartyInfo>> ApiScriptLedger::known_parties(const ParticipantName&) {
  std::vector<PartyInfo> out;
  api::admin::ListKnownPartiesRequest request;
  for (;;) {
    SYNOD_TRY(auto response, impl_->call(*impl_->parties, &api::admin::PartyManagementService::Stub::ListKnownParties,
                                         "ListKnownParties", request));
    for (const auto& p : response.party_details()) out.push_back({p.party(), p.is_local()});
    if (response.next_page_token().empty()) return out;
    request.set_page_token(response.next_page_token());
  }
}

Result<Timestamp> ApiScriptLedger::time() {
  auto response = impl_->call(*impl_->time, &api::testing::TimeService::Stub::GetTime, "TimeService.GetTime",
                              api::testing::GetTimeRequest());
  if (response) return topology::parse_timestamp(response->current_time(), "current_time");
  if (response.error().id != kNotImplemented) return fail(std::move(response).error());
  return system_clock()->now();
}

Status ApiScriptLedger::set_time(Timestamp time) {
  api::testing::SetTimeRequest request;
  auto now = impl_->call(*impl_->time, &api::testing::TimeService::Stub::GetTime, "TimeService.GetTime",
                         api::testing::GetTimeRequest());
  if (!now && now.error().id == kNotImplemented)
    return fail(Error(kNotImplemented, ErrorCategory::unsupported,
                      "setTime is not supported in wallclock mode, and the participant has no time service"));
  if (!now) return fail(std::move(now).error());
  *request.mutable_current_time() = now->current_time();
  topology::put_timestamp(time, *request.mutable_new_time());
  SYNOD_RETURN_IF_ERROR(
      impl_->call(*impl_->time, &api::testing::TimeService::Stub::SetTime, "TimeService.SetTime", request));
  return {};
}

Status ApiScriptLedger::sleep(Duration duration) {
  if (duration.micros > 0) std::this_thread::sleep_for(std::chrono::microseconds(duration.micros));
  return {};
}

// ---- users
// -----------------------------------------------------------------------------------------------------------

namespace {

// The answer, or none when the participant says that there is one already or none at all.
template <typename Response, typename F>
auto unless(ErrorCategory category, Result<Response> response, F&& answer)
    -> Result<std::optional<decltype(answer(*response))>> {
  if (response) return std::optional(answer(*response));
  if (response.error().category == category) return std::nullopt;
  return fail(std::move(response).error());
}

}  // namespace

using UserStub = api::admin::UserManagementService::Stub;

Result<std::optional<lf::Unit>> ApiScriptLedger::create_user(const User& user, const std::vector<UserRight>& rights,
                                                             const ParticipantName&) {
  api::admin::CreateUserRequest request;
  request.mutable_user()->set_id(user.id);
  if (user.primary_party) request.mutable_user()->set_primary_party(*user.primary_party);
  for (const auto& r : rights) to_proto(r, request.add_rights());
  return unless(ErrorCategory::invalid_state_exists,
                impl_->call(*impl_->users, &UserStub::CreateUser, "CreateUser", request),
                [](auto&) { return lf::Unit{}; });
}

Result<std::optional<User>> ApiScriptLedger::user(const std::string& id, const ParticipantName&) {
  api::admin::GetUserRequest request;
  request.set_user_id(id);
  return unless(ErrorCategory::invalid_state_missing,
                impl_->call(*impl_->users, &UserStub::GetUser, "GetUser", request),
                [](auto& r) { return from_proto(r.user()); });
}

Result<std::optional<lf::Unit>> ApiScriptLedger::delete_user(const std::string& id, const ParticipantName&) {
  api::admin::DeleteUserRequest request;
  request.set_user_id(id);
  return unless(ErrorCategory::invalid_state_missing,
                impl_->call(*impl_->users, &UserStub::DeleteUser, "DeleteUser", request),
                [](auto&) { return lf::Unit{}; });
}

Result<std::vector<User>> ApiScriptLedger::users(const ParticipantName&) {
  std::vector<User> out;
  api::admin::ListUsersRequest request;
  for (;;) {
    SYNOD_TRY(auto response, impl_->call(*impl_->users, &UserStub::ListUsers, "ListUsers", request));
    for (const auto& u : response.users()) out.push_back(from_proto(u));
    if (response.next_page_token().empty()) return out;
    request.set_page_token(response.next_page_token());
  }
}

Result<std::optional<std::vector<UserRight>>> ApiScriptLedger::grant_rights(const std::string& id,
                                                                            const std::vector<UserRight>& rights,
                                                                            const ParticipantName&) {
  api::admin::GrantUserRightsRequest request;
  request.set_user_id(id);
  for (const auto& r : rights) to_proto(r, request.add_rights());
  return unless(ErrorCategory::invalid_state_missing,
                impl_->call(*impl_->users, &UserStub::GrantUserRights, "GrantUserRights", request),
                [](auto& r) { return from_proto_list(r.newly_granted_rights()); });
}

Result<std::optional<std::vector<UserRight>>> ApiScriptLedger::revoke_rights(const std::string& id,
                                                                             const std::vector<UserRight>& rights,
                                                                             const ParticipantName&) {
  api::admin::RevokeUserRightsRequest request;
  request.set_user_id(id);
  for (const auto& r : rights) to_proto(r, request.add_rights());
  return unless(ErrorCategory::invalid_state_missing,
                impl_->call(*impl_->users, &UserStub::RevokeUserRights, "RevokeUserRights", request),
                [](auto& r) { return from_proto_list(r.newly_revoked_rights()); });
}

Result<std::optional<std::vector<UserRight>>> ApiScriptLedger::rights(const std::string& id, const ParticipantName&) {
  api::admin::ListUserRightsRequest request;
  request.set_user_id(id);
  return unless(ErrorCategory::invalid_state_missing,
                impl_->call(*impl_->users, &UserStub::ListUserRights, "ListUserRights", request),
                [](auto& r) { return from_proto_list(r.rights()); });
}

// ---- packages
// --------------------------------------------------------------------------------------------------------

Status ApiScriptLedger::Impl::change_vetting(const std::vector<PackageNameVersion>& changed, bool vet) {
  api::admin::UpdateVettedPackagesRequest request;
  auto* change = request.add_changes();
  for (const auto& p : changed) {
    auto* ref = vet ? change->mutable_vet()->add_packages() : change->mutable_unvet()->add_packages();
    ref->set_package_name(p.name);
    ref->set_package_version(p.version);
  }
  SYNOD_RETURN_IF_ERROR(call(*admin_packages, &api::admin::PackageManagementService::Stub::UpdateVettedPackages,
                             "UpdateVettedPackages", request));
  return {};
}

Status ApiScriptLedger::vet(const std::vector<PackageNameVersion>& packages, const ParticipantName&) {
  return impl_->change_vetting(packages, true);
}
Status ApiScriptLedger::unvet(const std::vector<PackageNameVersion>& packages, const ParticipantName&) {
  return impl_->change_vetting(packages, false);
}

Result<std::string> ApiScriptLedger::participant_id() {
  SYNOD_TRY(const auto own, impl_->call(*impl_->parties, &api::admin::PartyManagementService::Stub::GetParticipantId,
                                        "GetParticipantId", api::admin::GetParticipantIdRequest()));
  return own.participant_id();
}

Result<std::vector<PackageNameVersion>> ApiScriptLedger::vetted_packages() {
  SYNOD_TRY(const std::string own, participant_id());
  return vetted_packages_of(own);
}

Result<std::vector<PackageNameVersion>> ApiScriptLedger::vetted_packages_of(const std::string& participant_id) {
  std::vector<PackageNameVersion> out;
  api::ListVettedPackagesRequest request;
  request.mutable_topology_state_filter()->add_participant_ids(participant_id);
  for (;;) {
    SYNOD_TRY(auto response, impl_->call(*impl_->package_service, &api::PackageService::Stub::ListVettedPackages,
                                         "ListVettedPackages", request));
    for (const auto& by_participant : response.vetted_packages())
      for (const auto& p : by_participant.packages()) out.push_back({p.package_name(), p.package_version()});
    if (response.next_page_token().empty()) break;
    request.set_page_token(response.next_page_token());
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

Result<std::vector<PackageNameVersion>> ApiScriptLedger::all_packages() {
  SYNOD_TRY(auto response,
            impl_->call(*impl_->admin_packages, &api::admin::PackageManagementService::Stub::ListKnownPackages,
                        "ListKnownPackages", api::admin::ListKnownPackagesRequest()));
  std::vector<PackageNameVersion> out;
  for (const auto& p : response.package_details()) out.push_back({p.name(), p.version()});
  return out;
}

}  // namespace synod::testnet
