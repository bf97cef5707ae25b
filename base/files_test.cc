#include "base/files.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/testing/temporary_folder.h"

namespace synod {
namespace {

TEST(FilesTest, AFileIsReadWhole) {
  const std::string folder = testing::new_folder("files");
  const std::string path = folder + "/file";
  for (const std::size_t size : {0u, 1u, 1u << 14, 100'000u}) {
    Bytes content(size, 'x');
    for (std::size_t i = 0; i < size; ++i) content[i] = static_cast<char>(i * 31);
    std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
    EXPECT_EQ(file_bytes(path), content);
  }
  EXPECT_TRUE(file_bytes("/proc/self/cmdline").value_or("").size() > 0) << "files whose size says nothing";
  EXPECT_EQ(file_bytes(folder), std::nullopt);
  EXPECT_EQ(file_bytes(folder + "/absent"), std::nullopt);
  const auto absent = required_file(folder + "/absent", "NO_SUCH_THING");
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().id, "NO_SUCH_THING");
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace synod
