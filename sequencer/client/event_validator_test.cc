#include "sequencer/client/event_validator.h"

#include <gtest/gtest.h>

namespace synod::sequencer::client {
namespace {

protocol::UniqueId uid(const std::string& name) { return protocol::UniqueId::create(name, "1220ab").value(); }
const protocol::PhysicalSynchronizerId synchronizer(uid("sync"), 35, 0);
const protocol::Member s1 = protocol::Member::sequencer(uid("s1"));
const protocol::Member s2 = protocol::Member::sequencer(uid("s2"));
const protocol::Member s3 = protocol::Member::sequencer(uid("s3"));

ReceivedEvent event(std::optional<std::int64_t> previous, std::int64_t timestamp, const std::string& content = "x") {
  ReceivedEvent e;
  if (previous) e.event.previous_timestamp = Timestamp{*previous};
  e.event.timestamp = Timestamp{timestamp};
  e.event.synchronizer = synchronizer;
  e.hash = crypto::hash(crypto::HashPurpose::sequenced_event, content + std::to_string(timestamp));
  e.bytes = 100;
  return e;
}

Status good(const protocol::Member&, const ReceivedEvent&) { return {}; }

std::vector<std::int64_t> drain(EventValidator& validator, std::vector<EventValidator::Fault>* faults = nullptr,
                                const EventValidator::CheckSignature& check = good) {
  std::vector<std::int64_t> out;
  for (;;) {
    auto step = validator.next(check);
    if (faults != nullptr) faults->insert(faults->end(), step.faults.begin(), step.faults.end());
    if (!step.deliver) return out;
    out.push_back(step.deliver->event.timestamp.micros);
  }
}

TEST(EventValidator, DeliversInOrderFromTheBeginning) {
  EventValidator validator(synchronizer, 1, std::nullopt);
  validator.subscribed(s1);
  EXPECT_TRUE(validator.add(s1, event(std::nullopt, 10)));
  EXPECT_TRUE(validator.add(s1, event(10, 20)));
  EXPECT_EQ(drain(validator), (std::vector<std::int64_t>{10, 20}));
  EXPECT_EQ(validator.resume_timestamp(), Timestamp{20});
}

TEST(EventValidator, RefusesGapsDisorderAndStrangers) {
  for (auto bad : {event(15, 20), event(10, 10), event(10, 5), event(std::nullopt, 20)}) {
    EventValidator validator(synchronizer, 1, std::nullopt);
    validator.subscribed(s1);
    ASSERT_TRUE(validator.add(s1, event(std::nullopt, 10)));
    EXPECT_EQ(validator.add(s1, bad).error().id, "SEQUENCED_EVENT_INVALID");
  }
  EventValidator validator(synchronizer, 1, std::nullopt);
  validator.subscribed(s1);
  ReceivedEvent foreign = event(std::nullopt, 10);
  foreign.event.synchronizer = protocol::PhysicalSynchronizerId(uid("other"), 35, 0);
  EXPECT_FALSE(validator.add(s1, foreign));
}

TEST(EventValidator, ResumptionIsInclusiveAndCompared) {
  const ResumePoint point{Timestamp{10}, event(5, 10).hash};
  EventValidator validator(synchronizer, 1, point);
  EXPECT_EQ(validator.resume_timestamp(), Timestamp{10});
  validator.subscribed(s1);
  EXPECT_EQ(validator.add(s1, event(5, 10))->released, 100u);
  EXPECT_TRUE(validator.add(s1, event(10, 20)));
  EXPECT_EQ(drain(validator), (std::vector<std::int64_t>{20}));

  EventValidator forked(synchronizer, 1, point);
  forked.subscribed(s1);
  EXPECT_EQ(forked.add(s1, event(5, 10, "other")).error().id, "SEQUENCER_FORK_DETECTED");
  EventValidator skipped(synchronizer, 1, point);
  skipped.subscribed(s1);
  EXPECT_FALSE(skipped.add(s1, event(10, 20)));
}

TEST(EventValidator, MovesToAnotherSequencerWithoutLossOrRepetition) {
  EventValidator validator(synchronizer, 1, std::nullopt);
  validator.subscribed(s1);
  ASSERT_TRUE(validator.add(s1, event(std::nullopt, 10)));
  ASSERT_TRUE(validator.add(s1, event(10, 20)));
  EXPECT_EQ(drain(validator).size(), 2u);
  validator.unsubscribed(s1);
  validator.subscribed(s2);
  ASSERT_TRUE(validator.add(s2, event(10, 20)));
  ASSERT_TRUE(validator.add(s2, event(20, 30)));
  EXPECT_EQ(drain(validator), (std::vector<std::int64_t>{30}));
}

TEST(EventValidator, WaitsForTheTrustThreshold) {
  EventValidator validator(synchronizer, 2, std::nullopt);
  for (const auto& s : {s1, s2, s3}) validator.subscribed(s);
  ASSERT_TRUE(validator.add(s1, event(std::nullopt, 10)));
  ASSERT_TRUE(validator.add(s1, event(10, 20)));
  EXPECT_TRUE(drain(validator).empty());
  ASSERT_TRUE(validator.add(s2, event(std::nullopt, 10)));
  EXPECT_EQ(drain(validator), (std::vector<std::int64_t>{10}));
  EXPECT_EQ(validator.add(s3, event(std::nullopt, 10))->released, 100u);  // late, and the same
  ASSERT_TRUE(validator.add(s3, event(10, 20)));
  EXPECT_EQ(drain(validator), (std::vector<std::int64_t>{20}));
}

TEST(EventValidator, ALateSubscriptionMayBeginBeforeWhatIsRemembered) {
  EventValidator validator(synchronizer, 1, ResumePoint{Timestamp{10}, {}});  // the hash at 10 is not known
  validator.subscribed(s1);
  validator.subscribed(s2);
  ASSERT_TRUE(validator.add(s1, event(5, 10)));
  ASSERT_TRUE(validator.add(s1, event(10, 20)));
  EXPECT_EQ(drain(validator), (std::vector<std::int64_t>{20}));
  EXPECT_TRUE(validator.add(s2, event(5, 10)));
  EXPECT_TRUE(validator.add(s2, event(10, 20)));
  EXPECT_EQ(validator.add(s2, event(20, 20)).error().id, "SEQUENCED_EVENT_INVALID");
}

TEST(EventValidator, ReportsADissenter) {
  EventValidator validator(synchronizer, 2, std::nullopt);
  for (const auto& s : {s1, s2, s3}) validator.subscribed(s);
  ASSERT_TRUE(validator.add(s1, event(std::nullopt, 10, "lie")));
  ASSERT_TRUE(validator.add(s2, event(std::nullopt, 10)));
  ASSERT_TRUE(validator.add(s3, event(std::nullopt, 10)));
  std::vector<EventValidator::Fault> faults;
  EXPECT_EQ(drain(validator, &faults), (std::vector<std::int64_t>{10}));
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].sequencer, s1);
  EXPECT_EQ(faults[0].error.id, "SEQUENCER_FORK_DETECTED");
}

TEST(EventValidator, ABadSignatureEndsTheSubscription) {
  EventValidator validator(synchronizer, 1, std::nullopt);
  validator.subscribed(s1);
  ASSERT_TRUE(validator.add(s1, event(std::nullopt, 10)));
  std::vector<EventValidator::Fault> faults;
  EXPECT_TRUE(drain(validator, &faults, [](const auto&, const auto&) -> Status {
                return fail(Error("SIGNATURE_CHECK_FAILED", ErrorCategory::malicious_or_faulty, ""));
              }).empty());
  ASSERT_EQ(faults.size(), 1u);
  validator.subscribed(s2);
  ASSERT_TRUE(validator.add(s2, event(std::nullopt, 10)));
  EXPECT_EQ(drain(validator), (std::vector<std::int64_t>{10}));
}

}  // namespace
}  // namespace synod::sequencer::client
