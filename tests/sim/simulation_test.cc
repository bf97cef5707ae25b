// Many seeds of the simulation, other ones for each scenario. SYNOD_SIM_SEEDS sets how many a scenario, SYNOD_SIM_FIRST
// the first, SYNOD_SIM_TRACE=1 prints all that happens. A failing seed prints the line that replays it, and the one to
// keep in failed_seeds.txt.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <map>
#include <set>
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

// Unoptimised builds, with or without sanitizers, are much slower.
#ifdef NDEBUG
constexpr std::uint64_t kShare = 1;
#else
constexpr std::uint64_t kShare = 4;
#endif

struct Scenario {
  const char* name;     // in failed_seeds.txt
  std::uint64_t first;  // seed of an ordinary test run; no two scenarios use the same
  std::uint64_t count;  // of seeds then
  std::function<Outcome(std::uint64_t)> run;
};
const Scenario kLedger{"ledger", 1, 75 / kShare, [](std::uint64_t seed) { return run_ledger(seed); }};
const Scenario kTraffic{"traffic", 1001, 100 / kShare, [](std::uint64_t seed) { return run_traffic(seed); }};
const Scenario kHostile{"hostile", 2001, 25 / kShare, [](std::uint64_t seed) { return run_hostile(seed); }};
const Scenario kJumping{"jumping-clocks", 3001, 50 / kShare,
                        [](std::uint64_t seed) { return seed % 2 ? run_ledger(seed, true) : run_traffic(seed, true); }};
const Scenario* const kScenarios[] = {&kLedger, &kTraffic, &kHostile, &kJumping};

// A hostile member is noticed: that is what alarms are for.
void expect_alarms() { synod::testing::expect_log("ALARM"); }

void run_seeds(const std::string& test, const Scenario& scenario,
               const std::function<void(const Outcome&)>& look = nullptr) {
  const std::uint64_t first = setting("SYNOD_SIM_FIRST", scenario.first);
  const std::uint64_t count = setting("SYNOD_SIM_SEEDS", scenario.count);
  std::size_t sequenced = 0, committed = 0, deliveries = 0, crashes = 0, blackouts = 0, blocks = 0, full_disks = 0;
  std::map<std::string, Held> held;
  const auto begin = std::chrono::steady_clock::now();
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const Outcome outcome = scenario.run(seed);
    if (look) look(outcome);
    full_disks += outcome.full_disks;
    sequenced += outcome.sequenced;
    committed += outcome.committed;
    deliveries += outcome.deliveries;
    crashes += outcome.crashes;
    blackouts += outcome.blackouts;
    for (const auto& [kind, amount] : outcome.held)
      if (amount.most * held[kind].limit >= held[kind].most * amount.limit) held[kind] = amount;
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
  std::cout << count << " seeds from " << first << " in " << millis << " ms: " << blocks << " blocks, " << sequenced
            << " messages, " << committed << " committed commands, " << deliveries << " deliveries, " << crashes
            << " crashes, " << blackouts << " of all at once, " << full_disks << " members stopped by full disks\n";
  for (const auto& [kind, amount] : held)
    std::cout << "  " << kind << ": at most " << amount.most << " of " << amount.limit << "\n";
  if (count >= 20) {
    EXPECT_GT(crashes, count) << "faults must bite";
    EXPECT_GT(blackouts, count / 2);
    EXPECT_GT(full_disks, count / 10);
    for (const auto& [kind, amount] : held) EXPECT_GT(amount.most, 0u) << kind << ": nobody has ever held any";
  }
  EXPECT_GT(sequenced + blocks, 0u);
}

TEST(Simulation, LedgersKeepTheirPromises) { run_seeds("Simulation.LedgersKeepTheirPromises", kLedger); }

TEST(Simulation, TrafficKeepsItsPromises) { run_seeds("Simulation.TrafficKeepsItsPromises", kTraffic); }

TEST(Simulation, AHostileMemberHarmsNobody) {
  expect_alarms();
  std::size_t misdeeds = 0, committed = 0;
  run_seeds("Simulation.AHostileMemberHarmsNobody", kHostile, [&](const Outcome& outcome) {
    misdeeds += outcome.misdeeds;
    committed += outcome.committed;
  });
  EXPECT_GT(misdeeds, 0u);
  EXPECT_GT(committed, 0u);
}

// What the others promise holds as well, and time passes: nobody waits for hours for the clocks to meet again.
TEST(Simulation, ClocksMayJumpByHours) {
  std::size_t jumps = 0;
  run_seeds("Simulation.ClocksMayJumpByHours", kJumping, [&](const Outcome& outcome) { jumps += outcome.clock_jumps; });
  EXPECT_GT(jumps, 0u);
}

#ifdef NDEBUG
TEST(Simulation, AtLeastTwoHundredSeedsAreRun) {
  std::set<std::uint64_t> seeds;
  std::uint64_t runs = 0;
  for (const Scenario* scenario : kScenarios) {
    runs += scenario->count;
    for (std::uint64_t i = 0; i < scenario->count; ++i) seeds.insert(scenario->first + i);
  }
  EXPECT_EQ(seeds.size(), runs) << "two scenarios use the same seed";
  EXPECT_GE(seeds.size(), 200u);
}
#endif

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
    for (const Scenario* scenario : kScenarios)
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
