#include "node/replica.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <thread>

#include "base/testing/expect_log.h"
#include "storage/memory/memory_store.h"

namespace synod::node {
namespace {

using ::testing::HasSubstr;

constexpr storage::Column kColumn{"column"};

// A database with room for one owner.
struct Database {
  std::mutex mutex;
  bool owned = false;
  bool away = false;
  int owners = 0;  // so far
};

class OwnedStore final : public storage::Store {
 public:
  explicit OwnedStore(std::shared_ptr<Database> database) : database_(std::move(database)) {}
  ~OwnedStore() override {
    std::lock_guard lock(database_->mutex);
    database_->owned = false;
  }
  Result<std::optional<Bytes>> get(storage::Column column, ByteView key) const override {
    return data_.get(column, key);
  }
  Status scan(storage::Column column, const storage::KeyRange& range, storage::Direction direction,
              const Visitor& visitor) const override {
    return data_.scan(column, range, direction, visitor);
  }
  Status write(const storage::WriteBatch& batch, storage::Sync sync) override {
    std::lock_guard lock(database_->mutex);
    if (database_->away) return fail(storage::storage_failed("the database is away"));
    return data_.write(batch, sync);
  }
  Status sync() override { return {}; }
  Status health() const override { return {}; }

 private:
  const std::shared_ptr<Database> database_;
  storage::MemoryStore data_{storage::MemoryStoreOptions{{kColumn}}};
};

Result<std::unique_ptr<storage::Store>> open(const std::shared_ptr<Database>& database) {
  std::lock_guard lock(database->mutex);
  if (database->away) return fail(storage::storage_failed("the database is away"));
  if (database->owned) return fail(failed_precondition("STORAGE_LOCKED", "another process has it"));
  database->owned = true;
  ++database->owners;
  return std::make_unique<OwnedStore>(database);
}

// A replica, and what runs while it is active.
struct Process {
  explicit Process(const std::shared_ptr<Database>& database, Duration interval = Duration::milliseconds(2)) {
    Replica::Parts parts;
    parts.open = [database] { return open(database); };
    parts.probe.erase(kColumn, "key");
    parts.activate = [this](std::shared_ptr<storage::Store> store) {
      EXPECT_FALSE(running);
      running = true;
      used = std::move(store);
    };
    parts.deactivate = [this] {
      EXPECT_TRUE(running);
      running = false;
      used.reset();
    };
    parts.interval = interval;
    replica = std::make_unique<Replica>(std::move(parts));
  }
  std::atomic<bool> running = false;
  std::shared_ptr<storage::Store> used;
  std::unique_ptr<Replica> replica;
};

::testing::AssertionResult eventually(const std::function<bool()>& condition) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > give_up) return ::testing::AssertionFailure() << "not within 60 s";
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return ::testing::AssertionSuccess();
}

bool is_active(const Process& process) { return process.replica->state().active; }
bool is_passive(const Process& process) {
  const Replica::State state = process.replica->state();
  return !state.active && state.problem.empty();
}

TEST(ReplicaTest, OneIsActiveAndTheOtherFollowsIt) {
  const auto database = std::make_shared<Database>();
  auto first = std::make_unique<Process>(database);
  ASSERT_TRUE(eventually([&] { return is_active(*first); }));
  Process second(database);
  ASSERT_TRUE(eventually([&] { return is_passive(second); }));
  EXPECT_TRUE(first->running);
  EXPECT_FALSE(second.running);
  first->replica->stop();
  EXPECT_FALSE(first->running);
  ASSERT_TRUE(eventually([&] { return is_active(second); }));
  EXPECT_TRUE(second.running);
}

TEST(ReplicaTest, ADatabaseThatIsAwayMakesItPassiveUntilItIsBack) {
  testing::expect_log("active no more");
  const auto database = std::make_shared<Database>();
  const auto set_away = [&](bool away) {
    std::lock_guard lock(database->mutex);
    database->away = away;
  };
  Process process(database);
  ASSERT_TRUE(eventually([&] { return is_active(process); }));
  set_away(true);
  ASSERT_TRUE(eventually([&] { return !is_active(process) && !process.running; }));
  EXPECT_THAT(process.replica->state().problem, HasSubstr("the database is away"));
  set_away(false);
  ASSERT_TRUE(eventually([&] { return is_active(process); }));
  EXPECT_EQ(database->owners, 2);
}

// What runs may notice first; what it says of an earlier turn is of no interest.
TEST(ReplicaTest, WhatRunsMayGiveTheStoreBack) {
  testing::expect_log("active no more");
  const auto database = std::make_shared<Database>();
  Process process(database, Duration::seconds(3));  // no turn begins between the three calls
  ASSERT_TRUE(eventually([&] { return is_active(process); }));
  for (int times = 0; times < 3; ++times) process.replica->lost(storage::storage_failed("a write failed"));
  ASSERT_TRUE(eventually([&] {
    std::lock_guard lock(database->mutex);
    return database->owners == 2;
  }));
  ASSERT_TRUE(eventually([&] { return is_active(process); }));
  process.replica->stop();
  EXPECT_EQ(database->owners, 2);
}

}  // namespace
}  // namespace synod::node
