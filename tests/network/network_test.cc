// Members of a synchronizer with two sequencers go on when one of them is killed, and see the same.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "participant/node/identity.h"
#include "tests/network/test_network.h"
#include "topology/broadcast.h"

namespace synod::testing {
namespace {

protocol::RecipientSet to(const protocol::Member& member) { return {member}; }

void expect_chain(const std::vector<sequencer::client::Delivered>& events) {
  for (std::size_t i = 1; i < events.size(); ++i) {
    EXPECT_EQ(events[i].event.previous_timestamp, events[i - 1].event.timestamp);
  }
}

// How often each message with content reached the member.
std::map<Bytes, int> contents(const std::vector<sequencer::client::Delivered>& events) {
  std::map<Bytes, int> out;
  for (const auto& delivered : events) {
    const auto envelopes = delivered.event.batch.decompress({});
    EXPECT_TRUE(envelopes);
    for (const auto& envelope : *envelopes) out[envelope.content]++;
  }
  return out;
}

TEST(Network, EachMessageArrivesOnceWhileSequencersAreKilled) {
  TestNetwork network({.sequencers = 2, .members = 2});
  auto alice = network.member(0, network.client_config());
  auto bob = network.member(1, network.client_config());
  alice->start();
  bob->start();

  std::vector<std::shared_future<Result<Timestamp>>> sent;
  int number = 0;
  const auto burst = [&](int count) {
    for (int i = 0; i < count; ++i, ++number) {
      sent.push_back(
          alice->send("message-" + std::to_string(number), to(bob->id), "content " + std::to_string(number)));
    }
  };
  const auto settle = [&] {
    for (auto& future : sent) {
      ASSERT_EQ(future.wait_for(std::chrono::seconds(120)), std::future_status::ready);
      EXPECT_TRUE(future.get()) << future.get().error().to_string();
    }
  };
  burst(20);
  settle();
  burst(20);
  network.kill_sequencer(0);
  burst(20);
  settle();
  network.start_sequencer(0);
  burst(20);
  network.kill_sequencer(1);
  burst(20);
  settle();

  ASSERT_TRUE(bob->wait_events(100));
  const auto received = contents(bob->events());
  EXPECT_EQ(received.size(), 100u);
  for (const auto& [content, count] : received) EXPECT_EQ(count, 1) << content;
  expect_chain(alice->events());
  expect_chain(bob->events());
}

TEST(Network, ARestartedMemberResumesWhereItWas) {
  TestNetwork network({.sequencers = 1, .members = 2});
  auto alice = network.member(0, network.client_config());
  auto bob = network.member(1, network.client_config());
  alice->start();
  bob->start();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(alice->send("first-" + std::to_string(i), to(bob->id)).get());
  ASSERT_TRUE(bob->wait_events(5));
  const auto before = bob->events();
  bob->stop();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(alice->send("second-" + std::to_string(i), to(bob->id)).get());
  auto again = network.member(1, network.client_config());
  again->start(sequencer::client::ResumePoint{before.back().event.timestamp, before.back().content_hash});
  ASSERT_TRUE(again->wait_events(5));
  EXPECT_EQ(again->events().front().event.previous_timestamp, before.back().event.timestamp);
}

// Each hears of nothing that was before it, and not of the others one by one.
TEST(Network, AHundredMembersComeInWithOneBroadcastAndSubscribe) {
  TestNetwork network({.sequencers = 2, .members = 1});
  auto alice = network.member(0, network.client_config());
  alice->start();
  const auto& synchronizer = network.genesis().synchronizer;
  std::vector<participant::Identity> joining;
  std::vector<topology::SignedTransaction> transactions;
  for (int i = 0; i < 100; ++i) {
    joining.push_back(
        participant::open_identity(crypto::memory_key_store(), "member-" + std::to_string(i), *system_random())
            .value());
    auto own = participant::onboarding_transactions(joining.back(), synchronizer.logical()).value();
    std::move(own.begin(), own.end(), std::back_inserter(transactions));
  }
  ASSERT_TRUE(alice
                  ->send("all", {protocol::Recipient::all_members()},
                         topology::broadcast_envelope(synchronizer, transactions).content)
                  .get());
  ASSERT_TRUE(alice->wait_events(2)) << "the broadcast, and the tick that says it is in force";

  std::vector<std::unique_ptr<TestMember>> members;
  protocol::RecipientSet everyone;
  for (const auto& identity : joining) {
    auto config = network.client_config();
    if (members.size() % 2 == 1) std::swap(config.endpoints[0], config.endpoints[1]);
    config.endpoints.pop_back();
    members.push_back(
        std::make_unique<TestMember>(identity.member, identity.keys, network.genesis(), std::move(config)));
    members.back()->start();
    everyone.insert(identity.member);
  }
  for (const auto& member : members) ASSERT_TRUE(member->wait_events(1)) << member->id.to_string();
  ASSERT_TRUE(alice->send("welcome", everyone, "welcome").get());
  for (const auto& member : members) {
    ASSERT_TRUE(member->wait_events(2)) << member->id.to_string();
    const auto events = member->events();
    EXPECT_EQ(events.size(), 2u) << "the tick, and the message";
    EXPECT_FALSE(events.front().event.previous_timestamp);
    expect_chain(events);
    EXPECT_EQ(contents(events), (std::map<Bytes, int>{{"welcome", 1}}));
  }
}

TEST(Network, AnUnknownRecipientIsReportedToTheSender) {
  TestNetwork network({.sequencers = 1, .members = 1});
  auto alice = network.member(0, network.client_config());
  alice->start();
  const auto stranger =
      protocol::Member::participant(protocol::UniqueId::create("nobody", alice->id.uid().ns()).value());
  const auto result = alice->send("m", to(stranger)).get();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().id, "SEQUENCER_UNKNOWN_RECIPIENTS");
}

// A measurement, not a check: from send() to the receipt, one at a time, over sockets.
void measure_round_trips(bool sync) {
  TestNetwork network({.sequencers = 1, .members = 1, .sync = sync});
  auto alice = network.member(0, network.client_config());
  alice->start();
  ASSERT_TRUE(alice->send("warm", to(alice->id)).get());
  std::vector<std::int64_t> micros;
  for (int i = 0; i < 300; ++i) {
    const std::int64_t start = system_clock()->monotonic_micros();
    ASSERT_TRUE(alice->send("m" + std::to_string(i), to(alice->id)).get());
    micros.push_back(system_clock()->monotonic_micros() - start);
  }
  std::sort(micros.begin(), micros.end());
  std::printf("round trip%s: p50 %lld us, p90 %lld us, p99 %lld us\n", sync ? "" : " without syncing the log",
              static_cast<long long>(micros[150]), static_cast<long long>(micros[270]),
              static_cast<long long>(micros[297]));
}
TEST(Network, RoundTripTime) { measure_round_trips(true); }
TEST(Network, RoundTripTimeWithoutSync) { measure_round_trips(false); }

}  // namespace
}  // namespace synod::testing
