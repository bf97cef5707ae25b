// The public API over real gRPC.
#include <gmock/gmock.h>

#include "base/testing/expect_log.h"
#include "canton/connection_v30.grpc.pb.h"
#include "protocol/compression.h"
#include "protocol/versioned.h"
#include "sequencer/testing/node_fixture.h"
#include "topology/genesis.h"

namespace synod::sequencer {
namespace {

namespace api = ::com::digitalasset::canton::sequencer::api::v30;
namespace connection = ::com::digitalasset::canton::connection::v30;
using ::testing::HasSubstr;
using testing::NodeTest;
using testing::RequestOptions;
using testing::World;

TEST_F(NodeTest, AnswersWhatAConnectingClientAsks) {
  connection::GetApiInfoResponse info;
  auto stub = connection::ApiInfoService::NewStub(channel);
  ASSERT_TRUE(stub->GetApiInfo(context(alpha()).get(), {}, &info).ok());
  EXPECT_EQ(info.name(), "sequencer-public-api");

  api::SequencerConnect::HandshakeRequest hello;
  hello.add_client_protocol_versions(34);
  hello.set_client_version("test");
  api::SequencerConnect::HandshakeResponse handshake;
  const auto refused = connect->Handshake(context(alpha()).get(), hello, &handshake);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  hello.add_client_protocol_versions(35);
  ASSERT_TRUE(connect->Handshake(context(alpha()).get(), hello, &handshake).ok());
  EXPECT_EQ(handshake.server_protocol_version(), 35);
  EXPECT_TRUE(handshake.has_success());

  api::SequencerConnect::GetSynchronizerIdResponse id;
  ASSERT_TRUE(connect->GetSynchronizerId(context(alpha()).get(), {}, &id).ok());
  EXPECT_EQ(id.physical_synchronizer_id(), world.genesis.synchronizer.to_string());
  EXPECT_EQ(id.sequencer_uid(), world.sequencers[0].uid().to_string());
  api::SequencerConnect::GetSynchronizerParametersResponse parameters;
  ASSERT_TRUE(connect->GetSynchronizerParameters(context(alpha()).get(), {}, &parameters).ok());
  EXPECT_EQ(parameters.parameters_v1().protocol_version(), 35);
  api::SequencerConnect::VerifyActiveResponse active;
  ASSERT_TRUE(connect->VerifyActive(context(alpha()).get(), {}, &active).ok());
  EXPECT_TRUE(active.success().is_active());
}

TEST_F(NodeTest, SubmissionsComeBackAsSignedEvents) {
  const Bytes alpha_token = login(alpha());
  const Bytes beta_token = login(beta());
  auto to_alpha = subscribe(alpha(), alpha_token);
  auto to_beta = subscribe(beta(), beta_token);
  ASSERT_TRUE(send(alpha(), alpha_token, request_to(alpha(), beta(), soon("first"))).ok());
  const Bytes receipt = to_alpha->next();
  const Bytes delivered = to_beta->next();
  EXPECT_EQ(decode(receipt).message_id, "first");
  EXPECT_EQ(decode(receipt).timestamp, decode(delivered).timestamp);
  const auto signed_event = protocol::SignedContent::parse(delivered).value();
  EXPECT_TRUE(crypto::verify(signed_event.content_hash(crypto::HashPurpose::sequenced_event),
                             signed_event.signatures[0], world.key_of(world.sequencers[0]).public_key()));

  // Again from that time on, inclusive: the same bytes, then the next one.
  ASSERT_TRUE(send(alpha(), alpha_token, request_to(alpha(), beta(), soon("second"))).ok());
  const Bytes second = to_beta->next();
  EXPECT_EQ(decode(second).previous_timestamp, decode(delivered).timestamp);
  auto again = subscribe(beta(), beta_token, decode(delivered).timestamp);
  EXPECT_EQ(again->next(), delivered);
  EXPECT_EQ(again->next(), second);

  api::GetTimeResponse time;
  ASSERT_TRUE(sequencer->GetTime(context(beta(), beta_token).get(), {}, &time).ok());
  EXPECT_GE(time.sequencing_timestamp(), decode(second).timestamp.micros);
  const auto status = status_when_well();
  EXPECT_TRUE(status.delivered.contains(beta()));
  EXPECT_GE(status.core.blocks_applied, 2u);
}

TEST_F(NodeTest, RefusesRequestsWithTheirErrorIds) {
  const Bytes token = login(alpha());
  const auto expect_refused = [&](const Bytes& request, grpc::StatusCode code, const std::string& text) {
    const auto status = send(alpha(), token, request);
    EXPECT_EQ(status.error_code(), code) << status.error_message();
    EXPECT_THAT(status.error_message(), HasSubstr(text));
  };
  using grpc::StatusCode;
  expect_refused("rubbish", StatusCode::INVALID_ARGUMENT, "SEQUENCER_SUBMISSION_REQUEST_MALFORMED(5,");
  expect_refused(request_to(beta(), alpha(), soon()), StatusCode::FAILED_PRECONDITION,
                 "SEQUENCER_SUBMISSION_REQUEST_REFUSED(9,");
  const auto stranger = protocol::Member::participant(world.network.new_uid("stranger"));
  expect_refused(request_to(alpha(), stranger, soon()), StatusCode::FAILED_PRECONDITION,
                 "SEQUENCER_UNKNOWN_RECIPIENTS(9,");
  RequestOptions past;
  past.max_sequencing_time = system_clock()->now() - Duration::seconds(1);
  expect_refused(request_to(alpha(), beta(), past), StatusCode::ABORTED, "MAX_SEQUENCING_TIME_EXCEEDED(2,");
  RequestOptions far = soon();
  far.rule = protocol::AggregationRule::sender_dedup();
  far.max_sequencing_time = system_clock()->now() + Duration::seconds(7 * 60);
  expect_refused(request_to(alpha(), beta(), far), StatusCode::FAILED_PRECONDITION,
                 "SEQUENCER_MAX_SEQUENCING_TIME_TOO_FAR(9,");
  const auto unsigned_request = world.request(alpha(), {World::envelope("x", {{beta()}})}, soon());
  const auto forged = protocol::sign_content(crypto::HashPurpose::submission_request, unsigned_request.serialize(),
                                             world.key_of(beta()), std::nullopt);
  expect_refused(forged.serialize(), StatusCode::INVALID_ARGUMENT, "INVALID_SUBMISSION_REQUEST_SIGNATURE(5,");
  // 20 MiB of zeros in 20 KiB.
  auto bomb = world.request(alpha(), {World::envelope("x", {{beta()}})}, soon());
  bomb.batch.envelopes[0] = protocol::gzip(Bytes(20u << 20, '\0'));
  expect_refused(world.sign(bomb), StatusCode::INVALID_ARGUMENT, "max bytes exceeded");
  EXPECT_EQ(node->status().core.events, 0u);
}

TEST_F(NodeTest, LetsNobodyInWithoutAToken) {
  const Bytes token = login(alpha());
  const auto request = request_to(alpha(), beta(), soon());
  EXPECT_EQ(send(alpha(), {}, request).error_code(), grpc::StatusCode::UNAUTHENTICATED);
  auto wrong = context(alpha(), Bytes(20, 'x'));
  api::SendAsyncRequest message;
  message.set_signed_submission_request(request);
  api::SendAsyncResponse response;
  const auto status = sequencer->SendAsync(wrong.get(), message, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  const auto trailers = wrong->GetServerTrailingMetadata();
  const auto code = trailers.find("autherrorcode");
  ASSERT_NE(code, trailers.end());
  EXPECT_EQ(std::string(code->second.data(), code->second.size()), "MissingToken");
  EXPECT_EQ(send(beta(), token, request).error_code(), grpc::StatusCode::UNAUTHENTICATED);  // somebody else's token

  // A wrong signature does not use up the nonce; a nonce is good for one token.
  const Bytes nonce = challenge(beta()).nonce();
  Bytes out;
  EXPECT_EQ(
      authenticate(beta(), nonce, world.key_of(alpha(), crypto::KeyUsage::sequencer_authentication), out).error_code(),
      grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(challenge(beta()).nonce(), nonce);
  const auto key = world.key_of(beta(), crypto::KeyUsage::sequencer_authentication);
  EXPECT_TRUE(authenticate(beta(), nonce, key, out).ok());
  EXPECT_EQ(authenticate(beta(), nonce, key, out).error_code(), grpc::StatusCode::UNAUTHENTICATED);

  api::SequencerAuthentication::ChallengeRequest stranger;
  stranger.set_member(protocol::Member::participant(world.network.new_uid("stranger")).to_string());
  stranger.add_member_protocol_versions(35);
  stranger.set_client_version("test");
  api::SequencerAuthentication::ChallengeResponse none;
  const auto refused = authentication->Challenge(context(alpha()).get(), stranger, &none);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_THAT(refused.error_message(), HasSubstr("access is disabled"));

  // Logging out ends everything the member has.
  auto subscription = subscribe(beta(), out.empty() ? login(beta()) : out);
  const Bytes beta_token = login(beta());
  api::SequencerAuthentication::LogoutRequest logout;
  logout.set_token(beta_token);
  api::SequencerAuthentication::LogoutResponse logged_out;
  ASSERT_TRUE(authentication->Logout(context(beta()).get(), logout, &logged_out).ok());
  EXPECT_EQ(send(beta(), beta_token, request).error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(NodeTest, TakesAcknowledgementsAndAnswersTraffic) {
  const Bytes token = login(beta());
  auto events = subscribe(beta(), token);
  ASSERT_TRUE(send(alpha(), login(alpha()), request_to(alpha(), beta(), soon())).ok());
  const Timestamp at = decode(events->next()).timestamp;
  const auto acknowledge = [&](const Bytes& signed_request) {
    api::AcknowledgeSignedRequest request;
    request.set_signed_acknowledge_request(signed_request);
    api::AcknowledgeSignedResponse response;
    return sequencer->AcknowledgeSigned(context(beta(), token).get(), request, &response);
  };
  EXPECT_TRUE(acknowledge(world.acknowledgement(beta(), at)).ok());
  EXPECT_THAT(acknowledge(world.acknowledgement(beta(), at + Duration::seconds(100))).error_message(),
              HasSubstr("INVALID_ACKNOWLEDGEMENT_TIMESTAMP"));
  EXPECT_EQ(acknowledge(world.acknowledgement(alpha(), at)).error_code(), grpc::StatusCode::PERMISSION_DENIED);
  eventually([&] {
    const auto members = node->status().members;
    const auto beta_status =
        std::find_if(members.begin(), members.end(), [&](const auto& m) { return m.member == beta(); });
    return beta_status != members.end() && beta_status->acknowledged == at;
  });
  api::GetTrafficStateForMemberResponse traffic;
  EXPECT_EQ(sequencer->GetTrafficStateForMember(context(beta(), token).get(), {}, &traffic).error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(NodeTest, OnboardsAParticipant) {
  const auto identity = world.network.new_member(protocol::MemberKind::participant, "delta");
  const auto& uid = identity.member.uid();
  auto transactions = identity.transactions;
  transactions.push_back(
      world.network.sign(topology::TrustCertificate{uid, world.genesis.synchronizer.logical(), {}}, 1, {uid.ns()}));
  api::SequencerConnect::RegisterOnboardingTopologyTransactionsRequest request;
  for (const auto& transaction : transactions) transaction.to_proto(*request.add_topology_transactions());
  api::SequencerConnect::RegisterOnboardingTopologyTransactionsResponse registered;
  const auto status =
      connect->RegisterOnboardingTopologyTransactions(context(identity.member).get(), request, &registered);
  ASSERT_TRUE(status.ok()) << status.error_message();
  // Active a quarter of a second later, without anybody sending anything.
  eventually([&] {
    api::SequencerConnect::VerifyActiveResponse active;
    EXPECT_TRUE(connect->VerifyActive(context(identity.member).get(), {}, &active).ok());
    return active.success().is_active();
  });
  const Bytes nonce = challenge(identity.member).nonce();
  const auto keys = identity.transactions.back().transaction().as<topology::OwnerToKey>()->signing_keys();
  Bytes token;
  for (const auto& key : keys) {
    if (key.usages().count(crypto::KeyUsage::sequencer_authentication) == 0) continue;
    ASSERT_TRUE(authenticate(identity.member, nonce, *world.network.keys->signing_key(key.fingerprint()), token).ok());
  }
  api::DownloadTopologyStateForInitHashRequest hash_request;
  hash_request.set_member(identity.member.to_string());
  api::DownloadTopologyStateForInitHashResponse hash;
  ASSERT_TRUE(
      sequencer->DownloadTopologyStateForInitHash(context(identity.member, token).get(), hash_request, &hash).ok());
  api::DownloadTopologyStateForInitRequest download;
  download.set_member(identity.member.to_string());
  auto download_context = context(identity.member, token);
  auto stream = sequencer->DownloadTopologyStateForInit(download_context.get(), download);
  std::vector<topology::StoredTransaction> snapshot;
  api::DownloadTopologyStateForInitResponse part;
  while (stream->Read(&part)) ASSERT_TRUE(topology::decode_snapshot_message(part.SerializeAsString(), snapshot));
  ASSERT_TRUE(stream->Finish().ok());
  EXPECT_EQ(topology::snapshot_hash(snapshot).bytes(), hash.topology_state_hash());
  EXPECT_EQ(snapshot.size(), world.genesis.snapshot.size() + transactions.size());
  EXPECT_FALSE(
      connect->RegisterOnboardingTopologyTransactions(context(identity.member).get(), request, &registered).ok());
}

TEST_F(NodeTest, AMemberDownloadsTheTopologyNoOftenerAtATimeThanItMay) {
  stop();
  config.max_downloads_per_member = 0;
  start();
  const Bytes token = login(alpha());
  api::DownloadTopologyStateForInitHashRequest hash_request;
  hash_request.set_member(alpha().to_string());
  api::DownloadTopologyStateForInitHashResponse hash;
  const auto refused = sequencer->DownloadTopologyStateForInitHash(context(alpha(), token).get(), hash_request, &hash);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::ABORTED);
  EXPECT_THAT(refused.error_message(), HasSubstr("SEQUENCER_OVERLOADED(2,"));
  api::DownloadTopologyStateForInitRequest request;
  request.set_member(alpha().to_string());
  const auto download_context = context(alpha(), token);
  const auto stream = sequencer->DownloadTopologyStateForInit(download_context.get(), request);
  api::DownloadTopologyStateForInitResponse part;
  EXPECT_FALSE(stream->Read(&part));
  EXPECT_THAT(stream->Finish().error_message(), HasSubstr("downloads the topology already"));
}

TEST_F(NodeTest, WhatIsAcceptedIsHandedToTheLogBeforeAPlannedStop) {
  stop();
  config.writer.busy_requests = 2;
  config.writer.busy_time = Duration::seconds(600);
  config.writer.gather_time = Duration::seconds(2);
  config.stop_patience = Duration::seconds(60);
  start();
  const Bytes token = login(alpha());
  // From the second on they gather: at the stop, some wait for their batch.
  for (int i = 0; i < 4; ++i)
    ASSERT_TRUE(send(alpha(), token, request_to(alpha(), beta(), soon("m" + std::to_string(i)))).ok());
  stop();
  start();
  auto events = subscribe(beta(), login(beta()));
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(events->next().empty()) << i;
}

TEST_F(NodeTest, RestartsFromItsCacheWithoutReadingOldBlocks) {
  const Bytes token = login(alpha());
  auto events = subscribe(beta(), login(beta()));
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(send(alpha(), token, request_to(alpha(), beta(), soon("m" + std::to_string(i)))).ok());
    EXPECT_FALSE(events->next().empty());
  }
  const auto before = status_when_well();
  events.reset();
  stop();
  start();
  const auto after = status_when_well();
  EXPECT_EQ(after.core.height, before.core.height);
  EXPECT_EQ(after.core.state_hash, before.core.state_hash);
  EXPECT_LE(after.core.blocks_applied, 1u);
  auto again = subscribe(beta(), login(beta()));
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(again->next().empty());

  // A second life with an empty cache reads all blocks and comes to the same state.
  again.reset();
  stop();
  store = fresh_store();
  start();
  eventually([&] { return node->status().core.height >= before.core.height; });
  EXPECT_GE(status_when_well().core.blocks_applied, static_cast<std::uint64_t>(before.core.height.value));
}

TEST_F(NodeTest, ASubscriberThatNeverReadsHarmsNobody) {
  constexpr int kEvents = 80;
  const Bytes token = login(alpha());
  const auto never_reads = subscribe(beta(), login(beta()));
  const auto reads = subscribe(alpha(), token);
  // 16 MB together: far more than one subscriber's queue and its connection hold.
  const Bytes content = seeded_random(5)->bytes(200'000);
  for (int i = 0; i < kEvents; ++i) {
    const auto envelope = World::envelope(content, {{alpha(), beta()}});
    ASSERT_TRUE(
        send(alpha(), token, world.sign(world.request(alpha(), {envelope}, soon("m" + std::to_string(i))))).ok());
  }
  for (int i = 0; i < kEvents; ++i) EXPECT_EQ(decode(reads->next()).message_id, "m" + std::to_string(i));
  const auto delivered = node->status().delivered;
  EXPECT_LT(delivered.at(beta()).events, static_cast<std::uint64_t>(kEvents));  // the rest waits in the cache
  for (int i = 0; i < kEvents; ++i) EXPECT_FALSE(never_reads->next().empty());  // and comes when it reads after all
}

TEST_F(NodeTest, AFullDiskLeavesItReadable) {
  const Bytes token = login(alpha());
  auto events = subscribe(beta(), login(beta()));
  ASSERT_TRUE(send(alpha(), token, request_to(alpha(), beta(), soon("before"))).ok());
  const Bytes first = events->next();
  synod::testing::expect_log("the cache does not take block");
  store->set_full(true);
  ASSERT_TRUE(send(alpha(), token, request_to(alpha(), beta(), soon("during"))).ok());
  eventually([&] { return !node->status().accepting; });
  const auto refused = send(alpha(), token, request_to(alpha(), beta(), soon("refused")));
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(refused.error_message(), HasSubstr("SEQUENCER_UNAVAILABLE(1,"));
  eventually([&] { return !server->health().snapshot()["sequencer-health-check-service"].serving; });
  auto again = subscribe(beta(), login(beta()));
  EXPECT_EQ(again->next(), first);
  store->set_full(false);
  EXPECT_FALSE(events->next().empty());  // what waited comes
}

// What it took now might come too late. It still serves what is there.
TEST_F(NodeTest, TakesNothingMoreOnceItIsKnownToLeave) {
  auto events = subscribe(beta(), login(beta()));
  const auto change = world.group_change({world.sequencers[1]});
  ASSERT_TRUE(send(alpha(), login(alpha()), request_to(alpha(), beta(), soon("before"))).ok());
  EXPECT_EQ(decode(events->next()).message_id, std::nullopt);
  const Bytes leaving = world.sign(world.request(world.sequencers[0], {change}, soon("leaving")));
  ASSERT_TRUE(send(world.sequencers[0], login(world.sequencers[0]), leaving).ok());
  eventually([&] { return !node->status().accepting; });
  EXPECT_THAT(node->status().reason, HasSubstr("is leaving the synchronizer"));
  EXPECT_FALSE(events->next().empty());
  const auto refused = send(alpha(), login(alpha()), request_to(alpha(), beta(), soon("after")));
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(NodeTest, TakesNothingBeforeItKnowsWhatItHasMissed) {
  stop();
  log->set_available(false);
  start();
  const auto refused = send(alpha(), login(alpha()), request_to(alpha(), beta(), soon("early")));
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(refused.error_message(), HasSubstr("has not reached the ordering service yet"));
  EXPECT_FALSE(server->health().snapshot()[""].serving);
  log->set_available(true);
  eventually([&] { return server->health().all_serving(); });
  EXPECT_TRUE(send(alpha(), login(alpha()), request_to(alpha(), beta(), soon("later"))).ok());
}

TEST_F(NodeTest, SurvivesAnOrderingServiceThatGoesAndComes) {
  const Bytes token = login(alpha());
  auto events = subscribe(beta(), login(beta()));
  log->set_available(false);
  ASSERT_TRUE(send(alpha(), token, request_to(alpha(), beta(), soon("waits"))).ok());
  eventually([&] { return !server->health().all_serving(); });
  log->set_available(true);
  EXPECT_FALSE(events->next().empty());
}

}  // namespace
}  // namespace synod::sequencer
