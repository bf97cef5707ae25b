#include "sequencer/core.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/expect_log.h"
#include "sequencer/testing/world.h"
#include "topology/broadcast.h"

namespace synod::sequencer {
namespace {

using ::synod::testing::expect_log;
using ::synod::testing::seen_log;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::RequestOptions;
using testing::World;

constexpr Timestamp kStart = World::kStart;

Timestamp after(std::int64_t milliseconds) { return kStart + Duration::milliseconds(milliseconds); }

class Core : public ::testing::Test {
 protected:
  const protocol::Member& alpha() const { return world.participants[0]; }
  const protocol::Member& beta() const { return world.participants[1]; }
  const protocol::Member& gamma() const { return world.participants[2]; }
  const protocol::Member& rival() const { return world.sequencers[1]; }
  SealedEntry to(const protocol::Member& sender, protocol::RecipientSet recipients, std::string content,
                 const RequestOptions& options = {}) const {
    return world.submission(sender, {World::envelope(std::move(content), {std::move(recipients)})}, options);
  }
  World world;
};

TEST_F(Core, DeliversToWhomItIsAddressedAndReceiptsToTheSender) {
  world.sequence(after(0), {world.submission(alpha(), {World::envelope("for beta", {{beta()}}),
                                                       World::envelope("for both", {{beta()}, {gamma()}})})});
  const auto sender = world.events(alpha());
  ASSERT_EQ(sender.size(), 1u);
  EXPECT_EQ(sender[0].message_id, "message");
  EXPECT_THAT(sender[0].contents, IsEmpty());
  EXPECT_EQ(sender[0].timestamp, after(0));
  EXPECT_THAT(world.events(beta())[0].contents, ElementsAre("for beta", "for both"));
  EXPECT_THAT(world.events(gamma())[0].contents, ElementsAre("for both"));
  EXPECT_FALSE(world.events(gamma())[0].message_id);
  EXPECT_THAT(world.events(world.mediator), IsEmpty());
}

TEST_F(Core, TimeNeverStandsStillOrGoesBack) {
  world.sequence(after(10), {to(alpha(), {beta()}, "a")});
  world.sequence(after(5), {to(alpha(), {beta()}, "b"), to(alpha(), {beta()}, "c")});
  const auto events = world.events(beta());
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[1].timestamp, after(10).next());
  EXPECT_EQ(events[2].timestamp, after(10).next().next());
  EXPECT_FALSE(events[0].previous);
  EXPECT_EQ(events[1].previous, events[0].timestamp);
  EXPECT_EQ(events[2].previous, events[1].timestamp);
}

TEST_F(Core, RepeatedRecordsTakeEffectOnce) {
  const Bytes record = world.record(world.sequencers[0], after(0), {to(alpha(), {beta()}, "once")}, 7);
  EXPECT_EQ(world.block({record, record}).own.size(), 2u);
  EXPECT_EQ(world.block({record}).own.size(), 1u);
  world.open(world.sequencers[0]);
  world.block({record});
  EXPECT_EQ(world.events(beta()).size(), 1u);
}

TEST_F(Core, BlockOrderIsByPriorityThenTime) {
  RequestOptions first{"first", {}, {}, false, {}};
  RequestOptions second{"second", {}, {}, false, {}};
  world.block({world.record(world.sequencers[0], after(5), {to(alpha(), {world.mediator, beta()}, "request", first)}),
               world.record(world.sequencers[1], after(3), {to(gamma(), {world.mediator}, "response", second)})});
  const auto events = world.events(world.mediator);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_THAT(events[0].contents, ElementsAre("response"));
  EXPECT_EQ(events[0].timestamp, after(3));
  EXPECT_EQ(events[1].timestamp, after(3).next());
}

TEST_F(Core, GroupsAreResolved) {
  world.sequence(after(0), {to(alpha(), {protocol::Recipient::mediator_group(0), beta()}, "to the group")});
  EXPECT_THAT(world.events(world.mediator)[0].contents, ElementsAre("to the group"));
  world.sequence(after(1), {to(alpha(), {protocol::Recipient::sequencers()}, "to the sequencers")});
  EXPECT_THAT(world.events(world.sequencers[1])[0].contents, ElementsAre("to the sequencers"));
  world.sequence(after(2), {to(alpha(), {protocol::Recipient::mediator_group(9), beta()}, "nowhere")});
  EXPECT_THAT(world.events(alpha()).back().error,
              HasSubstr("SEQUENCER_SUBMISSION_REQUEST_REFUSED(9,0): The following mediator groups do not exist"));
  EXPECT_EQ(world.events(beta()).size(), 1u);
}

TEST_F(Core, UnknownRecipientsAreRejectedToTheSenderOnly) {
  const auto stranger = protocol::Member::participant(world.network.new_uid("stranger"));
  world.sequence(after(0), {to(alpha(), {stranger, beta()}, "x")});
  EXPECT_EQ(world.events(alpha())[0].error,
            "SEQUENCER_UNKNOWN_RECIPIENTS(9,0): Unknown recipients: " + stranger.to_string());
  EXPECT_THAT(world.events(beta()), IsEmpty());
}

TEST_F(Core, ExpiredRequestsAreDroppedSilently) {
  RequestOptions options;
  options.max_sequencing_time = after(1);
  world.sequence(after(2), {to(alpha(), {beta()}, "late", options)});
  EXPECT_THAT(world.events(alpha()), IsEmpty());
  options.max_sequencing_time = after(3);
  world.sequence(after(3), {to(alpha(), {beta()}, "just in time", options)});
  EXPECT_EQ(world.events(beta()).size(), 1u);
}

TEST_F(Core, ForgedRequestsAreDroppedWithAnAlarm) {
  auto request = world.request(alpha(), {World::envelope("x", {{beta()}})});
  const auto wrong_key = world.key_of(gamma());
  const auto forged =
      protocol::sign_content(crypto::HashPurpose::submission_request, request.serialize(), wrong_key, {});
  expect_log("signature on the request");
  world.sequence(after(0), {SealedEntry{SubmissionEntry{forged.serialize()}, ""}});
  EXPECT_THAT(world.events(alpha()), IsEmpty());

  auto envelope = World::envelope("signed", {{beta()}});
  envelope.signatures.push_back(
      crypto::sign(crypto::hash(crypto::HashPurpose::signed_protocol_message, envelope.content), wrong_key));
  expect_log("signature on an envelope");
  world.sequence(after(1), {world.submission(alpha(), {envelope})});
  EXPECT_THAT(world.events(beta()), IsEmpty());

  expect_log("several mediators");
  world.sequence(after(2), {to(alpha(), {world.mediator, protocol::Recipient::all_members()}, "x")});
  expect_log("does not decode");
  world.sequence(after(3), {SealedEntry{SubmissionEntry{"rubbish"}, ""}});
  EXPECT_EQ(world.core->status().requests_dropped, 4u);
}

TEST_F(Core, RecordsOfStrangersAreDropped) {
  expect_log("does not decode");
  world.block({"rubbish"});
  // Sealed in the name of the rival, but with another key.
  SealedBatch batch{world.genesis.synchronizer, rival(), SequenceNumber(1), after(0), {to(alpha(), {beta()}, "x")}};
  const auto sign_with = [](crypto::SigningKeyPair key) {
    return [key](const crypto::Hash& hash) -> Result<crypto::Signature> { return crypto::sign(hash, key); };
  };
  expect_log("is not signed by it");
  world.block({seal(batch, sign_with(world.key_of(alpha()))).value()});
  batch.sequencer = protocol::Member::sequencer(alpha().uid());
  expect_log("is not an active sequencer");
  world.block({seal(batch, sign_with(world.key_of(alpha()))).value()});
  EXPECT_THAT(world.events(alpha()), IsEmpty());
}

TEST_F(Core, ASequencerThatLeavesMayHaveABatchOnItsWay) {
  world.sequence(after(0), {world.submission(world.sequencers[0], {world.group_change({world.sequencers[0]})})});
  world.block({world.record(rival(), after(100), {to(alpha(), {beta()}, "in time")})});
  EXPECT_EQ(world.events(beta()).back().contents, std::vector<std::string>{"in time"});
  world.sequence(after(251), {SealedEntry{TickEntry{}, ""}});  // now it is out
  const std::size_t events = world.events(beta()).size();
  // No alarm for what it sealed before it could know; nothing of it is taken all the same.
  world.seen_height = world.core->height();
  world.block({world.record(rival(), after(252), {to(alpha(), {beta()}, "too late")})});
  // It goes on, knowing better; or somebody does in its name.
  world.seen_height = world.core->height();
  const Bytes knowing = world.record(rival(), after(253), {to(alpha(), {beta()}, "knowing")});
  expect_log("is not an active sequencer");
  world.block({knowing});
  world.seen_height = ordering::Height(0);
  SealedBatch forged{world.genesis.synchronizer, rival(), SequenceNumber(9), after(254), {}, ordering::Height(0)};
  expect_log("is not an active sequencer");
  world.block({seal(forged, [&](const crypto::Hash& hash) -> Result<crypto::Signature> {
                 return crypto::sign(hash, world.key_of(alpha()));
               }).value()});
  EXPECT_EQ(world.events(beta()).size(), events);
}

// Whoever may write to the log, or send to a sequencer, decides how many of these there are.
TEST_F(Core, WhatIsWrongInABlockMakesOneLineAKind) {
  const auto forged = [&](int i) {
    const RequestOptions options{"m" + std::to_string(i)};
    const auto request = world.request(alpha(), {World::envelope("x", {{beta()}})}, options);
    return SealedEntry{SubmissionEntry{protocol::sign_content(crypto::HashPurpose::submission_request,
                                                              request.serialize(), world.key_of(gamma()), {})
                                           .serialize()},
                       ""};
  };
  std::vector<SealedEntry> entries;
  for (int i = 0; i < 20; ++i) entries.push_back(forged(i));
  for (int i = 0; i < 20; ++i) entries.push_back(SealedEntry{SubmissionEntry{"rubbish"}, ""});
  entries.push_back(to(alpha(), {beta()}, "good"));
  SealedBatch batch{world.genesis.synchronizer, rival(), SequenceNumber(1), after(0), {to(alpha(), {beta()}, "x")}};
  const auto stranger = seal(batch, [&](const crypto::Hash& hash) -> Result<crypto::Signature> {
                          return crypto::sign(hash, world.key_of(alpha()));
                        }).value();
  expect_log("block ");
  std::vector<Bytes> records(20, "rubbish");
  records.insert(records.end(), 20, stranger);
  records.push_back(world.record(world.sequencers[0], after(0), entries));
  world.block(records);
  EXPECT_EQ(world.events(beta()).size(), 1u);
  EXPECT_EQ(seen_log("does not decode: 20 of 41 records, the first: "), 1u);
  EXPECT_EQ(seen_log("dropped: 20 of 41 records, the first: one that names " + rival().to_string()), 1u);
  EXPECT_EQ(seen_log("does not decode: 20 of 41 requests, the first: "), 1u);
  EXPECT_EQ(seen_log("dropped: 20 of 41 requests, the first: m0 of " + alpha().to_string()), 1u);
  EXPECT_EQ(seen_log("block "), 4u);
}

// Also by a sequencer of ours, and well signed: whoever answers for two synchronizers may mix up their logs.
TEST_F(Core, RecordsForAnotherSynchronizerAreDroppedWithOneLine) {
  const protocol::PhysicalSynchronizerId other(
      protocol::UniqueId::create("other", world.genesis.synchronizer.logical().ns()).value(), 35, 0);
  std::vector<Bytes> records;
  for (std::uint64_t i = 1; i <= 20; ++i) {
    const SealedBatch batch{other, rival(), SequenceNumber(i), after(0), {to(alpha(), {beta()}, "astray")}};
    records.push_back(seal(batch, [&](const crypto::Hash& hash) -> Result<crypto::Signature> {
                        return crypto::sign(hash, world.key_of(rival()));
                      }).value());
  }
  records.push_back(world.record(world.sequencers[0], after(1), {to(alpha(), {beta()}, "ours")}));
  expect_log("is for synchronizer other::");
  world.block(records);
  EXPECT_EQ(seen_log("dropped: 20 of 21 records, the first: one that is for synchronizer other::"), 1u);
  ASSERT_EQ(world.events(beta()).size(), 1u);
  EXPECT_THAT(world.events(beta())[0].contents, ElementsAre("ours"));
  // Its number is not used up either.
  world.block({world.record(rival(), after(2), {to(alpha(), {beta()}, "ours too")}, 1)});
  EXPECT_EQ(world.events(beta()).size(), 2u);
}

TEST_F(Core, AggregatesUntilTheThreshold) {
  RequestOptions options;
  options.rule = protocol::AggregationRule{protocol::AggregationRule::Kind::members, {alpha(), beta()}, 2, 0};
  options.max_sequencing_time = after(60'000);
  options.sign_envelopes = true;
  world.sequence(after(0), {to(alpha(), {gamma()}, "together", options)});
  EXPECT_THAT(world.events(gamma()), IsEmpty());
  EXPECT_EQ(world.events(alpha()).size(), 1u);
  world.open(world.sequencers[0]);
  options.message_id = "again";
  world.sequence(after(1), {to(alpha(), {gamma()}, "together", options)});
  EXPECT_THAT(world.events(alpha())[1].error, HasSubstr("SEQUENCER_AGGREGATE_SUBMISSION_STUFFING(9,0): The sender"));
  world.sequence(after(2), {to(beta(), {gamma()}, "together", options)});
  const auto delivered = world.events(gamma());
  ASSERT_EQ(delivered.size(), 1u);
  EXPECT_EQ(delivered[0].timestamp, after(2));
  EXPECT_THAT(delivered[0].signatures, ElementsAre(2u));
  EXPECT_EQ(world.events(beta()).size(), 1u);
  world.sequence(after(3), {to(beta(), {gamma()}, "together", options)});
  EXPECT_THAT(world.events(beta())[1].error, HasSubstr("SEQUENCER_AGGREGATE_SUBMISSION_ALREADY_SENT(9,0)"));
}

TEST_F(Core, AmplifiedRequestsAreSequencedOnce) {
  RequestOptions options;
  options.rule = protocol::AggregationRule::sender_dedup();
  options.max_sequencing_time = after(10'000);
  const auto entry = to(alpha(), {beta()}, "amplified", options);
  world.block({world.record(world.sequencers[0], after(0), {entry}), world.record(rival(), after(0), {entry})});
  EXPECT_EQ(world.events(beta()).size(), 1u);
  const auto sender = world.events(alpha());
  ASSERT_EQ(sender.size(), 2u);
  EXPECT_THAT(sender[1].error, HasSubstr("was previously delivered at"));
  options.max_sequencing_time = after(0) + Duration::seconds(361);
  world.sequence(after(1), {to(alpha(), {beta()}, "too far", options)});
  EXPECT_THAT(world.events(alpha())[2].error, HasSubstr("SEQUENCER_MAX_SEQUENCING_TIME_TOO_FAR(9,0)"));
}

TEST_F(Core, TopologyTimestampsAreUnsupported) {
  RequestOptions options;
  options.topology_timestamp = after(0);
  world.sequence(after(1), {to(alpha(), {beta()}, "x", options)});
  EXPECT_FALSE(world.events(alpha())[0].error.empty());
  EXPECT_THAT(world.events(beta()), IsEmpty());
}

TEST_F(Core, NewMembersAreRegisteredWhenTheyBecomeEffective) {
  const auto identity = world.network.new_member(protocol::MemberKind::participant, "delta");
  auto transactions = identity.transactions;
  const auto& uid = identity.member.uid();
  transactions.push_back(
      world.network.sign(topology::TrustCertificate{uid, world.genesis.synchronizer.logical(), {}}, 1, {uid.ns()}));
  const auto effects = world.sequence(
      after(0), {world.submission(world.sequencers[0],
                                  {topology::broadcast_envelope(world.genesis.synchronizer, transactions)})});
  EXPECT_TRUE(effects.topology_changed);
  EXPECT_EQ(effects.events[0].readers.size(), 6u);  // everybody who was there
  ASSERT_TRUE(world.core->member(identity.member));
  EXPECT_EQ(world.core->member(identity.member)->registered_at, after(250));
  EXPECT_EQ(world.core->wake_at(), after(250).next());

  world.sequence(after(100), {to(alpha(), {identity.member}, "too early")});
  EXPECT_THAT(world.events(alpha()).back().error, HasSubstr("SEQUENCER_UNKNOWN_RECIPIENTS"));
  // A tick tells everybody that the change is effective, also the new member.
  const auto tick = world.sequence(after(251), {SealedEntry{TickEntry{}, ""}});
  ASSERT_EQ(tick.events.size(), 1u);
  EXPECT_EQ(tick.events[0].readers.size(), 7u);
  EXPECT_EQ(world.events(identity.member).size(), 1u);
  EXPECT_FALSE(world.core->wake_at());
  world.sequence(after(300), {to(alpha(), {identity.member}, "welcome")});
  EXPECT_THAT(world.events(identity.member)[1].contents, ElementsAre("welcome"));
}

TEST_F(Core, UndecidedRequestsWakeTheNetworkAtTheirDeadlines) {
  world.sequence(after(0), {to(alpha(), {protocol::Recipient::mediator_group(0), beta()}, "confirm this")});
  EXPECT_EQ(world.core->wake_at(), after(30'000).next());
  world.open(world.sequencers[0]);
  EXPECT_EQ(world.core->wake_at(), after(30'000).next());
  EXPECT_THAT(world.sequence(after(29'999), {SealedEntry{TickEntry{}, ""}}).events, IsEmpty());
  EXPECT_EQ(world.sequence(after(30'001), {SealedEntry{TickEntry{}, ""}}).events.size(), 1u);
  EXPECT_EQ(world.core->wake_at(), after(60'000).next());
  EXPECT_EQ(world.sequence(after(60'001), {SealedEntry{TickEntry{}, ""}}).events.size(), 1u);
  EXPECT_FALSE(world.core->wake_at());
}

TEST_F(Core, ARivalCannotPushTimeFarAhead) {
  world.sequence(after(0), {to(alpha(), {beta()}, "a")});
  expect_log("ahead of every other sequencer");
  world.block({world.record(rival(), Timestamp::max(), {to(alpha(), {beta()}, "b")})});
  EXPECT_EQ(world.core->last_time(), after(0) + kSoloTimeLead);
  EXPECT_EQ(time_ceiling(rival(), {rival()}, {{rival(), after(0)}}), std::nullopt);
}

TEST_F(Core, AcknowledgementsAreCheckedAndKept) {
  world.sequence(after(0), {to(alpha(), {beta()}, "a")});
  world.sequence(after(1), {SealedEntry{AcknowledgementEntry{world.acknowledgement(beta(), after(0))}, ""}});
  EXPECT_EQ(world.core->member(beta())->acknowledged, after(0));
  expect_log("has not been reached");
  world.sequence(after(2), {SealedEntry{AcknowledgementEntry{world.acknowledgement(beta(), after(5))}, ""}});
  EXPECT_EQ(world.core->member(beta())->acknowledged, after(0));
  EXPECT_EQ(world.events(beta()).size(), 1u);
}

TEST_F(Core, AnotherLogIsRefused) {
  world.sequence(after(0), {to(alpha(), {beta()}, "a")});
  ordering::Block block;
  block.height = ordering::Height(5);
  EXPECT_FALSE(world.core->on_block(block));
  block.height = world.core->next_height();
  block.previous_hash = "something else";
  const auto refused = world.core->on_block(block);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().id, "SEQUENCER_LOG_FORKED");
  EXPECT_EQ(world.core->status().height.value, 0);
}

TEST_F(Core, AnotherStateOfARivalIsNoticed) {
  world.sequence(after(0), {to(alpha(), {beta()}, "a")});
  SealedBatch batch{world.genesis.synchronizer, rival(), SequenceNumber(1), after(1), {}, world.core->height(),
                    world.core->digest()};
  const auto sign = [&](const crypto::Hash& hash) -> Result<crypto::Signature> {
    return crypto::sign(hash, world.key_of(rival()));
  };
  world.block({seal(batch, sign).value()});
  EXPECT_TRUE(world.core->status().diverged.empty());
  batch.number = SequenceNumber(2);
  batch.seen_state = "something else";
  expect_log("came to another state");
  world.block({seal(batch, sign).value()});
  EXPECT_THAT(world.core->status().diverged, ElementsAre(rival()));
  // Of two, nobody can tell who is right: one liar does not stop the other.
  batch.number = SequenceNumber(3);
  EXPECT_FALSE(world.block({seal(batch, sign).value()}).fork);
  // It was cured.
  batch.number = SequenceNumber(4);
  batch.seen_height = world.core->height();
  batch.seen_state = world.core->digest();
  world.block({seal(batch, sign).value()});
  EXPECT_TRUE(world.core->status().diverged.empty());
}

TEST_F(Core, DamagedRecordsDoNoHarm) {
  const Bytes record = world.record(world.sequencers[0], after(0), {to(alpha(), {beta()}, "whole")});
  const auto snapshot = world.core->current_snapshot();
  const auto random = seeded_random(11);
  for (int i = 0; i < 2000; ++i) {
    Bytes damaged = record.substr(0, random->below(4) == 0 ? random->below(record.size()) : record.size());
    for (std::uint64_t flips = random->below(4); flips > 0 && !damaged.empty(); --flips) {
      damaged[random->below(damaged.size())] = static_cast<char>(random->below(256));
    }
    const auto prepared = prepare_record(damaged, snapshot);
    if (prepared && damaged != record) {
      EXPECT_FALSE(prepared->signature_verified);
    }
  }
}

TEST_F(Core, RestartGoesOnWhereItWasAndAllSequencersAgree) {
  std::vector<std::vector<Bytes>> blocks;
  for (int i = 0; i < 20; ++i) {
    const auto& sequencer = world.sequencers[static_cast<std::size_t>(i % 2)];
    blocks.push_back({world.record(sequencer, after(i * 10), {to(alpha(), {beta()}, "event " + std::to_string(i))})});
  }
  for (const auto& block : blocks) world.block(block);
  const std::string state_hash = world.core->status().state_hash;
  EXPECT_EQ(world.core->status().blocks_applied, 20u);
  world.open(world.sequencers[0]);
  EXPECT_EQ(world.core->status().blocks_applied, 0u);
  EXPECT_EQ(world.core->next_height().value, 20);
  EXPECT_EQ(world.core->status().state_hash, state_hash);

  // The second sequencer, which loses its unsynced writes half-way and reads those blocks again.
  auto other = std::make_shared<storage::MemoryStore>(storage::MemoryStoreOptions{store_columns(), true});
  std::swap(world.store, other);
  world.open(world.sequencers[1]);
  for (std::size_t i = 0; i < 12; ++i) world.block(blocks[i]);
  world.store->lose_unsynced(5);
  world.open(world.sequencers[1]);
  EXPECT_EQ(world.core->next_height().value, 5);
  for (std::size_t i = 5; i < blocks.size(); ++i) world.block(blocks[i]);
  EXPECT_EQ(world.core->status().state_hash, state_hash);
  EXPECT_EQ(world.events(beta()).size(), 20u);
}

}  // namespace
}  // namespace synod::sequencer
