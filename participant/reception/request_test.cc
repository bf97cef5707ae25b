// What a participant reads of a request whose parts do not belong together.
#include "participant/reception/request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/expect_log.h"
#include "participant/reception/request_checks.h"
#include "protocol/request_builder.h"
#include "topology/testing/test_network.h"

namespace synod::participant {
namespace {

using ::testing::HasSubstr;

class ReadRequest : public ::testing::Test {
 protected:
  void SetUp() override { participant_ = network_.join_participant("p"); }

  // A request of one view, with these synchronizers in its transaction and in the messages that carry it.
  std::vector<protocol::Envelope> request(const protocol::PhysicalSynchronizerId& in_views,
                                          const protocol::PhysicalSynchronizerId& in_messages) {
    const protocol::Party party = participant_.uid().to_string();
    protocol::TransactionSalts salts(Bytes(protocol::kTransactionSeedSize, 's'));
    protocol::SubmitterMetadata submitter;
    submitter.salt = salts.next();
    submitter.act_as = {party};
    submitter.submitting_participant = participant_.uid();
    protocol::CommonMetadata common;
    common.salt = salts.next();
    common.synchronizer = in_views;
    common.uuid = network_.random->uuid();
    protocol::ParticipantMetadata metadata;
    metadata.salt = salts.next();
    protocol::ViewContents view;
    view.common.salt = salts.next();
    view.common.informees = {party};
    view.common.quorums = {{{{party, 1}}, 1}};
    view.participant.salt = salts.next();
    view.participant.action = protocol::CreateAction{"00", Bytes(32, 's')};
    const topology::Snapshot topology = network_.state->head();
    protocol::RequestContext context;
    context.synchronizer = in_messages;
    context.topology_time = network_.now();
    context.participants_of = [&](const protocol::Party&) { return std::set{participant_.uid()}; };
    context.encryption_keys = [&](const protocol::ParticipantId&) { return topology.encryption_keys(participant_); };
    const auto key = topology.signing_keys(participant_, crypto::KeyUsage::protocol).front();
    auto envelopes =
        protocol::build_confirmation_request(protocol::build_transaction_tree(submitter, common, metadata, {view}),
                                             context, *network_.keys->signing_key(key.fingerprint()), *network_.random);
    EXPECT_TRUE(envelopes) << envelopes.error().to_string();
    return *envelopes;
  }
  std::optional<ReceivedRequest> read(const std::vector<protocol::Envelope>& envelopes) {
    protocol::OpenedViewKeys opened;
    return read_request(network_.now(), sort_envelopes(envelopes, ours_, network_.now()), participant_, ours_,
                        *network_.keys, opened, {});
  }
  // The one answer, to all views.
  protocol::LocalVerdict answer(const ReceivedRequest& request) {
    const topology::Snapshot topology = network_.state->head();
    const auto packages = std::make_shared<const lf::PackageStore>();
    const lf::Engine engine(packages);
    const lf::Limits limits;
    const auto responses =
        respond(request, nullptr, {}, CheckContext{topology, participant_, engine, *packages, limits}, ours_);
    EXPECT_TRUE(responses);
    EXPECT_EQ(responses->responses.size(), 1u);
    EXPECT_FALSE(responses->responses.front().view_position);
    return responses->responses.front().verdict;
  }

  topology::testing::TestNetwork network_;
  protocol::Member participant_;
  const protocol::PhysicalSynchronizerId ours_ = network_.genesis.synchronizer;
  const protocol::PhysicalSynchronizerId other_{protocol::UniqueId::create("other", ours_.logical().ns()).value(), 35,
                                                0};
};

TEST_F(ReadRequest, OfOurSynchronizer) {
  const auto request = read(this->request(ours_, ours_));
  ASSERT_TRUE(request);
  EXPECT_TRUE(request->malformed.empty()) << request->malformed.first();
  EXPECT_TRUE(request->tree);
  EXPECT_EQ(request->views.size(), 1u);
}

TEST_F(ReadRequest, AViewForAnotherSynchronizerIsNotReadAndTheAnswerSaysWhy) {
  const auto request = read(this->request(other_, ours_));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->malformed.count(), 1u);
  EXPECT_EQ(request->malformed.first(), "A view is for synchronizer " + other_.to_string());
  EXPECT_FALSE(request->tree);
  EXPECT_TRUE(request->views.empty());
  testing::expect_log("has malformed payloads: A view is for synchronizer other::");
  const auto verdict = answer(*request);
  EXPECT_EQ(verdict.code, protocol::LocalVerdict::Code::malformed);
  EXPECT_THAT(verdict.reason.message, HasSubstr("LOCAL_VERDICT_MALFORMED_PAYLOAD"));
  EXPECT_THAT(verdict.reason.message, HasSubstr("A view is for synchronizer other::"));
  EXPECT_EQ(testing::seen_log("malformed payloads"), 1u);
}

TEST_F(ReadRequest, MessagesForAnotherSynchronizerAreDroppedWithOneLine) {
  testing::expect_log("for synchronizer other::");
  EXPECT_FALSE(read(request(ours_, other_)));
  EXPECT_EQ(testing::seen_log("2 of 3 envelopes, the first: "), 1u) << "the root hash message and the view";
}

}  // namespace
}  // namespace synod::participant
