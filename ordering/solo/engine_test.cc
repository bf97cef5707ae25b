#include "ordering/solo/engine.h"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <future>

#include "base/testing/expect_log.h"
#include "base/testing/temporary_folder.h"
#include "ordering/fabric_wire/block_codec.h"

namespace synod::ordering::solo {
namespace {

class EngineTest : public ::testing::Test {
 protected:
  EngineTest() { config_.folder = synod::testing::new_folder("engine"); }
  ~EngineTest() override { std::filesystem::remove_all(config_.folder); }
  std::unique_ptr<Engine> open() {
    auto engine = Engine::open(config_);
    EXPECT_TRUE(engine) << engine.error().to_string();
    return std::move(*engine);
  }
  using Answer = std::pair<SubmitResult, Height>;
  static std::future<Answer> submit(Engine& engine, Bytes envelope) {
    auto promise = std::make_shared<std::promise<Answer>>();
    engine.submit(std::move(envelope), [promise](SubmitResult r, Height h) { promise->set_value({std::move(r), h}); });
    return promise->get_future();
  }
  static fabric_wire::FabricBlock block(const Engine& engine, std::int64_t height) {
    return fabric_wire::parse_block(engine.read(Height(height)).value()->bytes).value();
  }

  EngineConfig config_;
};

TEST_F(EngineTest, CutsByCountAndBytesAndGivesALargeRecordItsOwnBlock) {
  config_.batch_timeout = Duration::seconds(5);  // gathers until a limit is reached
  config_.max_block_records = 3;
  config_.max_block_bytes = 1000;
  auto engine = open();
  std::vector<std::future<Answer>> answers;
  for (int i = 0; i < 3; ++i) answers.push_back(submit(*engine, "r"));
  for (auto& answer : answers) EXPECT_EQ(answer.get().second, Height(1));
  answers.clear();
  for (std::size_t size : {600, 600, 5000}) answers.push_back(submit(*engine, Bytes(size, 'x')));
  engine->stop();  // writes what is left
  std::vector<std::size_t> counts;
  for (std::int64_t h = 1; h <= engine->head().value; ++h) counts.push_back(block(*engine, h).data.size());
  EXPECT_EQ(counts, (std::vector<std::size_t>{3, 1, 1, 1}));
  EXPECT_EQ(submit(*engine, "late").get().first.outcome, SubmitOutcome::refused);
}

TEST_F(EngineTest, CutsByTimeWhenConfigured) {
  config_.batch_timeout = Duration::seconds(1);  // much longer than what lies between the two
  auto engine = open();
  bool in_time = false;
  for (int tries = 0; tries < 100 && !in_time; ++tries) {  // a busy machine may let that much pass
    const auto began = std::chrono::steady_clock::now();
    auto one = submit(*engine, "one");
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    auto two = submit(*engine, "two");
    in_time = std::chrono::steady_clock::now() - began < std::chrono::seconds(1);
    const Height first = one.get().second, second = two.get().second;
    if (in_time) {
      EXPECT_EQ(first, second);
    }
  }
  EXPECT_TRUE(in_time);
}

TEST_F(EngineTest, KeepsSoManyBlocksAsItIsToldAndGoesOn) {
  config_.keep_blocks = 10;
  config_.segment_bytes = 20'000;
  config_.cache_bytes = 1;
  auto engine = open();
  for (int i = 0; i < 60; ++i) submit(*engine, Bytes(3000, 'k')).get();
  EXPECT_GT(engine->oldest(), Height(30));
  EXPECT_LE(engine->oldest(), Height(51));
  EXPECT_EQ(engine->read(Height(5)).error().id, "ORDERING_HEIGHT_PRUNED");
  EXPECT_EQ(block(*engine, 51).data.size(), 1u);
  const Height oldest = engine->oldest();
  engine.reset();
  engine = open();
  EXPECT_EQ(engine->oldest(), oldest);
  EXPECT_EQ(submit(*engine, "next").get().second, Height(61));
}

TEST_F(EngineTest, RefusesWhatExceedsItsQueue) {
  config_.batch_timeout = Duration::seconds(3600);  // nothing leaves the queue
  config_.max_queued_records = 2;
  config_.max_record_bytes = 100;
  auto engine = open();
  auto one = submit(*engine, "1"), two = submit(*engine, "2");
  EXPECT_EQ(submit(*engine, "3").get().first.error->id, "ORDERING_OVERLOADED");
  EXPECT_EQ(submit(*engine, Bytes(101, 'x')).get().first.error->id, "ORDERING_RECORD_TOO_LARGE");
  engine->stop();
  EXPECT_EQ(one.get().first.outcome, SubmitOutcome::accepted);
  EXPECT_EQ(two.get().first.outcome, SubmitOutcome::accepted);
}

TEST_F(EngineTest, AFullDiskMakesItReadOnlyUntilThereIsSpace) {
  if (::mount("none", config_.folder.c_str(), "tmpfs", 0, "size=1m") != 0)
    GTEST_SKIP() << "SKIPPED: mounting a small tmpfs needs root";
  synod::testing::expect_log("read-only");
  config_.full_disk_retry = Duration::milliseconds(50);
  {
    auto engine = open();
    Answer answer;
    do answer = submit(*engine, Bytes(100'000, 'x')).get();
    while (answer.first.outcome == SubmitOutcome::accepted);
    EXPECT_EQ(answer.first.outcome, SubmitOutcome::refused);
    EXPECT_EQ(answer.first.error->id, "ORDERING_UNAVAILABLE");
    EXPECT_EQ(engine->health().state, Health::State::read_only);
    EXPECT_NE(engine->health().last_error.find("no space left"), std::string::npos);
    const std::int64_t head = engine->head().value;
    for (std::int64_t h = 0; h <= head; ++h) EXPECT_TRUE(engine->read(Height(h)));
    ASSERT_EQ(::mount("none", config_.folder.c_str(), "tmpfs", MS_REMOUNT, "size=4m"), 0);
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
    EXPECT_EQ(submit(*engine, "more").get().second, Height(head + 1));
    EXPECT_EQ(engine->health().state, Health::State::ready);
  }
  ::umount2(config_.folder.c_str(), MNT_DETACH);
}

}  // namespace
}  // namespace synod::ordering::solo
