// What a client does when one of several orderers lies: it goes on with the others, and tells of it once.
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "base/testing/expect_log.h"
#include "ordering/conformance/collector.h"
#include "ordering/fabric/channel_trust.h"
#include "ordering/fabric/testing/fake_orderer.h"
#include "ordering/fabric_wire/fabric_log.h"

namespace synod::ordering::conformance {
namespace {

using fabric::testing::FakeOrderer;
using fabric::testing::Manner;
using fabric::testing::SharedBlocks;
using fabric::testing::TestChannel;
using synod::testing::seen_log;

constexpr char kOnce[] = "this is told once";

class LyingOrderers : public ::testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < 4; ++i) orderers_.push_back(std::make_unique<FakeOrderer>(blocks_));
    blocks_->add(TestChannel::config_block(0, channel_.config("BFT", 0, 4)));
    add_blocks(4);
  }
  void TearDown() override {
    subscription_.reset();
    log_.reset();
  }

  // Signed by a quorum, unless told otherwise.
  void add_block(SharedBlocks& blocks, const Bytes& record, const std::vector<std::size_t>& signers = {1, 2, 3}) {
    const std::size_t number = blocks.size();
    const Bytes previous = TestChannel::hash_of(blocks.at(number - 1));
    blocks.add(channel_.signed_by(TestChannel::record_block(number, record, previous), signers, true));
  }
  void add_blocks(int count) {
    for (int i = 0; i < count; ++i) add_block(*blocks_, "record " + std::to_string(blocks_->size()));
  }
  Bytes newest_record() const { return "record " + std::to_string(blocks_->size() - 1); }
  // The first `count` blocks as they are, then other ones.
  std::shared_ptr<SharedBlocks> rewritten_after(std::size_t count, const std::vector<std::size_t>& signers) {
    auto others = std::make_shared<SharedBlocks>();
    for (std::size_t i = 0; i < count; ++i) others->add(blocks_->at(i));
    for (int i = 0; i < 1000; ++i) add_block(*others, "another " + std::to_string(others->size()), signers);
    return others;
  }

  fabric_wire::FabricLogConfig config(std::size_t orderers, bool signatures) const {
    fabric_wire::FabricLogConfig config;
    for (std::size_t i = 0; i < orderers; ++i) config.endpoints.push_back(orderers_[i]->endpoint());
    config.channel = "ch";
    if (signatures) {
      config.trust = *fabric::ChannelTrust::from_block(blocks_->at(0).SerializeAsString(), "ch");
      config.accepts_needed = 2;
    }
    config.head_check_interval = Duration::milliseconds(80);
    config.stall_patience = Duration::seconds(300);  // an honest one is not silent for so long
    config.probe_timeout = Duration::seconds(30);
    config.max_reconnect_delay = Duration::milliseconds(100);
    return config;
  }
  void follow(const fabric_wire::FabricLogConfig& config) {
    log_ = std::move(*connect_fabric(config));
    subscription_ = log_->subscribe(Height(0), seen_);
    subscription_->request(1'000'000);
  }
  void expect_all() {
    ASSERT_TRUE(seen_->wait_for_record(newest_record()));
    EXPECT_TRUE(seen_->chained());
    EXPECT_FALSE(seen_->end()) << seen_->end()->to_string();
    std::vector<Bytes> expected;
    for (std::size_t i = 1; i < blocks_->size(); ++i) expected.push_back("record " + std::to_string(i));
    EXPECT_EQ(seen_->sequence(), expected);
  }
  // Where the stream is, its orderer ends it: it goes to the next one, and comes to each in turn.
  void end_streams_of_others(std::size_t liar) {
    for (std::size_t i = 0; i < orderers_.size(); ++i)
      if (i != liar) orderers_[i]->end_streams();
  }

  const TestChannel channel_;
  const std::shared_ptr<SharedBlocks> blocks_ = std::make_shared<SharedBlocks>();
  std::vector<std::unique_ptr<FakeOrderer>> orderers_;
  const std::shared_ptr<Collector> seen_ = std::make_shared<Collector>();
  std::unique_ptr<OrderingLog> log_;
  std::unique_ptr<Subscription> subscription_;
};

class OneOfFour : public LyingOrderers, public ::testing::WithParamInterface<Manner> {};

