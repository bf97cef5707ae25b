// What an operator does to a running sequencer, over its admin port.
#include <gmock/gmock.h>

#include <future>

#include "base/testing/expect_log.h"
#include "sequencer/onboarding_state.h"
#include "sequencer/testing/node_fixture.h"

namespace synod::sequencer::testing {
namespace {

using ::testing::HasSubstr;

class AdminTest : public NodeTest {
 protected:
  using NodeTest::NodeTest;
  static std::unique_ptr<grpc::ClientContext> plain() {
    auto context = std::make_unique<grpc::ClientContext>();
    context->set_deadline(std::chrono::system_clock::now() + kPatience);
    return context;
  }
  ops::Details details() {
    ops::Details details;
    const auto status = operations->GetDetails(plain().get(), {}, &details);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return details;
  }
  void set_enabled(const protocol::Member& member, bool enabled) {
    ops::SetMemberEnabledRequest request;
    request.set_member(member.to_string());
    request.set_enabled(enabled);
    ops::SetMemberEnabledResponse response;
    const auto status = operations->SetMemberEnabled(plain().get(), request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
  }
  ops::PruneResponse prune(bool dry_run) {
    ops::PruneRequest request;
    request.set_retention_micros(0);
    request.set_dry_run(dry_run);
    ops::PruneResponse response;
    const auto status = operations->Prune(plain().get(), request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
};

TEST_F(AdminTest, PrunesWhatIsAcknowledgedAndTellsWhoHoldsItBack) {
  const Bytes alpha_token = login(alpha()), beta_token = login(beta());
  std::vector<Timestamp> times;
  {
    auto events = subscribe(beta(), beta_token);
    for (int i = 0; i < 10; ++i) {
      ASSERT_TRUE(send(alpha(), alpha_token, request_to(alpha(), beta(), soon("m" + std::to_string(i)))).ok());
      times.push_back(decode(events->next()).timestamp);
    }
  }
  acknowledge(alpha(), alpha_token, times[8]);
  acknowledge(beta(), beta_token, times[6]);

  // The mediator and gamma never acknowledged: nothing may go.
  auto rehearsal = prune(true);
  EXPECT_EQ(rehearsal.events(), 0u);
  std::set<std::string> holders;
  for (const auto& holder : rehearsal.holding_back()) holders.insert(holder.member());
  EXPECT_THAT(holders, ::testing::Contains(world.participants[2].to_string()));
  admin_api::PruneRequest unsafe;
  unsafe.mutable_timestamp()->set_seconds(times[3].micros / 1'000'000 + 1);
  admin_api::PruneResponse response;
  const auto refused = pruning->Prune(plain().get(), unsafe, &response);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(refused.error_message(), HasSubstr("as the earliest safe pruning point is"));

  set_enabled(world.mediator, false);
  set_enabled(world.participants[2], false);
  rehearsal = prune(true);
  EXPECT_EQ(rehearsal.before(), times[6].micros);
  EXPECT_EQ(rehearsal.events(), 6u);
  EXPECT_EQ(prune(false).events(), 6u);
  EXPECT_EQ(prune(true).events(), 0u);
  EXPECT_EQ(details().lower_bound(), times[6].micros - 1);

  admin_api::PruningStatusResponse canton;
  ASSERT_TRUE(administration->PruningStatus(plain().get(), {}, &canton).ok());
  EXPECT_EQ(canton.pruning_status().earliest_event_timestamp(), times[6].micros - 1);

  EXPECT_EQ(decode(subscribe(beta(), beta_token, times[6])->next()).timestamp, times[6]);
  const auto gone = subscribe(beta(), beta_token, times[5])->status();
  EXPECT_EQ(gone.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(gone.error_message(), HasSubstr("EventsUnavailableForTimestamp"));
  // Also after a restart.
  stop();
  start();
  EXPECT_THAT(subscribe(beta(), login(beta()))->status().error_message(), HasSubstr("from the beginning"));
}

TEST_F(AdminTest, ADisabledMemberIsShutOutUntilItIsEnabled) {
  const Bytes token = login(beta());
  auto events = subscribe(beta(), token);
  admin_api::DisableMemberRequest request;
  request.set_member(beta().to_string());
  admin_api::DisableMemberResponse response;
  ASSERT_TRUE(administration->DisableMember(plain().get(), request, &response).ok());
  EXPECT_TRUE(events->next().empty());  // it has ended
  events.reset();
  EXPECT_EQ(send(beta(), token, request_to(beta(), alpha(), soon())).error_code(), grpc::StatusCode::UNAUTHENTICATED);
  const auto refused = [&] {
    api::SequencerAuthentication::ChallengeRequest challenge;
    challenge.set_member(beta().to_string());
    challenge.add_member_protocol_versions(35);
    challenge.set_client_version("test");
    api::SequencerAuthentication::ChallengeResponse answer;
    return !authentication->Challenge(context(beta()).get(), challenge, &answer).ok();
  };
  EXPECT_TRUE(refused());
  stop();
  start();
  EXPECT_TRUE(refused());
  set_enabled(beta(), true);
  EXPECT_FALSE(refused());
  request.set_member(protocol::Member::participant(alpha().uid()).to_string() + "x");
  EXPECT_FALSE(administration->DisableMember(plain().get(), request, &response).ok());
}

TEST_F(AdminTest, ExportsItsStateForAPeer) {
  const Bytes token = login(alpha());
  auto events = subscribe(beta(), login(beta()));
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(send(alpha(), token, request_to(alpha(), beta(), soon("m" + std::to_string(i)))).ok());
    EXPECT_FALSE(events->next().empty());
  }
  const auto context = plain();
  const auto stream = administration->OnboardingStateV2(context.get(), {});
  Bytes bytes;
  admin_api::OnboardingStateV2Response piece;
  while (stream->Read(&piece)) bytes += piece.onboarding_state_for_sequencer();
  ASSERT_TRUE(stream->Finish().ok());
  const auto state = parse_onboarding_state(bytes);
  ASSERT_TRUE(state) << state.error().to_string();
  EXPECT_GE(state->height.value, 2);
  EXPECT_LE(state->height, status_when_well().core.height);
}

TEST_F(AdminTest, KeysAreReplacedWhileItRuns) {
  const Bytes token = login(alpha());
  auto events = subscribe(beta(), login(beta()));
  const auto exchange = [&](const std::string& id) {
    EXPECT_TRUE(send(alpha(), token, request_to(alpha(), beta(), soon(id))).ok());
    for (;;) {
      const Bytes signed_event = events->next();
      if (signed_event.empty()) return std::string();
      const auto content = protocol::SignedContent::parse(signed_event).value();
      if (protocol::SequencedEvent::parse(content.content, batch_limits())->batch.envelopes.empty()) continue;
      const Bytes unpacked = protocol::SequencedEvent::parse(content.content, batch_limits())
                                 ->batch.decompress(batch_limits())
                                 ->front()
                                 .content;
      if (unpacked == "hello") return content.signatures.front().signed_by;
    }
  };
  const std::string before = exchange("before");
  ops::RotateKeysRequest request;
  ops::RotateKeysResponse rotated;
  const auto status = operations->RotateKeys(plain().get(), request, &rotated);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_THAT(rotated.removed(), ::testing::Contains(before));
  const std::string after = exchange("after");
  EXPECT_NE(after, before);
  EXPECT_THAT(rotated.added(), ::testing::Contains(after));
  status_when_well();

  // A restart finds the new keys, and old events still have their old signatures.
  events.reset();
  stop();
  start();
  auto again = subscribe(beta(), login(beta()));
  EXPECT_EQ(protocol::SignedContent::parse(again->next())->signatures.front().signed_by, before);
}

class LogPruningTest : public AdminTest {
 protected:
  LogPruningTest() : AdminTest(1) {}
};

// Also where an operator keeps all events: the two are not the same.
TEST_F(LogPruningTest, TheOrderingLogIsPrunedBehindTheSlowest) {
  stop();
  config.pruning.automatic = false;
  config.pruning.interval = Duration::milliseconds(20);
  config.pruning.log_blocks = 2;
  start();
  const Bytes token = login(alpha());
  auto events = subscribe(alpha(), token);
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(send(alpha(), token, request_to(alpha(), beta(), soon("m" + std::to_string(i)))).ok());
    EXPECT_FALSE(events->next().empty());
  }
  const ordering::Height height = status_when_well().core.height;
  ASSERT_GE(height.value, 5);
  eventually([&] { return log->pruned_before() == ordering::Height(height.value - 2); });
}

TEST_F(AdminTest, AStopDoesNotWaitForKeysThatAreBeingReplaced) {
  eventually([&] {  // the tick with which it begins has come
    const auto now = node->status();
    return now.core.height >= ordering::Height(0) && now.unordered_batches == 0;
  });
  log->set_available(false);  // the new keys do not get into the topology
  auto rotation = std::async(std::launch::async, [this] {
    ops::RotateKeysRequest request;
    request.set_timeout_micros(Duration::seconds(600).micros);
    ops::RotateKeysResponse response;
    return operations->RotateKeys(plain().get(), request, &response);
  });
  eventually([&] { return node->status().unordered_batches > 0; });
  node->stop();
  ASSERT_EQ(rotation.wait_for(kPatience / 2), std::future_status::ready);
  EXPECT_EQ(rotation.get().error_code(), grpc::StatusCode::UNAVAILABLE);
}

class ForkedNodeTest : public AdminTest {
 protected:
  ForkedNodeTest() : AdminTest(3) {}
  // What a rival seals who has read other blocks than this sequencer.
  void contradict(std::size_t rival, std::uint64_t number) {
    SealedBatch batch;
    batch.synchronizer = world.genesis.synchronizer;
    batch.sequencer = world.sequencers[rival];
    batch.number = SequenceNumber(number);
    batch.proposed_time = system_clock()->now();
    batch.seen_height = status_when_well().core.height;
    batch.seen_state = "another digest";
    batch.entries.push_back(SealedEntry{TickEntry{}, ""});
    const auto key = world.key_of(batch.sequencer);
    log->submit(
        seal(batch, [&](const crypto::Hash& hash) -> Result<crypto::Signature> { return crypto::sign(hash, key); })
            .value(),
        [](const ordering::SubmitResult&) {});
  }
};

TEST_F(ForkedNodeTest, StopsServingWhenTheMajorityContradictsIt) {
  synod::testing::expect_log("came to another state");
  synod::testing::expect_log("is on a fork and stops");
  synod::testing::expect_log("no more blocks are taken");
  auto events = subscribe(beta(), login(beta()));
  ASSERT_TRUE(send(alpha(), login(alpha()), request_to(alpha(), beta(), soon())).ok());
  ASSERT_FALSE(events->next().empty());
  contradict(1, 1);
  eventually([&] { return !node->status().core.diverged.empty(); });
  status_when_well();  // one of three may be wrong itself
  ASSERT_EQ(details().peers_size(), 1);
  EXPECT_TRUE(details().peers(0).diverged());
  contradict(2, 1);
  EXPECT_TRUE(events->next().empty());  // ended
  eventually([&] { return !node->status().accepting; });
  EXPECT_THAT(node->status().reason, HasSubstr("2 of 3 sequencers came to another state than this one"));
  eventually([&] { return !server->health().all_serving(); });
  EXPECT_THAT(send(alpha(), login(alpha()), request_to(alpha(), beta(), soon("late"))).error_message(),
              HasSubstr("no longer follows the log"));
}

}  // namespace
}  // namespace synod::sequencer::testing
