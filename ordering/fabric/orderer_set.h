// Who may sign the blocks of a Fabric channel, under one configuration.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace common {
class Block;
class ConfigGroup;
}  // namespace common

namespace synod::ordering::fabric {

// Thread-safe.
class OrdererSet {
 public:
  // From the configuration's root group. Error ORDERING_CHANNEL_BLOCK_INVALID.
  static Result<std::shared_ptr<const OrdererSet>> from_config(const common::ConfigGroup& root);

  // Error ORDERING_BLOCK_NOT_SIGNED.
  Status check_signatures(const common::Block& block) const;

 private:
  using Key = std::shared_ptr<void>;          // EVP_PKEY
  using Authorities = std::shared_ptr<void>;  // X509_STORE
  struct Organisation {
    Authorities roots;
    std::vector<std::shared_ptr<void>> intermediates;  // X509
  };

  OrdererSet() = default;
  Key key_of_member(const Bytes& creator) const;

  std::map<std::string, Organisation> organisations_;       // by MSP id
  std::optional<std::map<std::uint32_t, Key>> consenters_;  // SmartBFT's, by id; none under Raft
  std::size_t needed_ = 1;                                  // different signers
  mutable std::mutex mutex_;
  mutable std::map<Bytes, Key> members_;  // whose certificates have been checked: by serialised identity
};

}  // namespace synod::ordering::fabric
