// Proposals of every kind of mapping that proposals are made of: what needs two signers stays open with one signature
// and holds with both.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "topology/required_auth.h"
#include "topology/testing/test_network.h"

namespace synod::topology {
namespace {

using testing::TestNetwork;

constexpr auto kProposalUnauthorized = "TOPOLOGY_UNAUTHORIZED_TRANSACTION";
constexpr auto kProposalSerialMismatch = "TOPOLOGY_SERIAL_MISMATCH";

// A change that both must sign; the second may be a new key that proves itself, which counts only beside a namespace.
struct TwoSignerChange {
  Mapping mapping = DecentralizedNamespace{};
  Fingerprint first, second;
};

struct TwoSignerCase {
  MappingCode code;
  TwoSignerChange (*prepare)(TestNetwork& net);  // net: a synchronizer of two owners who must agree
};

void must_accept(TestNetwork& net, const std::vector<SignedTransaction>& transactions) {
  for (const auto& outcome : net.submit_all(transactions)) ASSERT_EQ(outcome, "");
}

SignedTransaction root_of(TestNetwork& net, const Namespace& ns) {
  return net.sign(NamespaceDelegation{ns, net.keys->signing_key(ns)->public_key(), {}, {}}, 1, {ns});
}

TwoSignerChange by_owners(const TestNetwork& net, Mapping mapping) {
  return {std::move(mapping), net.owners[0], net.owners[1]};
}

// A participant whose namespace is the owners' own, so that each of its changes needs both.
protocol::UniqueId shared_participant(TestNetwork& net) {
  const auto identity = net.new_member(protocol::MemberKind::participant, "shared");
  auto keys = *identity.transactions.back().transaction().as<OwnerToKey>();
  const auto uid = protocol::UniqueId::create("shared", net.genesis.synchronizer.logical().ns()).value();
  keys.member = protocol::Member::participant(uid);
  std::vector<Fingerprint> signers = net.owners;
  for (const auto& key : keys.signing_keys()) signers.push_back(key.fingerprint());
  must_accept(net, {net.sign(keys, 1, signers)});
  return uid;
}

TwoSignerChange a_decentralized_namespace(TestNetwork& net) {
  std::vector<Namespace> founders{net.new_namespace(), net.new_namespace()};
  std::sort(founders.begin(), founders.end());
  must_accept(net, {root_of(net, founders[0]), root_of(net, founders[1])});
  return {DecentralizedNamespace{protocol::decentralized_namespace(founders), 1, founders}, founders[0], founders[1]};
}

TwoSignerChange a_further_key_of_a_member(TestNetwork& net) {
  auto keys = *net.state->head().active(MappingCode::owner_to_key, net.mediator.uid()).front()->as<OwnerToKey>();
  const auto fresh = net.new_key({crypto::KeyUsage::protocol, crypto::KeyUsage::proof_of_ownership});
  keys.keys.emplace_back(fresh);
  return {keys, net.mediator.uid().ns(), fresh.fingerprint()};
}

TwoSignerChange a_trust_certificate(TestNetwork& net) {
  return by_owners(net, TrustCertificate{shared_participant(net), net.genesis.synchronizer.logical(), {}});
}

TwoSignerChange a_permission(TestNetwork& net) {
  return by_owners(
      net, ParticipantPermission{
               net.genesis.synchronizer.logical(), net.join_participant("p").uid(), Permission::observation, {}, {}});
}

TwoSignerChange hosting_limits(TestNetwork& net) {
  return by_owners(net, PartyHostingLimits{net.genesis.synchronizer.logical(), net.new_uid("alice")});
}

TwoSignerChange a_vetting(TestNetwork& net) {
  return by_owners(net, VettedPackages{shared_participant(net), {{"a", {}, {}}}});
}

TwoSignerChange a_hosting(TestNetwork& net) {
  const auto host = net.join_participant("p").uid();
  const auto alice = net.new_uid("alice");
  must_accept(net, {root_of(net, alice.ns())});
  return {PartyToParticipant{alice, 1, {{host, Permission::confirmation, false}}, std::nullopt}, alice.ns(), host.ns()};
}

TwoSignerChange parameters(TestNetwork& net) {
  DynamicParameters changed;
  changed.max_request_size = 99;
  return by_owners(net, SynchronizerParametersState{net.genesis.synchronizer.logical(), changed});
}

TwoSignerChange a_further_mediator(TestNetwork& net) {
  const auto identity = net.new_member(protocol::MemberKind::mediator, "mediator2");
  must_accept(net, identity.transactions);
  const auto both = std::vector{net.mediator.uid(), identity.member.uid()};
  return by_owners(net, MediatorState{net.genesis.synchronizer.logical(), 0, 2, both, {}});
}

TwoSignerChange a_further_sequencer(TestNetwork& net) {
  const auto identity = net.new_member(protocol::MemberKind::sequencer, "sequencer2");
  must_accept(net, identity.transactions);
  const auto both = std::vector{net.sequencer.uid(), identity.member.uid()};
  return by_owners(net, SequencerState{net.genesis.synchronizer.logical(), 1, both, {}});
}

bool holds(const Snapshot& snapshot, const Mapping& mapping) {
  const auto active = snapshot.active(code_of(mapping));
  return std::any_of(active.begin(), active.end(), [&](const auto* t) { return t->mapping() == mapping; });
}

std::uint32_t next_serial(const TestNetwork& net, const Mapping& mapping) {
  const auto* current = net.state->current(mapping);
  return current ? current->transaction.transaction().serial() + 1 : 1;
}

// Each member that joins replays the history and must come to the same decisions.
void expect_that_it_replays(const TestNetwork& net) {
  TopologyState other(net.genesis.synchronizer, net.config.static_parameters);
  const auto replayed = other.import(net.state->export_at(net.now()));
  EXPECT_TRUE(replayed) << replayed.error().to_string();
  EXPECT_EQ(other.proposals().size(), net.state->proposals().size());
}

class TwoSignerProposals : public ::testing::TestWithParam<TwoSignerCase> {
 protected:
  void SetUp() override {
    change = GetParam().prepare(net);
    ASSERT_EQ(code_of(change.mapping), GetParam().code);
    serial = next_serial(net, change.mapping);
  }
  std::string propose(std::uint32_t with_serial, const std::vector<Fingerprint>& signers) {
    return net.submit(net.sign(change.mapping, with_serial, signers, true));
  }

