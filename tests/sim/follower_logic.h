// The logic of a member that only follows the topology.
#pragma once

#include "tests/sim/sim_member.h"
#include "topology/state.h"

namespace synod::sim {

class FollowerLogic final : public NodeLogic {
 public:
  explicit FollowerLogic(const Deployment& deployment);
  static std::vector<storage::Column> columns();  // of the store

  Status open(const Deployment& deployment, storage::Store& store);
  NodeEffects on_event(const protocol::SequencedEvent& event, const crypto::Hash& content_hash) override;
  topology::Snapshot snapshot_at(Timestamp timestamp) const override { return state_.snapshot_at(timestamp); }
  const topology::TopologyState& topology() const override { return state_; }
  std::optional<sequencer::client::ResumePoint> resume() const override { return resume_; }

 private:
  topology::TopologyState state_;
  const protocol::PhysicalSynchronizerId synchronizer_;
  std::optional<sequencer::client::ResumePoint> resume_;
};

}  // namespace synod::sim
