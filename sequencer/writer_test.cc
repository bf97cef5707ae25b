#include "sequencer/writer.h"

#include <gtest/gtest.h>

#include "base/testing/expect_log.h"
#include "sequencer/testing/world.h"

namespace synod::sequencer {
namespace {

using ordering::SubmitOutcome;
constexpr Timestamp kNow = testing::World::kStart;
constexpr ordering::Height kHead{7};

class WriterTest : public ::testing::Test {
 protected:
  WriterTest() {
    const auto key = crypto::SigningKeyPair::generate({crypto::KeyUsage::protocol}, *random_);
    sign_ = [key](const crypto::Hash& hash) -> Result<crypto::Signature> { return crypto::sign(hash, key); };
  }
  Writer make(WriterConfig config = {}) const {
    const auto synchronizer =
        protocol::PhysicalSynchronizerId::parse("test::" + std::string(68, 'a') + "::35-0").value();
    const auto self = protocol::Member::parse("SEQ::one::" + std::string(68, 'b')).value();
    return Writer(config, synchronizer, self, SequenceNumber(100), sign_);
  }
  static SealedEntry entry(std::size_t bytes = 10) { return {SubmissionEntry{Bytes(bytes, 'x')}, ""}; }
  static std::size_t entries_in(const Writer::Submit& submit) {
    return open_record(submit.record)->batch.entries.size();
  }

