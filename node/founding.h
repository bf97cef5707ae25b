// Founding a synchronizer: the identities of its first members become its first topology state.
#pragma once

#include <vector>

#include "node/genesis_file.h"
#include "node/identity.h"

namespace synod::node {

struct Founders {
  std::string synchronizer_name;
  Identity owner;  // the topology manager: its namespace owns the synchronizer
  std::vector<topology::MemberIdentity> sequencers;
  struct MediatorGroup {
    std::uint32_t threshold = 1;
    std::vector<topology::MemberIdentity> mediators;
  };
  std::vector<MediatorGroup> mediator_groups;  // by index
  // Where the time does not pass by itself, changes of the topology are effective at once, as in Canton.
  bool static_time = false;
};

// Every sequencer alone can serve (threshold 1).
Result<GenesisFile> found_synchronizer(const Founders& founders);

}  // namespace synod::node
