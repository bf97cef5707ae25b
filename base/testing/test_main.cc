// main() of every test program: a test during which an unexpected warning or error was logged fails.
#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <vector>

#include "base/log.h"
#include "base/testing/expect_log.h"

namespace synod::testing {
namespace {

std::mutex mutex;
std::vector<std::string> expected;
std::vector<log::Entry> unexpected;
std::vector<std::string> seen;

void observe(const log::Entry& entry) {
  std::lock_guard lock(mutex);
  seen.push_back(entry.message);
  for (const std::string& text : expected)
    if (entry.message.find(text) != std::string::npos) return;
  unexpected.push_back(entry);
}

class LogListener : public ::testing::EmptyTestEventListener {
  void OnTestStart(const ::testing::TestInfo&) override {
    std::lock_guard lock(mutex);
    expected.clear();
    unexpected.clear();
    seen.clear();
  }
  void OnTestEnd(const ::testing::TestInfo&) override {
    std::vector<log::Entry> entries;
    {
      std::lock_guard lock(mutex);
      entries.swap(unexpected);
    }
    for (const log::Entry& entry : entries)
      ADD_FAILURE() << "unexpected log line of level warn or above: " << entry.component << ": " << entry.message;
  }
};

}  // namespace

void expect_log(std::string text) {
  std::lock_guard lock(mutex);
  expected.push_back(std::move(text));
}

std::size_t seen_log(const std::string& text) {
  std::lock_guard lock(mutex);
  return static_cast<std::size_t>(std::count_if(
      seen.begin(), seen.end(), [&](const std::string& line) { return line.find(text) != std::string::npos; }));
}

}  // namespace synod::testing

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  synod::log::set_level(synod::log::Level::warn);
  synod::log::set_observer(synod::testing::observe);
  ::testing::UnitTest::GetInstance()->listeners().Append(new synod::testing::LogListener);
  return RUN_ALL_TESTS();
}
