// Whose blocks are believed.
#pragma once

#include "base/result.h"

namespace common {
class Block;
}

namespace synod::ordering::fabric_wire {

// Thread rules: any thread.
class BlockTrust {
 public:
  virtual ~BlockTrust() = default;
  // Ok if the block's header is signed by those who may order in this channel; the data are not looked at, unless the
  // block changes the channel's configuration. Error ORDERING_BLOCK_NOT_SIGNED.
  virtual Status check(const common::Block& block) = 0;
};

}  // namespace synod::ordering::fabric_wire
