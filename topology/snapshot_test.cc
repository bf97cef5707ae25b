#include "topology/snapshot.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/testing/expect_log.h"
#include "topology/broadcast.h"
#include "topology/testing/test_network.h"

namespace synod::topology {
namespace {

using crypto::KeyUsage;
using testing::TestNetwork;

crypto::SigningKeyPair key_of(const TestNetwork& net, const protocol::Member& member, KeyUsage usage) {
  return *net.keys->signing_key(net.state->head().signing_keys(member, usage).front().fingerprint());
}

TEST(Verify, TakesTheMembersOwnKeysForTheirUsage) {
  TestNetwork net;
  const auto head = net.state->head();
  const auto hash = crypto::hash(crypto::HashPurpose::sequenced_event, "x");
  const auto good = crypto::sign(hash, key_of(net, net.sequencer, KeyUsage::protocol));
  EXPECT_TRUE(head.verify(net.sequencer, KeyUsage::protocol, hash, good));
  EXPECT_FALSE(head.verify(net.sequencer, KeyUsage::sequencer_authentication, hash, good));
  EXPECT_FALSE(head.verify(net.mediator, KeyUsage::protocol, hash, good));
  EXPECT_FALSE(
      head.verify(net.sequencer, KeyUsage::protocol, crypto::hash(crypto::HashPurpose::sequenced_event, "y"), good));
  auto wrong_format = good;
  wrong_format.format = crypto::SignatureFormat::raw;  // not among the synchronizer's formats
  EXPECT_FALSE(head.verify(net.sequencer, KeyUsage::protocol, hash, wrong_format));
}

TEST(Verify, CountsDistinctMembersForAQuorum) {
  TestNetwork net;
  const auto second = net.new_member(protocol::MemberKind::mediator, "mediator2");
  net.submit_all(second.transactions);
  const auto head = net.state->head();
  const auto hash = crypto::hash(crypto::HashPurpose::signed_protocol_message, "verdict");
  const std::vector group{net.mediator, second.member};
  const auto one = crypto::sign(hash, key_of(net, net.mediator, KeyUsage::protocol));
  const auto two = crypto::sign(hash, key_of(net, second.member, KeyUsage::protocol));
  const auto stranger = crypto::sign(hash, key_of(net, net.sequencer, KeyUsage::protocol));
  EXPECT_TRUE(head.verify_quorum(group, 1, KeyUsage::protocol, hash, {one}));
  EXPECT_FALSE(head.verify_quorum(group, 2, KeyUsage::protocol, hash, {one, one}));
  EXPECT_FALSE(head.verify_quorum(group, 2, KeyUsage::protocol, hash, {one, stranger}));
  EXPECT_TRUE(head.verify_quorum(group, 2, KeyUsage::protocol, hash, {stranger, two, one}));
}

TEST(Packages, AreVettedForATime) {
  TestNetwork net;
  const auto p = net.join_participant("p");
  const Timestamp from{1000}, until{2000};
  net.submit(net.sign(VettedPackages{p.uid(), {{"always", {}, {}}, {"then", from, until}}}, 1, {p.uid().ns()}));
  const auto head = net.state->head();
  EXPECT_TRUE(head.vetted(p, "always", Timestamp{5}));
  EXPECT_FALSE(head.vetted(p, "then", Timestamp{999}));
  EXPECT_TRUE(head.vetted(p, "then", from));
  EXPECT_FALSE(head.vetted(p, "then", until));
  EXPECT_FALSE(head.vetted(p, "never", from));
  EXPECT_FALSE(head.vetted(net.mediator, "always", from));
}

TEST(Participants, LimitTheirParties) {
  TestNetwork net;
  const auto p = net.join_participant("p");
  const auto sync = net.genesis.synchronizer.logical();
  const auto alice = protocol::UniqueId::create("alice", p.uid().ns()).value();
  net.submit(net.sign(PartyToParticipant{alice, 1, {{p.uid(), Permission::submission, false}}, {}}, 1, {p.uid().ns()}));
  EXPECT_TRUE(net.state->head().hosting(alice.to_string()).participants.at(p).can_confirm());
  ParticipantPermission permission{sync, p.uid(), Permission::observation, 7, net.now() + Duration::seconds(3600)};
  net.submit(net.sign(permission, 1, net.owners));
  const auto head = net.state->head();
  EXPECT_EQ(head.hosting(alice.to_string()).participants.at(p).permission, Permission::observation);
  EXPECT_EQ(head.participant(p)->confirmation_requests_max_rate, 7u);
  EXPECT_TRUE(head.is_participant_active(p));
  EXPECT_FALSE(head.can_login(p, net.now()));
  EXPECT_TRUE(head.can_login(p, net.now() + Duration::seconds(3600)));
  EXPECT_TRUE(head.hosting("nonsense").participants.empty());
}

TEST(Snapshots, MayBeReadWhileTheStateGoesOn) {
  TestNetwork net;
  const auto p = net.join_participant("p");
  const auto snapshot = net.state->head();
  std::vector<std::thread> readers;
  std::atomic<bool> stop = false;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!stop) {
        EXPECT_EQ(snapshot.members().size(), 3u);
        EXPECT_EQ(snapshot.parties_of(p).size(), 1u);
      }
    });
  }
  for (std::uint32_t serial = 1; serial < 50; ++serial) {
    const auto party = protocol::UniqueId::create("party" + std::to_string(serial), p.uid().ns()).value();
    net.submit(
        net.sign(PartyToParticipant{party, 1, {{p.uid(), Permission::submission, false}}, {}}, 1, {p.uid().ns()}));
  }
  stop = true;
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(net.state->head().parties_of(p).size(), 50u);
}

