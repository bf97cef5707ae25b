// Mappings to bytes and back, and what never becomes a mapping.
#include "topology/mapping.h"

#include <gtest/gtest.h>

#include "canton/topology_v30.pb.h"
#include "protocol/versioned.h"
#include "topology/mapping_proto.h"
#include "topology/testing/test_network.h"

namespace synod::topology {
namespace {

namespace proto = ::com::digitalasset::canton::protocol::v30;
namespace keys = ::com::digitalasset::canton::crypto::v30;
using crypto::KeyUsage;

class Mappings : public ::testing::Test {
 protected:
  std::vector<Mapping> examples() {
    const auto sync = net.genesis.synchronizer.logical();
    const auto uid = net.mediator.uid();
    const auto signing = net.new_key({KeyUsage::protocol, KeyUsage::proof_of_ownership});
    const auto root = net.new_key({KeyUsage::namespace_});
    DynamicParameters parameters;
    parameters.traffic_control = TrafficControl{1, Duration::seconds(2), 3, Duration::seconds(4), true, 5, true};
    parameters.commitment_catch_up.reset();
    std::vector owners{net.owners[0], root.fingerprint()};
    std::sort(owners.begin(), owners.end());
    return {
        NamespaceDelegation{root.fingerprint(), root, NamespaceDelegation::Restriction::all, {}},
        NamespaceDelegation{net.owners[0], root, NamespaceDelegation::Restriction::all_but_namespace_delegations, {}},
        NamespaceDelegation{net.owners[0],
                            root,
                            NamespaceDelegation::Restriction::only,
                            {MappingCode::owner_to_key, MappingCode::vetted_packages}},
        DecentralizedNamespace{protocol::decentralized_namespace(owners), 2, owners},
        OwnerToKey{protocol::Member::participant(uid),
                   {signing, crypto::EncryptionKeyPair::generate(*net.random).public_key()}},
        TrustCertificate{uid, sync, {1, 2}},
        ParticipantPermission{sync, uid, Permission::observation, 7, Timestamp{8}},
        PartyHostingLimits{sync, uid},
        VettedPackages{uid, {{"p", {}, {}}, {"q", Timestamp{1}, Timestamp{2}}}},
        PartyToParticipant{uid, 1, {{uid, Permission::confirmation, true}}, SigningKeysWithThreshold{{signing}, 1}},
        SynchronizerParametersState{sync, parameters},
        MediatorState{sync, 3, 1, {uid}, {net.sequencer.uid()}},
        SequencerState{sync, 1, {uid}, {}},
        SequencingParametersState{sync, "opaque"},
        PartyToKey{uid, {{signing}, 1}},
        UpgradeAnnouncement{protocol::PhysicalSynchronizerId(sync, 35, 1), Timestamp{99}},
        SequencerSuccessor{uid, protocol::PhysicalSynchronizerId(sync, 35, 1), {"http://localhost:1"}, "certificate"},
    };
  }
  testing::TestNetwork net;
};

TEST_F(Mappings, ComeBackEqual) {
  std::set<crypto::Hash> unique;
  for (const auto& mapping : examples()) {
    SCOPED_TRACE(describe(mapping));
    const auto made = Transaction::create(Operation::add_replace, 7, mapping);
    ASSERT_TRUE(made) << made.error().to_string();
    EXPECT_EQ(made->mapping(), mapping);
    const auto again = Transaction::parse(made->bytes());
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, *made);
    EXPECT_EQ(again->serial(), 7u);
    unique.insert(made->unique_key());
    EXPECT_FALSE(name_of(code_of(mapping)).empty());
    // Every cut is refused or something else, never a crash.
    for (std::size_t n = 0; n < made->bytes().size(); n += 7) (void)Transaction::parse(made->bytes().substr(0, n));
  }
  EXPECT_EQ(unique.size(), 16u);  // two delegations to one key replace each other
}

TEST_F(Mappings, SerialsAndOperationsAreChecked) {
  const Mapping mapping = examples()[5];
  EXPECT_FALSE(Transaction::create(Operation::add_replace, 0, mapping));
  EXPECT_FALSE(Transaction::create(Operation::add_replace, 0x80000000u, mapping));
  EXPECT_FALSE(Transaction::create(static_cast<Operation>(0), 1, mapping));
  EXPECT_FALSE(Transaction::parse(protocol::wrap(31, ByteView("x"))));
}

TEST_F(Mappings, WithoutSenseAreRefused) {
  const auto sync = net.genesis.synchronizer.logical();
  const auto uid = net.mediator.uid();
  const auto key = net.new_key({KeyUsage::protocol, KeyUsage::proof_of_ownership});
  const auto root = net.new_key({KeyUsage::namespace_});
  DynamicParameters too_tolerant;
  too_tolerant.preparation_time_record_time_tolerance = too_tolerant.mediator_deduplication_timeout;
  DynamicParameters odd_interval;
  odd_interval.reconciliation_interval = Duration::milliseconds(1500);
  std::vector<PublicKey> many;
  for (int i = 0; i < 21; ++i) many.emplace_back(net.new_key({KeyUsage::protocol}));
  const std::vector<Mapping> bad{
      NamespaceDelegation{net.owners[0], key, {}, {}},  // not a namespace key
      NamespaceDelegation{
          root.fingerprint(), root, NamespaceDelegation::Restriction::all_but_namespace_delegations, {}},
      NamespaceDelegation{net.owners[0], root, NamespaceDelegation::Restriction::only, {}},
      DecentralizedNamespace{net.owners[0], 2, {net.owners[0]}},
      DecentralizedNamespace{net.owners[0], 1, {}},
      OwnerToKey{net.mediator, {}},
      OwnerToKey{net.mediator, {key, key}},
      OwnerToKey{net.mediator, many},
      PartyToParticipant{uid, 0, {}, {}},
      MediatorState{sync, 0, 2, {uid}, {}},
      MediatorState{sync, 0, 1, {uid}, {uid}},
      SequencerState{sync, 1, {}, {}},
      SynchronizerParametersState{sync, too_tolerant},
      SynchronizerParametersState{sync, odd_interval},
      VettedPackages{uid, {{"not/a/package", {}, {}}}},
      PartyToKey{uid, {{}, 1}},
  };
  for (const auto& mapping : bad)
    EXPECT_FALSE(Transaction::create(Operation::add_replace, 1, mapping)) << describe(mapping);
}

TEST_F(Mappings, OldFormsOfKeysMeanTheSame) {
  const auto key = net.new_key({KeyUsage::namespace_});
  proto::TopologyMapping mapping;
  auto& delegation = *mapping.mutable_namespace_delegation();
  delegation.set_namespace_(key.fingerprint());
  delegation.set_is_root_delegation(true);
  auto& target = *delegation.mutable_target_key();
  target.set_format(keys::CRYPTO_KEY_FORMAT_RAW);
  target.set_public_key(key.spki().substr(12));
  target.set_scheme(keys::SIGNING_KEY_SCHEME_ED25519);
  auto parsed = parse_mapping(mapping);
  ASSERT_TRUE(parsed) << parsed.error().to_string();
  EXPECT_EQ(std::get<NamespaceDelegation>(*parsed).target.fingerprint(), key.fingerprint());
  target.add_usage(keys::SIGNING_KEY_USAGE_PROOF_OF_OWNERSHIP);
  EXPECT_FALSE(parse_mapping(mapping));
  target.add_usage(keys::SIGNING_KEY_USAGE_NAMESPACE);
  EXPECT_FALSE(parse_mapping(mapping));
  target.clear_usage();
  delegation.mutable_can_sign_all_mappings();
  EXPECT_FALSE(parse_mapping(mapping));  // both the old and the new way to say it
}

TEST_F(Mappings, ParticipantsNamedTwiceCountOnceWithTheHighestPermission) {
  const auto uid = net.mediator.uid();
  proto::TopologyMapping mapping;
  auto& party = *mapping.mutable_party_to_participant();
  party.set_party(uid.to_string());
  party.set_threshold(1);
  for (const auto permission :
       {proto::Enums::PARTICIPANT_PERMISSION_OBSERVATION, proto::Enums::PARTICIPANT_PERMISSION_SUBMISSION}) {
    auto& host = *party.add_participants();
    host.set_participant_uid("PAR::" + uid.to_string());  // the old form of the id
    host.set_permission(permission);
  }
  const auto parsed = parse_mapping(mapping);
  ASSERT_TRUE(parsed) << parsed.error().to_string();
  const auto& hosts = std::get<PartyToParticipant>(*parsed).participants;
  ASSERT_EQ(hosts.size(), 1u);
  EXPECT_EQ(hosts[0].permission, Permission::submission);
}

TEST(SignedTransactions, KeepOneSignatureAKey) {
  testing::TestNetwork net;
  const auto made = net.sign(VettedPackages{net.mediator.uid(), {}}, 1, {net.owners[0]});
  auto twice = made.signatures();
  twice.push_back(twice.front());
  twice.back().signature.bytes += "x";
  EXPECT_EQ(SignedTransaction::create(made.transaction(), twice, false).value(), made);
  EXPECT_FALSE(SignedTransaction::create(made.transaction(), {}, false));
  EXPECT_EQ(SignedTransaction::parse_bare(made.to_bare()).value(), made);
}

}  // namespace
}  // namespace synod::topology
