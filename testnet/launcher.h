// Bringing a test network up and taking it down. Everything that it keeps lies in the plan's folder.
#pragma once

#include <functional>
#include <string>

#include "base/time.h"
#include "testnet/network_plan.h"

namespace synod::testnet {

using Progress = std::function<void(const std::string& line)>;  // one line for a person who waits

// Makes folders, certificates, keys, the genesis of the synchronizer and one configuration file a node. A network that
// was prepared before is left as it is. Error ids: those of files and keys, and NETWORK_FOLDER_IN_USE for a folder that
// holds a network of another shape.
Status prepare(const NetworkPlan& plan, const Progress& progress);

// Starts every node that does not run and waits until all are healthy. If it fails, what it has started is stopped
// again. `cancelled` is asked now and then. Error ids: PORT_IN_USE, before anything is started, names the port and the
// node; NODE_FAILED_TO_START shows the end of its log, NETWORK_NOT_READY names who is not ready and why; INTERRUPTED.
Status start_all(const NetworkPlan& plan, Duration patience, const Progress& progress,
                 const std::function<bool()>& cancelled = {});

// Waits until this node is healthy. Errors as above.
Status wait_ready(const NodePlan& node, Duration patience);

// SIGTERM to all, in reverse order; SIGKILL to who is left after `patience`. True: nothing runs any more.
bool stop_all(const NetworkPlan& plan, Duration patience, const Progress& progress);

}  // namespace synod::testnet
