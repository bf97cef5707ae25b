// Many seeds of the simulation. SYNOD_SIM_SEEDS sets how many, SYNOD_SIM_FIRST the first, SYNOD_SIM_TRACE=1 prints all
// that happens. A failing seed prints the line that replays it.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <functional>

#include "tests/sim/scenario.h"

namespace synod::sim {
namespace {

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

// Seeds of each kind in an ordinary test run; unoptimised builds, with or without sanitizers, are much slower.
#ifdef NDEBUG
constexpr std::uint64_t kSeeds = 100;
#else
constexpr std::uint64_t kSeeds = 25;
#endif

void run_seeds(const std::string& test, std::uint64_t count, const std::function<Outcome(std::uint64_t)>& run) {
  const std::uint64_t first = setting("SYNOD_SIM_FIRST", 1);
  count = setting("SYNOD_SIM_SEEDS", count);
  std::size_t sequenced = 0, committed = 0, deliveries = 0, crashes = 0, blocks = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const Outcome outcome = run(seed);
    sequenced += outcome.sequenced;
    committed += outcome.committed;
    deliveries += outcome.deliveries;
    crashes += outcome.crashes;
    blocks += outcome.blocks;
    if (outcome.violation) {
      ADD_FAILURE() << "seed " << seed << " breaks a promise: " << *outcome.violation
                    << "\nreplay: SYNOD_SIM_FIRST=" << seed
                    << " SYNOD_SIM_SEEDS=1 SYNOD_SIM_TRACE=1 synod_sim_test --gtest_filter=" << test
                    << "\nthe end of its trace:\n"
                    << outcome.trace_end;
      return;
    }
  }
  const auto millis =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin).count();
  std::cout << count << " seeds in " << millis << " ms: " << blocks << " blocks, " << sequenced << " messages, "
            << committed << " committed commands, " << deliveries << " deliveries, " << crashes << " crashes\n";
  if (count >= 20) {
    EXPECT_GT(crashes, count) << "faults must bite";
  }
  EXPECT_GT(sequenced + blocks, 0u);
}

TEST(Simulation, LedgersKeepTheirPromises) {
  run_seeds("Simulation.LedgersKeepTheirPromises", kSeeds, [](std::uint64_t seed) { return run_ledger(seed); });
}

TEST(Simulation, TrafficKeepsItsPromises) {
  run_seeds("Simulation.TrafficKeepsItsPromises", kSeeds, [](std::uint64_t seed) { return run_traffic(seed); });
}

// What the others promise holds as well, and time passes: nobody waits for hours for the clocks to meet again.
TEST(Simulation, ClocksMayJumpByHours) {
  std::size_t jumps = 0;
  const auto both = [&](std::uint64_t seed) {
    const Outcome outcome = seed % 2 ? run_ledger(seed, true) : run_traffic(seed, true);
    jumps += outcome.clock_jumps;
    return outcome;
  };
  run_seeds("Simulation.ClocksMayJumpByHours", kSeeds / 2, both);
  EXPECT_GT(jumps, 0u);
}

TEST(Simulation, TheSameSeedGivesTheSameTrace) {
  for (const auto& run : {run_traffic, run_ledger})
    for (const std::uint64_t seed : {3u, 4u}) {
      const Outcome first = run(seed, false), second = run(seed, false);
      EXPECT_EQ(first.trace_hash, second.trace_hash) << "seed " << seed;
      EXPECT_EQ(first.steps, second.steps);
    }
  EXPECT_NE(run_traffic(3).trace_hash, run_traffic(4).trace_hash);
}

}  // namespace
}  // namespace synod::sim
