// Node processes of a test network: started, found again by another command, signalled, measured.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.h"
#include "testnet/network_plan.h"

namespace synod::testnet {

// The process of this node if it runs: its pid file names a live process that was started with this node's
// configuration.
std::optional<pid_t> running(const NodePlan& node);

// Starts `synod node run -c <node.yaml>` detached from the terminal, its output appended to the node's log. A node that
// already runs is left alone. When it returns, the process has become the node, or has ended. Error id
// PROCESS_START_FAILED.
Status start(const NodePlan& node);

// Sends the signal and waits until the process is gone. False: it was not running, or still runs after `patience`.
bool stop(const NodePlan& node, int signal, Duration patience);

// Memory in bytes: what it has for itself, and its share of what it has in common with others (the binary, libraries).
// Summed over processes, nothing counts twice.
std::optional<std::uint64_t> memory_of(pid_t pid);
// Processor time that it has used so far.
std::optional<double> cpu_seconds_of(pid_t pid);
// Its children, their children, and so on.
std::vector<pid_t> descendants_of(pid_t pid);

}  // namespace synod::testnet
