#include "testnet/cache_database.h"

#include <filesystem>

#include "node/node_file.h"
#include "ordering/engines/postgres_engine.h"
#include "testnet/postgres_process.h"

namespace synod::testnet {
namespace {

using ordering::engines::PostgresEngine;

bool wanted(const NetworkPlan& plan, const NodePlan& node) {
  return plan.cache == "postgres" && node.role == Role::sequencer;
}
std::string folder_of(const NodePlan& node) { return node.folder + "/database"; }

}  // namespace

const std::vector<std::string>& caches() {
  static const std::vector<std::string> names = {"rocksdb", "postgres"};
  return names;
}

std::optional<NetworkProcess> cache_database_of(const NetworkPlan& plan, const NodePlan& node) {
  if (!wanted(plan, node) || !PostgresEngine::open(folder_of(node))) return std::nullopt;
  return postgres_process(node.name + "-database", folder_of(node));
}

Status prepare_cache_database(const NetworkPlan& plan, const NodePlan& node, const Progress& progress) {
  if (!wanted(plan, node)) return {};
  progress("  making the data folder of a PostgreSQL server for the cache of " + node.name);
  ordering::engines::PostgresEngineConfig config;
  config.folder = folder_of(node);
  config.port = free_port();
  SYNOD_TRY(std::ignore, PostgresEngine::prepare(config));
  return {};
}

Status configure_cache(const NetworkPlan& plan, const NodePlan& node, node::NodeFile& file) {
  if (!wanted(plan, node)) return {};
  SYNOD_TRY(const auto server, PostgresEngine::open(folder_of(node)));
  file.sequencer.cache.engine = "postgres";
  file.sequencer.cache.connection = server.connection_string();
  return {};
}

}  // namespace synod::testnet
