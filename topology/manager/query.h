// Selecting stored topology transactions as the admin API's list calls do.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "topology/state.h"

namespace com::digitalasset::canton::topology::admin::v30 {
class BaseQuery;
class BaseResult;
class StoreId;
}  // namespace com::digitalasset::canton::topology::admin::v30

namespace synod::topology {

using Filter = std::function<bool(const StoredTransaction&)>;

// A node has one store, that of its synchronizer; unset and `authorized` mean it too. Errors: TOPOLOGY_STORE_NOT_FOUND.
Status check_store(const TopologyState& state, const com::digitalasset::canton::topology::admin::v30::StoreId& store);

// Accepted transactions that match the query and the filter, oldest first. Without a time: what is in force.
// Errors: TOPOLOGY_STORE_NOT_FOUND, PROTO_DESERIALIZATION_FAILURE.
Result<std::vector<const StoredTransaction*>> select(
    const TopologyState& state, const com::digitalasset::canton::topology::admin::v30::BaseQuery& query,
    const Filter& filter);

void put_result(const TopologyState& state, const StoredTransaction& stored,
                com::digitalasset::canton::topology::admin::v30::BaseResult& result);
void put_store(const TopologyState& state, com::digitalasset::canton::topology::admin::v30::StoreId& store);

// Does `uid` match a filter: `name`, `name::namespace`, each a prefix, optionally behind a member's three letters?
bool matches_uid(std::string_view filter, const protocol::UniqueId& uid);

}  // namespace synod::topology