  std::shared_ptr<Random> random_ = seeded_random(1);
  SignHash sign_;
};

TEST_F(WriterTest, IdleItSealsAtOnceBusyItGathers) {
  WriterConfig config;
  config.max_submissions = 2;
  Writer writer = make(config);
  const auto first = writer.accept(entry(), kNow).value();
  ASSERT_EQ(first.submit.size(), 1u);
  EXPECT_EQ(first.submit[0].number, SequenceNumber(100));
  EXPECT_EQ(open_record(first.submit[0].record)->batch.proposed_time, kNow);
  EXPECT_EQ(writer.accept(entry(), kNow)->submit.size(), 1u);
  EXPECT_TRUE(writer.accept(entry(), kNow)->submit.empty());
  EXPECT_TRUE(writer.accept(entry(), kNow)->submit.empty());
  const auto second = writer.on_submitted(SequenceNumber(100), SubmitOutcome::accepted, true, kNow);
  ASSERT_EQ(second.submit.size(), 1u);
  EXPECT_EQ(entries_in(second.submit[0]), 2u);
}

TEST_F(WriterTest, HeldItSealsNothingUntilItBegins) {
  Writer writer = make();
  writer.hold();
  EXPECT_TRUE(writer.accept(entry(), kNow)->submit.empty());
  EXPECT_TRUE(writer.tick(kNow).submit.empty());
  EXPECT_TRUE(writer.on_time(kNow + Duration::seconds(60), kHead).submit.empty());
  EXPECT_FALSE(writer.handed_over());
  const auto begun = writer.begin(kNow);
  ASSERT_EQ(begun.submit.size(), 1u);
  EXPECT_EQ(entries_in(begun.submit[0]), 1u);
}

// Its cache lost the latest, and its clock was set back since.
TEST_F(WriterTest, NumbersOfAnEarlierLifeAreNotUsedAgain) {
  Writer writer = make();  // begins with 100
  writer.hold();
  ASSERT_TRUE(writer.accept(entry(), kNow));
  EXPECT_TRUE(writer.on_ordered(SequenceNumber(100), kNow).submit.empty());
  EXPECT_TRUE(writer.on_ordered(SequenceNumber(7'000), kNow).submit.empty());
  const auto begun = writer.begin(kNow);
  ASSERT_EQ(begun.submit.size(), 1u);
  EXPECT_GT(begun.submit[0].number, SequenceNumber(7'000 + 256)) << "the next of that life may still be on their way";

  EXPECT_EQ(Writer::first_number(std::nullopt, kNow), SequenceNumber(static_cast<std::uint64_t>(kNow.micros)));
  EXPECT_EQ(Writer::first_number(SequenceNumber(5), kNow), SequenceNumber(static_cast<std::uint64_t>(kNow.micros)));
  const SequenceNumber ahead(static_cast<std::uint64_t>(kNow.micros) * 2);
  EXPECT_GT(Writer::first_number(ahead, kNow).value, ahead.value + 256);
  EXPECT_GT(Writer::first_number(std::nullopt, Timestamp::min()), SequenceNumber(0));
}

TEST_F(WriterTest, ManyBatchesOnTheirWayItGathersUntilOneIsSeenOrABatchIsFull) {
  WriterConfig config;
  config.eager_batches = 2;
  config.max_batch_bytes = 10'000;
  Writer writer = make(config);
  for (const std::uint64_t number : {100, 101}) {
    ASSERT_EQ(writer.accept(entry(), kNow)->submit.size(), 1u);
    EXPECT_TRUE(writer.on_submitted(SequenceNumber(number), SubmitOutcome::accepted, true, kNow).submit.empty());
  }
  EXPECT_TRUE(writer.accept(entry(), kNow)->submit.empty());
  EXPECT_TRUE(writer.accept(entry(), kNow)->submit.empty());
  const auto seen = writer.on_ordered(SequenceNumber(101), kNow);
  ASSERT_EQ(seen.submit.size(), 1u);
  EXPECT_EQ(entries_in(seen.submit[0]), 2u);
  EXPECT_TRUE(writer.on_submitted(SequenceNumber(102), SubmitOutcome::accepted, true, kNow).submit.empty());
  EXPECT_TRUE(writer.accept(entry(9'000), kNow)->submit.empty());
  EXPECT_EQ(writer.accept(entry(9'000), kNow)->submit.size(), 1u) << "a batch is full";
}

TEST_F(WriterTest, RequestsThatComeFastGatherForAWhile) {
  WriterConfig config;
  config.busy_requests = 3;
  config.busy_time = Duration::milliseconds(100);
  config.gather_time = Duration::milliseconds(10);
  config.max_batch_bytes = 10'000;
  config.max_submissions = config.eager_batches = 100;
  Writer writer = make(config);
  const auto at = [](std::int64_t millis) { return kNow + Duration::milliseconds(millis); };
  EXPECT_EQ(writer.accept(entry(), at(0))->submit.size(), 1u);
  EXPECT_EQ(writer.accept(entry(), at(1))->submit.size(), 1u) << "two are not many";
  const auto third = writer.accept(entry(), at(2)).value();
  EXPECT_TRUE(third.submit.empty());
  EXPECT_EQ(third.call_again_at, at(11)) << "10 ms after the last batch";
  EXPECT_TRUE(writer.accept(entry(), at(3))->submit.empty());
  const auto due = writer.on_time(at(11), kHead);
  ASSERT_EQ(due.submit.size(), 1u);
  EXPECT_EQ(entries_in(due.submit[0]), 2u);

  EXPECT_TRUE(writer.accept(entry(6'000), at(12))->submit.empty());
  EXPECT_EQ(writer.accept(entry(6'000), at(13))->submit.size(), 1u) << "a full batch does not wait";

  // The clock is set back by an hour: nobody waits until it is there again.
  EXPECT_FALSE(writer.accept(entry(), at(-3'600'000))->submit.empty());
  // Now that they come slowly again, each goes at once.
  for (const std::int64_t millis : {1000, 1060, 1120})
    EXPECT_EQ(writer.accept(entry(), at(millis))->submit.size(), 1u) << millis;
}

TEST_F(WriterTest, TheyNeverGatherForATimeIfToldSo) {
  WriterConfig none, many, no_time;
  none.busy_requests = 0;
  many.busy_requests = static_cast<std::size_t>(-1);
  no_time.gather_time = Duration{};
  for (WriterConfig config : {none, many, no_time}) {
    config.max_submissions = config.eager_batches = 100;
    Writer writer = make(config);
    for (int i = 0; i < 50; ++i) ASSERT_EQ(writer.accept(entry(), kNow)->submit.size(), 1u) << i;
  }
}

TEST_F(WriterTest, SubmitsAgainWhatDoesNotAppear) {
  Writer writer = make();
  const auto first = writer.accept(entry(), kNow).value();
  const auto accepted = writer.on_submitted(SequenceNumber(100), SubmitOutcome::accepted, true, kNow);
  ASSERT_TRUE(accepted.call_again_at);
  writer.applied(kHead, "state");
  EXPECT_TRUE(writer.on_time(kNow + Duration::seconds(1), kHead).submit.empty());
  const auto again = writer.on_time(*accepted.call_again_at, kHead);
  ASSERT_EQ(again.submit.size(), 1u);
  EXPECT_EQ(again.submit[0].record, first.submit[0].record);
  const auto unknown = writer.on_submitted(SequenceNumber(100), SubmitOutcome::unknown, true, kNow);
  ASSERT_TRUE(unknown.call_again_at);
  EXPECT_EQ(*unknown.call_again_at, kNow + Duration::milliseconds(50));
  EXPECT_EQ(writer.on_time(*unknown.call_again_at, kHead).submit.size(), 1u);
  EXPECT_FALSE(writer.on_ordered(SequenceNumber(100), kNow).call_again_at);
  EXPECT_TRUE(writer.idle());
  EXPECT_TRUE(writer.on_time(kNow + Duration::seconds(100), kHead).submit.empty());
}

TEST_F(WriterTest, WaitsWhileItLagsBehindTheLog) {
  Writer writer = make();
  writer.applied(ordering::Height(10), "state");
  EXPECT_TRUE(writer.accept(entry(), kNow));
  const auto accepted = writer.on_submitted(SequenceNumber(100), SubmitOutcome::accepted, true, kNow);
  // When it is due, the log is at 500: the batch may be in any block up to there.
  Timestamp now = *accepted.call_again_at;
  for (std::int64_t height = 11; height < 500; ++height) {
    const auto waiting = writer.on_time(now, ordering::Height(500 + height));  // the log goes on meanwhile
    ASSERT_TRUE(waiting.submit.empty()) << height;
    now = *waiting.call_again_at;
    writer.applied(ordering::Height(height), "state");
  }
  writer.applied(ordering::Height(511), "state");
  EXPECT_EQ(writer.on_time(now, ordering::Height(2000)).submit.size(), 1u);
  // The next time it is more patient.
  const auto again = writer.on_submitted(SequenceNumber(100), SubmitOutcome::accepted, true, now);
  EXPECT_EQ(*again.call_again_at, now + Duration::seconds(4));
}

TEST_F(WriterTest, RefusesBeyondItsBuffer) {
  WriterConfig config;
  config.max_waiting_bytes = 1000;
  config.max_submissions = 1;
  Writer writer = make(config);
  EXPECT_TRUE(writer.accept(entry(), kNow));
  EXPECT_TRUE(writer.accept(entry(900), kNow));
  const auto refused = writer.accept(entry(900), kNow);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().id, "SEQUENCER_OVERLOADED");
}

TEST_F(WriterTest, ClosesBatchesAtTheirSize) {
  WriterConfig config;
  config.max_batch_bytes = 1000;
  config.max_submissions = 1;
  Writer writer = make(config);
  EXPECT_TRUE(writer.accept(entry(), kNow));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(writer.accept(entry(600), kNow));
  const auto next = writer.on_submitted(SequenceNumber(100), SubmitOutcome::accepted, true, kNow);
  ASSERT_EQ(next.submit.size(), 1u);
  EXPECT_EQ(entries_in(next.submit[0]), 1u);
}

TEST_F(WriterTest, GivesUpWhatIsRefusedForGood) {
  Writer writer = make();
  EXPECT_TRUE(writer.accept(entry(), kNow));
  synod::testing::expect_log("refuses batch 100 for good");
  writer.on_submitted(SequenceNumber(100), SubmitOutcome::refused, false, kNow);
  EXPECT_TRUE(writer.idle());
}

TEST_F(WriterTest, TicksOnlyWhenNothingElseMovesTime) {
  Writer writer = make();
  EXPECT_EQ(writer.tick(kNow).submit.size(), 1u);
  EXPECT_TRUE(writer.tick(kNow).submit.empty());
}

}  // namespace
}  // namespace synod::sequencer
