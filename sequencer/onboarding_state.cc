#include "sequencer/onboarding_state.h"

#include <array>

#include "canton/sequencing_v30.pb.h"
#include "protocol/versioned.h"
#include "sequencer/aggregation.h"
#include "sequencer/core_state.h"
#include "sequencer/pruning.h"
#include "synod/sequencer.pb.h"

namespace synod::sequencer {
namespace {

// What sequencers have in common; the rest of the state column is a sequencer's own.
constexpr std::array kShared = {MemberRegistry::kPrefix, Aggregations::kPrefix, Deadlines::kPrefix,
                                RecordHistory::kWriterPrefix, RecordHistory::kNumberPrefix};

template <typename Rows>
storage::Store::Visitor into(Rows& rows) {
  return [&rows](ByteView key, ByteView value) {
    auto& row = *rows.Add();
    row.set_key(Bytes(key));
    row.set_value(Bytes(value));
    return true;
  };
}

Result<v1::StoredPosition> position_in(ByteView bytes) {
  v1::StoredPosition position;
  SYNOD_RETURN_IF_ERROR(protocol::parse_proto(bytes, position, "StoredPosition"));
  return position;
}

}  // namespace

Result<bool> has_state(const storage::Store& store) {
  SYNOD_TRY(const auto stored, store.get(kStateColumn, kPositionKey));
  return stored.has_value();
}

Result<Bytes> export_onboarding_state(const storage::Store& store, const topology::StaticParameters& parameters) {
  SYNOD_TRY(const auto stored, store.get(kStateColumn, kPositionKey));
  if (!stored) return fail(failed_precondition("SEQUENCER_STORE_EMPTY", "this sequencer has no state yet"));
  SYNOD_TRY(const auto position, position_in(*stored));
  v1::OnboardingState proto;
  proto.set_synchronizer(position.synchronizer());
  proto.set_height(position.height());
  ::com::digitalasset::canton::protocol::v30::StaticSynchronizerParameters encoded;
  parameters.to_proto(encoded);
  proto.set_static_parameters(protocol::serialize_proto(encoded));
  auto& row = *proto.add_state();
  row.set_key(Bytes(kPositionKey));
  row.set_value(*stored);
  for (const std::string_view prefix : kShared) {
    SYNOD_RETURN_IF_ERROR(store.scan(kStateColumn, storage::KeyRange::prefix(prefix), storage::Direction::forward,
                                     into(*proto.mutable_state())));
  }
  SYNOD_RETURN_IF_ERROR(store.scan(topology::kTopologyColumn, storage::KeyRange::all(), storage::Direction::forward,
                                   into(*proto.mutable_topology())));
  return protocol::serialize_proto(proto);
}

Result<OnboardingState> parse_onboarding_state(Bytes bytes) {
  v1::OnboardingState proto;
  SYNOD_RETURN_IF_ERROR(protocol::parse_proto(bytes, proto, "OnboardingState"));
  OnboardingState state;
  SYNOD_TRY(state.synchronizer, protocol::PhysicalSynchronizerId::parse(proto.synchronizer()));
  ::com::digitalasset::canton::protocol::v30::StaticSynchronizerParameters encoded;
  SYNOD_RETURN_IF_ERROR(protocol::parse_proto(proto.static_parameters(), encoded, "StaticSynchronizerParameters"));
  SYNOD_TRY(state.static_parameters, topology::StaticParameters::parse(encoded));
  state.height = ordering::Height(proto.height());
  state.bytes = std::move(bytes);
  return state;
}

Result<storage::WriteBatch> install(const OnboardingState& state) {
  v1::OnboardingState proto;
  SYNOD_RETURN_IF_ERROR(protocol::parse_proto(state.bytes, proto, "OnboardingState"));
  storage::WriteBatch writes;
  bool positioned = false;
  for (auto& row : *proto.mutable_state()) {
    if (row.key() == kPositionKey) {
      SYNOD_TRY(const auto position, position_in(row.value()));
      put_lower_bound(writes, Timestamp{position.last_time()});
      positioned = true;
    }
    writes.put(kStateColumn, std::move(*row.mutable_key()), std::move(*row.mutable_value()));
  }
  if (!positioned) return fail(malformed("OnboardingState", "it does not say after which block it was taken"));
  for (auto& row : *proto.mutable_topology()) {
    writes.put(topology::kTopologyColumn, std::move(*row.mutable_key()), std::move(*row.mutable_value()));
  }
  return writes;
}

}  // namespace synod::sequencer
