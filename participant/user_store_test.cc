#include "participant/user_store.h"

#include <gtest/gtest.h>

#include "participant/core.h"
#include "storage/memory/memory_store.h"

namespace synod::participant {
namespace {

using Kind = UserRight::Kind;

class Users : public ::testing::Test {
 protected:
  void SetUp() override {
    storage::MemoryStoreOptions options;
    options.columns = ParticipantCore::columns();
    store_ = std::make_shared<storage::MemoryStore>(options);
    open();
  }
  void open(UserLimits limits = {3, 20}) {
    auto users = UserStore::open(store_, limits);
    ASSERT_TRUE(users) << users.error().to_string();
    users_ = std::move(*users);
  }
  static User user(const std::string& id) {
    User out;
    out.id = id;
    return out;
  }
  template <typename T>
  static std::string error_id(const Result<T>& result) {
    return result ? "" : result.error().id;
  }

  std::shared_ptr<storage::MemoryStore> store_;
  std::unique_ptr<UserStore> users_;
};

TEST_F(Users, ANewStoreHasItsAdministratorOnce) {
  EXPECT_EQ(users_->rights(UserStore::kAdmin, "").value(), (std::set<UserRight>{{Kind::participant_admin, ""}}));
  ASSERT_TRUE(users_->remove(UserStore::kAdmin, ""));
  open();
  EXPECT_EQ(error_id(users_->get(UserStore::kAdmin, "")), "USER_NOT_FOUND");
}

TEST_F(Users, SurviveARestart) {
  auto alice = user("alice");
  alice.primary_party = "Alice::1220";
  alice.is_deactivated = true;
  alice.annotations = {{"team", "red"}};
  ASSERT_TRUE(users_->create(alice, {{Kind::can_act_as, "Alice::1220"}}));
  open();
  const auto read = users_->get("alice", "").value();
  EXPECT_EQ(read.primary_party, "Alice::1220");
  EXPECT_TRUE(read.is_deactivated);
  EXPECT_EQ(read.annotations, alice.annotations);
  EXPECT_EQ(users_->rights("alice", "").value(), (std::set<UserRight>{{Kind::can_act_as, "Alice::1220"}}));
}

TEST_F(Users, RightsAreGrantedAndRevoked) {
  ASSERT_TRUE(users_->create(user("bob"), {{Kind::can_act_as, "a"}}));
  EXPECT_EQ(users_->grant("bob", "", {{Kind::can_act_as, "a"}, {Kind::can_read_as, "a"}}).value(),
            (std::set<UserRight>{{Kind::can_read_as, "a"}}));
  EXPECT_EQ(error_id(users_->grant("bob", "", {{Kind::can_read_as, "b"}, {Kind::can_read_as, "c"}})),
            "TOO_MANY_USER_RIGHTS");
  EXPECT_EQ(users_->revoke("bob", "", {{Kind::can_act_as, "a"}, {Kind::can_act_as, "z"}}).value(),
            (std::set<UserRight>{{Kind::can_act_as, "a"}}));
  open();
  EXPECT_EQ(users_->rights("bob", "").value(), (std::set<UserRight>{{Kind::can_read_as, "a"}}));
}

TEST_F(Users, UpdatesCountAndMeetConcurrentOnes) {
  ASSERT_TRUE(users_->create(user("carol"), {}));
  UserUpdate update;
  update.id = "carol";
  update.primary_party = "Carol";
  update.annotations = {{{"x", "1"}, {"y", "2"}}};
  update.resource_version = 0;
  EXPECT_EQ(users_->update(update).value().resource_version, 1);
  EXPECT_EQ(error_id(users_->update(update)), "CONCURRENT_USER_UPDATE_DETECTED");
  update.resource_version.reset();
  update.primary_party.reset();
  update.annotations = {{{"x", ""}}};
  const auto updated = users_->update(update).value();
  EXPECT_EQ(updated.primary_party, "Carol");
  EXPECT_EQ(updated.annotations, (std::map<std::string, std::string>{{"y", "2"}}));
  update.annotations = {{{"x", std::string(30, '.')}}};
  EXPECT_EQ(error_id(users_->update(update)), "MAX_USER_ANNOTATIONS_SIZE_EXCEEDED");
}

TEST_F(Users, Refusals) {
  ASSERT_TRUE(users_->create(user("dave"), {}));
  EXPECT_EQ(error_id(users_->create(user("dave"), {})), "USER_ALREADY_EXISTS");
  EXPECT_EQ(error_id(users_->get("nobody", "")), "USER_NOT_FOUND");
  EXPECT_EQ(error_id(users_->remove("nobody", "")), "USER_NOT_FOUND");
  EXPECT_EQ(error_id(users_->get("dave", "other")), "PERMISSION_DENIED");
  EXPECT_EQ(error_id(users_->rights("nobody", "")), "USER_NOT_FOUND");
}

TEST_F(Users, AreListedInPages) {
  for (const char* id : {"c", "a", "b"}) ASSERT_TRUE(users_->create(user(id), {}));
  std::string ids;
  for (std::string after;;) {
    const auto page = users_->list(after, 2, "");
    for (const auto& item : page) ids += item.id + " ";
    if (page.size() < 2) break;
    after = page.back().id;
  }
  EXPECT_EQ(ids, "a b c participant_admin ");
}

}  // namespace
}  // namespace synod::participant
