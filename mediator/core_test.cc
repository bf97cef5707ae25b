// The mediator's decisions on a synchronizer of two or three participants.
#include "mediator/core.h"

#include "mediator/testing/mediator_test_base.h"

namespace synod::mediator {
namespace {

using protocol::Envelope;
using protocol::Party;
using protocol::ViewPosition;
using testing::Code;
using testing::expect_log;
using testing::seen_log;
using Mediator = testing::MediatorTest;

TEST_F(Mediator, ApprovesWhenEveryQuorumOfEveryViewIsReached) {
  EXPECT_TRUE(deliver(request({view({{alice, bank}, {bank}}), view({{alice}})})).sends.empty());
  const Timestamp id = time;
  const ViewPosition left{{{false}}}, right{{{true}}};
  EXPECT_TRUE(deliver({response(p1, id, Code::approve, {alice}, left)}).sends.empty());
  EXPECT_TRUE(deliver({response(p2, id, Code::approve, {bank}, left)}).sends.empty());
  const Effects effects = deliver({response(p1, id, Code::approve, {alice}, right)});
  const auto result = verdict_in(effects);
  EXPECT_TRUE(std::holds_alternative<protocol::Approve>(result.verdict));
  EXPECT_EQ(result.request_id, id);
  EXPECT_EQ(result.root_hash, root);
  const protocol::Submission& submission = effects.sends[0].submission;
  EXPECT_EQ(submission.max_sequencing_time, id + Duration::seconds(60));
  EXPECT_EQ(submission.aggregation_rule, protocol::AggregationRule::mediator_group(0));
  EXPECT_EQ(submission.envelopes[0].recipients, protocol::Recipients::groups({{p1}, {p2}}));
  EXPECT_EQ(core->status().pending_requests, 0u);
  EXPECT_FALSE(core->next_deadline());
}

TEST_F(Mediator, RejectsAsSoonAsAQuorumCannotBeReached) {
  deliver(request({view({{alice, bank}})}));
  const Timestamp id = time;
  const auto result = verdict_in(deliver({response(p2, id, Code::reject, {bank}, first)}));
  const auto& rejected = std::get<protocol::ParticipantReject>(result.verdict);
  ASSERT_EQ(rejected.reasons.size(), 1u);
  EXPECT_EQ(rejected.reasons[0].participant, p2.uid());
  EXPECT_EQ(rejected.reasons[0].parties, std::vector<Party>{bank});
  // Later responses change nothing.
  EXPECT_TRUE(deliver({response(p1, id, Code::approve, {alice}, first)}).sends.empty());
}

TEST_F(Mediator, AMalformedResponseRejectsForAllPartiesOfItsSender) {
  deliver(request({view({{alice, bank}})}));
  const auto result = verdict_in(deliver({response(p2, time, Code::malformed, {}, std::nullopt)}));
  EXPECT_EQ(std::get<protocol::ParticipantReject>(result.verdict).reasons[0].parties, std::vector<Party>{bank});
}

TEST_F(Mediator, AbstainingCompletesARejection) {
  deliver(request({view({{alice, bank}})}));
  const auto result = verdict_in(deliver({response(p2, time, Code::abstain, {bank}, first)}));
  EXPECT_EQ(std::get<protocol::ParticipantReject>(result.verdict).reasons[0].verdict.code, Code::abstain);
}

TEST_F(Mediator, DeadlinesPassWithTheFirstEventAfterThem) {
  deliver(request({view({{alice, bank}})}));
  const Timestamp id = time;
  EXPECT_EQ(core->next_deadline(), id + Duration::seconds(30));
  EXPECT_TRUE(deliver({response(p1, id, Code::approve, {alice}, first)}).sends.empty());
  EXPECT_TRUE(tick(Duration::seconds(29)).sends.empty());
  const Effects effects = tick(Duration::seconds(1));
  EXPECT_EQ(reject_id(effects), "MEDIATOR_SAYS_TX_TIMED_OUT");
  const auto result = verdict_in(effects);
  const auto& rejected = std::get<protocol::MediatorReject>(result.verdict);
  EXPECT_NE(rejected.reason.details[0].find(bank), Bytes::npos);
  EXPECT_EQ(rejected.reason.details[0].find(alice), Bytes::npos);
  EXPECT_EQ(rejected.reason.code, 10);
}

TEST_F(Mediator, AVerdictAfterItsDecisionTimeIsNotSent) {
  deliver(request({view({{alice}})}));
  EXPECT_TRUE(tick(Duration::seconds(61)).sends.empty());
  EXPECT_EQ(core->status().rejected, 1u);
}

TEST_F(Mediator, TheFirstVoteCountsAndContradictionsAreReported) {
  deliver(request({view({{alice, bank}})}));
  const Timestamp id = time;
  deliver({response(p1, id, Code::approve, {alice}, first)});
  expect_log("MEDIATOR_PARTICIPANT_EQUIVOCATION");
  EXPECT_TRUE(deliver({response(p1, id, Code::reject, {alice}, first)}).sends.empty());
  EXPECT_TRUE(std::holds_alternative<protocol::Approve>(
      verdict_in(deliver({response(p2, id, Code::approve, {bank}, first)})).verdict));
}

TEST_F(Mediator, ResponsesThatProveNothingAreDiscarded) {
  deliver(request({view({{alice, bank}})}));
  const Timestamp id = time;
  expect_log("ALARM");
  // For a party that it does not host, for one that is no confirmer, for a view that is not there.
  EXPECT_TRUE(deliver({response(p1, id, Code::approve, {bank}, first)}).sends.empty());
  EXPECT_TRUE(deliver({response(p3, id, Code::reject, {p3.uid().to_string()}, first)}).sends.empty());
  EXPECT_TRUE(deliver({response(p2, id, Code::reject, {bank}, ViewPosition{{{true}}})}).sends.empty());
  // Signed by somebody else.
  Envelope forged = response(p2, id, Code::reject, {bank}, first);
  forged.signatures = {crypto::sign(protocol::signed_message_hash(forged.content), key_of(p1))};
  EXPECT_TRUE(deliver({forged}).sends.empty());
  // Under another root hash, to other mediators, before its request, to an unknown request.
  const crypto::Hash right = root;
  root = crypto::hash(crypto::HashPurpose::merkle_inner_node, "other");
  EXPECT_TRUE(deliver({response(p2, id, Code::reject, {bank}, first)}).sends.empty());
  root = right;
  Envelope elsewhere = response(p2, id, Code::reject, {bank}, first);
  elsewhere.recipients = protocol::Recipients::together({protocol::Recipient::mediator_group(1)});
  EXPECT_TRUE(deliver({elsewhere}).sends.empty());
  EXPECT_TRUE(deliver({response(p2, time + Duration::seconds(100), Code::reject, {bank}, first)}).sends.empty());
  EXPECT_TRUE(deliver({response(p2, id + Duration{1}, Code::reject, {bank}, first)}).sends.empty());
  EXPECT_TRUE(
      deliver({Envelope{"garbage", forged.signatures, forged.recipients}, Envelope{"garbage", {}, forged.recipients}})
          .sends.empty());
  EXPECT_EQ(core->status().pending_requests, 1u);
}

TEST_F(Mediator, ManyBadPartsMakeOneLine) {
  deliver(request({view({{alice, bank}})}));
  const Timestamp id = time;
  expect_log("ALARM");
  const auto to_us = protocol::Recipients::together({protocol::Recipient::mediator_group(0)});
  std::vector<Envelope> garbage;
  for (int i = 0; i < 1000; ++i) garbage.push_back({"garbage " + std::to_string(i), {}, to_us});
  deliver(garbage);
  EXPECT_EQ(seen_log("1000 of 1000 parts, the first: "), 1u);
  EXPECT_EQ(seen_log("ALARM"), 1u);
  // So do many responses in one message, and many messages with responses to one request.
  protocol::ConfirmationResponses responses;
  responses.request_id = id;
  responses.root_hash = root;
  responses.synchronizer = network.genesis.synchronizer;
  responses.sender = p2.uid();
  responses.responses.assign(500, {{Code::approve, {}}, {alice}, first});
  deliver({protocol::signed_envelope(protocol::serialize_signed_message(responses), key_of(p2), to_us)});
  EXPECT_EQ(seen_log("500 of 501 parts, the first: responses of"), 1u);
  std::vector<Envelope> forged(100, response(p2, id, Code::reject, {bank}, first));
  for (Envelope& envelope : forged)
    envelope.signatures = {crypto::sign(protocol::signed_message_hash(envelope.content), key_of(p1))};
  deliver(forged);
  EXPECT_EQ(seen_log("100 of 200 parts, the first: responses of"), 1u);
  EXPECT_EQ(seen_log("ALARM"), 3u);
}

TEST_F(Mediator, AnEventThatUnpacksToTooMuchIsDropped) {
  config.max_event_bytes = 50'000;
  start();
  Envelope bomb = request({view({{alice, bank}})})[0];
  bomb.signatures.assign(1'000, crypto::sign(root, key_of(p1)));
  expect_log("cannot be unpacked");
  EXPECT_TRUE(deliver({bomb}).sends.empty());
  EXPECT_EQ(seen_log("MAX_BYTES_TO_DECOMPRESS_EXCEEDED"), 1u);
  EXPECT_EQ(core->status().requests, 0u);
  deliver(request({view({{alice, bank}})}));
  EXPECT_EQ(core->status().pending_requests, 1u);
}

TEST_F(Mediator, MalformedRequestsAreRejectedAtOnce) {
  expect_log("MEDIATOR_RECEIVED_MALFORMED_MESSAGE");
  const auto good = request({view({{alice, bank}})});

  std::vector<Envelope> without_root_hash_of_p2 = request({view({{alice, bank}})});
  without_root_hash_of_p2[1].recipients.trees.pop_back();
  EXPECT_EQ(reject_id(deliver(without_root_hash_of_p2)), "MEDIATOR_RECEIVED_MALFORMED_MESSAGE");

  std::vector<Envelope> superfluous = request({view({{alice, bank}})});
  superfluous[1].recipients.trees.push_back({{protocol::Recipient::mediator_group(0), p3}, {}});
  const Effects effects = deliver(superfluous);
  EXPECT_EQ(reject_id(effects), "MEDIATOR_RECEIVED_MALFORMED_MESSAGE");
  EXPECT_TRUE(std::get<protocol::MediatorReject>(verdict_in(effects).verdict).malformed);
  EXPECT_EQ(effects.sends[0].submission.envelopes[0].recipients.all().size(), 3u);  // all who were told of it

  std::vector<Envelope> wrong_hash = request({view({{alice, bank}})});
  auto message = std::get<protocol::RootHashMessage>(*protocol::parse_envelope_content(wrong_hash[1].content));
  message.root_hash = crypto::hash(crypto::HashPurpose::merkle_inner_node, "other");
  wrong_hash[1].content = protocol::serialize_envelope_content(message);
  const auto result = verdict_in(deliver(wrong_hash));
  EXPECT_EQ(result.root_hash, message.root_hash);  // the one that they wait for

  std::vector<Envelope> wrong_recipients = request({view({{alice, bank}})});
  wrong_recipients[0].recipients = protocol::Recipients::together({protocol::Recipient::mediator_group(0), p1});
  EXPECT_EQ(reject_id(deliver(wrong_recipients)), "MEDIATOR_RECEIVED_MALFORMED_MESSAGE");

  std::vector<Envelope> forged = request({view({{alice, bank}})});
  auto informee = std::get<protocol::InformeeMessage>(*protocol::parse_envelope_content(forged[0].content));
  informee.submitter_signature = crypto::sign(root, key_of(p2));
  forged[0].content = protocol::serialize_envelope_content(informee);
  EXPECT_EQ(reject_id(deliver(forged)), "MEDIATOR_RECEIVED_MALFORMED_MESSAGE");

  auto no_threshold = view({{alice, bank}});
  no_threshold.common.quorums[0].threshold = 0;
  EXPECT_EQ(reject_id(deliver(request({no_threshold}))), "MEDIATOR_RECEIVED_MALFORMED_MESSAGE");

  auto unreachable = view({{alice, bank}});
  unreachable.common.quorums[0].threshold = 3;
  EXPECT_EQ(reject_id(deliver(request({unreachable}))), "MEDIATOR_RECEIVED_MALFORMED_MESSAGE");

  EXPECT_EQ(core->status().pending_requests, 0u);
  EXPECT_TRUE(deliver(good).sends.empty());
  EXPECT_EQ(core->status().pending_requests, 1u);
}

TEST_F(Mediator, AUuidIsGoodForOneRequest) {
  const auto once = request({view({{alice}})});
  EXPECT_TRUE(deliver(once).sends.empty());
  const Effects again = deliver(once);
  EXPECT_EQ(reject_id(again), "DUPLICATE_CONFIRMATION_REQUEST_UUID");
  start();
  EXPECT_EQ(reject_id(deliver(once)), "DUPLICATE_CONFIRMATION_REQUEST_UUID");
  EXPECT_EQ(core->status().pending_requests, 1u);
  tick(Duration::seconds(48 * 3600 + 1));
  EXPECT_TRUE(deliver(once).sends.empty());
}

TEST_F(Mediator, GoesOnAfterARestart) {
  deliver(request({view({{alice, bank}})}));
  const Timestamp id = time;
  deliver({response(p1, id, Code::approve, {alice}, first)});
  start();
  EXPECT_EQ(core->status().pending_requests, 1u);
  EXPECT_EQ(core->next_deadline(), id + Duration::seconds(30));
  const Effects effects = deliver({response(p2, id, Code::approve, {bank}, first)});
  ASSERT_EQ(effects.sends.size(), 1u);
  // The verdict is sent again until its receipt is seen.
  start();
  ASSERT_EQ(core->unconfirmed().size(), 1u);
  EXPECT_EQ(core->unconfirmed()[0].submission.envelopes, effects.sends[0].submission.envelopes);
  EXPECT_EQ(core->unconfirmed()[0].submission.message_id, effects.sends[0].submission.message_id);
  deliver({}, effects.sends[0].submission.message_id);
  EXPECT_TRUE(core->unconfirmed().empty());
  start();
  EXPECT_TRUE(core->unconfirmed().empty());
  EXPECT_EQ(core->status().pending_requests, 0u);
  // Nothing is left but the uuid.
  int entries = 0;
  ASSERT_TRUE(
      store.scan(kMediatorColumn, storage::KeyRange::all(), storage::Direction::forward, [&](ByteView, ByteView) {
        ++entries;
        return true;
      }));
  EXPECT_EQ(entries, 1);
}

TEST_F(Mediator, APartyOnSeveralParticipantsVotesByItsThreshold) {
  const protocol::UniqueId shared = *protocol::UniqueId::create("Shared", p1.uid().ns());
  const topology::PartyToParticipant hosting{shared,
                                             2,
                                             {{p1.uid(), topology::Permission::confirmation},
                                              {p2.uid(), topology::Permission::confirmation},
                                              {p3.uid(), topology::Permission::confirmation}},
                                             {}};
  ASSERT_EQ(network.submit(network.sign(hosting, 1, {p1.uid().ns(), p2.uid().ns(), p3.uid().ns()})), "");
  time = network.now() + Duration::seconds(1);
  const Party party = shared.to_string();
  deliver(request({view({{party}})}));
  Timestamp id = time;
  EXPECT_TRUE(deliver({response(p1, id, Code::approve, {party}, first)}).sends.empty());
  EXPECT_TRUE(deliver({response(p1, id, Code::approve, {party}, first)}).sends.empty());
  EXPECT_TRUE(deliver({response(p2, id, Code::reject, {party}, first)}).sends.empty());
  EXPECT_TRUE(std::holds_alternative<protocol::Approve>(
      verdict_in(deliver({response(p3, id, Code::approve, {party}, first)})).verdict));

  deliver(request({view({{party}})}));
  id = time;
  EXPECT_TRUE(deliver({response(p1, id, Code::reject, {party}, first)}).sends.empty());
  EXPECT_TRUE(std::holds_alternative<protocol::ParticipantReject>(
      verdict_in(deliver({response(p3, id, Code::abstain, {party}, first)})).verdict));
}

TEST_F(Mediator, WhatIsForAnotherSynchronizerIsNotTaken) {
  const protocol::PhysicalSynchronizerId ours = named;
  const protocol::PhysicalSynchronizerId other(protocol::UniqueId::create("other", ours.logical().ns()).value(), 35, 0);
  expect_log("for another synchronizer");
  const std::string id = "MEDIATOR_RECEIVED_MALFORMED_MESSAGE: ";
  named = other;
  const auto astray = request({view({{alice, bank}})});
  EXPECT_TRUE(deliver(astray).sends.empty());
  EXPECT_EQ(seen_log("2 of 2 parts, the first: " + id + "a request for another synchronizer"), 1u);
  EXPECT_TRUE(deliver({astray[1]}).sends.empty());
  EXPECT_EQ(seen_log(id + "a root hash message for another synchronizer"), 1u);
  EXPECT_EQ(core->status().requests, 0u);

  named = ours;
  EXPECT_TRUE(deliver(request({view({{alice, bank}})})).sends.empty());
  const Timestamp request_id = time;
  named = other;
  EXPECT_TRUE(deliver({response(p2, request_id, Code::reject, {bank}, first)}).sends.empty());
  EXPECT_EQ(seen_log(id + "for another synchronizer"), 1u);
  EXPECT_EQ(seen_log("ALARM"), 3u);
  named = ours;
  EXPECT_TRUE(std::holds_alternative<protocol::ParticipantReject>(
      verdict_in(deliver({response(p2, request_id, Code::reject, {bank}, first)})).verdict));
}

TEST_F(Mediator, RequestsForOtherGroupsAreRejected) {
  expect_log("MEDIATOR_RECEIVED_MALFORMED_MESSAGE");
  // The root hash messages name a group that does not exist: there is nobody who could send a verdict for it.
  EXPECT_TRUE(deliver(request({view({{alice}})}, 7)).sends.empty());
  EXPECT_EQ(core->status().rejected, 1u);
}

}  // namespace
}  // namespace synod::mediator