TEST(Broadcasts, TravelInEnvelopesToAll) {
  TestNetwork net;
  const auto p = net.join_participant("p");
  const auto transaction = net.sign(VettedPackages{p.uid(), {}}, 1, {p.uid().ns()});
  const auto& psid = net.genesis.synchronizer;
  const auto envelope = broadcast_envelope(psid, {transaction, transaction});
  EXPECT_EQ(broadcasts_in({envelope, envelope}, psid).size(), 4u);
  const auto batch = protocol::CompressedBatch::compress({envelope});
  EXPECT_EQ(broadcasts_in(batch, psid).size(), 2u);
  EXPECT_EQ(broadcasts_in(batch, psid)[0], transaction);

  synod::testing::expect_log("ALARM");
  auto misaddressed = envelope;
  misaddressed.recipients = protocol::Recipients::together({protocol::Recipient(p)});
  EXPECT_TRUE(broadcasts_in({misaddressed}, psid).empty());
  const protocol::PhysicalSynchronizerId other(psid.logical(), 35, 1);
  EXPECT_TRUE(broadcasts_in({envelope}, other).empty());
  auto signed_envelope = envelope;
  signed_envelope.signatures.push_back(transaction.signatures()[0].signature);
  EXPECT_TRUE(broadcasts_in({signed_envelope}, psid).empty());
  auto cut = envelope;
  cut.content.resize(cut.content.size() / 2);
  EXPECT_TRUE(broadcasts_in({cut}, psid).empty());
  protocol::BatchLimits tight;
  tight.max_envelope_bytes = 10;
  EXPECT_TRUE(broadcasts_in(batch, psid, tight).empty());
}

TEST(Broadcasts, OfOneEventHaveALimitAndMakeOneLine) {
  TestNetwork net;
  const auto p = net.join_participant("p");
  const auto transaction = net.sign(VettedPackages{p.uid(), {}}, 1, {p.uid().ns()});
  const auto& psid = net.genesis.synchronizer;
  const std::vector<protocol::Envelope> envelopes(100, broadcast_envelope(psid, {transaction}));
  const auto batch = protocol::CompressedBatch::compress(envelopes);
  EXPECT_EQ(broadcasts_in(batch, psid).size(), 100u);
  synod::testing::expect_log("ALARM");
  protocol::BatchLimits limits;
  limits.max_total_bytes = 3 * (envelopes[0].content.size() + 100);
  const auto within = broadcasts_in(batch, psid, limits).size();
  EXPECT_GE(within, 3u);
  EXPECT_LT(within, 10u);
  EXPECT_EQ(synod::testing::seen_log("of 100 envelopes, the first: MAX_BYTES_TO_DECOMPRESS_EXCEEDED"), 1u);
  EXPECT_TRUE(broadcasts_in(envelopes, {psid.logical(), 35, 1}).empty());
  EXPECT_EQ(synod::testing::seen_log("100 of 100 envelopes, the first: a topology broadcast for synchronizer"), 1u);
  EXPECT_EQ(synod::testing::seen_log("ALARM"), 2u);
}

}  // namespace
}  // namespace synod::topology
