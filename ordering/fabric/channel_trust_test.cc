#include "ordering/fabric/channel_trust.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include "base/testing/temporary_folder.h"
#include "fabric/channel_config.pb.h"
#include "fabric/envelope.pb.h"
#include "fabric/msp.pb.h"
#include "fabric/orderer.pb.h"
#include "ordering/fabric_wire/block_codec.h"
#include "ordering/fabric_wire/envelope.h"
#include "ordering/fabric_wire/testing/test_identity.h"

namespace synod::ordering::fabric {
namespace {

using fabric_wire::testing::TestIdentity;

class ChannelTrustTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"o1", "o2", "o3", "o4"}) orderers_.push_back(fabric_wire::testing::make_identity(name));
  }

  // Orderers first..first+count-1, each its own organisation and its own authority.
  common::Config config(const std::string& consensus, std::size_t first, std::size_t count) const {
    common::Config config;
    auto& group = (*config.mutable_channel_group()->mutable_groups())["Orderer"];
    orderer::ConsensusType type;
    type.set_type(consensus);
    (*group.mutable_values())["ConsensusType"].set_value(type.SerializeAsString());
    common::Orderers consenters;
    for (std::size_t i = first; i < first + count; ++i) {
      const std::string name = "o" + std::to_string(i + 1);
      msp::FabricMSPConfig members;
      members.set_name(name);
      members.add_root_certs(orderers_[i].certificate_pem);
      msp::MSPConfig msp_config;
      msp_config.set_config(members.SerializeAsString());
      (*(*group.mutable_groups())[name].mutable_values())["MSP"].set_value(msp_config.SerializeAsString());
      auto& consenter = *consenters.add_consenter_mapping();
      consenter.set_id(static_cast<std::uint32_t>(i + 1));
      consenter.set_identity(orderers_[i].certificate_pem);
    }
    (*group.mutable_values())["Orderers"].set_value(consenters.SerializeAsString());
    return config;
  }

  static common::Block block(std::uint64_t number, const Bytes& item) {
    common::Block block;
    block.mutable_header()->set_number(number);
    block.mutable_header()->set_previous_hash(number == 0 ? Bytes() : Bytes(32, 'p'));
    block.mutable_header()->set_data_hash(fabric_wire::data_hash({item}));
    block.mutable_data()->add_data(item);
    for (int i = 0; i < 5; ++i) block.mutable_metadata()->add_metadata("");
    return block;
  }
  static common::Block config_block(std::uint64_t number, const common::Config& config) {
    common::ConfigEnvelope envelope;
    *envelope.mutable_config() = config;
    return block(number, fabric_wire::make_envelope(fabric_wire::EnvelopeType::config, "ch",
                                                    envelope.SerializeAsString(), nullptr));
  }
  static common::Block record_block(std::uint64_t number) {
    return block(number, fabric_wire::make_envelope(fabric_wire::EnvelopeType::message, "ch", "record", nullptr));
  }

  common::Block signed_by(common::Block block, const std::vector<std::size_t>& who, bool bft) const {
    common::Metadata metadata;
    metadata.set_value("value");
    const Bytes header =
        fabric_wire::header_der(block.header().number(), block.header().previous_hash(), block.header().data_hash());
    for (const std::size_t i : who) {
      auto& signature = *metadata.add_signatures();
      Bytes signer;
      if (bft) {
        common::IdentifierHeader identifier;
        identifier.set_identifier(static_cast<std::uint32_t>(i + 1));
        signer = identifier.SerializeAsString();
        signature.set_identifier_header(signer);
      } else {
        common::SignatureHeader creator;
        creator.set_creator(orderers_[i].signer.creator());
        signer = creator.SerializeAsString();
        signature.set_signature_header(signer);
      }
      signature.set_signature(orderers_[i].signer.sign("value" + signer + header));
    }
    *block.mutable_metadata()->mutable_metadata(0) = metadata.SerializeAsString();
    return block;
  }

  std::shared_ptr<ChannelTrust> trust(const common::Config& config) const {
    auto trust = ChannelTrust::from_block(config_block(0, config).SerializeAsString(), "ch");
    EXPECT_TRUE(trust) << trust.error().to_string();
    return *trust;
  }

  std::vector<TestIdentity> orderers_;
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
