// UserManagementService: users and their rights. What a right permits is not enforced yet; see the README's status.
#include <algorithm>
#include <array>

#include "ledger/admin_users.grpc.pb.h"
#include "participant/ledger_api/annotation_checks.h"
#include "participant/ledger_api/request_checks.h"
#include "participant/ledger_api/service_context.h"
#include "participant/ledger_api/update_codec.h"
#include "rpc/unary.h"

namespace synod::participant {
namespace {

namespace admin = api::admin;

using Rights = std::set<UserRight>;
using Kind = UserRight::Kind;

Result<UserRight> right_of(const admin::Right& right) {
  const auto with_party = [](Kind kind, const std::string& party) -> Result<UserRight> {
    SYNOD_TRY(auto id, party_id(party, "party"));
    return UserRight{kind, std::move(id)};
  };
  switch (right.kind_case()) {
    case admin::Right::kParticipantAdmin:
      return UserRight{Kind::participant_admin, {}};
    case admin::Right::kIdentityProviderAdmin:
      return UserRight{Kind::identity_provider_admin, {}};
    case admin::Right::kCanActAs:
      return with_party(Kind::can_act_as, right.can_act_as().party());
    case admin::Right::kCanReadAs:
      return with_party(Kind::can_read_as, right.can_read_as().party());
    case admin::Right::kCanExecuteAs:
      return with_party(Kind::can_execute_as, right.can_execute_as().party());
    case admin::Right::kCanReadAsAnyParty:
      return UserRight{Kind::can_read_as_any_party, {}};
    case admin::Right::kCanExecuteAsAnyParty:
      return UserRight{Kind::can_execute_as_any_party, {}};
    case admin::Right::kCanActAsAnyParty:
      return UserRight{Kind::can_act_as_any_party, {}};
    case admin::Right::KIND_NOT_SET:
      break;
  }
  return fail(
      invalid_request("unknown kind of right - check that the Ledger API version of the server is recent enough"));
}

void show(const UserRight& right, admin::Right* out) {
  switch (right.kind) {
    case Kind::participant_admin:
      out->mutable_participant_admin();
      break;
    case Kind::identity_provider_admin:
      out->mutable_identity_provider_admin();
      break;
    case Kind::can_act_as:
      out->mutable_can_act_as()->set_party(right.party);
      break;
    case Kind::can_read_as:
      out->mutable_can_read_as()->set_party(right.party);
      break;
    case Kind::can_execute_as:
      out->mutable_can_execute_as()->set_party(right.party);
      break;
    case Kind::can_read_as_any_party:
      out->mutable_can_read_as_any_party();
      break;
    case Kind::can_execute_as_any_party:
      out->mutable_can_execute_as_any_party();
      break;
    case Kind::can_act_as_any_party:
      out->mutable_can_act_as_any_party();
      break;
  }
}

template <typename List>
Result<Rights> rights_of(const List& list) {
  Rights out;
  for (const auto& item : list) {
    SYNOD_TRY(auto right, right_of(item));
    out.insert(std::move(right));
  }
  return out;
}

template <typename List>
void show(const Rights& rights, List* out) {
  for (const auto& right : rights) show(right, out->Add());
}

void show(const User& user, admin::User* out) {
  out->set_id(user.id);
  out->set_primary_party(user.primary_party);
  out->set_is_deactivated(user.is_deactivated);
  out->set_primary_party_authentication(user.primary_party_authentication);
  out->set_identity_provider_id(user.identity_provider_id);
  auto& metadata = *out->mutable_metadata();
  metadata.set_resource_version(std::to_string(user.resource_version));
  for (const auto& [key, value] : user.annotations) (*metadata.mutable_annotations())[key] = value;
}

// The fields of a user that requests carry; `allow_empty_annotations`: in updates.
Result<User> user_of(const admin::User& user, const char* id_field, bool allow_empty_annotations) {
  User out;
  SYNOD_TRY(out.id, user_id(user.id(), id_field));
  out.annotations = {user.metadata().annotations().begin(), user.metadata().annotations().end()};
  SYNOD_RETURN_IF_ERROR(check_annotations(out.annotations, allow_empty_annotations, "user.metadata.annotations"));
  if (!user.primary_party().empty()) {
    SYNOD_TRY(out.primary_party, party_id(user.primary_party(), "primary_party"));
  }
  SYNOD_TRY(out.identity_provider_id, optional_ledger_string(user.identity_provider_id(), "identity_provider_id"));
  out.is_deactivated = user.is_deactivated();
  out.primary_party_authentication = user.primary_party_authentication();
  return out;
}

constexpr std::array kPaths = {"id",
                               "primary_party",
                               "is_deactivated",
                               "metadata.annotations",
                               "metadata.resource_version",
                               "identity_provider_id",
                               "primary_party_authentication"};

// Which fields an update mask names. A field that is named through the message around it changes only if it has a
// value.
class Mask {
 public:
  static Result<Mask> parse(const admin::UpdateUserRequest& request) {
    const auto refuse = [&](const std::string& reason) {
      const auto& id = request.user().id();
      return fail(Error("INVALID_USER_UPDATE_REQUEST", ErrorCategory::invalid_argument,
                        "Update operation for user id '" + id + "' failed due to: " + reason)
                      .about("USER", id));
    };
    Mask mask;
    if (request.update_mask().paths().empty()) return refuse("The update mask contains no entries");
    for (const std::string& path : request.update_mask().paths()) {
      const bool known = std::any_of(kPaths.begin(), kPaths.end(), [&](const std::string& field) {
        return field == path || field.starts_with(path + ".");
      });
      const auto shown = path.size() > 53 ? path.substr(0, 50) + "..." : path;
      if (!known) return refuse("The update path: '" + shown + "' points to an unknown field.");
      if (!mask.paths_.insert(path).second) return refuse("The update path: '" + shown + "' is duplicated.");
    }
    return mask;
  }
  bool changes(const std::string& field, bool has_value) const {
    if (paths_.contains(field)) return true;
    const auto dot = field.find('.');
    return has_value && dot != std::string::npos && paths_.contains(field.substr(0, dot));
  }

