#include "tests/sim/participant_member.h"

#include <fmt/format.h>

#include "tests/sim/programs.h"
#include "topology/broadcast.h"
#include "topology/manager.h"

namespace synod::sim {

namespace client = sequencer::client;
using lf::Value;

constexpr Duration kVettingRetry = Duration::seconds(2);

class ParticipantMember::Logic final : public NodeLogic {
 public:
  Logic(World& world, const Deployment& deployment, const protocol::Member& self, const storage::Store& store,
        LedgerPromises& promises)
      : world_(world), promises_(promises) {
    participant::CoreConfig config;
    config.participant = self;
    config.synchronizer = deployment.genesis.synchronizer;
    config.static_parameters = deployment.static_parameters;
    config.max_in_flight_submissions = kMaxInFlight;
    core_ = std::make_unique<participant::ParticipantCore>(config, store, *deployment.keys.at(self),
                                                           Programs::instance().engine, Programs::instance().packages,
                                                           world.random());
  }

  Status open(const Deployment& deployment, storage::Store& store) {
    SYNOD_RETURN_IF_ERROR(core_->load());
    if (core_->initialized()) return {};
    SYNOD_TRY(auto effects, core_->initialize(deployment.genesis.snapshot));
    return store.write(effects.writes, storage::Sync::yes);
  }

  NodeEffects convert(participant::Effects effects) const {
    NodeEffects result;
    result.writes = std::move(effects.writes);
    result.sync = effects.sync;
    for (auto& send : effects.sends)
      result.sends.push_back({std::move(send.submission), true, send.report_failure, {}});
    result.await_times = std::move(effects.await_times);
    result.after_writes = [&promises = promises_, completions = std::move(effects.completions)] {
      for (const auto& completion : completions) promises.completed(completion);
    };
    return result;
  }

  NodeEffects on_event(const protocol::SequencedEvent& event, const crypto::Hash& content_hash) override {
    auto effects = core_->on_event(event, content_hash, "");
    if (!effects) {
      world_.violate("a participant refuses an event: " + effects.error().to_string());
      return {};
    }
    return convert(std::move(*effects));
  }
  NodeEffects on_result(const std::string& message_id, const Result<Timestamp>& result) override {
    return result ? NodeEffects() : convert(core_->on_send_failed(message_id, result.error()));
  }
  topology::Snapshot snapshot_at(Timestamp timestamp) const override {
    return core_->topology().snapshot_at(timestamp);
  }
  const topology::TopologyState& topology() const override { return core_->topology(); }
  std::optional<client::ResumePoint> resume() const override {
    const auto last = core_->last_event();
    if (!last) return std::nullopt;
    return client::ResumePoint{last->timestamp, last->content_hash};
  }
  participant::ParticipantCore& core() { return *core_; }

