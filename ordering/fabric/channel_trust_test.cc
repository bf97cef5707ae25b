#include "ordering/fabric/channel_trust.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/testing/temporary_folder.h"
#include "ordering/fabric/testing/test_channel.h"

namespace synod::ordering::fabric {
namespace {

class ChannelTrustTest : public ::testing::Test, protected testing::TestChannel {
 protected:
  static std::shared_ptr<ChannelTrust> trust(const common::Config& config) {
    auto trust = ChannelTrust::from_block(config_block(0, config).SerializeAsString(), "ch");
    EXPECT_TRUE(trust) << trust.error().to_string();
    return *trust;
  }
};

TEST_F(ChannelTrustTest, UnderRaftOneOrderersSignatureSuffices) {
  const auto channel = trust(config("etcdraft", 0, 2));
  EXPECT_TRUE(channel->check(signed_by(record_block(1), {0}, false)));
  EXPECT_TRUE(channel->check(signed_by(record_block(2), {3, 1}, false)))
      << "a stranger's signature beside it does no harm";
  EXPECT_EQ(channel->check(record_block(3)).error().id, "ORDERING_BLOCK_NOT_SIGNED");
  EXPECT_EQ(channel->check(signed_by(record_block(3), {2, 3}, false)).error().id, "ORDERING_BLOCK_NOT_SIGNED");
  auto changed = signed_by(record_block(4), {0}, false);
  changed.mutable_header()->set_data_hash(Bytes(32, 'x'));
  EXPECT_FALSE(channel->check(changed));
}

TEST_F(ChannelTrustTest, UnderBftAQuorumOfDifferentOrderersMustSign) {
  const auto channel = trust(config("BFT", 0, 4));
  EXPECT_TRUE(channel->check(signed_by(record_block(1), {0, 1, 3}, true)));
  EXPECT_FALSE(channel->check(signed_by(record_block(1), {0, 1}, true)));
  EXPECT_FALSE(channel->check(signed_by(record_block(1), {0, 1, 1, 0}, true))) << "nobody counts twice";
  EXPECT_FALSE(channel->check(signed_by(record_block(1), {0, 1, 2}, false))) << "not as SmartBFT signs";
}

TEST_F(ChannelTrustTest, AChangeOfTheConfigurationIsFollowedWhenTheOldOnesSignIt) {
  const auto channel = trust(config("etcdraft", 0, 1));
  const auto change = config_block(5, config("etcdraft", 1, 1));
  EXPECT_FALSE(channel->check(signed_by(change, {1}, false))) << "signed by the new orderer only";
  EXPECT_FALSE(channel->check(signed_by(record_block(6), {1}, false)));
  auto other_content = signed_by(change, {0}, false);
  *other_content.mutable_data()->mutable_data(0) = config_block(5, config("etcdraft", 2, 1)).data().data(0);
  EXPECT_FALSE(channel->check(other_content)) << "not what was signed";
  EXPECT_TRUE(channel->check(signed_by(change, {0}, false)));
  EXPECT_TRUE(channel->check(signed_by(record_block(6), {1}, false)));
  EXPECT_FALSE(channel->check(signed_by(record_block(6), {0}, false)));
  EXPECT_TRUE(channel->check(signed_by(record_block(4), {0}, false))) << "what came before stays valid";
}

TEST_F(ChannelTrustTest, WhatWasLearntOutlivesARestart) {
  const std::string folder = synod::testing::new_folder("trust"), first = folder + "/channel.block",
                    learnt = folder + "/learnt";
  std::ofstream(first, std::ios::binary) << config_block(0, config("etcdraft", 0, 1)).SerializeAsString();
  {
    const auto channel = ChannelTrust::from_file(first, "ch", learnt);
    ASSERT_TRUE(channel);
    ASSERT_TRUE((*channel)->check(signed_by(config_block(5, config("etcdraft", 1, 1)), {0}, false)));
    ASSERT_TRUE((*channel)->check(signed_by(config_block(9, config("etcdraft", 2, 1)), {1}, false)));
  }
  for (int restart = 0; restart < 2; ++restart) {
    const auto channel = ChannelTrust::from_file(first, "ch", learnt);
    ASSERT_TRUE(channel);
    EXPECT_TRUE((*channel)->check(signed_by(record_block(10), {2}, false)));
    EXPECT_FALSE((*channel)->check(signed_by(record_block(10), {0}, false)));
  }
  const auto size = std::filesystem::file_size(learnt);
  std::filesystem::resize_file(learnt, size - 1);
  const auto torn = ChannelTrust::from_file(first, "ch", learnt);
  ASSERT_TRUE(torn);
  EXPECT_TRUE((*torn)->check(signed_by(record_block(8), {1}, false)));
  EXPECT_FALSE((*torn)->check(signed_by(record_block(10), {2}, false)));
  std::filesystem::remove_all(folder);
}

TEST_F(ChannelTrustTest, TheFirstBlockIsTheConfiguredOne) {
  const auto channel = trust(config("etcdraft", 0, 2));
  EXPECT_FALSE(channel->check(config_block(0, config("etcdraft", 0, 3))));
  EXPECT_EQ(ChannelTrust::from_block("rubbish", "ch").error().id, "ORDERING_CHANNEL_BLOCK_INVALID");
  EXPECT_EQ(ChannelTrust::from_block(record_block(0).SerializeAsString(), "ch").error().id,
            "ORDERING_CHANNEL_BLOCK_INVALID");
  EXPECT_EQ(ChannelTrust::from_block(config_block(0, config("etcdraft", 0, 1)).SerializeAsString(), "other").error().id,
            "ORDERING_CHANNEL_BLOCK_INVALID");
  EXPECT_FALSE(ChannelTrust::from_file("/nonexistent", "ch"));
  const Bytes bytes = config_block(0, config("BFT", 0, 4)).SerializeAsString();
  for (std::size_t n = 0; n < bytes.size(); n += 7)
    (void)ChannelTrust::from_block(bytes.substr(0, n), "ch");  // no crash
}

}  // namespace
}  // namespace synod::ordering::fabric
