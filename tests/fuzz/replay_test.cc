// Every target over its corpus, and over a few changed copies of each file, in the ordinary build.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "base/testing/shared_files.h"
#include "tests/fuzz/targets.h"

namespace synod::fuzz {
namespace {

constexpr int kCopies = 100;

class Replay : public ::testing::TestWithParam<Target> {};

TEST_P(Replay, Corpus) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(std::string("tests/fuzz/corpus/") + GetParam().name))
    files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  ASSERT_FALSE(files.empty());
  GetParam().run({});
  for (const auto& file : files) {
    SCOPED_TRACE(file);
    const Bytes bytes = synod::testing::read_file(file);
    GetParam().run(bytes);
    std::mt19937 random(static_cast<unsigned>(bytes.size()));
    auto below = [&](std::size_t n) { return n == 0 ? 0 : random() % n; };
    for (int i = 0; i < kCopies; ++i) {
      Bytes copy = bytes;
      for (std::size_t changes = 1 + below(3); changes > 0 && !copy.empty(); --changes) {
        auto at = below(copy.size());
        switch (below(4)) {
          case 0:
            copy[at] = static_cast<char>(random());
            break;
          case 1:
            copy[at] = static_cast<char>(copy[at] ^ (1 << below(8)));
            break;
          case 2:
            copy.erase(at, 1 + below(8));
            break;
          default:
            copy.insert(at, copy.substr(below(copy.size()), 1 + below(16)));
        }
      }
      GetParam().run(copy);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Replay, ::testing::ValuesIn(targets().begin(), targets().end()),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace synod::fuzz
