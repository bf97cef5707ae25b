// What every Store must do, run against those that need no server; tests/storage has the others. And what is
// particular.
#include "storage/conformance/store_conformance.h"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "base/testing/temporary_folder.h"
#include "storage/memory/memory_store.h"
#include "storage/rocksdb/rocksdb_store.h"

namespace synod::storage {
namespace {

struct MemoryWorld {
  std::unique_ptr<Store> open() { return std::make_unique<MemoryStore>(MemoryStoreOptions{{kLeft, kRight}}); }
  static constexpr bool persistent = false;
};

struct RocksDbWorld {
  RocksDbWorld() { path = synod::testing::new_folder("store"); }
  ~RocksDbWorld() { std::filesystem::remove_all(path); }
  std::unique_ptr<Store> open() {
    auto store = open_rocksdb({path, {kLeft, kRight}});
    EXPECT_TRUE(store) << store.error().to_string();
    return std::move(*store);
  }
  static constexpr bool persistent = true;
  std::string path;
};

INSTANTIATE_TYPED_TEST_SUITE_P(memory, StoreConformance, MemoryWorld);
INSTANTIATE_TYPED_TEST_SUITE_P(rocksdb, StoreConformance, RocksDbWorld);

TEST(RocksDbStore, RefusesAFolderInUse) {
  RocksDbWorld world;
  const auto first = world.open();
  const auto second = open_rocksdb({world.path, {kLeft}});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().id, "STORAGE_LOCKED") << second.error().to_string();
}

TEST(RocksDbStore, GainsColumnsAndKeepsUnknownOnes) {
  RocksDbWorld world;
  WriteBatch batch;
  batch.put(kLeft, "k", "v");
  ASSERT_TRUE(open_rocksdb({world.path, {kLeft}}).value()->write(batch, Sync::yes));
  {
    auto store = open_rocksdb({world.path, {kRight}}).value();
  }
  auto store = world.open();
  EXPECT_EQ(store->get(kLeft, "k").value(), "v");
}

TEST(RocksDbStore, AnUnusableFolderIsAnError) {
  EXPECT_EQ(open_rocksdb({"/proc/nowhere", {kLeft}}).error().id, "STORAGE_FAILED");
}

TEST(RocksDbStore, AFullDiskRefusesWritesAndServesReads) {
  RocksDbWorld world;
  if (::mount("none", world.path.c_str(), "tmpfs", 0, "size=4m") != 0)
    GTEST_SKIP() << "SKIPPED: mounting a small tmpfs needs root";
  {
    const auto store = world.open();
    Status status;
    int written = 0;
    for (; status && written < 100; ++written) {
      WriteBatch batch;
      batch.put(kLeft, std::to_string(written), Bytes(100'000, 'x'));
      status = store->write(batch, Sync::yes);
    }
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().id, "STORAGE_FULL") << status.error().to_string();
    EXPECT_FALSE(store->health());
    EXPECT_EQ(store->get(kLeft, "0").value(), Bytes(100'000, 'x'));
    EXPECT_EQ(store->get(kLeft, std::to_string(written - 1)).value(), std::nullopt);

    // With room again RocksDB goes on by itself after a moment, and keeps what it had as well as what comes.
    ASSERT_EQ(::mount("none", world.path.c_str(), "tmpfs", MS_REMOUNT, "size=64m"), 0);
    WriteBatch batch;
    batch.put(kLeft, "afterwards", "1");
    for (int i = 0; i < 2400 && !(status = store->write(batch, Sync::yes)); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_TRUE(status) << status.error().to_string();
    EXPECT_TRUE(store->health());
    EXPECT_EQ(store->get(kLeft, std::to_string(written - 2)).value(), Bytes(100'000, 'x'));
  }
  {
    const auto store = world.open();
    EXPECT_EQ(store->get(kLeft, "0").value(), Bytes(100'000, 'x'));
    EXPECT_EQ(store->get(kLeft, "afterwards").value(), "1");
  }
  ::umount2(world.path.c_str(), MNT_DETACH);
}

TEST(MemoryStore, LosesASuffixOfUnsyncedBatches) {
  MemoryStore store({{kLeft, kRight}, true});
  const auto put = [&](Bytes key, Bytes value, Sync sync) {
    WriteBatch batch;
    batch.put(kLeft, std::move(key), std::move(value));
    ASSERT_TRUE(store.write(batch, sync));
  };
  put("a", "old", Sync::no);
  put("b", "1", Sync::yes);  // makes "a" durable as well
  put("a", "new", Sync::no);
  put("c", "1", Sync::no);
  WriteBatch erase;
  erase.erase(kLeft, "b");
  erase.put(kLeft, "a", "newest");
  ASSERT_TRUE(store.write(erase, Sync::no));
  EXPECT_EQ(store.unsynced_batches(), 3u);
  store.lose_unsynced(1);
  EXPECT_EQ(store.get(kLeft, "a").value(), "new");
  EXPECT_EQ(store.get(kLeft, "b").value(), "1");
  EXPECT_EQ(store.get(kLeft, "c").value(), std::nullopt);
  store.lose_unsynced();  // what was left is on the disk by now
  EXPECT_EQ(store.get(kLeft, "a").value(), "new");
}

TEST(MemoryStore, AFullDiskRefusesWritesAndServesReads) {
  MemoryStore store({{kLeft}, false, 10});
  WriteBatch small, big;
  small.put(kLeft, "k", "12345");
  big.put(kLeft, "l", "12345");
  ASSERT_TRUE(store.write(small, Sync::yes));
  EXPECT_EQ(store.write(big, Sync::yes).error().id, "STORAGE_FULL");
  EXPECT_EQ(store.get(kLeft, "k").value(), "12345");
  EXPECT_EQ(store.bytes(), 6u);
  WriteBatch erase;
  erase.erase(kLeft, "k");
  ASSERT_TRUE(store.write(erase, Sync::yes));
  ASSERT_TRUE(store.write(big, Sync::yes));
  store.set_full(true);
  EXPECT_EQ(store.write(erase, Sync::yes).error().id, "STORAGE_FULL");
  EXPECT_FALSE(store.health());
  store.set_full(false);
  EXPECT_TRUE(store.health());
}

}  // namespace
}  // namespace synod::storage
