#include "tests/sim/mediator_member.h"

#include "mediator/core.h"
#include "topology/broadcast.h"

namespace synod::sim {

namespace client = sequencer::client;

constexpr storage::Column kPositionColumn{"position"};
constexpr const char* kPositionKey = "last";

class MediatorMember::Logic final : public NodeLogic {
 public:
  explicit Logic(const Deployment& deployment)
      : state_(deployment.genesis.synchronizer, deployment.static_parameters), deployment_(deployment) {}

  Status open(const protocol::Member& self, storage::Store& store, const std::shared_ptr<Random>& random) {
    SYNOD_TRY(const auto stored, store.get(kPositionColumn, kPositionKey));
    if (!stored) {
      SYNOD_TRY(auto writes, state_.import(deployment_.genesis.snapshot));
      writes.put(kPositionColumn, kPositionKey, "");
      SYNOD_RETURN_IF_ERROR(store.write(writes, storage::Sync::yes));
    } else {
      SYNOD_RETURN_IF_ERROR(state_.load(store));
      if (!stored->empty()) {
        SYNOD_TRY(const auto hash, crypto::Hash::parse(stored->substr(8)));
        resume_ = {Timestamp{read_i64(*stored)}, hash};
        state_.observe(resume_->timestamp);
      }
    }
    SYNOD_TRY(core_, mediator::MediatorCore::load({}, deployment_.genesis.synchronizer, self, deployment_.keys.at(self),
                                                  random, store, snapshots()));
    return {};
  }

  NodeEffects unconfirmed() const { return convert({{}, core_->unconfirmed()}); }

  NodeEffects on_event(const protocol::SequencedEvent& event, const crypto::Hash& content_hash) override {
    NodeEffects effects = convert(core_->on_event(event, snapshots()));
    effects.writes.append(
        state_.process(event.timestamp, topology::broadcasts_in(event.batch, deployment_.genesis.synchronizer)).writes);
    Bytes position;
    append_i64(position, event.timestamp.micros);
    position.append(content_hash.view());
    effects.writes.put(kPositionColumn, kPositionKey, std::move(position));
    return effects;
  }
  topology::Snapshot snapshot_at(Timestamp timestamp) const override { return state_.snapshot_at(timestamp); }
  const topology::TopologyState& topology() const override { return state_; }
  std::optional<client::ResumePoint> resume() const override { return resume_; }
  const mediator::MediatorCore& core() const { return *core_; }

 private:
  mediator::MediatorCore::SnapshotAt snapshots() const {
    return [this](Timestamp at) { return state_.snapshot_at(at); };
  }
  NodeEffects convert(mediator::Effects effects) const {
    NodeEffects result;
    result.writes = std::move(effects.writes);
    for (auto& verdict : effects.sends)
      result.sends.push_back({std::move(verdict.submission), true, false, verdict.delay});
    if (const auto deadline = core_->next_deadline()) result.await_times.push_back(deadline->next());
    return result;
  }

  topology::TopologyState state_;
  const Deployment& deployment_;
  std::optional<client::ResumePoint> resume_;
  std::unique_ptr<mediator::MediatorCore> core_;
};

MediatorMember::MediatorMember(World& world, Network& network, Promises& promises,
                               std::vector<SimSequencer*> sequencers)
    : SimMember(world, network, promises, std::move(sequencers), Deployment::instance().mediator,
                {topology::kTopologyColumn, mediator::kMediatorColumn, kPositionColumn}) {}

std::unique_ptr<NodeLogic> MediatorMember::make_logic() {
  auto logic = std::make_unique<Logic>(deployment());
  if (const auto opened = logic->open(self(), store(), world_.shared_random()); !opened) {
    world_.violate(name() + " does not restart: " + opened.error().to_string());
    return nullptr;
  }
  return logic;
}

void MediatorMember::begin() { carry_out(static_cast<Logic&>(logic()).unconfirmed()); }

std::size_t MediatorMember::pending_requests() const {
  return up() ? static_cast<Logic&>(logic()).core().status().pending_requests : 0;
}

std::size_t MediatorMember::unconfirmed_verdicts() const {
  return up() ? static_cast<Logic&>(logic()).core().status().unconfirmed_verdicts : 0;
}

bool MediatorMember::idle() const { return works() && pending_requests() == 0 && unconfirmed_verdicts() == 0; }

}  // namespace synod::sim
