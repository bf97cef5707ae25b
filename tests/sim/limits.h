// Memory and disk within limits: what the processes of a run hold, looked at all the time and at its end.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/sim/world.h"

namespace synod::sim {

// How much of one kind was held when that was nearest to the limit, and the limit then.
struct Held {
  std::size_t most = 0;
  std::size_t limit = 0;
};

class Limits {
 public:
  using Amount = std::function<std::size_t()>;

  explicit Limits(World& world) : world_(world) {}

  // `owner` never holds more of this kind than the limit. Both are asked every few milliseconds of the run.
  void add(std::string kind, std::string owner, Amount held, Amount limit);
  void add(std::string kind, std::string owner, Amount held, std::size_t limit);
  void watch();  // from now on
  void check();
  const std::map<std::string, Held>& held() const { return held_; }  // by kind

 private:
  struct Rule {
    std::string kind, owner;
    Amount held, limit;
  };
  World& world_;
  std::vector<Rule> rules_;
  std::map<std::string, Held> held_;
};

}  // namespace synod::sim
