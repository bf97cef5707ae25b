#include "topology/manager/query.h"

#include <algorithm>

#include "canton/topology_admin_v30.pb.h"
#include "topology/proto_time.h"

namespace synod::topology {
namespace v30 = ::com::digitalasset::canton::topology::admin::v30;
namespace {

using InTime = std::function<bool(const StoredTransaction&)>;

Result<InTime> time_filter(const v30::BaseQuery& query) {
  switch (query.time_query_case()) {
    case v30::BaseQuery::kSnapshot: {
      SYNOD_TRY(const auto at, parse_timestamp(query.snapshot(), "snapshot"));
      return InTime([at](const StoredTransaction& s) { return s.active_at(at); });
    }
    case v30::BaseQuery::kRange: {
      std::optional<Timestamp> from, until;
      if (query.range().has_from()) {
        SYNOD_TRY(from, parse_timestamp(query.range().from(), "from"));
      }
      if (query.range().has_until()) {
        SYNOD_TRY(until, parse_timestamp(query.range().until(), "until"));
      }
      return InTime([from, until](const StoredTransaction& s) {
        return (!from || s.valid_from >= *from) && (!until || s.valid_from <= *until);
      });
    }
    case v30::BaseQuery::kHeadState:
    case v30::BaseQuery::TIME_QUERY_NOT_SET:
      break;
  }
  return InTime([](const StoredTransaction& s) { return !s.valid_until; });
}

}  // namespace

Status check_store(const TopologyState& state, const v30::StoreId& store) {
  const auto missing = [](const std::string& name) {
    return fail(not_found("TOPOLOGY_STORE_NOT_FOUND", "Topology store '" + name + "' is not known."));
  };
  if (store.has_temporary()) return missing(store.temporary().name());
  if (!store.has_synchronizer()) return {};
  const auto& synchronizer = store.synchronizer();
  const auto& id = state.synchronizer();
  if (synchronizer.has_physical_id() && synchronizer.physical_id() != id.to_string())
    return missing(synchronizer.physical_id());
  if (synchronizer.has_id() && synchronizer.id() != id.logical().to_string()) return missing(synchronizer.id());
  return {};
}

Result<std::vector<const StoredTransaction*>> select(const TopologyState& state, const v30::BaseQuery& query,
                                                     const Filter& filter) {
  SYNOD_RETURN_IF_ERROR(check_store(state, query.store()));
  SYNOD_TRY(const auto in_time, time_filter(query));
  const int operation = query.operation();
  std::vector<const StoredTransaction*> result;
  for (const auto* stored : state.history()) {
    if (stored->rejected() || stored->transaction.proposal() != query.proposals() || !in_time(*stored)) continue;
    if (operation != 0 && operation != static_cast<int>(stored->transaction.transaction().operation())) continue;
    const auto& signatures = stored->transaction.signatures();
    if (!std::any_of(signatures.begin(), signatures.end(),
                     [&](const auto& s) { return s.key().starts_with(query.filter_signed_key()); }))
      continue;
    if (filter(*stored)) result.push_back(stored);
  }
  return result;
}

void put_store(const TopologyState& state, v30::StoreId& store) {
  store.mutable_synchronizer()->set_physical_id(state.synchronizer().to_string());
}

void put_result(const TopologyState& state, const StoredTransaction& stored, v30::BaseResult& result) {
  put_store(state, *result.mutable_store());
  put_timestamp(stored.sequenced, *result.mutable_sequenced());
  put_timestamp(stored.valid_from, *result.mutable_valid_from());
  if (stored.valid_until) put_timestamp(*stored.valid_until, *result.mutable_valid_until());
  const auto& transaction = stored.transaction.transaction();
  result.set_operation(
      static_cast<com::digitalasset::canton::protocol::v30::Enums::TopologyChangeOp>(transaction.operation()));
  result.set_transaction_hash(transaction.hash().bytes());
  result.set_serial(static_cast<std::int32_t>(transaction.serial()));
  for (const auto& signature : stored.transaction.signatures()) result.add_signed_by_fingerprints(signature.key());
}

bool matches_uid(std::string_view filter, const protocol::UniqueId& uid) {
  for (const std::string_view code : {"PAR::", "MED::", "SEQ::"}) {
    if (filter.starts_with(code)) filter.remove_prefix(code.size());
  }
  const auto split = filter.find("::");
  if (split == std::string_view::npos) return uid.name().starts_with(filter);
  return uid.name().starts_with(filter.substr(0, split)) && uid.ns().starts_with(filter.substr(split + 2));
}

}  // namespace synod::topology
