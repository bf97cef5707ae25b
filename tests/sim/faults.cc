#include "tests/sim/faults.h"

namespace synod::sim {
namespace {

constexpr Duration kSmallSkew = Duration::milliseconds(40);  // of clocks that are in order
constexpr Duration kLongestAbsence = Duration::seconds(2);

}  // namespace

void Faults::begin(Timestamp until) {
  until_ = until;
  Random& random = world_.random();
  const auto level = random.below(4);  // 0: a good day
  network_.faults.loss_per_mille = static_cast<std::uint32_t>(level * random.below(50));
  network_.faults.duplicate_per_mille = static_cast<std::uint32_t>(level * random.below(50));
  network_.faults.straggler_per_mille = static_cast<std::uint32_t>(level * random.below(40));
  pace_ = level == 0 ? Duration::seconds(1000) : Duration::milliseconds(static_cast<std::int64_t>(3000 / level));
  for (const Victim& victim : victims_) victim.process->set_skew(world_.between(kSmallSkew * -1, kSmallSkew));
  if (level > 0)
    world_.after(world_.between(Duration::milliseconds(500), until - world_.now()), [this] { black_out(); });
  next();
}

void Faults::next() {
  world_.after(world_.between(Duration::milliseconds(50), pace_), [this] {
    if (world_.now() >= until_) return;
    strike();
    next();
  });
}

void Faults::strike() {
  Random& random = world_.random();
  Victim& victim = victims_[random.below(victims_.size())];
  switch (random.below(clocks_jump_ ? 9 : 6)) {
    case 0:
    case 1:
    case 2: {  // dies, and comes back after a while
      if (!victim.process->up()) return;
      ++crashes_;
      victim.process->crash(world_.chance(500));
      start_later(*victim.process);
      return;
    }
    case 3: {  // two cannot talk for a while
      Victim& other = victims_[random.below(victims_.size())];
      world_.note("cut " + victim.process->name() + " from " + other.process->name());
      network_.cut(*victim.process, *other.process);
      world_.after(world_.between(Duration::milliseconds(50), Duration::seconds(2)),
                   [this, a = victim.process, b = other.process] { network_.join(*a, *b); });
      return;
    }
    case 4: {  // a disk is full for a while
      if (!victim.disk) return;
      world_.note("disk full at " + victim.process->name());
      victim.disk->set_full(true);
      world_.after(world_.between(Duration::milliseconds(50), Duration::seconds(1)),
                   [disk = victim.disk] { disk->set_full(false); });
      return;
    }
    case 5: {
      world_.note("log read-only");
      log_.set_read_only(true);
      world_.after(world_.between(Duration::milliseconds(50), Duration::milliseconds(500)),
                   [this] { log_.set_read_only(false); });
      return;
    }
    default: {
      std::vector<Process*> with_clock;
      for (const Victim& other : victims_)
        if (other.clock) with_clock.push_back(other.process);
      return jump(*with_clock[random.below(with_clock.size())]);
    }
  }
}

void Faults::start_later(Process& process) {
  world_.after(world_.between(Duration::milliseconds(1), kLongestAbsence), [&process] { process.start(); });
}

// Sometimes again while not all are back.
void Faults::black_out() {
  if (world_.now() >= until_) return;
  ++blackouts_;
  world_.note("all machines at once");
  for (const Victim& victim : victims_) victim.process->crash(true);
  for (const Victim& victim : victims_) start_later(*victim.process);
  if (world_.chance(300))
    world_.after(world_.between(Duration::milliseconds(1), kLongestAbsence), [this] { black_out(); });
}

void Faults::jump(Process& process) {
  ++jumps_;
  const Duration by = world_.between(Duration::seconds(-6 * 3600), Duration::seconds(6 * 3600));
  world_.note("clock of " + process.name() + " jumps by " + std::to_string(by.micros));
  process.set_skew(by);
  world_.after(world_.between(Duration::milliseconds(50), Duration::seconds(3)),
               [this, &process] { process.set_skew(world_.between(kSmallSkew * -1, kSmallSkew)); });
}

void Faults::heal() {
  world_.note("all faults heal");
  network_.heal();
  log_.set_read_only(false);
  for (const Victim& victim : victims_) {
    if (victim.disk) victim.disk->set_full(false);
    if (clocks_jump_) victim.process->set_skew({});
    victim.process->start();
  }
}

}  // namespace synod::sim
