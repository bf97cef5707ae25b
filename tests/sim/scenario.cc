#include "tests/sim/scenario.h"

#include <fmt/format.h>

#include <algorithm>

#include "tests/sim/faults.h"
#include "tests/sim/hostile_member.h"
#include "tests/sim/mediator_member.h"
#include "tests/sim/participant_member.h"
#include "tests/sim/traffic.h"

namespace synod::sim {
namespace {

constexpr Duration kFaultyTime = Duration::seconds(8);
constexpr Duration kQuietTime = Duration::seconds(40);  // at most; until all has settled

// What may be held, where no configuration of a process says it. A request ends with its deadline, and only so many can
// be made until then.
constexpr std::size_t kPendingSends = 50;         // of a member
constexpr std::size_t kRequestsUnderWay = 30;     // at a participant, at the mediator
constexpr std::size_t kUnconfirmedVerdicts = 45;  // of the mediator
// A disk holds the genesis, and so many bytes for each KiB that is ordered.
constexpr std::size_t kDiskAtFirst = 64u << 10;
constexpr std::size_t kSequencerPerLogKiB = 1024;
constexpr std::size_t kMemberPerLogKiB = 512;

// The parts that every scenario has.
struct Base {
  explicit Base(std::uint64_t seed)
      : world(seed), network(world), log(world, network), promises(world), limits(world), faults(world, network, log) {
    const Deployment& deployment = Deployment::instance();
    for (const auto& member : deployment.sequencers)
      sequencers.push_back(std::make_unique<SimSequencer>(world, network, log, promises, member));
    faults.add(log, nullptr);
    for (const auto& sequencer : sequencers) faults.add(*sequencer, &sequencer->store(), true);
  }
  std::vector<SimSequencer*> all_sequencers() const {
    std::vector<SimSequencer*> all;
    for (const auto& sequencer : sequencers) all.push_back(sequencer.get());
    return all;
  }
  Limits::Amount disk_limit(std::size_t per_log_kib) const {
    return [this, per_log_kib] { return kDiskAtFirst + (per_log_kib * log.bytes() >> 10); };
  }
  void limit(SimMember& member) {
    limits.add("sends without an outcome", member.name(), [&] { return member.unfinished_sends(); }, kPendingSends);
    limits.add(
        "bytes of a member's disk", member.name(), [&] { return member.store().bytes(); },
        disk_limit(kMemberPerLogKiB));
  }
  void limit(SimSequencer& sequencer) {
    limits.add(
        "bytes waiting to be sealed", sequencer.name(), [&] { return sequencer.waiting_bytes(); },
        SimSequencer::limits().max_waiting_bytes);
    limits.add(
        "batches not ordered", sequencer.name(), [&] { return sequencer.unordered_batches(); },
        SimSequencer::limits().max_unordered_batches);
    limits.add(
        "bytes of a sequencer's disk", sequencer.name(), [&] { return sequencer.store().bytes(); },
        disk_limit(kSequencerPerLogKiB));
  }
  void limit(const ParticipantMember& participant) {
    limits.add(
        "commands in flight", participant.name(), [&] { return participant.in_flight_submissions(); },
        ParticipantMember::kMaxInFlight);
    limits.add(
        "requests under way at a participant", participant.name(), [&] { return participant.in_flight_requests(); },
        kRequestsUnderWay);
  }
  void limit(const MediatorMember& mediator) {
    limits.add(
        "requests under way at the mediator", mediator.name(), [&] { return mediator.pending_requests(); },
        kRequestsUnderWay);
    limits.add(
        "verdicts without a receipt", mediator.name(), [&] { return mediator.unconfirmed_verdicts(); },
        kUnconfirmedVerdicts);
  }

  void start() {
    for (const auto& sequencer : sequencers) limit(*sequencer);
    limits.watch();
    log.start();
    for (const auto& sequencer : sequencers) sequencer->start();
  }