// The first orderer is the one that blocks are read from at the beginning.
TEST_P(OneOfFour, IsLeftForTheOthersAndToldOfOnce) {
  synod::testing::expect_log(kOnce);
  orderers_[0]->behave(GetParam(), 3);
  if (GetParam() == Manner::rewrites) orderers_[0]->rewrite_with(rewritten_after(3, {0}));
  auto settings = config(4, true);
  // Each time that it is read from takes so long.
  if (GetParam() == Manner::withholds) settings.stall_patience = Duration::seconds(4);
  follow(settings);
  expect_all();
  add_blocks(3);
  expect_all();
  // It is met again, and lies again. One that says it has no such block is asked twice before it is believed.
  const int asked = GetParam() == Manner::has_none ? 4 : 2;
  const int blocks_before = orderers_[0]->block_requests(), heads_before = orderers_[0]->head_requests();
  ASSERT_TRUE(eventually([&] {
    end_streams_of_others(0);
    if (blocks_->size() < 900) add_blocks(1);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    return orderers_[0]->head_requests() >= heads_before + 4 &&
           (GetParam() == Manner::unsigned_heads || orderers_[0]->block_requests() >= blocks_before + asked);
  }));
  add_blocks(3);
  expect_all();
  EXPECT_EQ(log_->health().head, Height(static_cast<std::int64_t>(blocks_->size()) - 1))
      << "no orderer alone says how far the log is";
  EXPECT_EQ(seen_log(orderers_[0]->endpoint()), 1u);
  EXPECT_EQ(seen_log(kOnce), 1u) << "nothing is said of the honest ones";
}

INSTANTIATE_TEST_SUITE_P(Manners, OneOfFour,
                         ::testing::Values(Manner::withholds, Manner::forges, Manner::forbids, Manner::refuses,
                                           Manner::has_none, Manner::rewrites, Manner::unsigned_heads),
                         [](const auto& info) { return to_string(info.param); });

TEST_F(LyingOrderers, WhatAllOfThemSayEndsTheSubscription) {
  synod::testing::expect_log(kOnce);
  for (const auto& orderer : orderers_) orderer->behave(Manner::forbids);
  follow(config(4, true));
  ASSERT_TRUE(seen_->wait_for_end());
  EXPECT_EQ(seen_->end()->id, "ORDERING_NOT_AUTHORIZED");
  EXPECT_EQ(seen_log(kOnce), 3u) << "the fourth one ends it";
}

TEST_F(LyingOrderers, OneDoesNotEndItWhileTheOthersAreAway) {
  synod::testing::expect_log(kOnce);
  follow(config(2, true));
  expect_all();
  orderers_[0]->behave(Manner::has_none);
  orderers_[1]->behave(Manner::withholds, blocks_->size());
  const int before = orderers_[0]->block_requests();
  orderers_[1]->stop();
  orderers_[0]->end_streams();
  ASSERT_TRUE(eventually([&] { return orderers_[0]->block_requests() >= before + 4; }));
  EXPECT_FALSE(seen_->end());
  EXPECT_EQ(seen_log(kOnce), 1u);
  EXPECT_TRUE(eventually([&] { return !log_->health().last_error.empty(); }));
  orderers_[0]->behave(Manner::honest);
  add_blocks(2);
  expect_all();
}

// It did not have the block when it was asked for it, and tells of it a moment later. That is not a pruned one.
TEST_F(LyingOrderers, OneThatCatchesUpWhileItIsAskedHasPrunedNothing) {
  orderers_[0]->behave(Manner::catches_up);
  follow(config(1, false));
  expect_all();
}

TEST_F(LyingOrderers, TwoSignedHistoriesAreAForkWhoeverServesThem) {
  orderers_[1]->rewrite_with(rewritten_after(3, {0, 1, 2}));
  follow(config(2, true));
  expect_all();
  orderers_[1]->behave(Manner::rewrites, 3);  // only now, lest the stream began there
  orderers_[0]->end_streams();
  ASSERT_TRUE(seen_->wait_for_end());
  EXPECT_EQ(seen_->end()->id, "ORDERING_FORKED");
}

TEST_F(LyingOrderers, WithoutSignaturesOneThatRewritesHistoryIsLeft) {
  synod::testing::expect_log(kOnce);
  orderers_[1]->rewrite_with(rewritten_after(3, {0}));
  follow(config(2, false));
  expect_all();
  orderers_[1]->behave(Manner::rewrites, 3);  // only now, lest the stream began there
  for (int round = 1; round <= 3; ++round) {
    const int before = orderers_[1]->block_requests();
    ASSERT_TRUE(eventually([&] {
      orderers_[0]->end_streams();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      return orderers_[1]->block_requests() > before;
    }));
    add_blocks(1);
    expect_all();
  }
  EXPECT_EQ(seen_log(orderers_[1]->endpoint()), 1u);
  EXPECT_EQ(seen_log(kOnce), 1u);
}

TEST_F(LyingOrderers, WithoutSignaturesAHistoryThatAllHaveRewrittenIsAFork) {
  synod::testing::expect_log(kOnce);
  for (const auto& orderer : orderers_) orderer->rewrite_with(rewritten_after(3, {0}));
  follow(config(2, false));
  expect_all();
  for (const auto& orderer : orderers_) orderer->behave(Manner::rewrites, 3);
  orderers_[0]->end_streams();
  ASSERT_TRUE(seen_->wait_for_end());
  EXPECT_EQ(seen_->end()->id, "ORDERING_FORKED");
}

}  // namespace
}  // namespace synod::ordering::conformance
