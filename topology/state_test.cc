// Rules of the topology state, on a small network: who may change what, in which order, and when it holds.
#include "topology/state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "topology/testing/test_network.h"

namespace synod::topology {
namespace {

using crypto::KeyUsage;
using protocol::Member;
using ::testing::ElementsAre;
using testing::TestNetwork;

const std::string kAccepted;
constexpr auto kUnauthorized = "TOPOLOGY_UNAUTHORIZED_TRANSACTION";
constexpr auto kBadSignature = "TOPOLOGY_INVALID_TX_SIGNATURE";

NamespaceDelegation delegation(const Namespace& ns, const crypto::SigningPublicKey& key,
                               NamespaceDelegation::Restriction restriction = NamespaceDelegation::Restriction::all,
                               std::vector<MappingCode> only = {}) {
  return {ns, key, restriction, std::move(only)};
}

PartyToParticipant party(const protocol::UniqueId& uid, std::vector<HostingParticipant> hosts,
                         std::uint32_t threshold = 1) {
  return {uid, threshold, std::move(hosts), std::nullopt};
}

TEST(Genesis, SaysWhoIsThere) {
  TestNetwork net;
  const auto snapshot = net.state->head();
  EXPECT_THAT(snapshot.members(), ElementsAre(net.mediator, net.sequencer));
  EXPECT_EQ(snapshot.mediator_group(0)->active, std::vector{net.mediator});
  EXPECT_EQ(snapshot.sequencer_group().active, std::vector{net.sequencer});
  EXPECT_EQ(snapshot.signing_keys(net.sequencer, KeyUsage::protocol).size(), 1u);
  EXPECT_EQ(snapshot.dynamic_parameters(), DynamicParameters{});
  EXPECT_EQ(net.genesis.synchronizer.logical(), synchronizer_id("test", net.owners));
  EXPECT_EQ(decode_snapshot(encode_snapshot(net.genesis.snapshot))->size(), net.genesis.snapshot.size());
}

TEST(Genesis, NothingHoldsBeforeIt) {
  TestNetwork net;
  EXPECT_TRUE(net.state->snapshot_at(kGenesisTime).members().empty());
  EXPECT_EQ(net.state->snapshot_at(kGenesisTime.next()).members().size(), 2u);
}

TEST(Genesis, SeveralOwners) {
  TestNetwork net({}, 3, 2);
  auto changed = DynamicParameters{};
  changed.max_request_size = 1234;
  const SynchronizerParametersState mapping{net.genesis.synchronizer.logical(), changed};
  EXPECT_EQ(net.submit(net.sign(mapping, 2, {net.owners[0]})), kUnauthorized);
  EXPECT_EQ(net.submit(net.sign(mapping, 2, {net.owners[0], net.owners[2]})), kAccepted);
  EXPECT_EQ(net.state->head().dynamic_parameters().max_request_size, 1234u);
}

TEST(EffectiveTime, ChangesHoldAfterTheDelayExclusive) {
  TestNetwork net;
  const auto member = net.join_participant("p");
  const auto effective = net.now() + net.config.static_parameters.topology_change_delay;
  EXPECT_FALSE(net.state->snapshot_at(net.now()).is_known(member));
  EXPECT_FALSE(net.state->snapshot_at(effective).is_known(member));
  EXPECT_TRUE(net.state->snapshot_at(effective.next()).is_known(member));
  EXPECT_EQ(net.state->known_until(), effective);
  EXPECT_EQ(*net.state->last_effective_change(), effective);
}

TEST(EffectiveTime, SnapshotsOutliveTheirState) {
  TestNetwork net;
  const auto before = net.state->head();
  const auto member = net.join_participant("p");
  EXPECT_FALSE(before.is_known(member));
  const auto after = net.state->head();
  net.state.reset();
  EXPECT_TRUE(after.is_known(member));
  EXPECT_EQ(after.parties_of(member), std::vector<protocol::Party>{member.uid().to_string()});
}

TEST(Serials, MustFollowOneByOne) {
  TestNetwork net;
  const auto member = net.join_participant("p");
  const auto vet = [&](std::uint32_t serial, const char* package) {
    return net.submit(net.sign(VettedPackages{member.uid(), {{package, {}, {}}}}, serial, {member.uid().ns()}));
  };
  EXPECT_EQ(vet(1, "a"), kAccepted);
  EXPECT_EQ(vet(1, "b"), "TOPOLOGY_SERIAL_MISMATCH");
  EXPECT_EQ(vet(3, "b"), "TOPOLOGY_SERIAL_MISMATCH");
  EXPECT_EQ(vet(2, "b"), kAccepted);
  const auto head = net.state->head();
  EXPECT_FALSE(head.vetted(member, "a", net.now()));
  EXPECT_TRUE(head.vetted(member, "b", net.now()));
}

TEST(Serials, TheSameTransactionAgainIsAcceptedAndChangesNothing) {
  TestNetwork net;
  const auto member = net.join_participant("p");
  const auto transaction = net.sign(VettedPackages{member.uid(), {{"a", {}, {}}}}, 1, {member.uid().ns()});
  EXPECT_EQ(net.submit(transaction), kAccepted);
  EXPECT_EQ(net.submit(transaction), kAccepted);
  EXPECT_TRUE(net.state->head().vetted(member, "a", net.now()));
}

TEST(Signatures, OfStrangersDoNotCount) {
  TestNetwork net;
  const auto member = net.join_participant("p");
  const auto other = net.join_participant("q");
  const VettedPackages mapping{member.uid(), {{"a", {}, {}}}};
  EXPECT_EQ(net.submit(net.sign(mapping, 1, {other.uid().ns()})), kUnauthorized);
  // Superfluous signatures beside a good one are dropped, not stored.
  EXPECT_EQ(net.submit(net.sign(mapping, 1, {other.uid().ns(), member.uid().ns()})), kAccepted);
  EXPECT_EQ(net.state->current(mapping)->transaction.signatures().size(), 1u);
}

TEST(Signatures, MustVerify) {
  TestNetwork net;
  const auto member = net.join_participant("p");
  const auto good = net.sign(VettedPackages{member.uid(), {{"a", {}, {}}}}, 1, {member.uid().ns()});
  auto signature = good.signatures().front();
  signature.signature.bytes[10] ^= 1;
  EXPECT_EQ(net.submit(SignedTransaction::create(good.transaction(), {signature}, false).value()), kBadSignature);
  // The right key over another transaction.
  const auto other = net.sign(VettedPackages{member.uid(), {{"b", {}, {}}}}, 1, {member.uid().ns()});
  EXPECT_EQ(net.submit(SignedTransaction::create(good.transaction(), other.signatures(), false).value()),
            kBadSignature);
  EXPECT_EQ(net.submit(good), kAccepted);
}

TEST(Signatures, OverSeveralTransactionsAtOnce) {
  TestNetwork net;
  const auto member = net.join_participant("p");
  const auto ns = member.uid().ns();
  const auto a = Transaction::create(Operation::add_replace, 1, VettedPackages{member.uid(), {{"a", {}, {}}}}).value();
  const auto b =
      Transaction::create(Operation::add_replace, 1, delegation(ns, net.new_key({KeyUsage::namespace_}))).value();
  TransactionSignature both{{}, {a.hash(), b.hash()}};
  std::sort(both.covers.begin(), both.covers.end());
  both.signature = crypto::sign(both.signed_hash(a.hash()), *net.keys->signing_key(ns));
  const auto sent_a = SignedTransaction::create(a, {both}, false).value();
  const auto sent_b = SignedTransaction::create(b, {both}, false).value();
  EXPECT_THAT(net.submit_all({sent_a, sent_b}), ElementsAre(kAccepted, kAccepted));
  EXPECT_EQ(SignedTransaction::parse_versioned(sent_a.to_versioned()).value(), sent_a);
}

TEST(Signatures, NewKeysMustProveThemselves) {
  TestNetwork net;
  const auto member = net.join_participant("p");
  auto mapping = *net.state->head().active(MappingCode::owner_to_key, member.uid()).front()->as<OwnerToKey>();
  const auto fresh = net.new_key({KeyUsage::protocol, KeyUsage::proof_of_ownership});
  mapping.keys.emplace_back(fresh);
  EXPECT_EQ(net.submit(net.sign(mapping, 2, {member.uid().ns()})), kUnauthorized);
  EXPECT_EQ(net.submit(net.sign(mapping, 2, {fresh.fingerprint()})), kUnauthorized);
  EXPECT_EQ(net.submit(net.sign(mapping, 2, {member.uid().ns(), fresh.fingerprint()})), kAccepted);
  EXPECT_EQ(net.state->head().signing_keys(member, KeyUsage::protocol).size(), 2u);
}

struct DelegationCase {
  const char* name;
  NamespaceDelegation::Restriction restriction;
  std::vector<MappingCode> only;
  std::string vetting;     // outcome when the delegated key signs a vetting
  std::string delegating;  // outcome when it signs a further delegation
};

class Delegations : public ::testing::TestWithParam<DelegationCase> {};

TEST_P(Delegations, LimitWhatAKeyMaySign) {
  TestNetwork net;
  const auto member = net.join_participant("p");
  const auto& ns = member.uid().ns();
  const auto key = net.new_key({KeyUsage::namespace_});
  ASSERT_EQ(net.submit(net.sign(delegation(ns, key, GetParam().restriction, GetParam().only), 1, {ns})), kAccepted);
  EXPECT_EQ(net.submit(net.sign(VettedPackages{member.uid(), {{"a", {}, {}}}}, 1, {key.fingerprint()})),
            GetParam().vetting);
  EXPECT_EQ(net.submit(net.sign(delegation(ns, net.new_key({KeyUsage::namespace_})), 1, {key.fingerprint()})),
            GetParam().delegating);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Delegations,
    ::testing::Values(
        DelegationCase{"all", NamespaceDelegation::Restriction::all, {}, kAccepted, kAccepted},
        DelegationCase{
            "all_but", NamespaceDelegation::Restriction::all_but_namespace_delegations, {}, kAccepted, kUnauthorized},
        DelegationCase{"only_this",
                       NamespaceDelegation::Restriction::only,
                       {MappingCode::vetted_packages},
                       kAccepted,
                       kUnauthorized},
        DelegationCase{"only_other",
                       NamespaceDelegation::Restriction::only,
                       {MappingCode::owner_to_key},
                       kUnauthorized,
                       kUnauthorized}),
    [](const auto& info) { return info.param.name; });

TEST(Delegations, CutOffWithTheirChain) {
  TestNetwork net;
  const auto member = net.join_participant("p");
  const auto& ns = member.uid().ns();
  const auto first = net.new_key({KeyUsage::namespace_});
  const auto second = net.new_key({KeyUsage::namespace_});
  ASSERT_EQ(net.submit(net.sign(delegation(ns, first), 1, {ns})), kAccepted);
  ASSERT_EQ(net.submit(net.sign(delegation(ns, second), 1, {first.fingerprint()})), kAccepted);
  ASSERT_EQ(net.submit(net.sign(VettedPackages{member.uid(), {}}, 1, {second.fingerprint()})), kAccepted);
  ASSERT_EQ(net.submit(net.sign(delegation(ns, first), 2, {ns}, false, Operation::remove)), kAccepted);
  EXPECT_EQ(net.submit(net.sign(VettedPackages{member.uid(), {{"a", {}, {}}}}, 2, {second.fingerprint()})),
            kUnauthorized);
  // A removed delegation does not come back.
  EXPECT_EQ(net.submit(net.sign(delegation(ns, first), 3, {ns})), "TOPOLOGY_NAMESPACE_HAS_BEEN_REVOKED");
}

TEST(Delegations, OfAForeignNamespaceAreRefused) {
  TestNetwork net;
  const auto p = net.join_participant("p");
  const auto q = net.join_participant("q");
  const auto key = net.new_key({KeyUsage::namespace_});
  EXPECT_EQ(net.submit(net.sign(delegation(p.uid().ns(), key), 1, {q.uid().ns()})), kUnauthorized);
}

TEST(Delegations, RootCertificateCanBeRevokedUnseen) {
  TestNetwork net;
  const auto key = net.new_key({KeyUsage::namespace_});
  const auto root = delegation(key.fingerprint(), key);
  EXPECT_EQ(net.submit(net.sign(root, 1, {key.fingerprint()}, false, Operation::remove)), kAccepted);
  EXPECT_EQ(net.submit(net.sign(root, 2, {key.fingerprint()})), "TOPOLOGY_NAMESPACE_HAS_BEEN_REVOKED");
}

TEST(Proposals, CollectSignaturesUntilEnough) {
  TestNetwork net({}, 3, 2);
  auto parameters = DynamicParameters{};
  parameters.max_request_size = 99;
  const SynchronizerParametersState mapping{net.genesis.synchronizer.logical(), parameters};
  EXPECT_EQ(net.submit(net.sign(mapping, 2, {net.owners[0]}, true)), kAccepted);
  ASSERT_EQ(net.state->proposals().size(), 1u);
  EXPECT_NE(net.state->head().dynamic_parameters().max_request_size, 99u);
  EXPECT_EQ(net.submit(net.sign(mapping, 2, {net.owners[1]}, true)), kAccepted);
  EXPECT_TRUE(net.state->proposals().empty());
  EXPECT_EQ(net.state->head().dynamic_parameters().max_request_size, 99u);
  EXPECT_FALSE(net.state->current(mapping)->transaction.proposal());
  EXPECT_EQ(net.state->current(mapping)->transaction.signatures().size(), 2u);
  // A third owner may still add its signature.
  EXPECT_EQ(net.submit(net.sign(mapping, 2, {net.owners[2]}, true)), kAccepted);
  EXPECT_EQ(net.state->current(mapping)->transaction.signatures().size(), 3u);
}

TEST(Proposals, FullyAuthorizedOnesTakeEffectAtOnce) {
  TestNetwork net;
  auto parameters = DynamicParameters{};
  parameters.max_request_size = 99;
  EXPECT_EQ(net.submit(net.sign(SynchronizerParametersState{net.genesis.synchronizer.logical(), parameters}, 2,
                                {net.owners[0]}, true)),
            kAccepted);
  EXPECT_EQ(net.state->head().dynamic_parameters().max_request_size, 99u);
}

TEST(Proposals, OvertakenOnesEnd) {
  TestNetwork net({}, 2, 2);
  const auto uid = net.genesis.synchronizer.logical();
  auto one = DynamicParameters{}, two = DynamicParameters{};
  one.max_request_size = 1;
  two.max_request_size = 2;
  ASSERT_EQ(net.submit(net.sign(SynchronizerParametersState{uid, one}, 2, {net.owners[0]}, true)), kAccepted);
  ASSERT_EQ(net.submit(net.sign(SynchronizerParametersState{uid, two}, 2, {net.owners[0], net.owners[1]})), kAccepted);
  EXPECT_TRUE(net.state->proposals().empty());
  EXPECT_EQ(net.submit(net.sign(SynchronizerParametersState{uid, one}, 2, {net.owners[1]}, true)),
            "TOPOLOGY_SERIAL_MISMATCH");
}

TEST(Parties, NeedTheirHostsConsent) {
  TestNetwork net;
  const auto p = net.join_participant("p");
  const auto q = net.join_participant("q");
  const auto alice = net.new_uid("alice");
  const auto key = *net.keys->signing_key(alice.ns());
  ASSERT_EQ(net.submit(net.sign(delegation(alice.ns(), key.public_key()), 1, {alice.ns()})), kAccepted);
  const auto on_p = party(alice, {{p.uid(), Permission::confirmation, false}});
  EXPECT_EQ(net.submit(net.sign(on_p, 1, {alice.ns()})), kUnauthorized);
  EXPECT_EQ(net.submit(net.sign(on_p, 1, {p.uid().ns()})), kUnauthorized);
  EXPECT_EQ(net.submit(net.sign(on_p, 1, {alice.ns(), p.uid().ns()})), kAccepted);
  EXPECT_THAT(net.state->head().parties_of(p), ElementsAre(alice.to_string(), p.uid().to_string()));

  // More power for a host: both; less: either; another host: party and host; away: either.
  const auto submitting = party(alice, {{p.uid(), Permission::submission, false}});
  EXPECT_EQ(net.submit(net.sign(submitting, 2, {alice.ns()})), kUnauthorized);
  EXPECT_EQ(net.submit(net.sign(submitting, 2, {alice.ns(), p.uid().ns()})), kAccepted);
  const auto observing = party(alice, {{p.uid(), Permission::observation, false}});
  EXPECT_EQ(net.submit(net.sign(observing, 3, {p.uid().ns()})), kAccepted);
  const auto both =
      party(alice, {{p.uid(), Permission::observation, false}, {q.uid(), Permission::confirmation, true}});
  EXPECT_EQ(net.submit(net.sign(both, 4, {alice.ns()})), kUnauthorized);
  EXPECT_EQ(net.submit(net.sign(both, 4, {alice.ns(), q.uid().ns()})), kAccepted);
  EXPECT_TRUE(net.state->head().hosting(alice.to_string()).participants.at(q).onboarding);
  // Only the participant says that it is ready.
  const auto ready =
      party(alice, {{p.uid(), Permission::observation, false}, {q.uid(), Permission::confirmation, false}});
  EXPECT_EQ(net.submit(net.sign(ready, 5, {alice.ns()})), kUnauthorized);
  EXPECT_EQ(net.submit(net.sign(ready, 5, {q.uid().ns()})), kAccepted);
  const auto only_q = party(alice, {{q.uid(), Permission::confirmation, false}});
  EXPECT_EQ(net.submit(net.sign(only_q, 6, {p.uid().ns()})), kAccepted);
  EXPECT_THAT(net.state->head().parties_of(p), ElementsAre(p.uid().to_string()));
  // The threshold is the party's business.
  EXPECT_EQ(net.submit(net.sign(party(alice, {{q.uid(), Permission::confirmation, false}}, 2), 7, {q.uid().ns()})),
            kUnauthorized);
}

TEST(Parties, CannotBeOnUnknownParticipants) {
  TestNetwork net;
  const auto p = net.join_participant("p");
  const auto stranger = net.new_uid("stranger");
  const auto alice = protocol::UniqueId::create("alice", p.uid().ns()).value();
  EXPECT_EQ(net.submit(net.sign(party(alice, {{stranger, Permission::submission, false}}), 1, {p.uid().ns()})),
            "TOPOLOGY_UNKNOWN_MEMBERS");
  EXPECT_EQ(net.submit(net.sign(party(alice, {{p.uid(), Permission::submission, false}}), 1, {p.uid().ns()})),
            kAccepted);
}

TEST(Parties, AdminPartyStaysWhereItIs) {
  TestNetwork net;
  const auto p = net.join_participant("p");
  const auto q = net.join_participant("q");
  const auto elsewhere = party(p.uid(), {{q.uid(), Permission::submission, false}});
  EXPECT_EQ(net.submit(net.sign(elsewhere, 1, {p.uid().ns(), q.uid().ns()})),
            "TOPOLOGY_PARTY_ID_CONFLICT_WITH_ADMIN_PARTY");
  EXPECT_EQ(net.state->head().hosting(p.uid().to_string()).participants.size(), 1u);
}

TEST(Parties, MayOwnTheirNamespaceKey) {
  TestNetwork net;
  const auto p = net.join_participant("p");
  const auto key = net.new_key({KeyUsage::namespace_});
  const auto protocol_key = net.new_key({KeyUsage::protocol, KeyUsage::proof_of_ownership});
  PartyToParticipant mapping =
      party(protocol::UniqueId::create("bob", key.fingerprint()).value(), {{p.uid(), Permission::confirmation, false}});
  mapping.signing_keys = SigningKeysWithThreshold{{key, protocol_key}, 1};
  EXPECT_EQ(net.submit(net.sign(mapping, 1, {key.fingerprint(), p.uid().ns()})), kUnauthorized);
  EXPECT_EQ(net.submit(net.sign(mapping, 1, {key.fingerprint(), protocol_key.fingerprint(), p.uid().ns()})), kAccepted);
  EXPECT_EQ(net.state->head().party_signing_keys(mapping.party.to_string())->keys.size(), 2u);
}

struct RestrictionCase {
  const char* name;
  OnboardingRestriction restriction;
  bool permitted;
  std::string outcome;
};
class Restrictions : public ::testing::TestWithParam<RestrictionCase> {};

TEST_P(Restrictions, DecideWhoMayJoin) {
  DynamicParameters parameters;
  parameters.onboarding_restriction = GetParam().restriction;
  TestNetwork net(parameters);
  const auto identity = net.new_member(protocol::MemberKind::participant, "p");
  const auto& uid = identity.member.uid();
  const auto sync = net.genesis.synchronizer.logical();
  if (GetParam().permitted) {
    ParticipantPermission permission{sync, uid, Permission::confirmation, {}, {}};
    ASSERT_EQ(net.submit(net.sign(permission, 1, {uid.ns()})), kUnauthorized);  // only the owner permits
    ASSERT_EQ(net.submit(net.sign(permission, 1, net.owners)), kAccepted);
  }
  auto transactions = identity.transactions;
  transactions.push_back(net.sign(TrustCertificate{uid, sync, {}}, 1, {uid.ns()}));
  EXPECT_THAT(net.submit_all(transactions), ElementsAre(kAccepted, kAccepted, GetParam().outcome));
  const bool joined = GetParam().outcome.empty();
  EXPECT_EQ(net.state->head().is_participant_active(identity.member), joined);
  if (joined && GetParam().permitted) {
    EXPECT_EQ(net.state->head().participant(identity.member)->permission, Permission::confirmation);
  }
}

constexpr auto kRefused = "TOPOLOGY_PARTICIPANT_ONBOARDING_REFUSED";
INSTANTIATE_TEST_SUITE_P(
    Table, Restrictions,
    ::testing::Values(RestrictionCase{"open", OnboardingRestriction::unrestricted_open, false, kAccepted},
                      RestrictionCase{"locked", OnboardingRestriction::unrestricted_locked, true, kRefused},
                      RestrictionCase{"restricted_stranger", OnboardingRestriction::restricted_open, false, kRefused},
                      RestrictionCase{"restricted_permitted", OnboardingRestriction::restricted_open, true, kAccepted},
                      RestrictionCase{"restricted_locked", OnboardingRestriction::restricted_locked, true, kRefused}),
    [](const auto& info) { return info.param.name; });

TEST(Restrictions, SwitchOffParticipantsWithoutPermission) {
  TestNetwork net;
  const auto member = net.join_participant("p");
  DynamicParameters restricted;
  restricted.onboarding_restriction = OnboardingRestriction::restricted_open;
  ASSERT_EQ(
      net.submit(net.sign(SynchronizerParametersState{net.genesis.synchronizer.logical(), restricted}, 2, net.owners)),
      kAccepted);
  const auto head = net.state->head();
  EXPECT_TRUE(head.is_known(member));
  EXPECT_FALSE(head.is_participant_active(member));
  EXPECT_TRUE(head.hosting(member.uid().to_string()).participants.empty());
}

TEST(Members, LeaveOnceAndForAll) {
  TestNetwork net;
  const auto member = net.join_participant("p");
  const TrustCertificate certificate{member.uid(), net.genesis.synchronizer.logical(), {}};
  // The synchronizer's owner may remove what it did not add.
  ASSERT_EQ(net.submit(net.sign(certificate, 2, net.owners, false, Operation::remove)), kAccepted);
  EXPECT_FALSE(net.state->head().is_known(member));
  EXPECT_TRUE(net.state->was_ever_onboarded(member));
  EXPECT_EQ(net.submit(net.sign(certificate, 3, {member.uid().ns()})), "TOPOLOGY_MEMBER_CANNOT_REJOIN_SYNCHRONIZER");
}

TEST(Members, NeedKeysFirst) {
  TestNetwork net;
  const auto uid = net.new_uid("p");
  const auto root = delegation(uid.ns(), net.keys->signing_key(uid.ns())->public_key());
  const TrustCertificate certificate{uid, net.genesis.synchronizer.logical(), {}};
  EXPECT_THAT(net.submit_all({net.sign(root, 1, {uid.ns()}), net.sign(certificate, 1, {uid.ns()})}),
              ElementsAre(kAccepted, "TOPOLOGY_INSUFFICIENT_KEYS"));
  const SequencerState sequencers{net.genesis.synchronizer.logical(), 1, {net.sequencer.uid(), uid}, {}};
  EXPECT_EQ(net.submit(net.sign(sequencers, 2, net.owners)), "TOPOLOGY_INSUFFICIENT_KEYS");
}

TEST(Members, KeysInUseStay) {
  TestNetwork net;
  const auto member = net.join_participant("p");
  const auto keys = *net.state->head().active(MappingCode::owner_to_key, member.uid()).front()->as<OwnerToKey>();
  EXPECT_EQ(net.submit(net.sign(keys, 2, {member.uid().ns()}, false, Operation::remove)),
            "TOPOLOGY_INVALID_REMOVAL_OF_OWNER_TO_KEY_MAPPING");
}

TEST(Members, MediatorIsInOneGroup) {
  TestNetwork net;
  const MediatorState second{net.genesis.synchronizer.logical(), 1, 1, {net.mediator.uid()}, {}};
  EXPECT_EQ(net.submit(net.sign(second, 1, net.owners)), "TOPOLOGY_MEDIATORS_ALREADY_IN_OTHER_GROUPS");
  const auto other = net.new_member(protocol::MemberKind::mediator, "mediator2");
  ASSERT_THAT(net.submit_all(other.transactions), ElementsAre(kAccepted, kAccepted));
  EXPECT_EQ(net.submit(net.sign(MediatorState{second.synchronizer, 1, 1, {other.member.uid()}, {}}, 1, net.owners)),
            kAccepted);
  EXPECT_EQ(net.state->head().mediator_groups().size(), 2u);
  EXPECT_TRUE(net.state->onboarding_time(other.member));
}

TEST(Removal, RepeatsTheMappingAndNeedsOne) {
  TestNetwork net;
  const auto member = net.join_participant("p");
  const VettedPackages vetted{member.uid(), {{"a", {}, {}}}};
  EXPECT_EQ(net.submit(net.sign(vetted, 1, {member.uid().ns()}, false, Operation::remove)),
            "TOPOLOGY_NO_CORRESPONDING_ACTIVE_TX_TO_REVOKE");
  ASSERT_EQ(net.submit(net.sign(vetted, 1, {member.uid().ns()})), kAccepted);
  EXPECT_EQ(net.submit(net.sign(VettedPackages{member.uid(), {}}, 2, {member.uid().ns()}, false, Operation::remove)),
            "TOPOLOGY_REMOVE_MUST_NOT_CHANGE_MAPPING");
  EXPECT_EQ(net.submit(net.sign(vetted, 2, {member.uid().ns()}, false, Operation::remove)), kAccepted);
  EXPECT_EQ(net.state->head().vetted_packages(member), nullptr);
  EXPECT_EQ(net.submit(net.sign(vetted, 3, {member.uid().ns()})), kAccepted);
}

TEST(Removal, ParametersStay) {
  TestNetwork net;
  EXPECT_EQ(net.submit(net.sign(SynchronizerParametersState{net.genesis.synchronizer.logical(), {}}, 2, net.owners,
                                false, Operation::remove)),
            "TOPOLOGY_CANNOT_REMOVE_MAPPING");
}

TEST(ForeignSynchronizer, IsRefused) {
  TestNetwork net;
  const auto elsewhere = protocol::UniqueId::create("elsewhere", net.genesis.synchronizer.logical().ns()).value();
  EXPECT_EQ(net.submit(net.sign(SequencerState{elsewhere, 1, {net.sequencer.uid()}, {}}, 1, net.owners)),
            "TOPOLOGY_INVALID_SYNCHRONIZER");
  EXPECT_EQ(net.submit(net.sign(SynchronizerParametersState{elsewhere, {}}, 1, net.owners)),
            "TOPOLOGY_INVALID_SYNCHRONIZER");
}

TEST(DecentralizedNamespaces, AreFoundedByTheirOwners) {
  TestNetwork net;
  std::vector<Namespace> owners{net.new_namespace(), net.new_namespace()};
  std::sort(owners.begin(), owners.end());
  DecentralizedNamespace mapping{protocol::decentralized_namespace(owners), 2, owners};
  EXPECT_EQ(net.submit(net.sign(mapping, 1, owners)), "TOPOLOGY_INVALID_MAPPING");  // no root certificates yet
  for (const auto& owner : owners) {
    ASSERT_EQ(net.submit(net.sign(delegation(owner, net.keys->signing_key(owner)->public_key()), 1, {owner})),
              kAccepted);
  }
  auto stolen = mapping;
  stolen.ns = net.genesis.synchronizer.logical().ns();
  EXPECT_EQ(net.submit(net.sign(stolen, 2, owners)), kUnauthorized);
  EXPECT_EQ(net.submit(net.sign(mapping, 1, {owners[0]})), kUnauthorized);
  EXPECT_EQ(net.submit(net.sign(mapping, 1, owners)), kAccepted);
  // A newcomer must agree, and so must the namespace itself.
  const auto third = net.new_namespace();
  ASSERT_EQ(net.submit(net.sign(delegation(third, net.keys->signing_key(third)->public_key()), 1, {third})), kAccepted);
  auto grown = mapping;
  grown.owners.push_back(third);
  std::sort(grown.owners.begin(), grown.owners.end());
  EXPECT_EQ(net.submit(net.sign(grown, 2, owners)), kUnauthorized);
  EXPECT_EQ(net.submit(net.sign(grown, 2, {owners[0], third})), kUnauthorized);
  EXPECT_EQ(net.submit(net.sign(grown, 2, {owners[0], owners[1], third})), kAccepted);
}

TEST(Import, RefusesADifferentOutcome) {
  TestNetwork net;
  auto snapshot = net.genesis.snapshot;
  snapshot.back().rejection_reason = "made up";
  snapshot.back().valid_until = snapshot.back().valid_from;
  TopologyState other(net.genesis.synchronizer, net.config.static_parameters);
  const auto result = other.import(snapshot);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().id, "TOPOLOGY_INCONSISTENT_SNAPSHOT");
}

TEST(Import, KeepsRejectedTransactions) {
  TestNetwork net;
  const auto p = net.join_participant("p");
  ASSERT_EQ(net.submit(net.sign(VettedPackages{p.uid(), {}}, 1, net.owners)), kUnauthorized);
  ASSERT_EQ(net.submit(net.sign(VettedPackages{p.uid(), {}}, 1, {p.uid().ns()})), kAccepted);
  const auto exported = net.state->export_at(net.now());
  EXPECT_TRUE(exported[exported.size() - 2].rejected());
  TopologyState other(net.genesis.synchronizer, net.config.static_parameters);
  ASSERT_TRUE(other.import(exported));
  EXPECT_EQ(encode_snapshot(other.export_at(Timestamp::max())), encode_snapshot(exported));
}

}  // namespace
}  // namespace synod::topology
