// Users and their rights, in memory.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lf/script/script_ledger.h"

namespace synod::lf::script {

class UserStore {
 public:
  bool create(const User& user, const std::vector<UserRight>& rights);  // false: there is one
  bool remove(const std::string& id);                                   // false: there is none
  std::optional<User> find(const std::string& id) const;
  std::vector<User> all() const;  // by id
  // Empty: no such user. The first two tell what changed.
  std::optional<std::vector<UserRight>> grant(const std::string& id, const std::vector<UserRight>& rights);
  std::optional<std::vector<UserRight>> revoke(const std::string& id, const std::vector<UserRight>& rights);
  std::optional<std::vector<UserRight>> rights(const std::string& id) const;

 private:
  struct Entry {
    User user;
    std::set<UserRight> rights;
  };
  std::map<std::string, Entry> users_;
};

// Empty: `id` may be a user's. Otherwise what is wrong with it, in the ledger's words.
std::optional<std::string> invalid_user_id(const std::string& id);

}  // namespace synod::lf::script
