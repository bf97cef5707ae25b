// `cache: postgres` of a network file. Where the sequencers share a database for the log, the SQL domain, each has a
// schema of that database for its cache and nothing in its folder. Otherwise each has a PostgreSQL server of its own.
#pragma once

#include <optional>
#include <string>

#include "testnet/launcher.h"
#include "testnet/network_process.h"

namespace synod::node {
struct NodeFile;
}

namespace synod::testnet {

// What a network file or --cache may say.
const std::vector<std::string>& caches();

// None for other nodes than sequencers, for caches in RocksDB or in the shared database, and before the server was
// prepared.
std::optional<NetworkProcess> cache_database_of(const NetworkPlan& plan, const NodePlan& node);

// Makes the server's folder, if this sequencer is to have one, and names its database in the sequencer's configuration.
// A shared one must have been prepared before (OrderingEngine::prepare). Error ids
// ENGINE_NOT_INSTALLED and those of the server's programs.
Status prepare_cache_database(const NetworkPlan& plan, const NodePlan& node, const Progress& progress);
Status configure_cache(const NetworkPlan& plan, const NodePlan& node, node::NodeFile& file);

}  // namespace synod::testnet
