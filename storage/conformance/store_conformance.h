// What every Store must do. A store is added by INSTANTIATE_TYPED_TEST_SUITE_P(name, StoreConformance, World); its
// World has
//   open(): the store with the columns kLeft and kRight, again after the former one was destroyed; null: not here
//   persistent: what was written is there when it is opened again
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "storage/store.h"

namespace synod::storage {

inline constexpr Column kLeft{"left"};
inline constexpr Column kRight{"right"};

template <typename World>
class StoreConformance : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!store_) GTEST_SKIP() << "SKIPPED: there is no such store on this machine";
  }

  World world_;
  std::unique_ptr<Store> store_ = world_.open();

  void put(Column column, Bytes key, Bytes value, Sync sync = Sync::no) {
    WriteBatch batch;
    batch.put(column, std::move(key), std::move(value));
    ASSERT_TRUE(store_->write(batch, sync));
  }
  std::optional<Bytes> get(Column column, ByteView key) { return store_->get(column, key).value(); }
  std::vector<Bytes> keys(Column column, const KeyRange& range, Direction direction = Direction::forward) {
    std::vector<Bytes> found;
    EXPECT_TRUE(store_->scan(column, range, direction, [&](ByteView key, ByteView) {
      found.emplace_back(key);
      return true;
    }));
    return found;
  }
};

TYPED_TEST_SUITE_P(StoreConformance);

TYPED_TEST_P(StoreConformance, ReadsWhatWasWrittenAndNothingElse) {
  this->put(kLeft, "a", "1");
  this->put(kLeft, "empty", "");
  this->put(kLeft, Bytes("\0k", 2), Bytes("\0\xff", 2));
  EXPECT_EQ(this->get(kLeft, "a"), "1");
  EXPECT_EQ(this->get(kLeft, "empty"), "");
  EXPECT_EQ(this->get(kLeft, ByteView("\0k", 2)), Bytes("\0\xff", 2));
  EXPECT_EQ(this->get(kLeft, "b"), std::nullopt);
  EXPECT_EQ(this->get(kRight, "a"), std::nullopt);
}

TYPED_TEST_P(StoreConformance, ABatchKeepsItsOrder) {
  this->put(kLeft, "gone", "1");
  WriteBatch batch;
  batch.put(kLeft, "k", "first");
  batch.erase(kLeft, "k");
  batch.put(kLeft, "k", "last");
  batch.put(kRight, "k", "other column");
  batch.erase(kLeft, "gone");
  batch.erase(kLeft, "never was");
  ASSERT_TRUE(this->store_->write(batch, Sync::yes));
  EXPECT_EQ(this->get(kLeft, "k"), "last");
  EXPECT_EQ(this->get(kRight, "k"), "other column");
  EXPECT_EQ(this->get(kLeft, "gone"), std::nullopt);
  EXPECT_TRUE(this->store_->write(WriteBatch(), Sync::yes));
}

TYPED_TEST_P(StoreConformance, ScansRangesBothWays) {
  for (const char* key : {"a", "b", "ba", "bb", "c", "\xff", "\xff\xff"}) this->put(kLeft, key, "v");
  this->put(kRight, "b", "v");
  using Keys = std::vector<Bytes>;
  EXPECT_EQ(this->keys(kLeft, KeyRange::all()), (Keys{"a", "b", "ba", "bb", "c", "\xff", "\xff\xff"}));
  EXPECT_EQ(this->keys(kLeft, {"b", "c"}), (Keys{"b", "ba", "bb"}));
  EXPECT_EQ(this->keys(kLeft, {"b", "c"}, Direction::reverse), (Keys{"bb", "ba", "b"}));
  EXPECT_EQ(this->keys(kLeft, {"bb", std::nullopt}), (Keys{"bb", "c", "\xff", "\xff\xff"}));
  EXPECT_EQ(this->keys(kLeft, KeyRange::prefix("b")), (Keys{"b", "ba", "bb"}));
  EXPECT_EQ(this->keys(kLeft, KeyRange::prefix("\xff")), (Keys{"\xff", "\xff\xff"}));
  EXPECT_EQ(this->keys(kLeft, {"c", "b"}), Keys{});
  EXPECT_EQ(this->keys(kLeft, {"b", "b"}, Direction::reverse), Keys{});
  const auto last = this->store_->first(kLeft, {"", "c"}, Direction::reverse);
  ASSERT_TRUE(last && *last);
  EXPECT_EQ((**last).key, "bb");
  EXPECT_FALSE(this->store_->first(kLeft, {"d", "e"}, Direction::forward).value());
}

TYPED_TEST_P(StoreConformance, AScanStopsWhenToldAndMayReadMeanwhile) {
  for (const char* key : {"a", "b", "c"}) this->put(kLeft, key, key);
  int visited = 0;
  ASSERT_TRUE(this->store_->scan(kLeft, KeyRange::all(), Direction::forward, [&](ByteView key, ByteView value) {
    EXPECT_EQ(this->get(kLeft, key), value);
    return ++visited < 2;
  }));
  EXPECT_EQ(visited, 2);
}

TYPED_TEST_P(StoreConformance, ConcurrentSyncedWritersAllLand) {
  std::vector<std::thread> writers;
  for (int w = 0; w < 4; ++w)
    writers.emplace_back([this, w] {
      for (int i = 0; i < 10; ++i) this->put(kLeft, std::to_string(w) + "/" + std::to_string(i), "v", Sync::yes);
    });
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(this->keys(kLeft, KeyRange::all()).size(), 40u);
  EXPECT_TRUE(this->store_->health());
}

TYPED_TEST_P(StoreConformance, WhatWasWrittenIsThereAfterReopening) {
  if (!TypeParam::persistent) return;
  this->put(kLeft, "synced", "1", Sync::yes);
  this->put(kRight, "unsynced", "2");
  this->store_.reset();
  this->store_ = this->world_.open();
  EXPECT_EQ(this->get(kLeft, "synced"), "1");
  EXPECT_EQ(this->get(kRight, "unsynced"), "2");
}

REGISTER_TYPED_TEST_SUITE_P(StoreConformance, ReadsWhatWasWrittenAndNothingElse, ABatchKeepsItsOrder,
                            ScansRangesBothWays, AScanStopsWhenToldAndMayReadMeanwhile, ConcurrentSyncedWritersAllLand,
                            WhatWasWrittenIsThereAfterReopening);

}  // namespace synod::storage
