#include "sequencer/client/send_tracker.h"

#include <gtest/gtest.h>

namespace synod::sequencer::client {
namespace {

constexpr std::int64_t ms = 1000;

protocol::Member numbered(int i) {
  return protocol::Member::sequencer(protocol::UniqueId::create("sequencer" + std::to_string(i), "1220ab").value());
}

class SendTrackerTest : public ::testing::Test {
 protected:
  SendTracker tracker{{.amplification = {.factor = 2, .patience = Duration::seconds(3)},
                       .min_retry_delay = Duration::milliseconds(10),
                       .max_retry_delay = Duration::seconds(1),
                       .max_pending = 3}};
  const Timestamp deadline{1'000'000};
  const Error gone = unavailable("UNAVAILABLE", "gone");
  const Error refusal = invalid_argument("SEQUENCER_SUBMISSION_REQUEST_MALFORMED", "no");
};

TEST_F(SendTrackerTest, ReceiptCompletes) {
  ASSERT_TRUE(tracker.add("a", deadline, true, 0));
  EXPECT_EQ(tracker.due(0), std::vector<std::string>{"a"});
  tracker.started("a", 0, numbered(0), 0);
  EXPECT_TRUE(tracker.due(0).empty());
  tracker.accepted("a", 0);
  EXPECT_EQ(tracker.next_due(), 3'000 * ms);  // patience
  const auto done = tracker.observed("a", Timestamp{500}, std::nullopt);
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].result.value(), Timestamp{500});
  EXPECT_EQ(tracker.size(), 0u);
  EXPECT_FALSE(tracker.next_due());
  EXPECT_TRUE(tracker.observed("a", Timestamp{600}, refusal).empty());  // the repeated one's rejection
}

TEST_F(SendTrackerTest, PatienceGivesItToAnotherSequencerUpToTheFactor) {
  ASSERT_TRUE(tracker.add("a", deadline, true, 0));
  tracker.started("a", 0, numbered(0), 0);
  tracker.accepted("a", 0);
  EXPECT_TRUE(tracker.due(2'999 * ms).empty());
  EXPECT_EQ(tracker.due(3'000 * ms).size(), 1u);
  EXPECT_EQ(tracker.excluded("a"), std::set<protocol::Member>{numbered(0)});
  tracker.started("a", 1, numbered(1), 0);
  tracker.accepted("a", 1);
  EXPECT_FALSE(tracker.next_due());  // factor 2 reached
}

TEST_F(SendTrackerTest, PatienceCoversASequencerThatDoesNotAnswer) {
  ASSERT_TRUE(tracker.add("a", deadline, true, 0));
  tracker.started("a", 0, numbered(0), 0);
  EXPECT_EQ(tracker.due(3'000 * ms).size(), 1u);
}

TEST_F(SendTrackerTest, FailureMovesOnAtOnceThenBacksOff) {
  ASSERT_TRUE(tracker.add("a", deadline, true, 0));
  tracker.started("a", 0, numbered(0), 0);
  EXPECT_FALSE(tracker.refused("a", 0, gone, 1 * ms));
  EXPECT_EQ(tracker.due(1 * ms).size(), 1u);
  tracker.started("a", 1, numbered(1), 0);
  EXPECT_FALSE(tracker.refused("a", 1, gone, 2 * ms));
  EXPECT_FALSE(tracker.no_connection("a", 2 * ms));  // all have been tried
  EXPECT_EQ(tracker.next_due(), 12 * ms);
  EXPECT_TRUE(tracker.excluded("a").empty());
}

TEST_F(SendTrackerTest, LossOfTheHolderResendsAtOnce) {
  ASSERT_TRUE(tracker.add("a", deadline, true, 0));
  tracker.started("a", 0, numbered(0), 0);
  tracker.accepted("a", 0);
  EXPECT_TRUE(tracker.connection_lost(0, 7 * ms).empty());
  EXPECT_EQ(tracker.due(7 * ms), std::vector<std::string>{"a"});
  EXPECT_EQ(tracker.excluded("a"), std::set<protocol::Member>{numbered(0)});
}

TEST_F(SendTrackerTest, FinalRefusalEndsUnlessAnotherHasIt) {
  ASSERT_TRUE(tracker.add("a", deadline, true, 0));
  tracker.started("a", 0, numbered(0), 0);
  const auto done = tracker.refused("a", 0, refusal, 0);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->result.error(), refusal);

  ASSERT_TRUE(tracker.add("b", deadline, true, 0));
  tracker.started("b", 0, numbered(0), 0);
  tracker.accepted("b", 0);
  tracker.started("b", 1, numbered(1), 0);
  EXPECT_FALSE(tracker.refused("b", 1, refusal, 0));
}

TEST_F(SendTrackerTest, UnrepeatableFailsOnItsFirstFailure) {
  ASSERT_TRUE(tracker.add("a", deadline, false, 0));
  tracker.started("a", 0, numbered(0), 0);
  const auto done = tracker.refused("a", 0, gone, 0);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->result.error(), gone);
}

TEST_F(SendTrackerTest, UnrepeatableWithoutEndFailsWithItsSequencer) {
  ASSERT_TRUE(tracker.add("tick", Timestamp::max(), false, 0));
  tracker.started("tick", 0, numbered(0), 0);
  tracker.accepted("tick", 0);
  EXPECT_EQ(tracker.connection_lost(0, 0).size(), 1u);
  EXPECT_EQ(tracker.size(), 0u);
}

TEST_F(SendTrackerTest, TimePassesForAll) {
  ASSERT_TRUE(tracker.add("a", deadline, true, 0));
  ASSERT_TRUE(tracker.add("b", deadline + Duration::seconds(1), true, 0));
  EXPECT_EQ(tracker.earliest_deadline(), deadline);
  EXPECT_TRUE(tracker.observed(std::nullopt, deadline, std::nullopt).empty());
  const auto done = tracker.observed(std::nullopt, deadline.next(), std::nullopt);
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].message_id, "a");
  EXPECT_EQ(done[0].result.error().id, "SEQUENCER_SUBMISSION_TIMED_OUT");
  EXPECT_TRUE(tracker.contains("b"));
}

TEST_F(SendTrackerTest, LimitsAndDuplicates) {
  ASSERT_TRUE(tracker.add("a", deadline, true, 0));
  EXPECT_EQ(tracker.add("a", deadline, true, 0).error().id, "DUPLICATE_MESSAGE_ID");
  ASSERT_TRUE(tracker.add("b", deadline, true, 0));
  ASSERT_TRUE(tracker.add("c", deadline, true, 0));
  EXPECT_EQ(tracker.add("d", deadline, true, 0).error().id, "SUBMISSION_QUEUE_FULL");
}

TEST_F(SendTrackerTest, OverloadAndLagAreMattersOfOneSequencer) {
  EXPECT_EQ(classify_refusal(Error("SEQUENCER_OVERLOADED", ErrorCategory::contention_on_shared_resources, "")),
            Refusal::try_next);
  EXPECT_EQ(classify_refusal(invalid_argument("SEQUENCER_MAX_SEQUENCING_TIME_TOO_FAR", "")), Refusal::try_next);
  EXPECT_EQ(classify_refusal(invalid_argument("SEQUENCER_SENDER_UNKNOWN", "")), Refusal::final_);
}

}  // namespace
}  // namespace synod::sequencer::client
