// Every process of a test network under one name: our nodes, and what runs beside them: orderers, brokers, databases.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/process.h"
#include "base/result.h"
#include "base/time.h"
#include "testnet/network_plan.h"

namespace synod::testnet {

struct NetworkProcess {
  std::string name;
  std::string role;  // for people: "sequencer", "Raft orderer", "PostgreSQL"
  std::string log_file;
  std::uint16_t port = 0;  // on which it serves
  std::function<std::optional<pid_t>()> running;
  // Leaves a running one alone; returns when it serves.
  std::function<Status(Duration patience)> start;
  // SIGKILL, or in order. False: it still runs.
  std::function<bool()> kill;
  std::function<bool()> stop;
};

// Of engines and databases; found by the network's folder alone. Empty before the network was prepared.
std::vector<NetworkProcess> beside_the_nodes(const NetworkPlan& plan);

// A node by NetworkPlan::find, or another process by its name. Error id NODE_NOT_FOUND lists the names.
Result<NetworkProcess> find_process(const NetworkPlan& plan, const std::string& name);

NetworkProcess process_of(const NodePlan& node);

// Sends the signal and waits; SIGKILL to a process that does not follow. True: it does not run any more.
bool ended(const ServerProcess& process, int signal);

}  // namespace synod::testnet
