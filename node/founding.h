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
  std::vector<topology::MemberIdentity> mediators;  // of mediator group 0
  // Where the time does not pass by itself, changes of the topology are effective at once, as in Canton.
  bool static_time = false;
};

// Every sequencer alone can serve (threshold 1); the mediators' threshold is 1 as well.
Result<GenesisFile> found_synchronizer(const Founders& founders);

}  // namespace synod::node
