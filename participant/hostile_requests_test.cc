// What others may send: too much, at a time that cannot be, or exactly when something else happens.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/expect_log.h"
#include "base/testing/shared_files.h"
#include "lf/archive/dar.h"
#include "lf/text/assembler.h"
#include "participant/testing/mini_network.h"
#include "topology/broadcast.h"

namespace synod::participant {
namespace {

using lf::Value;
using ::testing::HasSubstr;

// Alice at the first participant, Bob at the second.
class HostileRequests : public ::testing::Test {
 protected:
  void start(topology::DynamicParameters parameters = {}, std::function<void(CoreConfig&)> configure = nullptr) {
    const auto dar = lf::decode_dar(lf::assemble_dar(testing::read_file("examples/ping.lf")).value()).value();
    auto packages = std::make_shared<lf::PackageStore>();
    for (const auto& entry : dar.entries) packages->add(entry.package);
    ping_ = {dar.main().id(), "Ping", "Ping"};
    net_ = std::make_unique<MiniNetwork>(packages, 2, std::move(parameters));
    net_->configure = std::move(configure);
    alice_ = net_->host("Alice", 0);
    bob_ = net_->host("Bob", 1);
    net_->start();
  }
  lf::Command ping(const std::string& responder, std::size_t length = 1) const {
    return lf::CreateCommand{
        ping_, Value::record({Value::text(std::string(length, 'x')), Value::party(alice_), Value::party(responder)})};
  }
  Status submit(std::vector<lf::Command> commands) {
    return net_->submit(0, alice_, "command " + std::to_string(++commands_), std::move(commands));
  }
  // Of the last command: the error's id and cause, or "committed".
  std::string outcome() const {
    if (net_->nodes[0].completions.empty()) return "nothing";
    const auto& rejection = net_->nodes[0].completions.back().rejection;
    return rejection ? rejection->id + ": " + rejection->cause : "committed";
  }
  std::string run(std::vector<lf::Command> commands) {
    const auto accepted = submit(std::move(commands));
    if (!accepted) return accepted.error().id;
    net_->run();
    return outcome();
  }
  protocol::Recipients everybody() const {
    return protocol::Recipients::groups(
        {{protocol::Recipient(net_->nodes[0].member)}, {protocol::Recipient(net_->nodes[1].member)}});
  }

