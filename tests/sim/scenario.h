// One simulated run: a seed decides the faults, the traffic and every delay.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "tests/sim/limits.h"

namespace synod::sim {

struct Outcome {
  std::optional<std::string> violation;  // which promise was broken, and how
  std::string trace_hash;
  std::string trace_end;  // the latest lines of the trace
  std::uint64_t steps = 0;
  std::size_t sequenced = 0;   // payloads
  std::size_t committed = 0;   // commands
  std::size_t deliveries = 0;  // events, counted once per member
  std::size_t crashes = 0;
  std::size_t blackouts = 0;  // all machines at once
  std::size_t clock_jumps = 0;
  std::size_t full_disks = 0;  // how often one has stopped a member
  std::size_t misdeeds = 0;    // of the hostile member
  std::size_t blocks = 0;
  std::map<std::string, Held> held;  // at the most
};

// Members that send random messages: sequencers, log, clients and topology under faults.
// `clocks_jump`: by hours, and back.
Outcome run_traffic(std::uint64_t seed, bool clocks_jump = false);

// Participants whose parties transact, and a mediator: the whole network under faults.
Outcome run_ledger(std::uint64_t seed, bool clocks_jump = false);
// The same with one more member, which is hostile.
Outcome run_hostile(std::uint64_t seed);

}  // namespace synod::sim
