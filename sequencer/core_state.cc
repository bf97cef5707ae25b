#include "sequencer/core_state.h"

#include "crypto/hash.h"
#include "protocol/versioned.h"
#include "synod/sequencer.pb.h"

namespace synod::sequencer {

CoreState::CoreState(CoreConfig core_config, topology::StaticParameters parameters)
    : config(std::move(core_config)), topology(config.synchronizer, std::move(parameters)) {}

Result<bool> CoreState::load(const storage::Store& store) {
  SYNOD_TRY(const auto stored, store.get(kStateColumn, kPositionKey));
  if (!stored) return false;
  v1::StoredPosition proto;
  SYNOD_RETURN_IF_ERROR(protocol::parse_proto(*stored, proto, "StoredPosition"));
  if (proto.synchronizer() != config.synchronizer.to_string()) {
    return fail(failed_precondition(
        "SEQUENCER_STORE_MISMATCH",
        "the store belongs to synchronizer " + proto.synchronizer() + ", not to " + config.synchronizer.to_string()));
  }
  height = ordering::Height(proto.height());
  block_hash = proto.block_hash();
  last_time = Timestamp{proto.last_time()};
  if (proto.has_pending_topology()) pending_topology = Timestamp{proto.pending_topology()};
  state_hash = proto.state_hash();
  SYNOD_RETURN_IF_ERROR(topology.load(store));
  SYNOD_RETURN_IF_ERROR(members.load(store));
  SYNOD_RETURN_IF_ERROR(aggregations.load(store));
  SYNOD_RETURN_IF_ERROR(deadlines.load(store));
  SYNOD_RETURN_IF_ERROR(records.load(store));
  topology.observe(last_time);
  return true;
}

Result<storage::WriteBatch> CoreState::initialize(const InitialState& initial) {
  SYNOD_TRY(storage::WriteBatch writes, topology.import(initial.topology));
  for (const auto& stored : initial.topology) {
    members.register_from(stored);
    last_time = std::max(last_time, stored.sequenced);
  }
  members.write_changes(writes);
  write_position(writes);
  return writes;
}

void CoreState::write_position(storage::WriteBatch& writes) const {
  v1::StoredPosition proto;
  proto.set_height(height.value);
  proto.set_block_hash(block_hash);
  proto.set_last_time(last_time.micros);
  if (pending_topology) proto.set_pending_topology(pending_topology->micros);
  proto.set_state_hash(state_hash);
  proto.set_synchronizer(config.synchronizer.to_string());
  writes.put(kStateColumn, Bytes(kPositionKey), protocol::serialize_proto(proto));
}

Bytes CoreState::digest() const { return crypto::sha256(block_hash + state_hash); }

std::optional<Timestamp> CoreState::pending_effective_time() const {
  if (!pending_topology) return std::nullopt;
  const Timestamp effective = *pending_topology + topology_change_delay();
  if (effective < last_time) return std::nullopt;
  return effective;
}

}  // namespace synod::sequencer