  // What is still under way; empty when everything handed in is decided and everybody has caught up.
  std::string unsettled(const std::vector<SimMember*>& members) const {
    const std::int64_t height = static_cast<std::int64_t>(log.blocks().size());
    for (const auto& sequencer : sequencers) {
      if (sequencer->core()->next_height().value != height) return sequencer->name() + " is behind the log";
      if (sequencer->core()->wake_at())
        return sequencer->name() + " waits for " + sequencer->core()->wake_at()->to_string();
    }
    for (SimMember* member : members) {
      if (!member->works()) return member->name() + " has stopped";
      if (member->unfinished_sends() > 0) return member->name() + " has sends without an outcome";
      if (!member->idle()) return member->name() + " has something of its own under way";
    }
    return "";
  }
  bool settle(const std::vector<SimMember*>& members) {
    const Timestamp limit = world.now() + kQuietTime;
    while (!world.violation() && world.now() < limit && !unsettled(members).empty())
      world.run_until(world.now() + Duration::milliseconds(500));
    if (const std::string what = unsettled(members); !world.violation() && !what.empty())
      world.violate("progress: not everything settles after all faults have healed: " + what);
    return !world.violation();
  }

  // `last_check` may start something more; it runs when all is settled.
  void run_to_the_end(const std::vector<SimMember*>& members, const std::function<void()>& last_check = nullptr) {
    const Timestamp begin = world.now();
    faults.begin(begin + kFaultyTime);
    world.run_until(begin + kFaultyTime);
    if (world.violation()) return;
    faults.heal();
    if (!settle(members)) return;
    if (last_check) last_check();
    if (world.violation()) return;
    world.run_until(world.now() + Duration::seconds(2));  // subscriptions that were silent are made anew
    // One of them may have asked what time it is just now.
    const Timestamp limit = world.now() + kQuietTime;
    std::string difference = difference_of(members);
    while (!world.violation() && world.now() < limit && !difference.empty()) {
      world.run_until(world.now() + Duration::milliseconds(50));
      difference = difference_of(members);
    }
    if (!difference.empty()) world.violate(difference);
    if (!world.violation()) promises.check_reports();
  }

  // Every sequencer holds the same events for every member, and the member has processed exactly those: empty then.
  std::string difference_of(const std::vector<SimMember*>& members) {
    for (SimMember* member : members) {
      const auto first = sequencers.front()->all_events(member->self());
      if (!first) return "events cannot be read: " + first.error().to_string();
      for (const auto& sequencer : sequencers) {
        const auto events = sequencer->all_events(member->self());
        bool same = events && events->size() == first->size();
        for (std::size_t i = 0; same && i < events->size(); ++i) same = (*events)[i].content == (*first)[i].content;
        if (!same) return "identical bytes: " + sequencer->name() + " holds other events for " + member->name();
      }
      std::vector<Timestamp> times;
      for (const auto& event : *first) times.push_back(event.timestamp);
      if (times != member->processed())
        return fmt::format("no event lost: {} has processed {} of {} events", member->name(),
                           member->processed().size(), times.size());
    }
    return "";
  }

  Outcome outcome(const std::vector<SimMember*>& members) {
    Outcome outcome;
    for (const SimMember* member : members) outcome.full_disks += member->full_disks();
    if (!world.violation()) limits.check();
    outcome.held = limits.held();
    outcome.violation = world.violation();
    outcome.trace_hash = world.trace_hash();
    outcome.trace_end = world.trace_end();
    outcome.steps = world.steps();
    outcome.sequenced = promises.sequenced();
    outcome.deliveries = promises.deliveries();
    outcome.crashes = faults.crashes();
    outcome.blackouts = faults.blackouts();
    outcome.clock_jumps = faults.clock_jumps();
    outcome.blocks = log.blocks().size();
    return outcome;
  }

