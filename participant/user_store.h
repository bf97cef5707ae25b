// Users of the Ledger API and what they may do, kept in the participant's store. Facts: UserManagementStore,
// ApiUserManagementService.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "storage/store.h"

namespace synod::participant {

struct UserRight {
  // Stored; never renumbered.
  enum class Kind : int {
    participant_admin = 0,
    can_act_as = 1,
    can_read_as = 2,
    identity_provider_admin = 3,
    can_read_as_any_party = 4,
    can_execute_as = 5,
    can_execute_as_any_party = 6,
    can_act_as_any_party = 7,
  };
  Kind kind = Kind::participant_admin;
  std::string party;  // of the kinds that name one
  auto operator<=>(const UserRight&) const = default;
};

struct User {
  std::string id;
  std::string primary_party;  // empty: none
  bool is_deactivated = false;
  bool primary_party_authentication = false;
  std::string identity_provider_id;  // empty: the default one
  std::map<std::string, std::string> annotations;
  std::int64_t resource_version = 0;  // counts updates
};

// What is absent stays.
struct UserUpdate {
  std::string id;
  std::string identity_provider_id;
  std::optional<std::string> primary_party;
  std::optional<bool> is_deactivated;
  std::optional<bool> primary_party_authentication;
  std::optional<std::map<std::string, std::string>> annotations;  // added to those there are; empty values remove
  std::optional<std::int64_t> resource_version;                   // refused unless it is the current one
};

struct UserLimits {
  std::size_t max_rights_per_user = 1000;
  std::size_t max_annotation_bytes = 256u << 10;  // keys and values of one user
};

// A change is durable when its method returns. Errors: USER_NOT_FOUND, USER_ALREADY_EXISTS, TOO_MANY_USER_RIGHTS,
// MAX_USER_ANNOTATIONS_SIZE_EXCEEDED, CONCURRENT_USER_UPDATE_DETECTED, PERMISSION_DENIED (another identity provider's).
// Thread rules: from any thread.
class UserStore {
 public:
  static constexpr const char* kAdmin = "participant_admin";  // made in a new store

  static Result<std::unique_ptr<UserStore>> open(std::shared_ptr<storage::Store> store, UserLimits limits = {});

  Result<User> create(User user, const std::set<UserRight>& rights);
  Result<User> get(const std::string& id, const std::string& identity_provider) const;
  Result<User> update(const UserUpdate& update);
  Status remove(const std::string& id, const std::string& identity_provider);
  // Sorted by id; at most `limit` with an id greater than `after`.
  std::vector<User> list(const std::string& after, std::size_t limit, const std::string& identity_provider) const;
  Result<std::set<UserRight>> grant(const std::string& id, const std::string& identity_provider,
                                    const std::set<UserRight>& rights);  // the new ones
  Result<std::set<UserRight>> revoke(const std::string& id, const std::string& identity_provider,
                                     const std::set<UserRight>& rights);  // those it had
  Result<std::set<UserRight>> rights(const std::string& id, const std::string& identity_provider) const;
  const UserLimits& limits() const { return limits_; }

 private:
  struct Entry {
    User user;
    std::set<UserRight> rights;
  };

  UserStore(std::shared_ptr<storage::Store> store, UserLimits limits) : store_(std::move(store)), limits_(limits) {}
  Status load();
  // `operation` is for the error's text.
  Result<Entry> find(const std::string& id, const std::string& identity_provider, const char* operation) const;
  Status put(const Entry& entry);
  Status check_annotations(const User& user) const;

  const std::shared_ptr<storage::Store> store_;
  const UserLimits limits_;
  mutable std::mutex mutex_;
  std::map<std::string, Entry> users_;
};

}  // namespace synod::participant
