#include "topology/manager.h"

#include <gtest/gtest.h>

#include "topology/testing/test_network.h"

namespace synod::topology {
namespace {

using crypto::KeyUsage;
using testing::TestNetwork;

TEST(Manager, PicksSerialAndKeys) {
  TestNetwork net;
  SynchronizerParametersState mapping{net.genesis.synchronizer.logical(), {}};
  EXPECT_EQ(net.manager().propose(mapping).error().id, "TOPOLOGY_MAPPING_ALREADY_EXISTS");
  mapping.parameters.max_request_size = 9;
  const auto made = net.manager().propose(mapping, {.must_fully_authorize = true});
  ASSERT_TRUE(made) << made.error().to_string();
  EXPECT_EQ(made->transaction().serial(), 2u);
  EXPECT_FALSE(made->proposal());
  EXPECT_EQ(net.submit(*made), "");
  EXPECT_EQ(net.manager().propose(mapping, {.operation = Operation::add_replace, .serial = 7}).error().id,
            "TOPOLOGY_SERIAL_MISMATCH");
}

TEST(Manager, SignsWithNewKeysToo) {
  TestNetwork net;
  auto mapping = *net.state->head().active(MappingCode::owner_to_key, net.mediator.uid()).front()->as<OwnerToKey>();
  mapping.keys.emplace_back(net.new_key({KeyUsage::protocol, KeyUsage::proof_of_ownership}));
  const auto made = net.manager().propose(mapping, {.must_fully_authorize = true});
  ASSERT_TRUE(made) << made.error().to_string();
  EXPECT_EQ(made->signatures().size(), 2u);
  EXPECT_EQ(net.submit(*made), "");
}

TEST(Manager, StartsANamespace) {
  TestNetwork net;
  const auto key = net.new_key({KeyUsage::namespace_});
  const auto made =
      net.manager().propose(NamespaceDelegation{key.fingerprint(), key, {}, {}}, {.must_fully_authorize = true});
  ASSERT_TRUE(made) << made.error().to_string();
  EXPECT_TRUE(made->is_root_certificate());
  EXPECT_EQ(net.submit(*made), "");
}

TEST(Manager, ProposesAndOthersSign) {
  TestNetwork net({}, 2, 2);
  // Each owner at its own desk.
  const auto first = crypto::memory_key_store();
  const auto second = crypto::memory_key_store();
  ASSERT_TRUE(first->add(*net.keys->signing_key(net.owners[0]), "owner"));
  ASSERT_TRUE(second->add(*net.keys->signing_key(net.owners[1]), "owner"));
  const TopologyManager one(*net.state, *first), two(*net.state, *second);
  SynchronizerParametersState mapping{net.genesis.synchronizer.logical(), {}};
  mapping.parameters.max_request_size = 3;
  EXPECT_EQ(one.propose(mapping, {.must_fully_authorize = true}).error().id, "TOPOLOGY_UNAUTHORIZED_TRANSACTION");
  const auto proposal = one.propose(mapping);
  ASSERT_TRUE(proposal) << proposal.error().to_string();
  EXPECT_EQ(two.sign_proposal(proposal->hash()).error().id, "TOPOLOGY_TRANSACTION_NOT_FOUND");
  ASSERT_EQ(net.submit(*proposal), "");
  const auto agreed = two.sign_proposal(proposal->hash());
  ASSERT_TRUE(agreed) << agreed.error().to_string();
  EXPECT_EQ(net.submit(*agreed), "");
  EXPECT_EQ(net.state->head().dynamic_parameters().max_request_size, 3u);
}

TEST(Manager, HasNothingToSignWith) {
  TestNetwork net;
  const auto empty = crypto::memory_key_store();
  const TopologyManager manager(*net.state, *empty);
  EXPECT_EQ(manager.propose(VettedPackages{net.new_uid("p"), {}}).error().id,
            "TOPOLOGY_NO_APPROPRIATE_SIGNING_KEY_IN_STORE");
  EXPECT_EQ(manager.propose(VettedPackages{net.new_uid("p"), {}}, {.signed_by = {net.owners[0]}}).error().id,
            "TOPOLOGY_SECRET_KEY_NOT_IN_STORE");
}

TEST(Manager, RemovesWhatItOwns) {
  TestNetwork net;
  const auto p = net.join_participant("p");
  const VettedPackages mapping{p.uid(), {{"a", {}, {}}}};
  ASSERT_EQ(net.submit(*net.manager().propose(mapping)), "");
  const auto made = net.manager().propose(mapping, {.operation = Operation::remove});
  ASSERT_TRUE(made) << made.error().to_string();
  EXPECT_EQ(net.submit(*made), "");
  EXPECT_EQ(net.state->head().vetted_packages(p), nullptr);
}

}  // namespace
}  // namespace synod::topology
