// Breaks things at random until it is told to stop, then mends them all.
#pragma once

#include <vector>

#include "storage/memory/memory_store.h"
#include "tests/sim/sim_log.h"
#include "tests/sim/world.h"

namespace synod::sim {

class Faults {
 public:
  Faults(World& world, Network& network, SimLog& log) : world_(world), network_(network), log_(log) {}

  // `clock`: whether let_clocks_jump() concerns it.
  void add(Process& process, storage::MemoryStore* disk_that_may_fill, bool clock = false) {
    victims_.push_back({&process, disk_that_may_fill, clock});
  }
  // The sequencers' clocks may jump by hours, and back.
  void let_clocks_jump() { clocks_jump_ = true; }
  // Chooses how bad this run is, and starts.
  void begin(Timestamp until);
  // Everything runs and every message arrives from now on.
  void heal();
  std::size_t crashes() const { return crashes_; }      // of one process
  std::size_t blackouts() const { return blackouts_; }  // of all machines at once
  std::size_t clock_jumps() const { return jumps_; }

 private:
  struct Victim {
    Process* process;
    storage::MemoryStore* disk;
    bool clock;
  };
  void next();
  void strike();
  void black_out();
  void start_later(Process& process);
  void jump(Process& process);

  World& world_;
  Network& network_;
  SimLog& log_;
  std::vector<Victim> victims_;
  Timestamp until_;
  Duration pace_;
  std::size_t crashes_ = 0;
  std::size_t blackouts_ = 0;
  std::size_t jumps_ = 0;
  bool clocks_jump_ = false;
};

}  // namespace synod::sim
