#include "testnet/cache_database.h"

#include <algorithm>

#include "node/node_file.h"
#include "ordering/engines/postgres_engine.h"
#include "testnet/postgres_ordering.h"
#include "testnet/postgres_process.h"

namespace synod::testnet {
namespace {

using ordering::engines::PostgresEngine;

bool in_postgres(const NetworkPlan& plan, const NodePlan& node) {
  return plan.cache == "postgres" && node.role == Role::sequencer;
}
bool in_the_shared_database(const NetworkPlan& plan, const NodePlan& node) {
  return in_postgres(plan, node) && plan.ordering == "postgres";
}
bool in_its_own_server(const NetworkPlan& plan, const NodePlan& node) {
  return in_postgres(plan, node) && plan.ordering != "postgres";
}
// Readable without quotes.
std::string schema_of(const NodePlan& node) {
  std::string schema = "cache_" + node.name;
  std::replace(schema.begin(), schema.end(), '-', '_');
  return schema;
}
std::string folder_of(const NodePlan& node) { return node.folder + "/database"; }

}  // namespace

const std::vector<std::string>& caches() {
  static const std::vector<std::string> names = {"rocksdb", "postgres"};
  return names;
}

std::optional<NetworkProcess> cache_database_of(const NetworkPlan& plan, const NodePlan& node) {
  if (!in_its_own_server(plan, node) || !PostgresEngine::open(folder_of(node))) return std::nullopt;
  return postgres_process(node.name + "-database", folder_of(node));
}

Status prepare_cache_database(const NetworkPlan& plan, const NodePlan& node, const Progress& progress) {
  if (!in_its_own_server(plan, node)) return {};
  progress("  making the data folder of a PostgreSQL server for the cache of " + node.name);
  ordering::engines::PostgresEngineConfig config;
  config.folder = folder_of(node);
  config.port = free_port();
  SYNOD_TRY(std::ignore, PostgresEngine::prepare(config));
  return {};
}

Status configure_cache(const NetworkPlan& plan, const NodePlan& node, node::NodeFile& file) {
  if (!in_postgres(plan, node)) return {};
  const bool shared = in_the_shared_database(plan, node);
  SYNOD_TRY(const auto server, PostgresEngine::open(shared ? postgres_ordering_folder(plan) : folder_of(node)));
  file.sequencer.cache.engine = "postgres";
  file.sequencer.cache.connection = server.connection_string();
  if (shared) file.sequencer.cache.schema = schema_of(node);
  return {};
}

}  // namespace synod::testnet