 private:
  std::set<std::string> paths_;
};

Result<UserUpdate> update_of(const admin::UpdateUserRequest& request) {
  if (!request.has_user()) return fail(missing_field("user"));
  if (!request.has_update_mask()) return fail(missing_field("update_mask"));
  SYNOD_TRY(auto user, user_of(request.user(), "user.id", true));
  UserUpdate update;
  update.id = user.id;
  update.identity_provider_id = user.identity_provider_id;
  if (const auto& version = request.user().metadata().resource_version(); !version.empty()) {
    const bool digits = version.size() < 19 &&
                        std::all_of(version.begin(), version.end(), [](unsigned char c) { return std::isdigit(c); });
    if (!digits) return fail(invalid_field("user.metadata.resource_version", "Invalid resource version number"));
    update.resource_version = std::stoll(version);
  }
  SYNOD_TRY(const auto mask, Mask::parse(request));
  if (mask.changes("primary_party", false)) update.primary_party = user.primary_party;
  if (mask.changes("is_deactivated", false)) update.is_deactivated = user.is_deactivated;
  if (mask.changes("primary_party_authentication", false))
    update.primary_party_authentication = user.primary_party_authentication;
  if (mask.changes("metadata.annotations", !user.annotations.empty())) update.annotations = user.annotations;
  SYNOD_RETURN_IF_ERROR(identity_provider_exists(update.identity_provider_id));
  return update;
}

// Who a request is about.
struct Target {
  std::string id;
  std::string identity_provider;
};
template <typename Request>
Result<Target> target_of(const Request& request) {
  Target out;
  SYNOD_TRY(out.id, user_id(request.user_id(), "user_id"));
  SYNOD_TRY(out.identity_provider, optional_ledger_string(request.identity_provider_id(), "identity_provider_id"));
  return out;
}

class UserManagementService final : public admin::UserManagementService::CallbackService {
 public:
  explicit UserManagementService(ContextPtr context) : context_(std::move(context)) {}

