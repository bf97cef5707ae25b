#include "testnet/node_database.h"

#include <algorithm>

#include "node/node_file.h"
#include "ordering/engines/postgres_engine.h"
#include "testnet/postgres_ordering.h"
#include "testnet/postgres_process.h"

namespace synod::testnet {
namespace {

using ordering::engines::PostgresEngine;

// Whom a store belongs to, which a replica shares.
const std::string& owner_of(const NodePlan& node) { return node.is_replica() ? node.replica_of : node.name; }

bool has_replicas(const NetworkPlan& plan, const NodePlan& node) {
  return std::any_of(plan.nodes.begin(), plan.nodes.end(),
                     [&](const NodePlan& other) { return other.replica_of == owner_of(node); });
}
bool in_postgres(const NetworkPlan& plan, const NodePlan& node) {
  if (node.role == Role::mediator) return has_replicas(plan, node);
  return plan.cache == "postgres" && node.role == Role::sequencer;
}
bool in_the_shared_database(const NetworkPlan& plan, const NodePlan& node) {
  return in_postgres(plan, node) && plan.ordering == "postgres";
}
bool in_its_own_server(const NetworkPlan& plan, const NodePlan& node) {
  return in_postgres(plan, node) && plan.ordering != "postgres" && !node.is_replica();
}
// Readable without quotes.
std::string schema_of(const NodePlan& node) {
  std::string schema = (node.role == Role::mediator ? "store_" : "cache_") + owner_of(node);
  std::replace(schema.begin(), schema.end(), '-', '_');
  return schema;
}
std::string folder_of(const NetworkPlan& plan, const NodePlan& node) {
  for (const NodePlan& other : plan.nodes)
    if (other.name == owner_of(node)) return other.folder + "/database";
  return node.folder + "/database";
}

}  // namespace

const std::vector<std::string>& caches() {
  static const std::vector<std::string> names = {"rocksdb", "postgres"};
  return names;
}

std::optional<NetworkProcess> database_of(const NetworkPlan& plan, const NodePlan& node) {
  if (!in_its_own_server(plan, node) || !PostgresEngine::open(folder_of(plan, node))) return std::nullopt;
  return postgres_process(node.name + "-database", folder_of(plan, node));
}

Status prepare_database(const NetworkPlan& plan, const NodePlan& node, const Progress& progress) {
  if (!in_its_own_server(plan, node)) return {};
  progress("  making the data folder of a PostgreSQL server for " + node.name);
  ordering::engines::PostgresEngineConfig config;
  config.folder = folder_of(plan, node);
  config.port = free_port();
  SYNOD_TRY(std::ignore, PostgresEngine::prepare(config));
  return {};
}

Status configure_database(const NetworkPlan& plan, const NodePlan& node, node::NodeFile& file) {
  if (!in_postgres(plan, node)) return {};
  const bool shared = in_the_shared_database(plan, node);
  SYNOD_TRY(const auto server, PostgresEngine::open(shared ? postgres_ordering_folder(plan) : folder_of(plan, node)));
  if (node.role == Role::mediator) {
    file.mediator.store.engine = "postgres";
    file.mediator.store.connection = server.connection_string();
    if (shared) file.mediator.store.schema = schema_of(node);
    return {};
  }
  file.sequencer.cache.engine = "postgres";
  file.sequencer.cache.connection = server.connection_string();
  if (shared) file.sequencer.cache.schema = schema_of(node);
  return {};
}

}  // namespace synod::testnet
