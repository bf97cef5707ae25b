// Several mediators that must agree: each decides for itself, the sequencers put their verdicts together, and members
// accept what enough of them have signed.
#include "mediator/testing/mediator_test_base.h"

namespace synod::mediator {
namespace {

using protocol::Envelope;
using protocol::Member;
using testing::Code;
using testing::expect_log;

class MediatorGroup : public testing::MediatorTest {
 protected:
  static constexpr std::uint32_t kThreshold = 2;

  void SetUp() override {
    MediatorTest::SetUp();
    members = {network.mediator};
    for (const char* name : {"mediator2", "mediator3"}) {
      const auto identity = network.new_member(protocol::MemberKind::mediator, name);
      for (const auto& outcome : network.submit_all(identity.transactions)) ASSERT_EQ(outcome, "");
      members.push_back(identity.member);
    }
    topology::MediatorState group{network.genesis.synchronizer.logical(), 0, kThreshold, {}, {}};
    for (const Member& member : members) group.active.push_back(member.uid());
    ASSERT_EQ(network.submit(network.sign(group, 2, network.owners)), "");
    time = network.now() + Duration::seconds(10);
    for (std::size_t i = 0; i < members.size(); ++i) {
      stores.push_back(std::make_unique<storage::MemoryStore>(storage::MemoryStoreOptions{{kMediatorColumn}}));
      cores.push_back(nullptr);
      start_core(i);
    }
  }
  void start_core(std::size_t index) {
    const std::shared_ptr<crypto::KeyStore> keys(network.keys.get(), [](crypto::KeyStore*) {});
    auto loaded = MediatorCore::load(config, network.genesis.synchronizer, members[index], keys, random, *stores[index],
                                     snapshots());
    ASSERT_TRUE(loaded) << loaded.error().to_string();
    cores[index] = std::move(*loaded);
  }
  // The same event for every mediator that is up; what each of them then sends.
  std::vector<std::vector<VerdictSubmission>> deliver_to_all(const std::vector<Envelope>& envelopes) {
    time = time + Duration::milliseconds(100);
    protocol::SequencedEvent event;
    event.timestamp = time;
    event.synchronizer = network.genesis.synchronizer;
    event.batch = protocol::CompressedBatch::compress(envelopes);
    std::vector<std::vector<VerdictSubmission>> sent;
    for (std::size_t i = 0; i < cores.size(); ++i) {
      Effects effects = cores[i]->on_event(event, snapshots());
      EXPECT_TRUE(stores[i]->write(effects.writes, storage::Sync::no));
      sent.push_back(std::move(effects.sends));
    }
    return sent;
  }
  protocol::SubmissionRequest request_of(std::size_t sender, const VerdictSubmission& verdict) const {
    protocol::SubmissionRequest out;
    out.sender = members[sender];
    out.message_id = verdict.submission.message_id;
    out.batch = protocol::CompressedBatch::compress(verdict.submission.envelopes);
    out.max_sequencing_time = verdict.submission.max_sequencing_time;
    out.aggregation_rule = verdict.submission.aggregation_rule;
    return out;
  }
  crypto::Hash aggregation(std::size_t sender, const VerdictSubmission& verdict) const {
    return protocol::aggregation_id(request_of(sender, verdict), verdict.submission.envelopes);
  }
  // As a participant checks a verdict with these signatures.
  bool accepted(const Bytes& content, const std::vector<crypto::Signature>& signatures) {
    const auto snapshot = network.state->snapshot_at(time);
    const auto group = snapshot.mediator_group(0);
    return snapshot
        .verify_quorum(group->active, group->threshold, crypto::KeyUsage::protocol,
                       protocol::signed_message_hash(content), signatures)
        .has_value();
  }

