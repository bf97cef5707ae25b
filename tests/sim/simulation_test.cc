// Many seeds of the simulation. SYNOD_SIM_SEEDS sets how many, SYNOD_SIM_FIRST the first, SYNOD_SIM_TRACE=1 prints all
// that happens. A failing seed prints the line that replays it, and the one to keep in failed_seeds.txt.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <sstream>

#include "base/testing/expect_log.h"
#include "base/testing/shared_files.h"
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

struct Scenario {
  const char* name;  // in failed_seeds.txt
  std::function<Outcome(std::uint64_t)> run;
};
const Scenario kLedger{"ledger", [](std::uint64_t seed) { return run_ledger(seed); }};
const Scenario kTraffic{"traffic", [](std::uint64_t seed) { return run_traffic(seed); }};
const Scenario kHostile{"hostile", [](std::uint64_t seed) { return run_hostile(seed); }};
const Scenario kJumping{"jumping-clocks",
                        [](std::uint64_t seed) { return seed % 2 ? run_ledger(seed, true) : run_traffic(seed, true); }};

// A hostile member is noticed: that is what alarms are for.
void expect_alarms() { synod::testing::expect_log("ALARM"); }

void run_seeds(const std::string& test, std::uint64_t count, const Scenario& scenario,
               const std::function<void(const Outcome&)>& look = nullptr) {
  const std::uint64_t first = setting("SYNOD_SIM_FIRST", 1);
  count = setting("SYNOD_SIM_SEEDS", count);
  std::size_t sequenced = 0, committed = 0, deliveries = 0, crashes = 0, blocks = 0, full_disks = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const Outcome outcome = scenario.run(seed);
    if (look) look(outcome);
    full_disks += outcome.full_disks;
    sequenced += outcome.sequenced;
    committed += outcome.committed;
    deliveries += outcome.deliveries;
    crashes += outcome.crashes;
    blocks += outcome.blocks;
    if (outcome.violation) {
      ADD_FAILURE() << "seed " << seed << " breaks a promise: " << *outcome.violation
                    << "\nreplay: SYNOD_SIM_FIRST=" << seed
                    << " SYNOD_SIM_SEEDS=1 SYNOD_SIM_TRACE=1 synod_sim_test --gtest_filter=" << test
                    << "\nto keep it: " << scenario.name << " " << seed << " in tests/sim/failed_seeds.txt"
                    << "\nthe end of its trace:\n"
                    << outcome.trace_end;
      return;
    }
  }
  const auto millis =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin).count();
  std::cout << count << " seeds in " << millis << " ms: " << blocks << " blocks, " << sequenced << " messages, "
            << committed << " committed commands, " << deliveries << " deliveries, " << crashes << " crashes, "
            << full_disks << " members stopped by full disks\n";
  if (count >= 20) {
    EXPECT_GT(crashes, count) << "faults must bite";
    EXPECT_GT(full_disks, count / 10);
  }
  EXPECT_GT(sequenced + blocks, 0u);
}

TEST(Simulation, LedgersKeepTheirPromises) {
  run_seeds("Simulation.LedgersKeepTheirPromises", kSeeds * 3 / 4, kLedger);
}

TEST(Simulation, TrafficKeepsItsPromises) { run_seeds("Simulation.TrafficKeepsItsPromises", kSeeds, kTraffic); }

TEST(Simulation, AHostileMemberHarmsNobody) {
  expect_alarms();
  std::size_t misdeeds = 0, committed = 0;
  const std::uint64_t count = kSeeds / 4;
  run_seeds("Simulation.AHostileMemberHarmsNobody", count, kHostile, [&](const Outcome& outcome) {
    misdeeds += outcome.misdeeds;
    committed += outcome.committed;
  });
  EXPECT_GT(misdeeds, 0u);
  EXPECT_GT(committed, 0u);
}

// What the others promise holds as well, and time passes: nobody waits for hours for the clocks to meet again.
TEST(Simulation, ClocksMayJumpByHours) {
  std::size_t jumps = 0;
  run_seeds("Simulation.ClocksMayJumpByHours", kSeeds / 2, kJumping,
            [&](const Outcome& outcome) { jumps += outcome.clock_jumps; });
  EXPECT_GT(jumps, 0u);
}

// What once failed is run for ever: one line each, scenario and seed; after # what it has shown.
TEST(Simulation, SeedsThatHaveFailedOnceDoNotFailAgain) {
  std::istringstream lines(synod::testing::read_file("tests/sim/failed_seeds.txt"));
  int replayed = 0;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string name;
    std::uint64_t seed = 0;
    if (!(words >> name >> seed)) continue;
    const Scenario* found = nullptr;
    for (const Scenario* scenario : {&kLedger, &kTraffic, &kHostile, &kJumping})
      if (scenario->name == name) found = scenario;
    ASSERT_TRUE(found) << "there is no scenario '" << name << "'";
    if (found == &kHostile) expect_alarms();
    const Outcome outcome = found->run(seed);
    EXPECT_FALSE(outcome.violation) << line << ": " << *outcome.violation << "\n" << outcome.trace_end;
    ++replayed;
  }
  std::cout << replayed << " seeds that have failed once\n";
}

TEST(Simulation, TheSameSeedGivesTheSameTrace) {
  for (const auto& run : {run_traffic, run_ledger})
    for (const std::uint64_t seed : {3u, 4u}) {
      const Outcome first = run(seed, false), second = run(seed, false);
      EXPECT_EQ(first.trace_hash, second.trace_hash) << "seed " << seed;
      EXPECT_EQ(first.steps, second.steps);
    }
  expect_alarms();
  EXPECT_EQ(run_hostile(3).trace_hash, run_hostile(3).trace_hash);
  EXPECT_NE(run_traffic(3).trace_hash, run_traffic(4).trace_hash);
}

}  // namespace
}  // namespace synod::sim
