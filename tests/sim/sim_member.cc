#include "tests/sim/sim_member.h"

#include <fmt/format.h>

#include "sequencer/client/requests.h"

namespace synod::sim {

namespace client = sequencer::client;

constexpr Duration kCallTimeout = Duration::milliseconds(400);
constexpr Duration kGapPatience = Duration::milliseconds(10);
constexpr Duration kWatch = Duration::milliseconds(100);
constexpr Duration kSilence = Duration::milliseconds(700);  // then another subscription
constexpr Duration kTickDelay = Duration::milliseconds(300);
constexpr Duration kSpaceWatch = Duration::milliseconds(100);  // how often a full disk is tried again

SimMember::SimMember(World& world, Network& network, Promises& promises, std::vector<SimSequencer*> sequencers,
                     protocol::Member self, std::vector<storage::Column> columns)
    : Process(world, self.uid().name()),
      promises_(promises),
      network_(network),
      sequencers_(std::move(sequencers)),
      self_(std::move(self)),
      deployment_(Deployment::instance()),
      columns_(columns),
      store_({std::move(columns), true}) {}

void SimMember::boot() {
  Tracker::Limits limits;
  limits.amplification = {2, Duration::milliseconds(500)};
  limits.min_retry_delay = Duration::milliseconds(10);
  limits.max_retry_delay = Duration::milliseconds(500);
  life_state_ = std::make_unique<Life>(limits);
  life_state_->logic = make_logic();
  if (!life_state_->logic) return;
  const auto resume = life_state_->logic->resume();
  life_state_->validator.emplace(deployment_.genesis.synchronizer, 1, resume);
  while (!processed_.empty() && (!resume || processed_.back() > resume->timestamp)) processed_.pop_back();
  subscribe();
  watch();
  begin();
}

void SimMember::halt(bool machine) {
  life_state_.reset();
  if (!machine) return;
  ++machine_losses_;
  store_.lose_unsynced(world_.random().below(store_.unsynced_batches() + 1));
}

std::optional<Timestamp> SimMember::last_timestamp() const {
  if (processed_.empty()) return std::nullopt;
  return processed_.back();
}

// --- sending
// -----------------------------------------------------------------------------------------------------------

bool SimMember::carry_out(NodeEffects effects) {
  if (life_state_->stopping) return false;
  if (!effects.writes.empty()) {
    const auto written = store_.write(effects.writes, effects.sync ? storage::Sync::yes : storage::Sync::no);
    if (!written && written.error().id != "STORAGE_FULL")
      world_.violate(name() + " cannot write: " + written.error().to_string());
    if (!written) return stop_until_there_is_space(), false;
  }
  if (effects.after_writes) effects.after_writes();
  for (auto& next : effects.sends) send(std::move(next));
  for (const Timestamp time : effects.await_times) life_state_->awaited.insert(time);
  pump_sends();
  return true;
}

void SimMember::stop_until_there_is_space() {
  world_.note(name() + " stops: its disk is full");
  life_state_->stopping = true;
  ++full_disks_;
  after({}, [this] {
    crash(false);
    come_back();
  });
}

void SimMember::come_back() {
  world_.after(kSpaceWatch, [this] {
    if (up()) return;
    if (!store_.get(columns_.front(), "any")) return world_.violate(name() + " cannot be read while its disk is full");
    storage::WriteBatch probe;
    probe.put(columns_.front(), "probe", "");
    if (!store_.write(probe, storage::Sync::no)) return come_back();
    start();
  });
}

void SimMember::send(NodeEffects::Send send) {
  if (send.delay.micros > 0) {
    after(std::exchange(send.delay, {}), [this, send] {
      this->send(send);
      pump_sends();
    });
    return;
  }
  const std::string id = send.submission.message_id;
  const auto last = last_timestamp();
  const auto snapshot = life_state_->logic->snapshot_at(last.value_or(clock()).next());
  const auto key = client::protocol_key(keys(), self_, snapshot);
  if (!key) return world_.violate(name() + " has no key: " + key.error().to_string());
  if (eavesdropper) life_state_->heard[id] = send.submission;
  const bool repeatable = send.amplify && send.submission.max_sequencing_time < Timestamp::max();
  const auto request = client::make_request(self_, std::move(send.submission), repeatable);
  if (const auto added = life_state_->tracker.add(id, request.max_sequencing_time, repeatable, mono()); !added)
    return world_.violate(name() + " cannot send: " + added.error().to_string());
  world_.note(fmt::format("{} sends {}", name(), id));
  life_state_->report_failure[id] = send.report_failure;
  life_state_->signed_requests[id] =
      client::signed_submission(request, *key, last ? std::optional(last->next()) : std::nullopt);
}

void SimMember::pump_sends() {
  std::vector<client::Completion> completions;
  for (const std::string& id : life_state_->tracker.due(mono())) {
    const auto excluded = life_state_->tracker.excluded(id);
    std::vector<std::size_t> candidates;
    for (std::size_t i = 0; i < sequencers_.size(); ++i)
      if (!excluded.contains(sequencers_[i]->self())) candidates.push_back(i);
    if (!candidates.empty())
      attempt(id, candidates[world_.random().below(candidates.size())]);
    else if (auto completion = life_state_->tracker.no_connection(id, mono()))
      completions.push_back(std::move(*completion));
  }
  complete(std::move(completions));
}

void SimMember::attempt(const std::string& id, std::size_t index) {
  SimSequencer& sequencer = *sequencers_[index];
  life_state_->tracker.started(id, index, sequencer.self(), mono());
  const auto answered = std::make_shared<bool>(false);
  const auto reply = [this, id, index, answered](const Status& status) {
    if (std::exchange(*answered, true)) return;
    std::vector<client::Completion> completions;
    if (status) {
      life_state_->tracker.accepted(id, index);
    } else {
      world_.note(fmt::format("{} {} refused by {}: {}", name(), id, index, status.error().id));
      if (auto completion = life_state_->tracker.refused(id, index, status.error(), mono()))
        completions.push_back(std::move(*completion));
    }
    complete(std::move(completions));
    pump_sends();
  };
  network_.send(*this, sequencer,
                [this, &sequencer, life = life(), request = life_state_->signed_requests.at(id), reply] {
                  if (up() && this->life() == life) sequencer.send(*this, self_, request, reply);
                });
  // The call ends without an answer: what the sequencer did is not known.
  after(kCallTimeout, [reply] {
    reply(fail(Error("DEADLINE_EXCEEDED", ErrorCategory::deadline_exceeded_state_unknown, "no answer")));
  });
}

void SimMember::complete(std::vector<client::Completion> completions) {
  for (const auto& completion : completions) {
    const auto& [id, result] = completion;
    world_.note(fmt::format("{} {} {}", name(), id, result ? "sequenced" : result.error().id));
    life_state_->signed_requests.erase(id);
    auto heard = life_state_->heard.extract(id);
    if (result && !heard.empty()) eavesdropper(heard.mapped(), *result);
    if (life_state_->tick_in_flight == id) {
      life_state_->tick_in_flight.reset();
      continue;
    }
    finished(id, result);
    const bool report = life_state_->report_failure[id];
    life_state_->report_failure.erase(id);
    if (life_state_->stopping) return;
    if (result || report) carry_out(life_state_->logic->on_result(id, result));
  }
}

// --- receiving
// ---------------------------------------------------------------------------------------------------------

void SimMember::subscribe() {
  Life& life_now = *life_state_;
  if (life_now.subscription != 0) life_now.validator->unsubscribed(sequencers_[life_now.source]->self());
  life_now.source = world_.random().below(sequencers_.size());
  life_now.subscription = ++subscriptions_;
  life_now.next_index = 0;
  life_now.last_heard = world_.now();
  SimSequencer& sequencer = *sequencers_[life_now.source];
  life_now.validator->subscribed(sequencer.self());
  network_.send(*this, sequencer,
                [this, &sequencer, life = life(), subscription = life_now.subscription,
                 from = life_now.validator->resume_timestamp()] {
                  if (!up() || this->life() != life) return;
                  sequencer.subscribe(
                      *this, self_, subscription, from,
                      [this](std::uint64_t s, std::uint64_t i, const Bytes& bytes) { received(s, i, bytes); });
                });
}

void SimMember::watch() {
  after(kWatch, [this] {
    notice_lost_connections();
    if (world_.now() - life_state_->last_heard >= kSilence) subscribe();
    tick_if_needed();
    pump_sends();
    watch();
  });
}

// A connection does not survive the process at its other end.
void SimMember::notice_lost_connections() {
  for (std::size_t i = 0; i < sequencers_.size(); ++i) {
    const std::uint64_t now = sequencers_[i]->life();
    const auto [known, fresh] = life_state_->known_lives.try_emplace(i, now);
    if (known->second == now) continue;
    known->second = now;
    complete(life_state_->tracker.connection_lost(i, mono()));
  }
}

void SimMember::received(std::uint64_t subscription, std::uint64_t index, const Bytes& bytes) {
  Life& life_now = *life_state_;
  if (life_now.stopping) return;
  if (subscription != life_now.subscription || index < life_now.next_index) return;
  if (index > life_now.next_index) {  // something is missing: begin again where it was
    if (world_.now() - life_now.last_heard >= kGapPatience) subscribe();
    return;
  }
  ++life_now.next_index;
  life_now.last_heard = world_.now();
  const auto& sequencer = sequencers_[life_now.source]->self();
  auto event = client::ReceivedEvent::parse(bytes, {});
  if (!event) return world_.violate(name() + " cannot parse an event: " + event.error().to_string());
  if (const auto taken = life_now.validator->add(sequencer, std::move(*event)); !taken)
    return world_.violate(name() + " refuses an event: " + taken.error().to_string());
  const auto check = [&](const protocol::Member& signer, const client::ReceivedEvent& candidate) -> Status {
    for (const auto& signature : candidate.content.signatures)
      SYNOD_RETURN_IF_ERROR(life_state_->logic->snapshot_at(candidate.event.timestamp)
                                .verify(signer, crypto::KeyUsage::protocol, candidate.hash, signature));
    return {};
  };
  while (true) {
    const auto step = life_now.validator->next(check);
    for (const auto& fault : step.faults) world_.violate(name() + " finds fault: " + fault.error.to_string());
    if (!step.deliver || world_.violation() || life_now.stopping) return;
    process(*step.deliver);
  }
}

void SimMember::process(const client::ReceivedEvent& received) {
  const protocol::SequencedEvent& event = received.event;
  promises_.delivered(self_, event, received.hash);
  world_.note(
      fmt::format("{} gets {} {}", name(), event.timestamp.micros, to_hex(received.hash.digest().substr(0, 4))));
  NodeEffects effects = life_state_->logic->on_event(event, received.hash);
  if (world_.violation()) return;
  auto& awaited = life_state_->awaited;
  awaited.erase(awaited.begin(), awaited.upper_bound(event.timestamp));
  processed_.push_back(event.timestamp);  // a new life takes back what it has not stored
  if (!carry_out(std::move(effects))) return;
  std::optional<Error> rejection;
  if (event.error) rejection = Error("REJECTED", ErrorCategory::invalid_state_other, event.error->message);
  complete(life_state_->tracker.observed(event.message_id, event.timestamp, rejection));
}

Timestamp SimMember::time() {
  return life_state_->forward_clock.now(clock(), mono(), last_timestamp().value_or(Timestamp::min()));
}

// Waits for a time are helped by an empty submission.
void SimMember::tick_if_needed() {
  auto due = life_state_->tracker.earliest_deadline();
  if (due && *due == Timestamp::max()) due.reset();
  if (due) due = due->next();
  if (!life_state_->awaited.empty() && (!due || *life_state_->awaited.begin() < *due))
    due = *life_state_->awaited.begin();
  if (!due || *due + kTickDelay > time() || life_state_->tick_in_flight) return;
  NodeEffects::Send tick;
  tick.submission.message_id = "tick-" + world_.random().uuid();
  tick.submission.max_sequencing_time = Timestamp::max();
  tick.amplify = false;
  life_state_->tick_in_flight = tick.submission.message_id;
  send(std::move(tick));
}

}  // namespace synod::sim
