// Two participants, a sequencer and a mediator in miniature: commands from submission to publication.
#include <gtest/gtest.h>

#include <set>

#include "base/testing/expect_log.h"
#include "base/testing/shared_files.h"
#include "lf/archive/dar.h"
#include "participant/testing/mini_network.h"
#include "protocol/envelope_content.h"

namespace synod::participant {
namespace {

using lf::Value;

std::shared_ptr<lf::PackageStore> examples() {
  static const auto store = [] {
    const auto path = testing::shared_path("dars/CantonExamples-3.2.0.dar");
    if (!path) return std::shared_ptr<lf::PackageStore>();
    auto packages = std::make_shared<lf::PackageStore>();
    auto dar = lf::decode_dar(testing::read_file(*path));
    if (!dar) throw std::runtime_error(dar.error().to_string());
    for (auto& entry : dar->entries) packages->add(entry.package);
    return packages;
  }();
  return store;
}

const std::string kExamples = "f94329fba82051bcda20be2fc1c4bd3ca00c71a3609df1afa6a353177d3db9bb";

// The examples on two participants: Alice at the first one, the bank and Bob at the second.
class IouNetwork : public MiniNetwork {
 public:
  IouNetwork() : MiniNetwork(examples(), 2) {
    alice = host("Alice", 0);
    bank = host("Bank", 1);
    bob = host("Bob", 1);
    start();
  }

  lf::Command create_iou() const {
    return lf::CreateCommand{
        {kExamples, "Iou", "Iou"},
        Value::record({Value::party(bank), Value::party(alice),
                       Value::record({Value::numeric({1'000'000'000'000, 10}), Value::text("USD")}), Value::list({})})};
  }
  lf::Command transfer(const lf::ContractId& id, const std::string& to) const {
    return lf::ExerciseCommand{{kExamples, "Iou", "Iou"}, id, "Transfer", Value::record({Value::party(to)})};
  }

  std::string alice, bank, bob;
};

class ParticipantNetwork : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (!examples()) GTEST_SKIP() << "SKIPPED: needs CantonExamples in ../shared/dars";
    net = std::make_unique<IouNetwork>();
    net->restart_often = GetParam();
  }
  std::unique_ptr<IouNetwork> net;
};
INSTANTIATE_TEST_SUITE_P(, ParticipantNetwork, ::testing::Values(false, true),
                         [](const auto& info) { return info.param ? "Restarting" : "Running"; });

TEST_P(ParticipantNetwork, IouIsCreatedAndTransferred) {
  ASSERT_TRUE(net->submit(1, net->bank, "create", {net->create_iou()}));
  net->run();
  ASSERT_EQ(net->active(0).size(), 1u);
  ASSERT_EQ(net->active(1).size(), 1u);
  const auto iou = net->active(0).front().contract.contract_id;
  EXPECT_EQ(net->active(1).front().contract.contract_id, iou);
  const auto accepted = net->submit(0, net->alice, "transfer", {net->transfer(iou, net->bob)});
  ASSERT_TRUE(accepted) << accepted.error().to_string();
  net->run();
  EXPECT_TRUE(net->active(0).empty());
  ASSERT_EQ(net->active(1).size(), 1u);
  EXPECT_NE(net->active(1).front().contract.contract_id, iou);
  ASSERT_EQ(net->nodes[0].completions.size(), 1u);
  EXPECT_FALSE(net->nodes[0].completions.front().rejection);
  const auto update = net->ledger(1)->update_by_id(net->nodes[0].completions.front().update_id);
  ASSERT_TRUE(update && *update);
  EXPECT_EQ((*update)->transaction()->events.size(), 2u);
  EXPECT_EQ((*update)->transaction()->command_id, "") << "the submitter's command id is nobody else's business";
}

