#include "ordering/solo/block_file.h"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/testing/temporary_folder.h"

namespace synod::ordering::solo {
namespace {

class BlockFileTest : public ::testing::Test {
 protected:
  BlockFileTest() { folder_ = synod::testing::new_folder("blocks"); }
  ~BlockFileTest() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<BlockFile> open(std::size_t segment_bytes = 1u << 20) {
    auto file = BlockFile::open({folder_, segment_bytes});
    EXPECT_TRUE(file) << file.error().to_string();
    return std::move(*file);
  }
  std::string only_segment() const { return folder_ + "/00000000000000000000.blocks"; }
  Bytes content() const {
    std::ifstream file(only_segment(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void overwrite(const Bytes& bytes) const {
    std::ofstream(only_segment(), std::ios::binary | std::ios::trunc) << bytes;
  }
  static Bytes block(std::int64_t height) { return "block " + std::to_string(height); }

  std::string folder_;
};

TEST_F(BlockFileTest, GivesBackWhatWasAppendedAlsoAfterReopening) {
  auto file = open();
  for (std::int64_t h = 0; h < 100; h += 4)
    ASSERT_TRUE(file->append({block(h), block(h + 1), block(h + 2), block(h + 3)}));
  for (int life = 0; life < 2; ++life) {
    EXPECT_EQ(file->first(), 0);
    EXPECT_EQ(file->next(), 100);
    for (std::int64_t h = 0; h < 100; ++h) EXPECT_EQ(file->read(h).value(), block(h));
    file.reset();
    file = open();
  }
  EXPECT_EQ(file->cut_off_bytes(), 0u);
}

TEST_F(BlockFileTest, IsLockedWhileOpen) {
  auto file = open();
  EXPECT_EQ(BlockFile::open({folder_}).error().id, "ORDERING_LOG_LOCKED");
}

TEST_F(BlockFileTest, CutsOffATornTailAtEveryLength) {
  {
    auto file = open();
    ASSERT_TRUE(file->append({block(0)}));
    ASSERT_TRUE(file->append({block(1), block(2)}));
  }
  Bytes whole = content();
  whole.resize(whole.find_last_not_of('\0') + 1);
  const std::size_t record = 32 + block(0).size();
  ASSERT_EQ(whole.size(), 3 * record);
  for (std::size_t keep = record; keep < whole.size(); ++keep) {
    overwrite(whole.substr(0, keep));
    auto file = open();
    EXPECT_EQ(file->next(), static_cast<std::int64_t>(keep / record)) << keep;
    ASSERT_TRUE(file->append({"again"}));
    EXPECT_EQ(file->read(file->next() - 1).value(), "again");
    EXPECT_EQ(file->read(0).value(), block(0));
  }
}

TEST_F(BlockFileTest, ALaterPageOfAnUnsyncedGroupDoesNotMakeItCorrupt) {
  {
    auto file = open();
    ASSERT_TRUE(file->append({block(0)}));
    ASSERT_TRUE(file->append({block(1), block(2)}));  // the crash keeps only the second of these
  }
  Bytes bytes = content();
  const std::size_t record = 32 + block(0).size();
  bytes.replace(record, record, Bytes(record, '\0'));
  overwrite(bytes);
  EXPECT_EQ(open()->next(), 1);
}

TEST_F(BlockFileTest, DamageBelowSyncedBlocksIsAnErrorAndChangesNothing) {
  {
    auto file = open();
    for (std::int64_t h = 0; h < 5; ++h) ASSERT_TRUE(file->append({block(h)}));
  }
  Bytes bytes = content();
  bytes[2 * (32 + block(0).size()) + 35] ^= 1;
  overwrite(bytes);
  EXPECT_EQ(BlockFile::open({folder_}).error().id, "ORDERING_LOG_CORRUPT");
  EXPECT_EQ(content(), bytes);
}

TEST_F(BlockFileTest, PrunesWholeSegmentsAndSaysSo) {
  const Bytes filling(3000, 'f');
  auto file = open(10'000);
  for (std::int64_t h = 0; h < 40; ++h) ASSERT_TRUE(file->append({filling + block(h)}));
  ASSERT_TRUE(file->prune(20));
  EXPECT_GT(file->first(), 10);
  EXPECT_LE(file->first(), 20);
  EXPECT_EQ(file->read(3).error().id, "ORDERING_HEIGHT_PRUNED");
  ASSERT_TRUE(file->prune(1000));
  EXPECT_GT(file->first(), 30);
  const auto first = file->first();
  file.reset();
  file = open(10'000);
  EXPECT_EQ(file->first(), first);
  EXPECT_EQ(file->next(), 40);
  EXPECT_EQ(file->read(39).value(), filling + block(39));
}

TEST_F(BlockFileTest, AFullDiskLosesNothingAndIsLeftAgain) {
  if (::mount("none", folder_.c_str(), "tmpfs", 0, "size=1m") != 0)
    GTEST_SKIP() << "SKIPPED: mounting a small tmpfs needs root";
  {
    auto file = open(8u << 20);
    const Bytes big(100'000, 'b');
    Status status;
    while ((status = file->append({block(file->next()) + big, "second of the group"}))) ASSERT_LT(file->next(), 40);
    EXPECT_EQ(status.error().id, "ORDERING_LOG_FULL");
    const std::int64_t next = file->next();
    EXPECT_TRUE(file->append({"small"})) << "what fits is still taken";
    EXPECT_EQ(file->read(0).value(), block(0) + big);
    file.reset();
    EXPECT_EQ(open(8u << 20)->next(), next + 1);
  }
  ::umount2(folder_.c_str(), MNT_DETACH);
}

}  // namespace
}  // namespace synod::ordering::solo