  World world;
  Network network;
  SimLog log;
  Promises promises;
  Limits limits;
  Faults faults;
  std::vector<std::unique_ptr<SimSequencer>> sequencers;
};

}  // namespace

Outcome run_traffic(std::uint64_t seed, bool clocks_jump) {
  Base base(seed);
  if (clocks_jump) base.faults.let_clocks_jump();
  const Deployment& deployment = Deployment::instance();
  std::vector<std::unique_ptr<TrafficMember>> members;
  auto all = deployment.participants;
  all.push_back(deployment.mediator);
  for (const auto& member : all)
    members.push_back(std::make_unique<TrafficMember>(base.world, base.network, base.promises, base.all_sequencers(),
                                                      member, base.world.now() + kFaultyTime));
  std::vector<SimMember*> views;
  for (const auto& member : members) {
    base.faults.add(*member, &member->store());
    base.limit(*member);
    views.push_back(member.get());
  }
  base.start();
  for (const auto& member : members) member->start();
  base.run_to_the_end(views);
  if (!base.world.violation()) {
    const auto expected =
        topology::snapshot_hash(base.sequencers.front()->core()->topology().export_at(Timestamp::max()));
    for (const auto& member : members)
      if (topology::snapshot_hash(member->topology()->export_at(Timestamp::max())) != expected)
        base.world.violate("identical topology: " + member->name() + " has another one than the sequencers");
  }
  return base.outcome(views);
}

namespace {

Outcome run_participants(std::uint64_t seed, bool clocks_jump, bool with_hostile_member) {
  Base base(seed);
  if (clocks_jump) base.faults.let_clocks_jump();
  const Deployment& deployment = Deployment::instance();
  LedgerPromises promises(base.world);
  std::vector<std::unique_ptr<ParticipantMember>> participants;
  MediatorMember mediator(base.world, base.network, base.promises, base.all_sequencers());
  std::vector<SimMember*> members{&mediator};
  for (const auto& member : deployment.participants) {
    participants.push_back(std::make_unique<ParticipantMember>(base.world, base.network, base.promises, promises,
                                                               base.all_sequencers(), member,
                                                               base.world.now() + kFaultyTime));
    members.push_back(participants.back().get());
  }
  HostileMember hostile(base.world, base.network, base.promises, base.all_sequencers(), base.world.now() + kFaultyTime);
  if (with_hostile_member) {
    for (SimMember* member : members)
      member->eavesdropper = [&hostile](const auto& submission, Timestamp at) { hostile.overhear(submission, at); };
    members.push_back(&hostile);
  }
  for (SimMember* member : members) {
    base.faults.add(*member, &member->store());
    base.limit(*member);
  }
  base.limit(mediator);
  for (const auto& participant : participants) base.limit(*participant);
  base.start();
  for (SimMember* member : members) member->start();
  base.run_to_the_end(members, [&] {
    // Everything has healed: new transactions between any two go through. Where a sequencer's clock is ahead, its first
    // batch takes the synchronizer's time with it, past the deadlines of what is under way: once for each sequencer.
    std::size_t attempts = clocks_jump ? base.sequencers.size() + 1 : 1;
    const auto succeeded = [](const auto& participant) { return participant->probe_succeeded(); };
    do {
      base.world.run_until(base.world.now() + Duration::seconds(3));
      for (const auto& participant : participants)
        if (!participant->probe())
          return base.world.violate("progress: a command is not taken after all faults have healed");
      if (!base.settle(members)) return;
    } while (--attempts > 0 && !std::all_of(participants.begin(), participants.end(), succeeded));
    for (const auto& participant : participants)
      if (!participant->probe_succeeded())
        return base.world.violate("progress: " + participant->name() + " cannot transact after all faults have healed");
  });
  if (!base.world.violation()) {
    std::map<std::string, const participant::LedgerReader*> readers;
    std::vector<std::unique_ptr<participant::LedgerStore>> ledgers;
    for (const auto& participant : participants) {
      for (const auto& id : participant->unanswered())
        base.world.violate("true reports: nothing was ever heard of " + id);
      ledgers.push_back(participant->ledger());
      readers[participant->self().uid().to_string()] = ledgers.back().get();
    }
    promises.check(readers);
  }
  Outcome outcome = base.outcome(members);
  outcome.committed = promises.committed();
  outcome.misdeeds = hostile.misdeeds();
  return outcome;
}

}  // namespace

Outcome run_ledger(std::uint64_t seed, bool clocks_jump) { return run_participants(seed, clocks_jump, false); }
Outcome run_hostile(std::uint64_t seed) { return run_participants(seed, false, true); }

}  // namespace synod::sim
