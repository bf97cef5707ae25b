#include "tests/sim/sim_sequencer.h"

#include <fmt/format.h>

#include <algorithm>

#include "sequencer/admission.h"
#include "sequencer/tick.h"

namespace synod::sim {

using sequencer::SequenceNumber;

constexpr Duration kLogGapPatience = Duration::milliseconds(10);
constexpr Duration kLogWatch = Duration::milliseconds(150);
constexpr Duration kTimeWatch = Duration::milliseconds(100);
constexpr Duration kTickInterval = Duration::milliseconds(500);
constexpr Duration kStoreRetry = Duration::milliseconds(100);

SimSequencer::SimSequencer(World& world, Network& network, SimLog& log, Promises& promises, protocol::Member self)
    : Process(world, self.uid().name()),
      network_(network),
      log_(log),
      promises_(promises),
      self_(std::move(self)),
      deployment_(Deployment::instance()),
      store_({sequencer::store_columns(), true}) {}

// Small, so that a log that does not answer for a while makes it turn requests away.
const sequencer::WriterConfig& SimSequencer::limits() {
  static const sequencer::WriterConfig config = [] {
    sequencer::WriterConfig small;
    small.max_waiting_bytes = 16u << 10;
    small.max_unordered_batches = 6;
    return small;
  }();
  return config;
}

void SimSequencer::boot() {
  life_state_ = std::make_unique<Life>();
  auto opened = sequencer::SequencerCore::open({deployment_.genesis.synchronizer, self_},
                                               {deployment_.static_parameters, deployment_.genesis.snapshot}, store_);
  if (!opened) return world_.violate(name() + " does not restart: " + opened.error().to_string());
  if (!opened->writes.empty() && !store_.write(opened->writes, storage::Sync::yes))
    return world_.violate(name() + " cannot write its first state");
  life_state_->core = std::move(opened->core);
  refresh_topology();
  life_state_->writer = std::make_unique<sequencer::Writer>(
      limits(), deployment_.genesis.synchronizer, self_,
      sequencer::Writer::first_number(life_state_->core->latest_number(self_), clock()),
      [this](const crypto::Hash& hash) -> Result<crypto::Signature> {
        const auto key = life_state_->signing.key_at(life_state_->core->last_time().next());
        if (!key) return fail(internal_error("no key"));
        return crypto::sign(hash, *key);
      });
  life_state_->writer->hold();
  life_state_->head_at_start = ordering::Height(static_cast<std::int64_t>(log_.blocks().size()) - 1);
  begin_sealing();
  world_.note(fmt::format("{} resumes at height {}", name(), life_state_->core->next_height().value));
  follow_log();
  watch_log();
  watch_time();
}

Timestamp SimSequencer::now() {
  return life_state_->forward_clock.now(clock(), world_.now().micros, life_state_->core->last_time());
}

void SimSequencer::halt(bool machine) {
  life_state_.reset();
  if (machine) store_.lose_unsynced(world_.random().below(store_.unsynced_batches() + 1));
}

// --- blocks
// ------------------------------------------------------------------------------------------------------------

void SimSequencer::follow_log() {
  life_state_->last_block_seen = world_.now();
  network_.send(*this, log_, [this, life = life(), next = life_state_->core->next_height()] {
    if (!up() || this->life() != life) return;
    log_.follow(*this, next, [this](const ordering::Block& block) { take(block); });
  });
}

void SimSequencer::watch_log() {
  after(kLogWatch, [this] {
    if (world_.now() - life_state_->last_block_seen >= kLogWatch) follow_log();
    watch_log();
  });
}

void SimSequencer::take(const ordering::Block& block) {
  if (life_state_->unapplied || block.height < life_state_->core->next_height()) return;
  if (block.height > life_state_->core->next_height()) {  // something was lost: ask for it, but not for each block
    if (world_.now() - life_state_->last_block_seen >= kLogGapPatience) follow_log();
    return;
  }
  life_state_->last_block_seen = world_.now();
  auto effects = life_state_->core->on_block(block);
  if (!effects) return world_.violate(name() + " refuses a block: " + effects.error().to_string());
  life_state_->unapplied = std::move(*effects);
  apply();
}

void SimSequencer::apply() {
  if (!store_.write(life_state_->unapplied->writes, storage::Sync::no)) {
    after(kStoreRetry, [this] { apply(); });
    return;
  }
  const sequencer::BlockEffects effects = std::move(*life_state_->unapplied);
  life_state_->unapplied.reset();
  const auto status = life_state_->core->status();
  world_.note(fmt::format("{} applies {} at {} state {}", name(), status.height.value, status.last_time.micros,
                          status.state_hash.substr(0, 8)));
  promises_.applied(status.height.value, status.state_hash, status.last_time);
  life_state_->writer->applied(life_state_->core->height(), life_state_->core->digest());
  if (effects.topology_changed) refresh_topology();
  std::set<protocol::Member> notified;
  for (const auto& event : effects.events)
    for (const auto& reader : event.readers) notified.insert(reader.member);
  for (const auto& member : notified) pump(member);
  for (const SequenceNumber number : effects.own) carry_out(life_state_->writer->on_ordered(number, now()));
  begin_sealing();
}

// Once the blocks are read that existed when it started.
void SimSequencer::begin_sealing() {
  if (life_state_->writer->held() && life_state_->core->height() >= life_state_->head_at_start)
    carry_out(life_state_->writer->begin(now()));
}

void SimSequencer::refresh_topology() {
  life_state_->signing = sequencer::SigningHistory(life_state_->core->topology(), self_, *deployment_.keys.at(self_));
  life_state_->signer.use(life_state_->signing);
}

// --- members
// -----------------------------------------------------------------------------------------------------------

void SimSequencer::send(Process& from, const protocol::Member& sender, const Bytes& signed_request,
                        std::function<void(Status)> reply) {
  const auto answer = [&](Status status) {
    network_.send(*this, from, [reply = std::move(reply), status = std::move(status)] { reply(status); });
  };
  const auto& core = *life_state_->core;
  const auto admitted =
      sequencer::admit_submission(signed_request, sender, core.current_snapshot(), std::max(clock(), core.last_time()));
  if (!admitted) return answer(fail(admitted.error()));
  auto effects = life_state_->writer->accept({sequencer::SubmissionEntry{signed_request}, ""}, now());
  if (!effects) return answer(fail(effects.error()));
  carry_out(std::move(*effects));
  answer({});
}

void SimSequencer::acknowledge(const protocol::Member& member, const Bytes& signed_request) {
  const auto& core = *life_state_->core;
  if (!sequencer::admit_acknowledgement(signed_request, member, core.current_snapshot(), core.last_time())) return;
  auto effects = life_state_->writer->accept({sequencer::AcknowledgementEntry{signed_request}, ""}, now());
  if (effects) carry_out(std::move(*effects));
}

void SimSequencer::subscribe(Process& from, const protocol::Member& member, std::uint64_t subscription,
                             std::optional<Timestamp> inclusive, Stream stream) {
  const auto known = life_state_->subscribers.find(member);
  if (known != life_state_->subscribers.end() && known->second.life == from.life() &&
      known->second.subscription >= subscription)
    return;  // a duplicate, or a late one
  life_state_->subscribers.insert_or_assign(
      member, Subscriber{&from, from.life(), subscription, inclusive.value_or(Timestamp::min()), 0, std::move(stream)});
  pump(member);
}

void SimSequencer::pump(const protocol::Member& member) {
  const auto found = life_state_->subscribers.find(member);
  const auto status = life_state_->core->member(member);
  if (found == life_state_->subscribers.end() || !status) return;
  Subscriber& to = found->second;
  const sequencer::EventReader reader(store_, deployment_.genesis.synchronizer);
  const auto events = reader.read(status->number, member, to.next, 1000, 16u << 20);
  if (!events) return world_.violate(name() + " cannot read its events: " + events.error().to_string());
  for (const auto& event : *events) {
    const auto signed_event = life_state_->signer.sign(status->number, event);
    if (!signed_event) return world_.violate(name() + " cannot sign: " + signed_event.error().to_string());
    to.next = event.timestamp.next();
    network_.stream(*this, *to.process,
                    [stream = to.stream, subscription = to.subscription, index = to.index++, bytes = *signed_event] {
                      stream(subscription, index, *bytes);
                    });
  }
}

Result<std::vector<sequencer::MemberEvent>> SimSequencer::all_events(const protocol::Member& member) const {
  const auto status = life_state_->core->member(member);
  if (!status) return std::vector<sequencer::MemberEvent>();
  return sequencer::EventReader(store_, deployment_.genesis.synchronizer)
      .read(status->number, member, Timestamp::min(), SIZE_MAX, SIZE_MAX);
}

// --- requests into the log
// ---------------------------------------------------------------------------------------------

void SimSequencer::carry_out(sequencer::Writer::Effects effects) {
  for (auto& submit : effects.submit) {
    const auto told = std::make_shared<bool>(false);  // one outcome for each submission, whatever the network does
    const auto outcome = [this, number = submit.number, told](ordering::SubmitOutcome result, bool again) {
      if (std::exchange(*told, true)) return;
      carry_out(life_state_->writer->on_submitted(number, result, again, now()));
    };
    network_.send(*this, log_, [this, life = life(), record = std::move(submit.record), outcome] {
      if (!up() || this->life() != life) return;
      log_.submit(*this, record, [outcome](const ordering::SubmitResult& result) {
        outcome(result.outcome, result.error.has_value());
      });
    });
    after(Duration::milliseconds(800), [outcome] { outcome(ordering::SubmitOutcome::unknown, true); });
  }
  if (!effects.call_again_at) return;
  auto& due = life_state_->writer_due;
  if (due && *due <= *effects.call_again_at && *due > now()) return;
  due = effects.call_again_at;
  after(std::max(*due - now(), Duration{}), [this, at = *due] {
    if (life_state_->writer_due == at) life_state_->writer_due.reset();
    carry_out(
        life_state_->writer->on_time(now(), ordering::Height(static_cast<std::int64_t>(log_.blocks().size()) - 1)));
  });
}

// --- time
// --------------------------------------------------------------------------------------------------------------

std::optional<Timestamp> SimSequencer::tick_due() {
  return sequencer::tick_due(*life_state_->core, self_, now(), life_state_->last_tick, kTickInterval);
}

void SimSequencer::watch_time() {
  after(kTimeWatch, [this] {
    if (const auto due = tick_due(); due && *due <= now() && !life_state_->unapplied) {
      life_state_->last_tick = now();
      carry_out(life_state_->writer->tick(now()));
    }
    watch_time();
  });
}

}  // namespace synod::sim