 private:
  World& world_;
  LedgerPromises& promises_;
  std::unique_ptr<participant::ParticipantCore> core_;
};

ParticipantMember::ParticipantMember(World& world, Network& network, Promises& promises, LedgerPromises& ledger,
                                     std::vector<SimSequencer*> sequencers, protocol::Member self, Timestamp until)
    : SimMember(world, network, promises, std::move(sequencers), std::move(self),
                participant::ParticipantCore::columns()),
      ledger_promises_(ledger),
      until_(until) {}

ParticipantMember::Logic& ParticipantMember::mine() const { return static_cast<Logic&>(logic()); }

std::unique_ptr<NodeLogic> ParticipantMember::make_logic() {
  auto logic = std::make_unique<Logic>(world_, deployment(), self(), store(), ledger_promises_);
  if (const auto opened = logic->open(deployment(), store()); !opened) {
    world_.violate(name() + " does not restart: " + opened.error().to_string());
    return nullptr;
  }
  return logic;
}

void ParticipantMember::begin() {
  NodeEffects effects;
  effects.await_times = mine().core().deadlines();
  carry_out(std::move(effects));
  vet_packages();
  next_command();
}

std::size_t ParticipantMember::in_flight_submissions() const {
  return up() ? mine().core().in_flight_submissions() : 0;
}

std::size_t ParticipantMember::in_flight_requests() const { return up() ? mine().core().in_flight_requests() : 0; }

bool ParticipantMember::idle() const { return works() && in_flight_requests() == 0 && in_flight_submissions() == 0; }

std::unique_ptr<participant::LedgerStore> ParticipantMember::ledger() const {
  const auto& disk = const_cast<ParticipantMember*>(this)->store();
  auto opened =
      participant::LedgerStore::open(std::shared_ptr<const storage::Store>(&disk, [](const storage::Store*) {}));
  return opened ? std::move(*opened) : nullptr;
}

// --- topology
// ----------------------------------------------------------------------------------------------------------

void ParticipantMember::vet_packages() {
  const Programs& programs = Programs::instance();
  if (mine().core().current_snapshot().vetted(self(), programs.iou_package, clock())) return;
  topology::VettedPackages vetted{self().uid(), {}};
  for (const auto* package : programs.packages->all()) vetted.packages.push_back({package->id(), {}, {}});
  const topology::TopologyManager manager(mine().topology(), keys());
  if (auto transaction = manager.propose(vetted)) {
    NodeEffects::Send send;
    send.submission.message_id = fmt::format("{}-vet-{}", name(), ++counter_);
    send.submission.max_sequencing_time = time() + Duration::seconds(20);
    send.submission.envelopes.push_back(
        topology::broadcast_envelope(deployment().genesis.synchronizer, {*transaction}));
    NodeEffects effects;
    effects.sends.push_back(std::move(send));
    carry_out(std::move(effects));
  }
  after(kVettingRetry, [this] { vet_packages(); });
}

// --- commands
// ----------------------------------------------------------------------------------------------------------

std::string ParticipantMember::other_party() {
  const auto& all = deployment().participants;
  while (true) {
    const auto& other = all[world_.random().below(all.size())];
    if (other != self()) return other.uid().to_string();
  }
}

lf::Command ParticipantMember::create_ping(const std::string& responder) const {
  return lf::CreateCommand{{Programs::instance().ping_package, "Ping", "Ping"},
                           Value::record({Value::text("ping"), Value::party(party()), Value::party(responder)})};
}

lf::Command ParticipantMember::create_iou(const std::string& owner) const {
  const Value amount = Value::record({Value::numeric({1'000'000'000'000, 10}), Value::text("CHF")});
  return lf::CreateCommand{{Programs::instance().iou_package, "Iou", "Iou"},
                           Value::record({Value::party(party()), Value::party(owner), amount, Value::list({})})};
}

// Something that this party may do with the contract, if there is anything.
std::optional<lf::Command> ParticipantMember::act_on(const lf::ContractInstance& contract) {
  const auto exercise = [&](const char* choice, Value argument) {
    return lf::ExerciseCommand{contract.template_id, contract.contract_id, choice, std::move(argument)};
  };
  const auto& fields = contract.argument.as_record();
  if (contract.template_id.entity == "Ping")
    return exercise(fields[2].as_party() == party() ? "Respond" : "Archive", Value::record({}));
  if (contract.template_id.entity != "Iou") return std::nullopt;
  if (fields[0].as_party() == party() && world_.chance(300)) return exercise("Archive", Value::record({}));
  if (fields[1].as_party() != party()) return std::nullopt;
  switch (world_.random().below(3)) {
    case 0:
      return exercise("Transfer", Value::record({Value::party(other_party())}));
    case 1:
      return exercise("Share", Value::record({Value::party(other_party())}));
    default:
      return exercise("Call", Value::record({}));
  }
}

void ParticipantMember::next_command() {
  after(world_.between(Duration::milliseconds(50), Duration::milliseconds(900)), [this] {
    if (world_.now() >= until_) return;
    if (mine().core().current_snapshot().vetted(self(), Programs::instance().iou_package, clock())) random_command();
    next_command();
  });
}

void ParticipantMember::random_command() {
  const std::string id = fmt::format("{} command {}", name(), ++counter_);
  const auto choice = world_.random().below(100);
  if (choice < 25) {
    submit(create_ping(other_party()), id);
    return;
  }
  if (choice < 50) {
    submit(create_iou(other_party()), id);
    return;
  }
  std::vector<lf::ContractInstance> contracts;
  const auto reader = ledger();
  const auto read = reader->active_contracts(reader->ledger_end(), [&](const participant::ActiveContract& active) {
    contracts.push_back(active.contract);
    return true;
  });
  if (!read) return world_.violate(name() + " cannot read its contracts: " + read.error().to_string());
  if (contracts.empty()) return;
  const auto command = act_on(contracts[world_.random().below(contracts.size())]);
  if (command) submit(*command, id);
}

bool ParticipantMember::submit(lf::Command command, const std::string& command_id) {
  if (!works()) return false;
  participant::CommandSubmission submission;
  submission.user_id = "sim";
  submission.command_id = command_id;
  submission.act_as = {party()};
  submission.commands.push_back(std::move(command));
  auto outcome = mine().core().on_command(submission, clock());
  world_.note(fmt::format("{} {}", command_id, outcome.accepted ? "accepted" : outcome.accepted.error().id));
  if (!outcome.accepted) return false;
  ledger_promises_.accepted(command_id);
  given_[command_id] = {machine_losses()};
  if (carry_out(mine().convert(std::move(outcome.effects)))) return true;
  // The application is told that it was not accepted; then nothing may come of it.
  ledger_promises_.refused(command_id);
  given_.erase(command_id);
  return false;
}

bool ParticipantMember::probe() {
  probe_id_ = fmt::format("{} probe {}", name(), ++counter_);
  const auto& all = deployment().participants;
  return submit(create_ping(self() == all.front() ? all.back().uid().to_string() : all.front().uid().to_string()),
                probe_id_);
}

bool ParticipantMember::probe_succeeded() const {
  return !probe_id_.empty() && ledger_promises_.is_committed(probe_id_);
}

std::vector<std::string> ParticipantMember::unanswered() const {
  std::vector<std::string> missing;
  for (const auto& [id, given] : given_)
    if (given.machine_losses == machine_losses() && !ledger_promises_.is_completed(id)) missing.push_back(id);
  return missing;
}

}  // namespace synod::sim
