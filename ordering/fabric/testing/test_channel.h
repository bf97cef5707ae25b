// A Fabric channel for tests: four orderers, each its own organisation and its own authority, and the blocks they sign.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "fabric/channel_config.pb.h"
#include "fabric/envelope.pb.h"
#include "fabric/msp.pb.h"
#include "fabric/orderer.pb.h"
#include "ordering/fabric_wire/block_codec.h"
#include "ordering/fabric_wire/envelope.h"
#include "ordering/fabric_wire/testing/test_identity.h"

namespace synod::ordering::fabric::testing {

class TestChannel {
 public:
  TestChannel() {
    for (const char* name : {"o1", "o2", "o3", "o4"}) orderers_.push_back(fabric_wire::testing::make_identity(name));
  }

  // Of orderers first..first+count-1. `consensus`: etcdraft or BFT.
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

  static common::Block block(std::uint64_t number, const Bytes& item, const Bytes& previous_hash = Bytes(32, 'p')) {
    common::Block block;
    block.mutable_header()->set_number(number);
    block.mutable_header()->set_previous_hash(number == 0 ? Bytes() : previous_hash);
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
  static common::Block record_block(std::uint64_t number, const Bytes& record = "record",
                                    const Bytes& previous_hash = Bytes(32, 'p')) {
    return block(number, fabric_wire::make_envelope(fabric_wire::EnvelopeType::message, "ch", record, nullptr),
                 previous_hash);
  }
  static Bytes hash_of(const common::Block& block) {
    const common::BlockHeader& header = block.header();
    return fabric_wire::header_hash(header.number(), header.previous_hash(), header.data_hash());
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

 private:
  std::vector<fabric_wire::testing::TestIdentity> orderers_;
};

}  // namespace synod::ordering::fabric::testing
