#include "tests/sim/limits.h"

#include <fmt/format.h>

namespace synod::sim {

constexpr Duration kLook = Duration::milliseconds(5);

void Limits::add(std::string kind, std::string owner, Amount held, Amount limit) {
  rules_.push_back({std::move(kind), std::move(owner), std::move(held), std::move(limit)});
}

void Limits::add(std::string kind, std::string owner, Amount held, std::size_t limit) {
  add(std::move(kind), std::move(owner), std::move(held), [limit] { return limit; });
}

void Limits::watch() {
  check();
  world_.after(kLook, [this] { watch(); });
}

void Limits::check() {
  for (const Rule& rule : rules_) {
    const std::size_t held = rule.held(), limit = rule.limit();
    Held& known = held_[rule.kind];
    if (held * known.limit >= known.most * limit) known = {held, limit};  // nearest to its limit
    if (held > limit)
      world_.violate(
          fmt::format("memory within limits: {} of {}: {}, allowed are {}", rule.kind, rule.owner, held, limit));
  }
}

}  // namespace synod::sim
