// Properties that hold for any history: replaying decides the same, the store forgets nothing, independent changes
// commute.
#include <gtest/gtest.h>

#include "storage/memory/memory_store.h"
#include "topology/testing/test_network.h"

namespace synod::topology {
namespace {

using testing::TestNetwork;

// Makes transactions at random, good and bad, about a few members and parties.
class Chaos {
 public:
  explicit Chaos(std::uint64_t seed) : random_(seeded_random(seed)), net(DynamicParameters{}, 3, 2) {
    for (const char* name : {"p", "q", "r"}) members_.push_back(net.join_participant(name));
    for (const char* name : {"alice", "bob"}) {
      parties_.push_back(net.new_uid(name));
      const auto& ns = parties_.back().ns();
      net.submit(net.sign(NamespaceDelegation{ns, net.keys->signing_key(ns)->public_key(), {}, {}}, 1, {ns}));
    }
    for (const auto& m : members_) namespaces_.push_back(m.uid().ns());
    for (const auto& p : parties_) namespaces_.push_back(p.ns());
    for (const auto& o : net.owners) namespaces_.push_back(o);
    for (int i = 0; i < 4; ++i) spare_.push_back(net.new_key({crypto::KeyUsage::namespace_}));
  }

  std::vector<SignedTransaction> batch() {
    std::vector<SignedTransaction> result;
    const auto count = 1 + random_->below(4);
    for (std::uint64_t i = 0; i < count; ++i) result.push_back(transaction());
    // Sometimes something is sent again.
    if (!sent_.empty() && random_->below(3) == 0) result.push_back(sent_[random_->below(sent_.size())]);
    sent_.insert(sent_.end(), result.begin(), result.end());
    return result;
  }

  TestNetwork& network() { return net; }
  const std::vector<protocol::Member>& members() const { return members_; }

 private:
  template <typename T>
  const T& any(const std::vector<T>& items) {
    return items[random_->below(items.size())];
  }

  Mapping mapping() {
    const auto sync = net.genesis.synchronizer.logical();
    switch (random_->below(7)) {
      case 0:
        return VettedPackages{any(members_).uid(), {{"package" + std::to_string(random_->below(3)), {}, {}}}};
      case 1:
        return NamespaceDelegation{
            any(namespaces_), any(spare_), static_cast<NamespaceDelegation::Restriction>(random_->below(2)), {}};
      case 2: {
        PartyToParticipant party{any(parties_), 1, {}, {}};
        for (const auto& m : members_) {
          if (random_->below(2))
            party.participants.push_back({m.uid(), static_cast<Permission>(random_->below(3)), random_->below(4) == 0});
        }
        return party;
      }
      case 3: {
        SynchronizerParametersState state{sync, {}};
        state.parameters.max_request_size = static_cast<std::uint32_t>(1000 + random_->below(3));
        state.parameters.onboarding_restriction = static_cast<OnboardingRestriction>(1 + random_->below(4));
        return state;
      }
      case 4:
        return ParticipantPermission{sync, any(members_).uid(), static_cast<Permission>(random_->below(3)), {}, {}};
      case 5:
        return TrustCertificate{any(members_).uid(), sync, {}};
      default: {
        auto owners = net.owners;
        if (random_->below(2)) owners.push_back(any(members_).uid().ns());
        std::sort(owners.begin(), owners.end());
        return DecentralizedNamespace{sync.ns(), static_cast<std::uint32_t>(1 + random_->below(3)), owners};
      }
    }
  }

  SignedTransaction transaction() {
    const auto content = mapping();
    const auto* current = net.state->current(content);
    std::uint32_t serial = current ? current->transaction.transaction().serial() + 1 : 1;
    if (random_->below(8) == 0) serial += static_cast<std::uint32_t>(random_->below(2));
    std::vector<Fingerprint> signers{any(namespaces_)};
    for (const auto& ns : namespaces_) {
      if (random_->below(2) && std::find(signers.begin(), signers.end(), ns) == signers.end()) signers.push_back(ns);
    }
    if (random_->below(4) == 0) signers.push_back(any(spare_).fingerprint());
    const auto operation = random_->below(6) == 0 ? Operation::remove : Operation::add_replace;
    auto result = net.sign(content, serial, signers, random_->below(2) == 0, operation);
    if (random_->below(12) != 0) return result;
    auto signatures = result.signatures();
    signatures.front().signature.bytes[3] ^= 4;
    return SignedTransaction::create(result.transaction(), signatures, result.proposal()).value();
  }