  TestNetwork net{{}, 2, 2};
  TwoSignerChange change;
  std::uint32_t serial = 0;
};

TEST_P(TwoSignerProposals, HoldWithTheSecondSignature) {
  const auto* in_force = net.state->current(change.mapping);
  EXPECT_EQ(net.submit(net.sign(change.mapping, serial, {change.first})), kProposalUnauthorized) << "not as a proposal";
  EXPECT_EQ(propose(serial, {change.first}), "");
  ASSERT_EQ(net.state->proposals().size(), 1u);
  const auto& open = net.state->proposals().front()->transaction;
  EXPECT_TRUE(open.proposal());
  EXPECT_EQ(open.mapping(), change.mapping);
  EXPECT_EQ(open.transaction().serial(), serial);
  EXPECT_FALSE(holds(net.state->head(), change.mapping));
  EXPECT_EQ(net.state->current(change.mapping), in_force) << "what held before holds on";
  expect_that_it_replays(net);

  EXPECT_EQ(propose(serial, {change.second}), "");
  EXPECT_TRUE(net.state->proposals().empty());
  const auto* decided = net.state->current(change.mapping);
  ASSERT_NE(decided, nullptr);
  EXPECT_FALSE(decided->transaction.proposal());
  EXPECT_EQ(decided->transaction.mapping(), change.mapping);
  EXPECT_EQ(decided->transaction.transaction().serial(), serial);
  EXPECT_EQ(decided->transaction.signatures().size(), 2u);
  const auto effective = net.now() + net.config.static_parameters.topology_change_delay;
  EXPECT_FALSE(holds(net.state->snapshot_at(effective), change.mapping));
  EXPECT_TRUE(holds(net.state->snapshot_at(effective.next()), change.mapping));
  expect_that_it_replays(net);
}

TEST_P(TwoSignerProposals, HoldAtOnceWithBothSignatures) {
  EXPECT_EQ(propose(serial, {change.first, change.second}), "");
  EXPECT_TRUE(net.state->proposals().empty());
  EXPECT_TRUE(holds(net.state->head(), change.mapping));
}

TEST_P(TwoSignerProposals, AreRefusedWithAnothersSignature) {
  const auto stranger = net.new_uid("stranger").ns();
  must_accept(net, {root_of(net, stranger)});
  EXPECT_EQ(propose(serial, {stranger}), kProposalUnauthorized);
  // The right key over something else.
  const auto honest = net.sign(change.mapping, serial, {change.first}, true);
  const auto elsewhere = net.sign(change.mapping, serial + 1, {change.first}, true);
  EXPECT_EQ(net.submit(SignedTransaction::create(honest.transaction(), elsewhere.signatures(), true).value()),
            "TOPOLOGY_INVALID_TX_SIGNATURE");
  EXPECT_TRUE(net.state->proposals().empty());
  // Beside those that were collected it is dropped, and opens nothing that they did not.
  EXPECT_EQ(propose(serial, {change.first}), "");
  EXPECT_EQ(propose(serial, {stranger}), "");
  ASSERT_EQ(net.state->proposals().size(), 1u);
  ASSERT_EQ(net.state->proposals().front()->transaction.signatures().size(), 1u);
  EXPECT_EQ(net.state->proposals().front()->transaction.signatures().front().key(), change.first);
  EXPECT_FALSE(holds(net.state->head(), change.mapping));
}

// The first transaction of a unique key may have any serial; from then on each is one more than what is in force.
TEST_P(TwoSignerProposals, AreRefusedWithAWrongSerial) {
  if (serial > 1) {
    EXPECT_EQ(propose(serial - 1, {change.first}), kProposalSerialMismatch);
    EXPECT_EQ(propose(serial + 1, {change.first}), kProposalSerialMismatch);
    EXPECT_EQ(propose(serial + 1, {change.first, change.second}), kProposalSerialMismatch);
    EXPECT_TRUE(net.state->proposals().empty());
  }
  ASSERT_EQ(propose(serial, {change.first}), "");
  ASSERT_EQ(propose(serial, {change.second}), "");
  EXPECT_EQ(propose(serial + 2, {change.first}), kProposalSerialMismatch);
  EXPECT_EQ(propose(serial + 2, {change.first, change.second}), kProposalSerialMismatch);
  EXPECT_TRUE(net.state->proposals().empty());
  EXPECT_EQ(net.state->current(change.mapping)->transaction.transaction().serial(), serial);
}

INSTANTIATE_TEST_SUITE_P(Mappings, TwoSignerProposals,
                         ::testing::Values(TwoSignerCase{MappingCode::decentralized_namespace,
                                                         a_decentralized_namespace},
                                           TwoSignerCase{MappingCode::owner_to_key, a_further_key_of_a_member},
                                           TwoSignerCase{MappingCode::trust_certificate, a_trust_certificate},
                                           TwoSignerCase{MappingCode::participant_permission, a_permission},
                                           TwoSignerCase{MappingCode::party_hosting_limits, hosting_limits},
                                           TwoSignerCase{MappingCode::vetted_packages, a_vetting},
                                           TwoSignerCase{MappingCode::party_to_participant, a_hosting},
                                           TwoSignerCase{MappingCode::synchronizer_parameters, parameters},
                                           TwoSignerCase{MappingCode::mediator_state, a_further_mediator},
                                           TwoSignerCase{MappingCode::sequencer_state, a_further_sequencer}),
                         [](const auto& info) { return std::string(name_of(info.param.code)); });

// A namespace delegation needs one key of its namespace, and a decentralized namespace has none of its own: the
// proposal of one is decided as soon as it comes, either way.
TEST(NamespaceDelegationProposals, NeverStayOpen) {
  TestNetwork net({}, 2, 2);
  const auto ns = net.new_namespace();
  const auto target = net.new_key({crypto::KeyUsage::namespace_});
  const NamespaceDelegation mapping{ns, target, {}, {}};
  const auto required = required_auth(net.sign(mapping, 1, {ns}, true).transaction(), nullptr,
                                      net.genesis.synchronizer.logical().ns(), false);
  ASSERT_EQ(required.clauses.size(), 1u);
  ASSERT_EQ(required.clauses.front().size(), 1u);
  EXPECT_EQ(required.clauses.front().front().namespaces, std::set<Namespace>{ns});
  EXPECT_TRUE(required.clauses.front().front().extra_keys.empty());

  EXPECT_EQ(net.submit(net.sign(mapping, 1, {ns}, true)), kProposalUnauthorized) << "no root certificate yet";
  const NamespaceDelegation root{ns, net.keys->signing_key(ns)->public_key(), {}, {}};
  EXPECT_EQ(net.submit(net.sign(root, 1, {ns}, true)), "");
  EXPECT_TRUE(holds(net.state->head(), root));
  EXPECT_EQ(net.submit(net.sign(mapping, 1, {target.fingerprint()}, true)), kProposalUnauthorized);
  EXPECT_EQ(net.submit(net.sign(mapping, 1, net.owners, true)), kProposalUnauthorized);
  EXPECT_TRUE(net.state->proposals().empty());
  EXPECT_EQ(net.submit(net.sign(mapping, 1, {ns}, true)), "");
  EXPECT_TRUE(net.state->proposals().empty());
  EXPECT_TRUE(holds(net.state->head(), mapping));
  EXPECT_EQ(net.submit(net.sign(mapping, 3, {ns}, true)), kProposalSerialMismatch);

  const NamespaceDelegation shared{net.genesis.synchronizer.logical().ns(), target, {}, {}};
  for (const auto& signers : {std::vector{net.owners[0]}, net.owners}) {
    EXPECT_EQ(net.submit(net.sign(shared, 1, signers, true)), "TOPOLOGY_NAMESPACE_ALREADY_IN_USE");
  }
  EXPECT_TRUE(net.state->proposals().empty());
  expect_that_it_replays(net);
}

}  // namespace
}  // namespace synod::topology