  std::vector<Member> members;
  std::vector<std::unique_ptr<storage::MemoryStore>> stores;
  std::vector<std::unique_ptr<MediatorCore>> cores;
};

TEST_F(MediatorGroup, TheirVerdictsAreOneAggregationAndTwoOfThemSuffice) {
  deliver_to_all(request({view({{alice, bank}})}));
  const Timestamp id = time;
  deliver_to_all({response(p1, id, Code::approve, {alice}, first)});
  const auto sent = deliver_to_all({response(p2, id, Code::approve, {bank}, first)});
  std::vector<crypto::Signature> signatures;
  Bytes content;
  for (std::size_t i = 0; i < sent.size(); ++i) {
    ASSERT_EQ(sent[i].size(), 1u) << "mediator " << i;
    const auto& envelopes = sent[i][0].submission.envelopes;
    ASSERT_EQ(envelopes.size(), 1u);
    if (i == 0) content = envelopes[0].content;
    EXPECT_EQ(envelopes[0].content, content);
    EXPECT_EQ(envelopes[0].recipients, sent[0][0].submission.envelopes[0].recipients);
    EXPECT_EQ(aggregation(i, sent[i][0]), aggregation(0, sent[0][0])) << "the sequencers put them together";
    EXPECT_EQ(sent[i][0].delay, Duration{}) << "three are fewer than the threshold and the margin";
    ASSERT_EQ(envelopes[0].signatures.size(), 1u);
    signatures.push_back(envelopes[0].signatures[0]);
  }
  EXPECT_TRUE(std::holds_alternative<protocol::Approve>(
      std::get<protocol::ConfirmationResult>(*protocol::parse_signed_message(content)).verdict));
  EXPECT_FALSE(accepted(content, {}));
  for (std::size_t i = 0; i < signatures.size(); ++i) {
    EXPECT_FALSE(accepted(content, {signatures[i]})) << "one is not enough";
    EXPECT_FALSE(accepted(content, {signatures[i], signatures[i]})) << "nor is one twice";
    EXPECT_TRUE(accepted(content, {signatures[i], signatures[(i + 1) % signatures.size()]}));
  }
  EXPECT_TRUE(accepted(content, signatures));
  const auto stranger = crypto::sign(protocol::signed_message_hash(content), key_of(p1));
  EXPECT_FALSE(accepted(content, {signatures[0], stranger}));
  EXPECT_TRUE(accepted(content, {stranger, signatures[0], signatures[2]}));
  EXPECT_FALSE(accepted(content + "x", signatures));
}

// Another verdict, or another deadline, is another aggregation: they never mix.
TEST_F(MediatorGroup, DifferentVerdictsAreNotPutTogether) {
  deliver_to_all(request({view({{alice, bank}})}));
  const auto approved_id = time;
  deliver_to_all({response(p1, approved_id, Code::approve, {alice}, first)});
  const auto approved = deliver_to_all({response(p2, approved_id, Code::approve, {bank}, first)});
  deliver_to_all(request({view({{alice, bank}})}));
  const auto rejected = deliver_to_all({response(p2, time, Code::reject, {bank}, first)});
  ASSERT_EQ(rejected[0].size(), 1u);
  EXPECT_NE(aggregation(0, approved[0][0]), aggregation(0, rejected[0][0]));
  EXPECT_EQ(aggregation(1, rejected[1][0]), aggregation(2, rejected[2][0]));
}

// One that was away learns from the same events, and comes to the same verdict.
TEST_F(MediatorGroup, OneThatRestartedDecidesLikeTheOthers) {
  deliver_to_all(request({view({{alice, bank}})}));
  const Timestamp id = time;
  deliver_to_all({response(p1, id, Code::approve, {alice}, first)});
  start_core(1);
  const auto sent = deliver_to_all({response(p2, id, Code::approve, {bank}, first)});
  ASSERT_EQ(sent[1].size(), 1u);
  EXPECT_EQ(aggregation(1, sent[1][0]), aggregation(0, sent[0][0]));
  start_core(1);
  ASSERT_EQ(cores[1]->unconfirmed().size(), 1u);
  EXPECT_EQ(aggregation(1, cores[1]->unconfirmed()[0]), aggregation(0, sent[0][0]));
}

// After a restart it sends what it had sent; the sequencer has it, and says so in one of two ways.
TEST_F(MediatorGroup, AVerdictThatCountsAlreadyIsNoFailure) {
  for (const char* refusal : {"SEQUENCER_AGGREGATE_SUBMISSION_ALREADY_SENT(9,0): The aggregatable request",
                              "SEQUENCER_AGGREGATE_SUBMISSION_STUFFING(9,0): The sender"}) {
    EXPECT_TRUE(counts_already(refusal));
    deliver_to_all(request({view({{alice}})}));
    const auto sent = deliver_to_all({response(p1, time, Code::approve, {alice}, first)});
    ASSERT_EQ(sent[0].size(), 1u);
    start_core(0);
    ASSERT_EQ(cores[0]->unconfirmed().size(), 1u);
    time = time + Duration::milliseconds(100);
    protocol::SequencedEvent event;
    event.timestamp = time;
    event.synchronizer = network.genesis.synchronizer;
    event.message_id = sent[0][0].submission.message_id;
    event.error = protocol::DeliverError{3, refusal};
    const Effects effects = cores[0]->on_event(event, snapshots());
    EXPECT_TRUE(stores[0]->write(effects.writes, storage::Sync::no));
    EXPECT_TRUE(cores[0]->unconfirmed().empty());
    start_core(0);
    EXPECT_TRUE(cores[0]->unconfirmed().empty()) << "after another restart";
  }
  EXPECT_FALSE(counts_already("SEQUENCER_UNKNOWN_RECIPIENTS"));
}

TEST_F(MediatorGroup, TheyTimeOutAlike) {
  deliver_to_all(request({view({{alice, bank}})}));
  time = time + Duration::seconds(30);
  const auto sent = deliver_to_all({});
  for (std::size_t i = 0; i < sent.size(); ++i) {
    ASSERT_EQ(sent[i].size(), 1u);
    EXPECT_EQ(aggregation(i, sent[i][0]), aggregation(0, sent[0][0]));
  }
}

// Beyond the threshold and the margin they wait, each a little longer, and whose turn it is rotates.
TEST_F(MediatorGroup, WithoutMarginOneOfThemWaits) {
  config.liveness_margin = 0;
  for (std::size_t i = 0; i < cores.size(); ++i) start_core(i);
  std::set<std::size_t> waited;
  for (int round = 0; round < 6; ++round) {
    deliver_to_all(request({view({{alice}})}));
    const auto sent = deliver_to_all({response(p1, time, Code::approve, {alice}, first)});
    std::size_t waiting = 0;
    for (std::size_t i = 0; i < sent.size(); ++i) {
      ASSERT_EQ(sent[i].size(), 1u);
      if (sent[i][0].delay == Duration{}) continue;
      EXPECT_EQ(sent[i][0].delay, config.initial_delay);
      ++waiting;
      waited.insert(i);
    }
    EXPECT_EQ(waiting, 1u);
  }
  EXPECT_EQ(waited.size(), 3u);
}

}  // namespace
}  // namespace synod::mediator
