// What a node takes from its surroundings, so that the simulator can give it something else: time, later actions,
// randomness. Cores get values (a timestamp, a seed); only shells hold an Env.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/bytes.h"
#include "base/time.h"

namespace synod {

using TimerId = std::uint64_t;  // 0 is never a timer

// Runs tasks one at a time, in the order in which they were posted; timers run in between when they are due.
// Thread rules: every method may be called from any thread; tasks run on the executor's own thread.
class Executor {
 public:
  virtual ~Executor() = default;
  virtual void post(std::function<void()> task) = 0;
  virtual TimerId after(Duration delay, std::function<void()> task) = 0;
  // Best effort: a task that is already due may still run. Unknown ids are ignored.
  virtual void cancel(TimerId timer) = 0;
};

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp now() const = 0;                  // wall clock
  virtual std::int64_t monotonic_micros() const = 0;  // never goes back; for measuring and timeouts
};

class Random {
 public:
  virtual ~Random() = default;
  virtual Bytes bytes(std::size_t count) = 0;  // cryptographically strong outside the simulator
  std::uint64_t u64();
  std::uint64_t below(std::uint64_t bound);  // uniform in [0, bound); bound > 0
  std::string uuid();                        // version 4, lower case
};

std::shared_ptr<Clock> system_clock();
std::shared_ptr<Random> system_random();
std::shared_ptr<Random> seeded_random(std::uint64_t seed);  // deterministic; tests and simulator only

}  // namespace synod
