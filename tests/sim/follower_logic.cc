#include "tests/sim/follower_logic.h"

#include "topology/broadcast.h"

namespace synod::sim {
namespace {

constexpr storage::Column kFollowerColumn{"follower"};
constexpr const char* kLastKey = "last";

}  // namespace

FollowerLogic::FollowerLogic(const Deployment& deployment)
    : state_(deployment.genesis.synchronizer, deployment.static_parameters),
      synchronizer_(deployment.genesis.synchronizer) {}

std::vector<storage::Column> FollowerLogic::columns() { return {topology::kTopologyColumn, kFollowerColumn}; }

Status FollowerLogic::open(const Deployment& deployment, storage::Store& store) {
  SYNOD_TRY(const auto stored, store.get(kFollowerColumn, kLastKey));
  if (!stored) {
    SYNOD_TRY(auto writes, state_.import(deployment.genesis.snapshot));
    writes.put(kFollowerColumn, kLastKey, "");
    return store.write(writes, storage::Sync::yes);
  }
  SYNOD_RETURN_IF_ERROR(state_.load(store));
  if (stored->empty()) return {};
  SYNOD_TRY(const auto hash, crypto::Hash::parse(stored->substr(8)));
  resume_ = {Timestamp{read_i64(*stored)}, hash};
  return {};
}

NodeEffects FollowerLogic::on_event(const protocol::SequencedEvent& event, const crypto::Hash& content_hash) {
  NodeEffects effects;
  auto result = state_.process(event.timestamp, topology::broadcasts_in(event.batch, synchronizer_));
  effects.writes = std::move(result.writes);
  Bytes last;
  append_i64(last, event.timestamp.micros);
  last.append(content_hash.view());
  effects.writes.put(kFollowerColumn, kLastKey, std::move(last));
  return effects;
}

}  // namespace synod::sim
