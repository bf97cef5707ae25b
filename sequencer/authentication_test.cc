#include "sequencer/authentication.h"

#include <gtest/gtest.h>

#include "protocol/signed_content.h"
#include "sequencer/admission.h"
#include "sequencer/handshake.h"
#include "sequencer/order.h"
#include "sequencer/testing/world.h"

namespace synod::sequencer {
namespace {

using testing::World;
constexpr Timestamp kLoginTime = World::kStart;

class Authentication : public ::testing::Test {
 protected:
  MemberAuthenticator make(AuthenticationLimits limits = {}) const {
    return MemberAuthenticator(limits, world.genesis.synchronizer, seeded_random(3));
  }
  AuthenticationView view() const { return {world.core->current_snapshot(), world.core->head_snapshot()}; }
  Authenticated<MemberAuthenticator::Token> login(MemberAuthenticator& authenticator, Timestamp now) const {
    const auto challenge = authenticator.challenge(member, view(), now);
    return authenticator.authenticate(member, sign(challenge->nonce), challenge->nonce, view(), now);
  }
  crypto::Signature sign(const Bytes& nonce) const {
    return crypto::sign(protocol::authentication_hash(nonce, world.genesis.synchronizer),
                        world.key_of(member, crypto::KeyUsage::sequencer_authentication));
  }
  Authenticated<Session> validate(MemberAuthenticator& authenticator, const Bytes& token, Timestamp now) const {
    return authenticator.validate(world.genesis.synchronizer.to_string(), member.to_string(), token, now);
  }

  World world;
  protocol::Member member = world.participants[0];
};

TEST_F(Authentication, TokensEndWithTime) {
  auto authenticator = make();
  const auto token = login(authenticator, kLoginTime);
  ASSERT_TRUE(token);
  EXPECT_EQ(token->token.size(), 20u);
  EXPECT_TRUE(validate(authenticator, token->token, kLoginTime + Duration::seconds(3599)));
  const auto ended = validate(authenticator, token->token, kLoginTime + Duration::seconds(3600));
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, "MissingToken");
}

TEST_F(Authentication, NoncesEndWithTime) {
  auto authenticator = make();
  const auto challenge = authenticator.challenge(member, view(), kLoginTime);
  EXPECT_EQ(authenticator.challenge(member, view(), kLoginTime + Duration::seconds(59))->nonce, challenge->nonce);
  const auto late = authenticator.authenticate(member, sign(challenge->nonce), challenge->nonce, view(),
                                               kLoginTime + Duration::seconds(60));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, "MissingNonce");
}

TEST_F(Authentication, TheOldestTokenGoes) {
  AuthenticationLimits limits;
  limits.max_tokens_per_member = 2;
  auto authenticator = make(limits);
  std::vector<Bytes> tokens;
  for (int i = 0; i < 3; ++i) tokens.push_back(login(authenticator, kLoginTime + Duration::seconds(i))->token);
  const Timestamp later = kLoginTime + Duration::seconds(10);
  EXPECT_FALSE(validate(authenticator, tokens[0], later));
  EXPECT_TRUE(validate(authenticator, tokens[1], later));
  EXPECT_TRUE(validate(authenticator, tokens[2], later));
}

TEST_F(Authentication, OpenChallengesAreBounded) {
  AuthenticationLimits limits;
  limits.max_nonces = 1;
  auto authenticator = make(limits);
  EXPECT_TRUE(authenticator.challenge(world.participants[0], view(), kLoginTime));
  EXPECT_FALSE(authenticator.challenge(world.participants[1], view(), kLoginTime));
  EXPECT_TRUE(authenticator.challenge(world.participants[1], view(), kLoginTime + Duration::seconds(60)));
}

TEST_F(Authentication, AnotherSynchronizersClientsAreToldSo) {
  auto authenticator = make();
  const auto token = login(authenticator, kLoginTime);
  const auto other =
      authenticator.validate("other::" + std::string(68, 'a') + "::35-0", member.to_string(), token->token, kLoginTime);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, "NonMatchingSynchronizerId");
}

TEST_F(Authentication, AMemberThatLeavesLosesItsTokens) {
  auto authenticator = make();
  const auto token = login(authenticator, kLoginTime);
  EXPECT_TRUE(authenticator.revoke_inactive(view()).empty());
  const auto& uid = member.uid();
  const auto leave = world.network.sign(topology::TrustCertificate{uid, world.genesis.synchronizer.logical(), {}}, 2,
                                        {uid.ns()}, false, topology::Operation::remove);
  topology::TopologyState state(world.genesis.synchronizer, world.network.config.static_parameters);
  ASSERT_TRUE(state.import(world.genesis.snapshot));
  EXPECT_FALSE(state.process(kLoginTime, {leave}).rejections[0]);
  const AuthenticationView after{state.snapshot_at(kLoginTime), state.head()};  // not effective yet, but known
  EXPECT_EQ(authenticator.revoke_inactive(after), std::vector<protocol::Member>{member});
  EXPECT_FALSE(validate(authenticator, token->token, kLoginTime));
  EXPECT_FALSE(authenticator.challenge(member, after, kLoginTime));
}

TEST(Handshake, ComparesProtocolVersions) {
  EXPECT_EQ(handshake_problem({34, 35}, 34, "3.6.0"), std::nullopt);
  EXPECT_TRUE(handshake_problem({34, 35}, 34, ""));
  EXPECT_TRUE(handshake_problem({34}, std::nullopt, "3.6.0"));
  EXPECT_TRUE(handshake_problem({35, 36}, 36, "3.6.0"));
}

TEST(Rates, RefillWithTime) {
  RateLimits limits;
  const auto member = protocol::Member::parse("PAR::one::" + std::string(68, 'a')).value();
  int allowed = 0;
  for (int i = 0; i < 10; ++i) allowed += limits.allow(member, 3, kLoginTime) ? 1 : 0;
  EXPECT_EQ(allowed, 3);
  EXPECT_TRUE(limits.allow(member, 3, kLoginTime + Duration::milliseconds(400)));
  EXPECT_FALSE(limits.allow(member, 3, kLoginTime + Duration::milliseconds(400)));
  EXPECT_TRUE(limits.allow(member, 0, kLoginTime));
}

TEST(Order, TimesFollowTheOrderFromTheEarliest) {
  std::vector<Ordered> items{{0, 2, {20}}, {1, 1, {30}}, {2, 2, {10}}, {3, 1, {30}}};
  order_block(items);
  std::vector<std::size_t> order;
  for (const auto& item : items) order.push_back(item.index);
  EXPECT_EQ(order, (std::vector<std::size_t>{1, 3, 2, 0}));
  EXPECT_EQ(items[0].time, Timestamp{10});
  EXPECT_EQ(items[3].time, Timestamp{13});
}

}  // namespace
}  // namespace synod::sequencer
