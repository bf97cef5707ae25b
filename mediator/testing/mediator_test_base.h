// For tests: a mediator's core on a synchronizer of two or three participants, and what they send it.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "base/testing/expect_log.h"
#include "mediator/core.h"
#include "mediator/stored.h"
#include "protocol/envelope_content.h"
#include "protocol/request_builder.h"
#include "storage/memory/memory_store.h"
#include "topology/testing/test_network.h"

namespace synod::mediator::testing {

using protocol::Envelope;
using protocol::LocalVerdict;
using protocol::Member;
using protocol::Party;
using protocol::SequencedEvent;
using protocol::ViewPosition;
using synod::testing::expect_log;
using synod::testing::seen_log;

using Code = LocalVerdict::Code;

class MediatorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    p1 = network.join_participant("p1");
    p2 = network.join_participant("p2");
    p3 = network.join_participant("p3");
    alice = p1.uid().to_string();
    bank = p2.uid().to_string();
    time = network.now() + Duration::seconds(10);
    start();
  }

  void start() {
    // The network keeps its keys; the core only reads them.
    const std::shared_ptr<crypto::KeyStore> keys(network.keys.get(), [](crypto::KeyStore*) {});
    auto loaded =
        MediatorCore::load(config, network.genesis.synchronizer, network.mediator, keys, random, store, snapshots());
    ASSERT_TRUE(loaded) << loaded.error().to_string();
    core = std::move(*loaded);
  }

  MediatorCore::SnapshotAt snapshots() {
    return [this](Timestamp at) { return network.state->snapshot_at(at); };
  }

  crypto::SigningKeyPair key_of(const Member& member) {
    const auto keys = network.state->head().signing_keys(member, crypto::KeyUsage::protocol);
    return *network.keys->signing_key(keys.front().fingerprint());
  }

  // A view that each of these parties must confirm.
  protocol::ViewContents view(const std::vector<std::vector<Party>>& quorums) {
    protocol::ViewContents out;
    out.common.salt = salts.next();
    out.participant.salt = salts.next();
    out.participant.action = protocol::CreateAction{"00", Bytes(32, 's')};
    std::set<Party> informees;
    for (const auto& parties : quorums) {
      protocol::Quorum quorum;
      for (const Party& party : parties) quorum.confirmers.push_back({party, 1});
      quorum.threshold = static_cast<int>(parties.size());
      informees.insert(parties.begin(), parties.end());
      out.common.quorums.push_back(quorum);
    }
    out.common.informees.assign(informees.begin(), informees.end());
    return out;
  }

  std::vector<Envelope> request(const std::vector<protocol::ViewContents>& views, int group = 0) {
    protocol::SubmitterMetadata submitter;
    submitter.salt = salts.next();
    submitter.act_as = {alice};
    submitter.submitting_participant = p1.uid();
    protocol::CommonMetadata common;
    common.salt = salts.next();
    common.synchronizer = named;
    common.uuid = random->uuid();
    common.mediator_group = group;
    protocol::ParticipantMetadata metadata;
    metadata.salt = salts.next();
    const auto tree = protocol::build_transaction_tree(submitter, common, metadata, views);
    root = tree.root_hash();
    const topology::Snapshot topology = network.state->head();
    protocol::RequestContext context;
    context.synchronizer = named;
    context.topology_time = time;
    context.participants_of = [&](const Party& party) {
      std::set<protocol::ParticipantId> out;
      for (const auto& [member, hosting] : topology.hosting(party).participants) out.insert(member.uid());
      return out;
    };
    context.encryption_keys = [&](const protocol::ParticipantId& id) {
      return topology.encryption_keys(Member::participant(id));
    };
    auto envelopes = protocol::build_confirmation_request(tree, context, key_of(p1), *random);
    EXPECT_TRUE(envelopes) << (envelopes ? "" : envelopes.error().to_string());
    return {envelopes->begin(), envelopes->begin() + 2};  // informee message and root hash messages
  }

  Effects deliver(const std::vector<Envelope>& envelopes, std::optional<std::string> message_id = {}) {
    time = time + Duration::milliseconds(100);
    SequencedEvent event;
    event.timestamp = time;
    event.synchronizer = network.genesis.synchronizer;
    event.message_id = message_id;
    event.batch = protocol::CompressedBatch::compress(envelopes);
    Effects effects = core->on_event(event, snapshots());
    EXPECT_TRUE(store.write(effects.writes, storage::Sync::no));
    return effects;
  }
  Effects tick(Duration later) {
    time = time + later;
    return deliver({});
  }

  Envelope response(const Member& sender, Timestamp request, Code code, std::vector<Party> parties,
                    std::optional<ViewPosition> position) {
    protocol::ConfirmationResponses responses;
    responses.request_id = request;
    responses.root_hash = root;
    responses.synchronizer = named;
    responses.sender = sender.uid();
    LocalVerdict verdict{code, {}};
    if (code != Code::approve)
      verdict.reason = protocol::RpcStatus::of(
          Error("LOCAL_VERDICT_TEST", ErrorCategory::contention_on_shared_resources, sender.to_string()));
    responses.responses = {{verdict, std::move(parties), std::move(position)}};
    return protocol::signed_envelope(protocol::serialize_signed_message(responses), key_of(sender),
                                     protocol::Recipients::together({protocol::Recipient::mediator_group(0)}));
  }

  static protocol::ConfirmationResult verdict_in(const Effects& effects) {
    EXPECT_EQ(effects.sends.size(), 1u);
    if (effects.sends.size() != 1) return {};
    return std::get<protocol::ConfirmationResult>(
        *protocol::parse_signed_message(effects.sends[0].submission.envelopes.at(0).content));
  }
  static std::string reject_id(const Effects& effects) {
    const auto result = verdict_in(effects);
    const auto* rejected = std::get_if<protocol::MediatorReject>(&result.verdict);
    return rejected ? rejected->reason.error_id() : "no mediator reject";
  }

  topology::testing::TestNetwork network;
  protocol::PhysicalSynchronizerId named = network.genesis.synchronizer;  // by requests and responses
  MediatorConfig config;
  std::shared_ptr<Random> random = seeded_random(3);
  protocol::TransactionSalts salts{Bytes(16, 's')};
  storage::MemoryStore store{{{kMediatorColumn}}};
  std::unique_ptr<MediatorCore> core;
  Member p1, p2, p3;
  Party alice, bank;
  Timestamp time;
  crypto::Hash root;
  const ViewPosition first{{{}}};
};

}  // namespace synod::mediator::testing