  std::unique_ptr<MiniNetwork> net_;
  lf::Identifier ping_;
  std::string alice_, bob_;
  int commands_ = 0;
};

// --- too much

TEST_F(HostileRequests, AllViewsOfARequestTogetherHaveALimit) {
  start({}, [](CoreConfig& config) { config.max_request_views_bytes = 50'000; });
  EXPECT_EQ(run({ping(alice_, 30'000)}), "committed");
  EXPECT_EQ(run({ping(bob_, 30'000)}), "committed");
  testing::expect_log("malformed payloads");
  // Two messages, since others may see the one than the other; each of them is small enough.
  EXPECT_THAT(run({ping(alice_, 30'000), ping(bob_, 30'000)}), HasSubstr("unpacks to more than the allowed"));
  EXPECT_EQ(net_->active(0).size(), 2u);
  EXPECT_EQ(run({ping(bob_)}), "committed") << "the next one is not affected";
}

TEST_F(HostileRequests, AfterTheLimitNoFurtherViewIsUnpacked) {
  start({}, [](CoreConfig& config) {
    config.batch.max_envelope_bytes = 20'000;
    config.max_request_views_bytes = 20'000;
  });
  testing::expect_log("malformed payloads");
  EXPECT_THAT(run({ping(alice_, 30'000), ping(bob_)}), HasSubstr("and 1 more"));
  EXPECT_EQ(testing::seen_log("malformed payloads"), 1u) << "the other participant sees the small view only";
}

TEST_F(HostileRequests, ManyBadEnvelopesMakeOneLine) {
  start();
  testing::expect_log("does not decode");
  std::vector<protocol::Envelope> garbage;
  for (int i = 0; i < 1000; ++i) garbage.push_back({"garbage " + std::to_string(i), {}, everybody()});
  const auto key = crypto::SigningKeyPair::generate({crypto::KeyUsage::protocol}, *net_->network.random);
  for (int i = 0; i < 10; ++i) garbage.push_back(protocol::signed_envelope("garbage", key, everybody()));
  net_->deliver_to_all(garbage);
  EXPECT_EQ(testing::seen_log("dropped from the event"), 2u) << "one for each participant";
  EXPECT_EQ(testing::seen_log("1010 of 1010 envelopes, the first: "), 2u);
}

TEST_F(HostileRequests, ManyForgedResultsMakeOneLine) {
  start();
  ASSERT_TRUE(submit({ping(bob_)}));
  net_->sequence_next();
  const Timestamp request = net_->clock;
  testing::expect_log("is ignored");
  const auto key = crypto::SigningKeyPair::generate({crypto::KeyUsage::protocol}, *net_->network.random);
  std::vector<protocol::Envelope> forged;
  for (int i = 0; i < 100; ++i) {
    const protocol::ConfirmationResult result{net_->network.genesis.synchronizer, protocol::ViewType::transaction,
                                              request, crypto::hash(crypto::HashPurpose::unicum, std::to_string(i)),
                                              protocol::Approve{}};
    forged.push_back(protocol::signed_envelope(protocol::serialize_signed_message(result), key, everybody()));
  }
  net_->deliver_to_all(forged);
  EXPECT_EQ(testing::seen_log("100 of 100 results, the first: "), 2u);
  net_->run();
  EXPECT_EQ(outcome(), "committed");
}

TEST_F(HostileRequests, ManyBadBroadcastsMakeOneLine) {
  start();
  testing::expect_log("dropped topology broadcasts");
  const protocol::PhysicalSynchronizerId other(
      protocol::UniqueId::create("other", net_->network.genesis.synchronizer.logical().ns()).value(), 35, 0);
  std::vector<protocol::Envelope> envelopes;
  for (int i = 0; i < 100; ++i) {
    envelopes.push_back(topology::broadcast_envelope(other, {}));
    envelopes.back().recipients = everybody();
  }
  net_->deliver_to_all(envelopes);
  EXPECT_EQ(testing::seen_log("100 of 100 envelopes, the first: a topology broadcast for synchronizer other::"), 2u);
}

// --- at a time that cannot be

class HostileTimes : public HostileRequests {
 protected:
  // A request whose submitter's clock is so far from the synchronizer's.
  std::string with_clock(Duration ahead) {
    const Timestamp synchronizer = net_->clock;
    net_->clock = synchronizer + ahead;
    const auto accepted = submit({ping(bob_)});
    net_->clock = synchronizer;
    if (!accepted) return accepted.error().id;
    net_->run();
    return outcome();
  }
  // A request that lies on the way for so long.
  std::string sequenced_after(Duration delay) {
    const auto accepted = submit({ping(bob_)});
    if (!accepted) return accepted.error().id;
    net_->clock = net_->clock + delay;
    net_->run();
    return outcome();
  }
};

TEST_F(HostileTimes, TheLedgerTimeMustBeNearTheSequencingTime) {
  start();
  EXPECT_EQ(with_clock(Duration::seconds(59)), "committed");
  EXPECT_THAT(with_clock(Duration::seconds(61)), HasSubstr("LOCAL_VERDICT_LEDGER_TIME_OUT_OF_BOUND"));
  EXPECT_THAT(with_clock(Duration::seconds(365 * 24 * 3600)), HasSubstr("LOCAL_VERDICT_LEDGER_TIME_OUT_OF_BOUND"));
  EXPECT_EQ(sequenced_after(Duration::seconds(59)), "committed");
  EXPECT_THAT(sequenced_after(Duration::seconds(61)), HasSubstr("LOCAL_VERDICT_LEDGER_TIME_OUT_OF_BOUND"));
  EXPECT_THAT(sequenced_after(Duration::seconds(3600)), HasSubstr("LOCAL_VERDICT_LEDGER_TIME_OUT_OF_BOUND"));
  EXPECT_EQ(net_->active(0).size(), 2u);
  EXPECT_EQ(net_->active(1).size(), 2u);
  EXPECT_EQ(net_->nodes[1].core->in_flight_requests(), 0u);
}

TEST_F(HostileTimes, ThePreparationTimeMustBeNearTheSequencingTime) {
  topology::DynamicParameters parameters;
  parameters.preparation_time_record_time_tolerance = Duration::seconds(10);
  start(parameters);
  EXPECT_EQ(with_clock(Duration::seconds(9)), "committed");
  EXPECT_THAT(with_clock(Duration::seconds(11)), HasSubstr("LOCAL_VERDICT_PREPARATION_TIME_OUT_OF_BOUND"));
  EXPECT_EQ(sequenced_after(Duration::seconds(9)), "committed");
  EXPECT_THAT(sequenced_after(Duration::seconds(11)), HasSubstr("LOCAL_VERDICT_PREPARATION_TIME_OUT_OF_BOUND"));
  EXPECT_EQ(net_->active(1).size(), 2u);
}

// --- from too few

TEST_F(HostileRequests, AVerdictNeedsTheThresholdOfItsMediatorGroup) {
  start();
  auto& network = net_->network;
  std::vector<protocol::Member> mediators{network.mediator};
  auto transactions = std::vector<topology::SignedTransaction>();
  for (const char* name : {"mediator2", "mediator3"}) {
    const auto identity = network.new_member(protocol::MemberKind::mediator, name);
    mediators.push_back(identity.member);
    transactions.insert(transactions.end(), identity.transactions.begin(), identity.transactions.end());
  }
  topology::MediatorState group{network.genesis.synchronizer.logical(), 0, 2, {}, {}};
  for (const auto& mediator : mediators) group.active.push_back(mediator.uid());
  transactions.push_back(network.sign(group, 2, network.owners));
  for (const auto& outcome : network.submit_all(transactions)) ASSERT_EQ(outcome, "");
  net_->deliver_to_all({topology::broadcast_envelope(network.genesis.synchronizer, transactions)});
  net_->tick(Duration::seconds(1));
  const auto key = [&](std::size_t mediator) {
    return network.state->head().signing_keys(mediators[mediator], crypto::KeyUsage::protocol).front().fingerprint();
  };
  testing::expect_log("is not signed by its mediator group");
  for (const auto& too_few : {std::vector{key(0)}, {key(1), key(1)}}) {
    net_->verdict_signers = too_few;
    ASSERT_TRUE(submit({ping(bob_)}));
    net_->run();
    EXPECT_EQ(net_->active(0).size(), 0u);
    net_->tick(Duration::seconds(61));
    EXPECT_THAT(outcome(), HasSubstr("LOCAL_VERDICT_TIMEOUT"));
  }
  net_->verdict_signers = {key(2), key(0)};
  EXPECT_EQ(run({ping(bob_)}), "committed");
  EXPECT_EQ(net_->active(1).size(), 1u);
}

// --- exactly when something else happens

TEST_F(HostileRequests, ARequestAtTheTimeAtWhichAPartyAppearsIsNotForgotten) {
  for (const bool restarting : {false, true}) {
    SCOPED_TRACE(restarting ? "restarting" : "running");
    start();
    net_->restart_often = restarting;
    const auto& participant = net_->nodes[1].member;
    std::vector<std::string> parties;
    std::vector<topology::SignedTransaction> transactions;
    for (const char* name : {"Carol", "Dave"}) {
      const auto uid = protocol::UniqueId::create(name, participant.uid().ns()).value();
      const topology::PartyToParticipant mapping{
          uid, 1, {{participant.uid(), topology::Permission::submission, false}}, std::nullopt};
      transactions.push_back(net_->network.sign(mapping, 1, {participant.uid().ns()}));
      parties.push_back(uid.to_string());
    }
    net_->deliver_to_all({topology::broadcast_envelope(net_->network.genesis.synchronizer, transactions)});
    const Timestamp effective = net_->clock + net_->network.config.static_parameters.topology_change_delay;
    ASSERT_TRUE(submit({ping(bob_)}));
    net_->clock = effective - Duration::milliseconds(1);
    net_->sequence_next();
    ASSERT_EQ(net_->clock, effective);
    EXPECT_EQ(net_->nodes[1].core->in_flight_requests(), 3u) << "the request and two parties";
    net_->run();
    EXPECT_EQ(outcome(), "committed");
    net_->tick();
    for (int at : {0, 1}) {
      EXPECT_EQ(net_->active(at).size(), 1u) << "at " << at;
      EXPECT_EQ(net_->nodes[static_cast<std::size_t>(at)].core->in_flight_requests(), 0u);
      std::vector<std::string> seen;
      const auto ledger = net_->ledger(at);
      ASSERT_TRUE(ledger->updates(Offset(0), ledger->ledger_end(), false, [&](const Update& update) {
        if (const auto* party = std::get_if<PartyUpdate>(&update.content)) seen.push_back(party->party);
        return true;
      }));
      EXPECT_THAT(seen, ::testing::UnorderedElementsAreArray(parties));
    }
  }
}

}  // namespace
}  // namespace synod::participant