// Recording e02: {Alice, Bank, participant1} with threshold 3 and {Bank} with threshold 1.
TEST_P(ParticipantNetwork, QuorumsAreAsRecorded) {
  ASSERT_TRUE(net->submit(1, net->bank, "create", {net->create_iou()}));
  net->run();
  ASSERT_TRUE(
      net->submit(0, net->alice, "transfer", {net->transfer(net->active(0).front().contract.contract_id, net->bob)}));
  net->run();
  ASSERT_EQ(net->informee_messages.size(), 2u);
  std::vector<std::pair<std::set<std::string>, int>> quorums;
  std::set<std::string> informees;
  net->informee_messages[1].tree.tree().for_each_view(
      [&](const protocol::TransactionView& view, const protocol::ViewPosition&) {
        const auto& data = view.common().value();
        informees.insert(data.informees.begin(), data.informees.end());
        for (const auto& quorum : data.quorums) {
          std::set<std::string> parties;
          for (const auto& confirmer : quorum.confirmers) parties.insert(confirmer.party);
          quorums.emplace_back(parties, quorum.threshold);
        }
      });
  const auto admin = net->nodes[0].member.uid().to_string();
  EXPECT_EQ(informees, (std::set<std::string>{net->alice, net->bank, net->bob, admin}));
  ASSERT_EQ(quorums.size(), 2u);
  EXPECT_EQ(quorums[0], std::pair(std::set<std::string>({net->alice, net->bank, admin}), 3));
  EXPECT_EQ(quorums[1], std::pair(std::set<std::string>({net->bank}), 1));
}

TEST_P(ParticipantNetwork, OneOfTwoConflictingCommandsWins) {
  ASSERT_TRUE(net->submit(1, net->bank, "create", {net->create_iou()}));
  net->run();
  const auto iou = net->active(0).front().contract.contract_id;
  ASSERT_TRUE(net->submit(0, net->alice, "first", {net->transfer(iou, net->bob)}));
  ASSERT_TRUE(net->submit(0, net->alice, "second", {net->transfer(iou, net->bank)}));
  net->run();
  ASSERT_EQ(net->nodes[0].completions.size(), 2u);
  EXPECT_FALSE(net->nodes[0].completions[0].rejection);
  ASSERT_TRUE(net->nodes[0].completions[1].rejection);
  EXPECT_EQ(net->nodes[0].completions[1].rejection->id, "LOCAL_VERDICT_LOCKED_CONTRACTS");
  EXPECT_EQ(net->active(1).size(), 1u);
  EXPECT_EQ(net->ledger(1)->ledger_end().value, 2) << "of the rejected one nothing is left elsewhere";
}

TEST_P(ParticipantNetwork, ACommandIsAcceptedOnce) {
  ASSERT_TRUE(net->submit(1, net->bank, "create", {net->create_iou()}));
  const auto twice = net->submit(1, net->bank, "create", {net->create_iou()});
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().id, "SUBMISSION_ALREADY_IN_FLIGHT");
  net->run();
  const auto again = net->submit(1, net->bank, "create", {net->create_iou()});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().id, "DUPLICATE_COMMAND");
  EXPECT_EQ(net->active(1).size(), 1u);
}

TEST_P(ParticipantNetwork, WithoutAVerdictTheRequestTimesOut) {
  ASSERT_TRUE(net->submit(1, net->bank, "create", {net->create_iou()}));
  net->run();
  const auto iou = net->active(0).front().contract.contract_id;
  net->mediator_answers = false;
  ASSERT_TRUE(net->submit(0, net->alice, "transfer", {net->transfer(iou, net->bob)}));
  net->run();
  net->tick(Duration::seconds(61));
  ASSERT_EQ(net->nodes[0].completions.size(), 1u);
  ASSERT_TRUE(net->nodes[0].completions[0].rejection);
  EXPECT_EQ(net->nodes[0].completions[0].rejection->id, "LOCAL_VERDICT_TIMEOUT");
  EXPECT_EQ(net->active(0).size(), 1u);
  net->mediator_answers = true;
  ASSERT_TRUE(net->submit(0, net->alice, "transfer", {net->transfer(iou, net->bob)})) << "the contract is free again";
  net->run();
  EXPECT_TRUE(net->active(0).empty());
}