  grpc::ServerUnaryReactor* CreateUser(grpc::CallbackServerContext* call, const admin::CreateUserRequest* request,
                                       admin::CreateUserResponse* response) override {
    return later(call, response, [this, request]() -> Result<admin::CreateUserResponse> {
      if (!request->has_user()) return fail(missing_field("user"));
      if (!request->user().metadata().resource_version().empty())
        return fail(invalid_request("field user.metadata.resource_version must be not set"));
      SYNOD_TRY(auto user, user_of(request->user(), "id", false));
      SYNOD_TRY(const auto rights, rights_of(request->rights()));
      SYNOD_RETURN_IF_ERROR(identity_provider_exists(user.identity_provider_id));
      SYNOD_TRY(const auto created, users().create(std::move(user), rights));
      admin::CreateUserResponse answer;
      show(created, answer.mutable_user());
      return answer;
    });
  }
  grpc::ServerUnaryReactor* GetUser(grpc::CallbackServerContext* call, const admin::GetUserRequest* request,
                                    admin::GetUserResponse* response) override {
    return later(call, response, [this, request]() -> Result<admin::GetUserResponse> {
      SYNOD_TRY(const auto target, target_of(*request));
      SYNOD_TRY(const auto user, users().get(target.id, target.identity_provider));
      admin::GetUserResponse answer;
      show(user, answer.mutable_user());
      return answer;
    });
  }
  grpc::ServerUnaryReactor* UpdateUser(grpc::CallbackServerContext* call, const admin::UpdateUserRequest* request,
                                       admin::UpdateUserResponse* response) override {
    return later(call, response, [this, request]() -> Result<admin::UpdateUserResponse> {
      SYNOD_TRY(const auto update, update_of(*request));
      SYNOD_TRY(const auto user, users().update(update));
      admin::UpdateUserResponse answer;
      show(user, answer.mutable_user());
      return answer;
    });
  }
  grpc::ServerUnaryReactor* DeleteUser(grpc::CallbackServerContext* call, const admin::DeleteUserRequest* request,
                                       admin::DeleteUserResponse* response) override {
    return later(call, response, [this, request]() -> Result<admin::DeleteUserResponse> {
      SYNOD_TRY(const auto target, target_of(*request));
      SYNOD_RETURN_IF_ERROR(users().remove(target.id, target.identity_provider));
      return admin::DeleteUserResponse();
    });
  }
  grpc::ServerUnaryReactor* ListUsers(grpc::CallbackServerContext* call, const admin::ListUsersRequest* request,
                                      admin::ListUsersResponse* response) override {
    return later(call, response, [this, request]() -> Result<admin::ListUsersResponse> {
      if (request->page_size() < 0) return fail(invalid_request("Max page size must be non-negative"));
      const std::int64_t limit = context_->config.max_users_page_size;
      const auto page = static_cast<std::size_t>(
          request->page_size() == 0 ? limit : std::min<std::int64_t>(limit, request->page_size()));
      SYNOD_TRY(const auto provider, optional_ledger_string(request->identity_provider_id(), "identity_provider_id"));
      const auto after = from_hex(request->page_token());
      if (!after) return fail(invalid_request("Invalid page token"));
      const auto found = users().list(*after, page, provider);
      admin::ListUsersResponse answer;
      for (const auto& user : found) show(user, answer.add_users());
      if (found.size() == page) answer.set_next_page_token(to_hex(found.back().id));
      return answer;
    });
  }
  grpc::ServerUnaryReactor* GrantUserRights(grpc::CallbackServerContext* call,
                                            const admin::GrantUserRightsRequest* request,
                                            admin::GrantUserRightsResponse* response) override {
    return later(call, response, [this, request]() -> Result<admin::GrantUserRightsResponse> {
      SYNOD_TRY(const auto target, target_of(*request));
      SYNOD_TRY(const auto rights, rights_of(request->rights()));
      SYNOD_TRY(const auto granted, users().grant(target.id, target.identity_provider, rights));
      admin::GrantUserRightsResponse answer;
      show(granted, answer.mutable_newly_granted_rights());
      return answer;
    });
  }
  grpc::ServerUnaryReactor* RevokeUserRights(grpc::CallbackServerContext* call,
                                             const admin::RevokeUserRightsRequest* request,
                                             admin::RevokeUserRightsResponse* response) override {
    return later(call, response, [this, request]() -> Result<admin::RevokeUserRightsResponse> {
      SYNOD_TRY(const auto target, target_of(*request));
      SYNOD_TRY(const auto rights, rights_of(request->rights()));
      SYNOD_TRY(const auto revoked, users().revoke(target.id, target.identity_provider, rights));
      admin::RevokeUserRightsResponse answer;
      show(revoked, answer.mutable_newly_revoked_rights());
      return answer;
    });
  }
  grpc::ServerUnaryReactor* ListUserRights(grpc::CallbackServerContext* call,
                                           const admin::ListUserRightsRequest* request,
                                           admin::ListUserRightsResponse* response) override {
    return later(call, response, [this, request]() -> Result<admin::ListUserRightsResponse> {
      SYNOD_TRY(const auto target, target_of(*request));
      SYNOD_TRY(const auto rights, users().rights(target.id, target.identity_provider));
      admin::ListUserRightsResponse answer;
      show(rights, answer.mutable_rights());
      return answer;
    });
  }
  grpc::ServerUnaryReactor* UpdateUserIdentityProviderId(
      grpc::CallbackServerContext* call, const admin::UpdateUserIdentityProviderIdRequest* request,
      admin::UpdateUserIdentityProviderIdResponse* response) override {
    return later(call, response, [this, request]() -> Result<admin::UpdateUserIdentityProviderIdResponse> {
      SYNOD_TRY(const auto id, user_id(request->user_id(), "user_id"));
      SYNOD_RETURN_IF_ERROR(identity_provider_exists(request->source_identity_provider_id()));
      SYNOD_RETURN_IF_ERROR(identity_provider_exists(request->target_identity_provider_id()));
      SYNOD_RETURN_IF_ERROR(users().get(id, {}));
      return admin::UpdateUserIdentityProviderIdResponse();
    });
  }

 private:
  UserStore& users() { return context_->node.users(); }

  // Changes are synced to disk: not on gRPC's threads.
  template <typename Response, typename Work>
  grpc::ServerUnaryReactor* later(grpc::CallbackServerContext* call, Response* response, Work work) {
    return rpc::answer(call, response, [&](rpc::CallContext&, rpc::Reply<Response> reply) {
      context_->loop.post([work = std::move(work), reply] { reply(work()); });
    });
  }

  ContextPtr context_;
};

}  // namespace

std::shared_ptr<grpc::Service> make_user_management_service(ContextPtr context) {
  return std::make_shared<UserManagementService>(std::move(context));
}

}  // namespace synod::participant
