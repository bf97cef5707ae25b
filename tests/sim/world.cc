#include "tests/sim/world.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

namespace synod::sim {

constexpr std::size_t kRecentLines = 200;

World::World(std::uint64_t seed) : random_(seeded_random(seed)), print_(std::getenv("SYNOD_SIM_TRACE") != nullptr) {}

void World::after(Duration delay, std::function<void()> action) {
  schedule_.emplace(std::make_pair(now_ + delay, next_++), std::move(action));
}

void World::run_until(Timestamp end) {
  while (!violation_ && !schedule_.empty() && schedule_.begin()->first.first <= end) {
    auto first = schedule_.extract(schedule_.begin());
    now_ = first.key().first;
    ++steps_;
    first.mapped()();
  }
  if (!violation_) now_ = std::max(now_, end);
}

void World::note(std::string_view text) {
  const std::string line = fmt::format("{} {}", now_.micros % 1'000'000'000'000, text);
  for (unsigned char c : line) hash_ = (hash_ ^ c) * 0x100000001b3;
  if (print_) std::fprintf(stderr, "%s\n", line.c_str());
  recent_.push_back(line);
  if (recent_.size() > kRecentLines) recent_.pop_front();
}

std::string World::trace_hash() const { return fmt::format("{:016x}", hash_); }

std::string World::trace_end() const {
  std::string text;
  for (const auto& line : recent_) text += line + "\n";
  return text;
}

void World::violate(std::string what) {
  if (violation_) return;
  note("VIOLATION " + what);
  violation_ = std::move(what);
}

void Process::start() {
  if (up_) return;
  up_ = true;
  world_.note(name_ + " starts");
  boot();
}

void Process::crash(bool machine) {
  if (!up_ && !machine) return;
  world_.note(name_ + (machine ? " loses its machine" : " is killed"));
  if (up_) ++life_;
  up_ = false;
  halt(machine);
}

void Process::after(Duration delay, std::function<void()> action) {
  world_.after(delay, [this, life = life_, action = std::move(action)] {
    if (up_ && life == life_) action();
  });
}

Duration Network::some_delay() {
  const Duration delay = world_.between(faults.min_delay, faults.max_delay);
  return world_.chance(faults.straggler_per_mille) ? delay + world_.between({}, faults.max_straggle) : delay;
}

void Network::send(const Process& from, Process& to, std::function<void()> action) {
  if (!to.up()) return;
  const std::size_t copies = world_.chance(faults.duplicate_per_mille) ? 2 : 1;
  for (std::size_t copy = 0; copy < copies; ++copy) {
    if (world_.chance(faults.loss_per_mille)) continue;
    world_.after(some_delay(), [this, &to, peer = key(from, to), life = to.life(), action] {
      if (to.up() && to.life() == life && !cut_.contains(peer)) action();
    });
  }
}

void Network::stream(const Process& from, Process& to, std::function<void()> action) {
  if (!to.up() || world_.chance(faults.loss_per_mille / 4)) return;  // a loss costs a stream more than a call
  Timestamp& latest = stream_times_[{from.name(), to.name()}];
  latest = std::max(latest.next(), world_.now() + some_delay());
  world_.after(latest - world_.now(), [this, &to, peer = key(from, to), life = to.life(), action = std::move(action)] {
    if (to.up() && to.life() == life && !cut_.contains(peer)) action();
  });
}

}  // namespace synod::sim
