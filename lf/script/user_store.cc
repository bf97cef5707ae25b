#include "lf/script/user_store.h"

namespace synod::lf::script {

bool UserStore::create(const User& user, const std::vector<UserRight>& rights) {
  return users_.emplace(user.id, Entry{user, std::set<UserRight>(rights.begin(), rights.end())}).second;
}

bool UserStore::remove(const std::string& id) { return users_.erase(id) > 0; }

std::optional<User> UserStore::find(const std::string& id) const {
  auto it = users_.find(id);
  return it == users_.end() ? std::nullopt : std::optional(it->second.user);
}

std::vector<User> UserStore::all() const {
  std::vector<User> out;
  for (const auto& [id, entry] : users_) out.push_back(entry.user);
  return out;
}

std::optional<std::vector<UserRight>> UserStore::grant(const std::string& id, const std::vector<UserRight>& rights) {
  auto it = users_.find(id);
  if (it == users_.end()) return std::nullopt;
  std::vector<UserRight> granted;
  for (const auto& right : rights)
    if (it->second.rights.insert(right).second) granted.push_back(right);
  return granted;
}

std::optional<std::vector<UserRight>> UserStore::revoke(const std::string& id, const std::vector<UserRight>& rights) {
  auto it = users_.find(id);
  if (it == users_.end()) return std::nullopt;
  std::vector<UserRight> revoked;
  for (const auto& right : rights)
    if (it->second.rights.erase(right) > 0) revoked.push_back(right);
  return revoked;
}

std::optional<std::vector<UserRight>> UserStore::rights(const std::string& id) const {
  auto it = users_.find(id);
  if (it == users_.end()) return std::nullopt;
  return std::vector<UserRight>(it->second.rights.begin(), it->second.rights.end());
}

std::optional<std::string> invalid_user_id(const std::string& id) {
  constexpr std::string_view kSymbols = "@^$.!`-#+'~_|:()";
  constexpr std::size_t kMaxLength = 128;
  bool valid = !id.empty() && id.size() <= kMaxLength;
  for (char c : id)
    valid = valid && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      kSymbols.find(c) != std::string_view::npos);
  if (valid) return std::nullopt;
  return "User ID \"" + id + "\" does not match regex \"[a-zA-Z0-9@^$.!`\\-#+'~_|:\\(\\)]{1,128}\"";
}

}  // namespace synod::lf::script