TEST_P(ParticipantNetwork, AnAnswerLostInACrashIsGivenAgain) {
  ASSERT_TRUE(net->submit(1, net->bank, "create", {net->create_iou()}));
  net->sequence_next();
  net->outbox.clear();  // both answers are lost
  net->restart_all();
  net->run();
  EXPECT_EQ(net->active(0).size(), 1u);
  EXPECT_FALSE(net->nodes[1].completions.at(0).rejection);
}

TEST_P(ParticipantNetwork, WhatIsNotSequencedIsRejected) {
  ASSERT_TRUE(net->submit(1, net->bank, "create", {net->create_iou()}));
  net->outbox.clear();
  net->tick(Duration::seconds(61));
  ASSERT_EQ(net->nodes[1].completions.size(), 1u);
  EXPECT_EQ(net->nodes[1].completions[0].rejection->id, "NOT_SEQUENCED_TIMEOUT");
  EXPECT_EQ(net->nodes[1].core->in_flight_submissions(), 0u);
}

// What a faulty or malicious submitter may do to its own request on the way.
template <typename Message, typename Change>
void change_messages(protocol::Submission& submission, Change change) {
  for (auto& envelope : submission.envelopes) {
    if (!envelope.signatures.empty()) continue;
    auto content = protocol::parse_envelope_content(envelope.content);
    ASSERT_TRUE(content);
    if (auto* message = std::get_if<Message>(&*content)) {
      change(*message);
      envelope.content = protocol::serialize_envelope_content(*message);
    }
  }
}

void expect_rejected_without_trace(IouNetwork& net, const std::string& error_id) {
  net.run();
  net.tick(Duration::seconds(61));
  ASSERT_EQ(net.nodes[1].completions.size(), 1u);
  ASSERT_TRUE(net.nodes[1].completions[0].rejection);
  EXPECT_EQ(net.nodes[1].completions[0].rejection->id, error_id);
  EXPECT_TRUE(net.active(0).empty());
  EXPECT_TRUE(net.active(1).empty());
  EXPECT_EQ(net.ledger(0)->ledger_end().value, 0);
  EXPECT_EQ(net.nodes[0].core->in_flight_requests(), 0u);
  EXPECT_EQ(net.nodes[1].core->in_flight_submissions(), 0u);
  // The next command is not affected.
  ASSERT_TRUE(net.submit(1, net.bank, "next", {net.create_iou()}));
  net.run();
  EXPECT_EQ(net.active(0).size(), 1u);
}

TEST_P(ParticipantNetwork, ATamperedViewIsMalformed) {
  testing::expect_log("malformed payloads");
  ASSERT_TRUE(net->submit(1, net->bank, "create", {net->create_iou()}));
  change_messages<protocol::EncryptedViews>(net->outbox.front().second,
                                            [](auto& views) { views.ciphertext[views.ciphertext.size() / 2] ^= 1; });
  expect_rejected_without_trace(*net, "LOCAL_VERDICT_MALFORMED_PAYLOAD");
}

TEST_P(ParticipantNetwork, AViewOfAnotherTransactionIsMalformed) {
  testing::expect_log("malformed payloads");
  ASSERT_TRUE(net->submit(1, net->bank, "create", {net->create_iou()}));
  change_messages<protocol::RootHashMessage>(net->outbox.front().second, [](auto& message) {
    message.root_hash = crypto::hash(crypto::HashPurpose::unicum, "other");
  });
  expect_rejected_without_trace(*net, "LOCAL_VERDICT_MALFORMED_PAYLOAD");
}

