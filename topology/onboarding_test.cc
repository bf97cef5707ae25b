#include "topology/onboarding.h"

#include <gtest/gtest.h>

#include "topology/testing/test_network.h"

namespace synod::topology {
namespace {

using testing::TestNetwork;

class Onboarding : public ::testing::Test {
 protected:
  Onboarding() { reset({}); }
  void reset(DynamicParameters parameters) {
    net = std::make_unique<TestNetwork>(parameters);
    auto identity = net->new_member(protocol::MemberKind::participant, "new");
    member = identity.member;
    transactions = identity.transactions;
    transactions.push_back(trust(member.uid()));
  }
  SignedTransaction trust(const protocol::UniqueId& uid) {
    return net->sign(TrustCertificate{uid, net->genesis.synchronizer.logical(), {}}, 1, {member.uid().ns()});
  }
  std::string outcome() {
    std::vector<Bytes> bytes;
    for (const auto& t : transactions) bytes.push_back(t.to_bare());
    const auto result = check_onboarding(*net->state, member, bytes);
    return result ? "" : result.error().id;
  }

  std::unique_ptr<TestNetwork> net;
  protocol::Member member;
  std::vector<SignedTransaction> transactions;
};

constexpr auto kInvalid = "INVALID_ARGUMENT";
constexpr auto kNotNow = "FAILED_PRECONDITION";

TEST_F(Onboarding, AcceptsANewcomerOnce) {
  EXPECT_EQ(outcome(), "");
  net->submit_all(transactions);
  EXPECT_EQ(outcome(), kNotNow);
}

TEST_F(Onboarding, RepeatedTransactionsCountOnce) {
  transactions.push_back(transactions.front());
  EXPECT_EQ(outcome(), "");
}

TEST_F(Onboarding, ContinuesAnInterruptedRegistration) {
  net->submit_all({transactions[0], transactions[1]});
  EXPECT_EQ(outcome(), "");
}

TEST_F(Onboarding, NeedsExactlyTheExpectedMappings) {
  auto all = transactions;
  transactions = {all[0], all[1]};
  EXPECT_EQ(outcome(), kInvalid);
  transactions = {all[0], all[2]};
  EXPECT_EQ(outcome(), kInvalid);
  transactions = {all[1], all[2]};
  EXPECT_EQ(outcome(), kInvalid);
  transactions = all;
  transactions.push_back(net->sign(VettedPackages{member.uid(), {}}, 1, {member.uid().ns()}));
  EXPECT_EQ(outcome(), kInvalid);
}

TEST_F(Onboarding, RefusesProposalsRemovalsAndOthers) {
  const auto all = transactions;
  transactions[2] = all[2].as_proposal(true);
  EXPECT_EQ(outcome(), kInvalid);
  transactions[2] = net->sign(all[2].mapping(), 1, {member.uid().ns()}, false, Operation::remove);
  EXPECT_EQ(outcome(), kInvalid);
  transactions[2] = trust(protocol::UniqueId::create("other", member.uid().ns()).value());
  EXPECT_EQ(outcome(), kInvalid);
  transactions = all;
  transactions.push_back(net->new_member(protocol::MemberKind::participant, "x").transactions.front());
  EXPECT_EQ(outcome(), kInvalid);
}

TEST_F(Onboarding, LimitsNumberAndSize) {
  for (int i = 0; i < 5; ++i) {
    transactions.push_back(
        net->sign(NamespaceDelegation{member.uid().ns(), net->new_key({crypto::KeyUsage::namespace_}), {}, {}}, 1,
                  {member.uid().ns()}));
  }
  EXPECT_EQ(outcome(), kInvalid);
  transactions.pop_back();
  EXPECT_EQ(outcome(), "");
  std::vector<Bytes> huge{Bytes(1 << 20, 'x')};
  EXPECT_EQ(check_onboarding(*net->state, member, huge).error().id, kInvalid);
  std::vector<Bytes> garbage{"not a transaction"};
  EXPECT_EQ(check_onboarding(*net->state, member, garbage).error().id, "PROTO_DESERIALIZATION_FAILURE");
}

TEST_F(Onboarding, BadSignaturesAreRefused) {
  auto signatures = transactions[2].signatures();
  signatures[0].signature.bytes[0] ^= 1;
  transactions[2] = SignedTransaction::create(transactions[2].transaction(), signatures, false).value();
  EXPECT_EQ(outcome(), "TOPOLOGY_INVALID_TX_SIGNATURE");
}

TEST_F(Onboarding, LockedMeansNobody) {
  DynamicParameters parameters;
  parameters.onboarding_restriction = OnboardingRestriction::unrestricted_locked;
  reset(parameters);
  EXPECT_EQ(outcome(), kNotNow);
}

TEST_F(Onboarding, RestrictedMeansThePermitted) {
  DynamicParameters parameters;
  parameters.onboarding_restriction = OnboardingRestriction::restricted_open;
  reset(parameters);
  EXPECT_EQ(outcome(), kNotNow);
  net->submit(net->sign(
      ParticipantPermission{net->genesis.synchronizer.logical(), member.uid(), Permission::submission, {}, {}}, 1,
      net->owners));
  EXPECT_EQ(outcome(), "");
}

TEST_F(Onboarding, IsForParticipants) {
  member = net->mediator;
  EXPECT_EQ(outcome(), kInvalid);
}

}  // namespace
}  // namespace synod::topology