  std::shared_ptr<Random> random_;
  TestNetwork net;
  std::vector<protocol::Member> members_;
  std::vector<protocol::UniqueId> parties_;
  std::vector<Namespace> namespaces_;
  std::vector<crypto::SigningPublicKey> spare_;
  std::vector<SignedTransaction> sent_;
};

void expect_same(const Snapshot& a, const Snapshot& b) {
  EXPECT_EQ(a.members(), b.members());
  EXPECT_EQ(a.parties(), b.parties());
  EXPECT_EQ(a.dynamic_parameters(), b.dynamic_parameters());
  for (const auto code : all_mapping_codes()) {
    std::set<crypto::Hash> left, right;
    for (const auto* t : a.active(code)) left.insert(t->hash());
    for (const auto* t : b.active(code)) right.insert(t->hash());
    EXPECT_EQ(left, right) << name_of(code);
  }
  for (const auto& member : a.participants()) EXPECT_EQ(a.parties_of(member), b.parties_of(member));
}

class AnyHistory : public ::testing::TestWithParam<int> {};

TEST_P(AnyHistory, ReplaysToTheSameDecisions) {
  Chaos chaos(static_cast<std::uint64_t>(GetParam()));
  auto& net = chaos.network();
  std::vector<Timestamp> times;
  int accepted = 0, rejected = 0;
  for (int i = 0; i < 25; ++i) {
    const auto batch = chaos.batch();
    const auto foretold = net.state->check(batch, false);
    const auto outcomes = net.submit_all(batch);
    for (std::size_t k = 0; k < outcomes.size(); ++k) {
      EXPECT_EQ(foretold[k] ? foretold[k]->error_id : "", outcomes[k]);
      ++(outcomes[k].empty() ? accepted : rejected);
    }
    times.push_back(net.now());
  }
  EXPECT_GT(accepted, 3);
  EXPECT_GT(rejected, 3);
  for (const auto at : {times[5], times[17], times.back()}) {
    const auto exported = net.state->export_at(at);
    TopologyState replayed(net.genesis.synchronizer, net.config.static_parameters);
    const auto result = replayed.import(exported);
    ASSERT_TRUE(result) << result.error().to_string();
    EXPECT_EQ(encode_snapshot(replayed.export_at(Timestamp::max())), encode_snapshot(exported));
    for (const auto t : times) {
      if (t <= at) expect_same(replayed.snapshot_at(t), net.state->snapshot_at(t));
    }
  }
}

TEST_P(AnyHistory, SurvivesInTheStore) {
  Chaos chaos(static_cast<std::uint64_t>(GetParam()) + 1000);
  auto& net = chaos.network();
  storage::MemoryStore store({.columns = {kTopologyColumn}});
  TopologyState state(net.genesis.synchronizer, net.config.static_parameters);
  ASSERT_TRUE(store.write(state.import(net.state->export_at(Timestamp::max())).value(), storage::Sync::no));
  auto now = net.now();
  std::vector<Timestamp> times;
  for (int i = 0; i < 20; ++i) {
    const auto batch = chaos.batch();
    net.submit_all(batch);
    now = now + Duration::seconds(1);
    times.push_back(now);
    ASSERT_TRUE(store.write(state.process(now, batch).writes, storage::Sync::no));
  }
  for (const std::size_t views : {2u, 4096u}) {
    TopologyState loaded(net.genesis.synchronizer, net.config.static_parameters, {.max_kept_views = views});
    ASSERT_TRUE(loaded.load(store));
    EXPECT_EQ(encode_snapshot(loaded.export_at(Timestamp::max())), encode_snapshot(state.export_at(Timestamp::max())));
    EXPECT_EQ(loaded.proposals().size(), state.proposals().size());
    EXPECT_EQ(loaded.last_effective_change(), state.last_effective_change());
    for (const auto t : times) expect_same(loaded.snapshot_at(t), state.snapshot_at(t));
    expect_same(loaded.head(), state.head());
  }
}

// What one event decides in a row, several events decide alike.
TEST_P(AnyHistory, DoesNotDependOnHowItIsCutIntoEvents) {
  Chaos chaos(static_cast<std::uint64_t>(GetParam()) + 2000);
  auto& net = chaos.network();
  TopologyState one_by_one(net.genesis.synchronizer, net.config.static_parameters);
  ASSERT_TRUE(one_by_one.import(net.state->export_at(Timestamp::max())));
  auto time = net.now();
  for (int i = 0; i < 15; ++i) {
    const auto batch = chaos.batch();
    const auto together = net.submit_all(batch);
    for (std::size_t k = 0; k < batch.size(); ++k) {
      time = time + Duration::milliseconds(100);
      const auto alone = one_by_one.process(time, {batch[k]});
      EXPECT_EQ(alone.rejections[0] ? alone.rejections[0]->error_id : "", together[k]) << describe(batch[k].mapping());
    }
  }
  expect_same(one_by_one.head(), net.state->head());
}

INSTANTIATE_TEST_SUITE_P(Seeds, AnyHistory, ::testing::Range(1, 6));

TEST(IndependentChanges, Commute) {
  const auto run = [](std::vector<int> order) {
    TestNetwork net;
    std::vector<SignedTransaction> changes;
    std::vector<protocol::Member> members;
    for (const char* name : {"a", "b", "c"}) {
      members.push_back(net.join_participant(name));
      const auto& uid = members.back().uid();
      changes.push_back(net.sign(VettedPackages{uid, {{std::string("of") + name, {}, {}}}}, 1, {uid.ns()}));
    }
    for (const int i : order) EXPECT_EQ(net.submit(changes[static_cast<std::size_t>(i)]), "");
    return net.state->head();
  };
  const auto reference = run({0, 1, 2});
  for (const auto& order : {std::vector{0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}})
    expect_same(run(order), reference);
}

TEST(Proposals, CommuteOnceComplete) {
  const auto run = [](std::vector<std::size_t> order) {
    TestNetwork net({}, 3, 3);
    SynchronizerParametersState mapping{net.genesis.synchronizer.logical(), {}};
    mapping.parameters.max_request_size = 5;
    for (const auto i : order) EXPECT_EQ(net.submit(net.sign(mapping, 2, {net.owners[i]}, true)), "");
    return net.state->head().dynamic_parameters().max_request_size;
  };
  for (const auto& order : {std::vector<std::size_t>{0, 1, 2}, {2, 1, 0}, {1, 2, 0}}) EXPECT_EQ(run(order), 5u);
}

}  // namespace
}  // namespace synod::topology