TEST_P(ParticipantNetwork, WithoutTheSubmittersSignatureNothingIsConfirmed) {
  testing::expect_log("not correctly authenticated");
  ASSERT_TRUE(net->submit(1, net->bank, "create", {net->create_iou()}));
  change_messages<protocol::EncryptedViews>(net->outbox.front().second,
                                            [](auto& views) { views.submitter_signature.reset(); });
  expect_rejected_without_trace(*net, "LOCAL_VERDICT_MALFORMED_REQUEST");
}

TEST_P(ParticipantNetwork, AnotherParticipantsSignatureDoesNotCount) {
  testing::expect_log("not correctly authenticated");
  ASSERT_TRUE(net->submit(1, net->bank, "create", {net->create_iou()}));
  const auto other =
      net->network.state->head().signing_keys(net->nodes[0].member, crypto::KeyUsage::protocol).front().fingerprint();
  change_messages<protocol::EncryptedViews>(net->outbox.front().second, [&](auto& views) {
    views.submitter_signature =
        crypto::sign(crypto::hash(crypto::HashPurpose::unicum, "x"), *net->network.keys->signing_key(other));
  });
  expect_rejected_without_trace(*net, "LOCAL_VERDICT_MALFORMED_REQUEST");
}

TEST_P(ParticipantNetwork, ARequestWithoutRootHashMessageIsDropped) {
  testing::expect_log("root hash messages instead of one");
  ASSERT_TRUE(net->submit(1, net->bank, "create", {net->create_iou()}));
  auto& envelopes = net->outbox.front().second.envelopes;
  std::erase_if(envelopes, [](const auto& envelope) {
    auto content = protocol::parse_envelope_content(envelope.content);
    return content && std::holds_alternative<protocol::RootHashMessage>(*content);
  });
  expect_rejected_without_trace(*net, "NO_VIEW_WITH_VALID_RECIPIENTS");
}

TEST_P(ParticipantNetwork, AVerdictThatTheMediatorDidNotSignIsIgnored) {
  testing::expect_log("not signed by its mediator group");
  net->verdict_signers = {
      net->network.state->head().signing_keys(net->nodes[0].member, crypto::KeyUsage::protocol).front().fingerprint()};
  ASSERT_TRUE(net->submit(1, net->bank, "create", {net->create_iou()}));
  net->run();
  EXPECT_TRUE(net->active(1).empty());
  net->verdict_signers.clear();
  expect_rejected_without_trace(*net, "LOCAL_VERDICT_TIMEOUT");
}

TEST_P(ParticipantNetwork, GarbageInAnEventHarmsNobody) {
  testing::expect_log("does not decode");
  protocol::Submission garbage;
  garbage.message_id = "garbage";
  for (const char* content : {"", "\x0a\x02\x08\x01\x10\x1f", "not a message"}) {
    garbage.envelopes.push_back({content,
                                 {},
                                 protocol::Recipients::groups({{protocol::Recipient(net->nodes[0].member)},
                                                               {protocol::Recipient(net->nodes[1].member)}})});
  }
  net->deliver_to_all(garbage.envelopes);
  ASSERT_TRUE(net->submit(1, net->bank, "create", {net->create_iou()}));
  net->run();
  EXPECT_EQ(net->active(0).size(), 1u);
}

TEST_P(ParticipantNetwork, PartiesHostedElsewhereCannotSubmitHere) {
  const auto refused = net->submit(0, net->bank, "create", {net->create_iou()});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().id, "NO_SYNCHRONIZER_ON_WHICH_ALL_SUBMITTERS_CAN_SUBMIT");
}

TEST_P(ParticipantNetwork, SeveralRootViewsCommitTogether) {
  ASSERT_TRUE(net->submit(1, net->bank, "three", {net->create_iou(), net->create_iou(), net->create_iou()}));
  net->run();
  EXPECT_EQ(net->active(0).size(), 3u);
  EXPECT_EQ(net->ledger(0)->ledger_end().value, 1);
}

}  // namespace
}  // namespace synod::participant
