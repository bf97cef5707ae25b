#include "sequencer/core.h"

#include <algorithm>

#include "sequencer/block_run.h"
#include "sequencer/core_state.h"

namespace synod::sequencer {

struct SequencerCore::Impl {
  CoreState state;
};

SequencerCore::SequencerCore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SequencerCore::~SequencerCore() = default;

Result<SequencerCore::Opened> SequencerCore::open(CoreConfig config, const InitialState& initial,
                                                  const storage::Store& store) {
  auto impl = std::make_unique<Impl>(Impl{CoreState(std::move(config), initial.static_parameters)});
  Opened opened;
  SYNOD_TRY(const bool loaded, impl->state.load(store));
  if (!loaded) {
    SYNOD_TRY(opened.writes, impl->state.initialize(initial));
  }
  opened.core.reset(new SequencerCore(std::move(impl)));
  return opened;
}

Result<BlockEffects> SequencerCore::on_block(const ordering::Block& block, const PreparedBlock& prepared) {
  CoreState& state = impl_->state;
  if (block.height != next_height()) {
    return fail(internal_error("block " + std::to_string(block.height.value) + " came instead of " +
                               std::to_string(next_height().value))
                    .with("reason", "SEQUENCER_BLOCK_GAP"));
  }
  if (state.height.value >= 0 && block.previous_hash != state.block_hash) {
    return fail(Error("SEQUENCER_LOG_FORKED", ErrorCategory::internal,
                      "block " + std::to_string(block.height.value) +
                          " does not follow the last block applied: this is another log, or its history was rewritten")
                    .with("expected", to_hex(state.block_hash))
                    .with("found", to_hex(block.previous_hash)));
  }
  return BlockRun(state).run(block, prepared);
}

Result<BlockEffects> SequencerCore::on_block(const ordering::Block& block) {
  return on_block(block, prepare_block(block, current_snapshot()));
}

ordering::Height SequencerCore::next_height() const { return impl_->state.height.next(); }

ordering::Height SequencerCore::height() const { return impl_->state.height; }

const Bytes& SequencerCore::state_hash() const { return impl_->state.state_hash; }

Bytes SequencerCore::digest() const { return impl_->state.digest(); }

Timestamp SequencerCore::last_time() const { return impl_->state.last_time; }

std::optional<Timestamp> SequencerCore::wake_at() const {
  const CoreState& state = impl_->state;
  std::optional<Timestamp> due = state.pending_effective_time();
  if (const auto deadline = state.deadlines.next_from(state.last_time); deadline && (!due || *deadline < *due)) {
    due = deadline;
  }
  if (!due) return std::nullopt;
  return due->next();
}

std::optional<Timestamp> SequencerCore::latest_proposal(const protocol::Member& sequencer) const {
  const auto& proposals = impl_->state.records.proposals();
  const auto entry = proposals.find(sequencer);
  if (entry == proposals.end()) return std::nullopt;
  return entry->second;
}

std::optional<SequenceNumber> SequencerCore::latest_number(const protocol::Member& sequencer) const {
  return impl_->state.records.latest(sequencer);
}

topology::Snapshot SequencerCore::head_snapshot() const { return impl_->state.topology.head(); }

topology::Snapshot SequencerCore::current_snapshot() const {
  return impl_->state.topology.snapshot_at(impl_->state.last_time.next());
}

const topology::TopologyState& SequencerCore::topology() const { return impl_->state.topology; }

std::optional<MemberStatus> SequencerCore::member(const protocol::Member& member) const {
  const MemberStatus* status = impl_->state.members.find(member);
  if (!status) return std::nullopt;
  return *status;
}

std::vector<MemberStatus> SequencerCore::members() const { return impl_->state.members.all(); }

CoreStatus SequencerCore::status() const {
  const CoreState& state = impl_->state;
  CoreStatus status;
  status.height = state.height;
  status.block_hash = state.block_hash;
  status.state_hash = to_hex(state.state_hash);
  status.last_time = state.last_time;
  status.blocks_applied = state.blocks_applied;
  status.events = state.events;
  status.requests_dropped = state.requests_dropped;
  status.diverged.assign(state.diverged.begin(), state.diverged.end());
  status.reported = state.reported;
  return status;
}

std::optional<Timestamp> time_ceiling(const protocol::Member& proposer, const std::vector<protocol::Member>& active,
                                      const std::map<protocol::Member, Timestamp>& latest_proposals) {
  std::optional<Timestamp> latest;
  for (const auto& sequencer : active) {
    if (sequencer == proposer) continue;
    const auto entry = latest_proposals.find(sequencer);
    if (entry == latest_proposals.end()) continue;
    if (!latest || entry->second > *latest) latest = entry->second;
  }
  if (!latest) return std::nullopt;
  return *latest + kSoloTimeLead;
}

}  // namespace synod::sequencer
