// PostgreSQL for nodes that keep what they have made there. Sequencers do with `cache: postgres` of a network file,
// mediators of several processes always: that is how they share it. Where there is a database for the log, the SQL
// domain, each has a schema of that database and nothing in its folder. Otherwise each has a PostgreSQL server of its
// own.
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

// The server of this node alone. None for nodes that have none: whose store is in RocksDB, in the shared database, or
// that of the node that they are a replica of; and before the server was prepared.
std::optional<NetworkProcess> database_of(const NetworkPlan& plan, const NodePlan& node);

// Makes the server's folder, if this node is to have one, and names its database in the node's configuration. A shared
// one must have been prepared before (OrderingEngine::prepare), and replicas come after the node that they belong to.
// Error ids ENGINE_NOT_INSTALLED and those of the server's programs.
Status prepare_database(const NetworkPlan& plan, const NodePlan& node, const Progress& progress);
Status configure_database(const NetworkPlan& plan, const NodePlan& node, node::NodeFile& file);

}  // namespace synod::testnet
