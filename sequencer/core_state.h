// All that SequencerCore remembers between blocks. Private to the core.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "base/result.h"
#include "sequencer/aggregation.h"
#include "sequencer/core.h"
#include "sequencer/deadlines.h"
#include "sequencer/member_registry.h"
#include "sequencer/record_history.h"
#include "storage/store.h"
#include "topology/state.h"

namespace synod::sequencer {

inline constexpr std::string_view kPositionKey = "position";  // in the state column → StoredPosition

struct CoreState {
  CoreState(CoreConfig core_config, topology::StaticParameters parameters);

  // False: the store is empty.
  Result<bool> load(const storage::Store& store);
  // Fills an empty state; returns what to write.
  Result<storage::WriteBatch> initialize(const InitialState& initial);
  void write_position(storage::WriteBatch& writes) const;

  Bytes digest() const;
  Duration topology_change_delay() const { return topology.static_parameters().topology_change_delay; }
  // When the last topology change takes effect, as long as nobody has been told by an event.
  std::optional<Timestamp> pending_effective_time() const;

  CoreConfig config;
  topology::TopologyState topology;
  MemberRegistry members;
  Aggregations aggregations;
  Deadlines deadlines;
  RecordHistory records;

  ordering::Height height{-1};
  Bytes block_hash;
  Timestamp last_time = topology::kGenesisTime;
  std::optional<Timestamp> pending_topology;  // sequencing time
  Bytes state_hash;

  // Since the core was opened.
  std::uint64_t blocks_applied = 0;
  std::uint64_t events = 0;
  std::uint64_t requests_dropped = 0;
  std::map<ordering::Height, Bytes> recent_states;  // digests after the last kRememberedStates blocks
  std::set<protocol::Member> diverged;              // sequencers whose latest comparable report differs
  std::map<protocol::Member, ordering::Height> reported;
  std::vector<protocol::Member> group;                      // active at the last block
  std::map<protocol::Member, ordering::Height> left_group;  // and the first block that takes nothing more of it
};

}  // namespace synod::sequencer
