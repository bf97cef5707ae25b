// How fast a sequencer without a cache applies a log that exists.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "testnet/network_plan.h"

namespace synod::bench {

struct CatchUp {
  std::uint64_t submissions = 0, blocks = 0;
  double seconds = 0;     // from the start of its process until it is where the other one is
  double cpu_micros = 0;  // a submission

  double submissions_per_second() const { return static_cast<double>(submissions) / seconds; }
};

// Stops `fresh`, removes its cache and starts it; `other` tells where the log ends. `submissions`: what the log holds.
Result<CatchUp> measure_catch_up(const testnet::NodePlan& fresh, const testnet::NodePlan& other,
                                 std::uint64_t submissions);

}  // namespace synod::bench
