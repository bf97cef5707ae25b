#include "participant/user_store.h"

#include <algorithm>

#include "participant/ledger/columns.h"
#include "synod/participant.pb.h"

namespace synod::participant {
namespace {

namespace stored = ::synod::participant::v1;

Error about(Error error, const std::string& id) { return std::move(error).about("USER", id); }

Error not_there(const char* operation, const std::string& id) {
  return about(not_found("USER_NOT_FOUND", std::string(operation) + " failed for unknown user \"" + id + "\""), id);
}

Error exists_already(const char* operation, const std::string& id) {
  return about(Error("USER_ALREADY_EXISTS", ErrorCategory::invalid_state_exists,
                     std::string(operation) + " failed, as user \"" + id + "\" already exists"),
               id);
}

Error too_many_rights(const char* operation, const std::string& id) {
  return about(failed_precondition("TOO_MANY_USER_RIGHTS", std::string(operation) + " failed, as user \"" + id +
                                                               "\" would have too many rights."),
               id);
}

Error of_another_provider(const std::string& id) {
  return {"PERMISSION_DENIED", ErrorCategory::permission, "User " + id + " belongs to another Identity Provider"};
}

}  // namespace

Result<std::unique_ptr<UserStore>> UserStore::open(std::shared_ptr<storage::Store> store, UserLimits limits) {
  std::unique_ptr<UserStore> users(new UserStore(std::move(store), limits));
  SYNOD_RETURN_IF_ERROR(users->load());
  return users;
}

Status UserStore::load() {
  Status status;
  SYNOD_RETURN_IF_ERROR(
      store_->scan(kUsersColumn, storage::KeyRange::all(), storage::Direction::forward, [&](ByteView, ByteView value) {
        stored::StoredUser in;
        if (!in.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
          status = fail(storage::storage_corrupt("a user does not decode"));
          return false;
        }
        Entry entry;
        entry.user = {in.id(),
                      in.primary_party(),
                      in.is_deactivated(),
                      in.primary_party_authentication(),
                      in.identity_provider_id(),
                      {in.annotations().begin(), in.annotations().end()},
                      in.resource_version()};
        for (const auto& right : in.rights())
          entry.rights.insert({static_cast<UserRight::Kind>(right.kind()), right.party()});
        users_.emplace(in.id(), std::move(entry));
        return true;
      }));
  SYNOD_RETURN_IF_ERROR(status);
  // Once: who deletes the administrator does not get it back by a restart.
  SYNOD_TRY(const auto begun, store_->get(kMetaColumn, kUsersBegunKey));
  if (begun) return {};
  Entry admin;
  admin.user.id = kAdmin;
  admin.rights = {{UserRight::Kind::participant_admin, ""}};
  SYNOD_RETURN_IF_ERROR(put(admin));
  storage::WriteBatch writes;
  writes.put(kMetaColumn, Bytes(kUsersBegunKey), "1");
  return store_->write(writes, storage::Sync::yes);
}

Status UserStore::put(const Entry& entry) {
  const auto& user = entry.user;
  stored::StoredUser out;
  out.set_id(user.id);
  out.set_primary_party(user.primary_party);
  out.set_is_deactivated(user.is_deactivated);
  out.set_primary_party_authentication(user.primary_party_authentication);
  out.set_identity_provider_id(user.identity_provider_id);
  out.set_resource_version(user.resource_version);
  for (const auto& [key, value] : user.annotations) (*out.mutable_annotations())[key] = value;
  for (const auto& right : entry.rights) {
    auto& to = *out.add_rights();
    to.set_kind(static_cast<int>(right.kind));
    to.set_party(right.party);
  }
  storage::WriteBatch writes;
  writes.put(kUsersColumn, user.id, out.SerializeAsString());
  SYNOD_RETURN_IF_ERROR(store_->write(writes, storage::Sync::yes));
  users_[user.id] = entry;
  return {};
}

Result<UserStore::Entry> UserStore::find(const std::string& id, const std::string& identity_provider,
                                         const char* operation) const {
  const auto found = users_.find(id);
  if (found == users_.end()) return fail(not_there(operation, id));
  if (found->second.user.identity_provider_id != identity_provider) return fail(of_another_provider(id));
  return found->second;
}

Status UserStore::check_annotations(const User& user) const {
  std::size_t bytes = 0;
  for (const auto& [key, value] : user.annotations) bytes += key.size() + value.size();
  if (bytes <= limits_.max_annotation_bytes) return {};
  return fail(about(failed_precondition("MAX_USER_ANNOTATIONS_SIZE_EXCEEDED",
                                        "Maximum annotations size for user '" + user.id + "' has been exceeded"),
                    user.id));
}

Result<User> UserStore::create(User user, const std::set<UserRight>& rights) {
  constexpr const char* kOperation = "creating user";
  const std::lock_guard lock(mutex_);
  if (const auto found = users_.find(user.id); found != users_.end())
    return fail(found->second.user.identity_provider_id == user.identity_provider_id
                    ? exists_already(kOperation, user.id)
                    : of_another_provider(user.id));
  SYNOD_RETURN_IF_ERROR(check_annotations(user));
  if (rights.size() > limits_.max_rights_per_user) return fail(too_many_rights(kOperation, user.id));
  user.resource_version = 0;
  SYNOD_RETURN_IF_ERROR(put({user, rights}));
  return user;
}

Result<User> UserStore::get(const std::string& id, const std::string& identity_provider) const {
  const std::lock_guard lock(mutex_);
  SYNOD_TRY(auto entry, find(id, identity_provider, "getting user"));
  return std::move(entry.user);
}

Result<User> UserStore::update(const UserUpdate& update) {
  const std::lock_guard lock(mutex_);
  SYNOD_TRY(auto entry, find(update.id, update.identity_provider_id, "updating user"));
  auto& user = entry.user;
  if (update.primary_party) user.primary_party = *update.primary_party;
  if (update.is_deactivated) user.is_deactivated = *update.is_deactivated;
  if (update.primary_party_authentication) user.primary_party_authentication = *update.primary_party_authentication;
  if (update.annotations) {
    for (const auto& [key, value] : *update.annotations) user.annotations[key] = value;
    std::erase_if(user.annotations, [](const auto& item) { return item.second.empty(); });
  }
  SYNOD_RETURN_IF_ERROR(check_annotations(user));
  if (update.resource_version && *update.resource_version != user.resource_version)
    return fail(
        about(Error("CONCURRENT_USER_UPDATE_DETECTED", ErrorCategory::contention_on_shared_resources,
                    "Update operation for user '" + user.id + "' failed due to a concurrent update to the same user"),
              user.id));
  ++user.resource_version;
  SYNOD_RETURN_IF_ERROR(put(entry));
  return std::move(entry.user);
}

Status UserStore::remove(const std::string& id, const std::string& identity_provider) {
  const std::lock_guard lock(mutex_);
  SYNOD_RETURN_IF_ERROR(find(id, identity_provider, "deleting user"));
  storage::WriteBatch writes;
  writes.erase(kUsersColumn, id);
  SYNOD_RETURN_IF_ERROR(store_->write(writes, storage::Sync::yes));
  users_.erase(id);
  return {};
}

std::vector<User> UserStore::list(const std::string& after, std::size_t limit,
                                  const std::string& identity_provider) const {
  const std::lock_guard lock(mutex_);
  std::vector<User> out;
  for (auto it = after.empty() ? users_.begin() : users_.upper_bound(after); it != users_.end(); ++it) {
    if (out.size() == limit) break;
    if (it->second.user.identity_provider_id == identity_provider) out.push_back(it->second.user);
  }
  return out;
}

Result<std::set<UserRight>> UserStore::grant(const std::string& id, const std::string& identity_provider,
                                             const std::set<UserRight>& rights) {
  constexpr const char* kOperation = "grant user rights";
  const std::lock_guard lock(mutex_);
  SYNOD_TRY(auto entry, find(id, identity_provider, kOperation));
  std::set<UserRight> added;
  for (const auto& right : rights)
    if (entry.rights.insert(right).second) added.insert(right);
  if (entry.rights.size() > limits_.max_rights_per_user) return fail(too_many_rights(kOperation, id));
  if (!added.empty()) SYNOD_RETURN_IF_ERROR(put(entry));
  return added;
}

Result<std::set<UserRight>> UserStore::revoke(const std::string& id, const std::string& identity_provider,
                                              const std::set<UserRight>& rights) {
  const std::lock_guard lock(mutex_);
  SYNOD_TRY(auto entry, find(id, identity_provider, "revoke user rights"));
  std::set<UserRight> removed;
  for (const auto& right : rights)
    if (entry.rights.erase(right) > 0) removed.insert(right);
  if (!removed.empty()) SYNOD_RETURN_IF_ERROR(put(entry));
  return removed;
}

Result<std::set<UserRight>> UserStore::rights(const std::string& id, const std::string& identity_provider) const {
  const std::lock_guard lock(mutex_);
  SYNOD_TRY(auto entry, find(id, identity_provider, "list user rights"));
  return std::move(entry.rights);
}

}  // namespace synod::participant
