// Whose signatures make a block of a Fabric channel: as its configuration says.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/bytes.h"
#include "ordering/fabric_wire/block_trust.h"

namespace synod::ordering::fabric {

class OrdererSet;

// Begins with the channel's first block, or a later configuration block, as an operator has it, and follows the
// configuration from there: a block that changes it must be signed as the configuration before demands. Under Raft one
// signature of an orderer organisation's member suffices (Fabric's policy BlockValidation: ANY Writers), under SmartBFT
// a quorum of the consenters must sign.
class ChannelTrust final : public fabric_wire::BlockTrust {
 public:
  // Error ORDERING_CHANNEL_BLOCK_INVALID: not a configuration block of this channel.
  static Result<std::shared_ptr<ChannelTrust>> from_block(ByteView block, const std::string& channel);
  // What is learnt of later configurations is appended to `learnt_file`, and read from it first; empty: forgotten. A
  // file that was not written to its end is taken as far as it goes: its blocks carry their signatures.
  static Result<std::shared_ptr<ChannelTrust>> from_file(const std::string& path, const std::string& channel,
                                                         const std::string& learnt_file = "");

  Status check(const common::Block& block) override;

 private:
  ChannelTrust(std::string channel, std::uint64_t first, Bytes first_hash)
      : channel_(std::move(channel)), first_(first), first_hash_(std::move(first_hash)) {}
  void recall_from(const std::string& learnt_file);
  void remember(const common::Block& block) const;
  std::shared_ptr<const OrdererSet> before(std::uint64_t number) const;

  const std::string channel_;
  const std::uint64_t first_;
  const Bytes first_hash_;
  std::string learnt_file_;  // set before the object is shared
  mutable std::mutex mutex_;
  std::map<std::uint64_t, std::shared_ptr<const OrdererSet>> sets_;  // by the block that set them up; valid after it
};

}  // namespace synod::ordering::fabric
