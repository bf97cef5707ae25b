// What the nodes of a test network say about themselves, and what the system says about their processes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "synod/admin.pb.h"
#include "testnet/network_plan.h"
#include "testnet/network_process.h"

namespace synod::testnet {

struct NodeState {
  const NodePlan* plan;
  std::optional<int> pid;                              // none: no process
  std::uint64_t memory_bytes = 0;                      // as memory_of() counts; 0 without a process
  std::optional<synod::admin::v1::NodeStatus> status;  // none: the process does not answer (yet)
  std::string problem;                                 // empty when healthy, else why not

  bool healthy() const { return status && status->healthy(); }
};

// Asks one node over its admin port.
std::optional<synod::admin::v1::NodeStatus> ask(const NodePlan& node, Duration deadline);

NodeState state_of(const NodePlan& node);
std::vector<NodeState> state_of(const NetworkPlan& plan);

// Of an orderer, a broker or a database beside the nodes.
struct ProcessState {
  NetworkProcess process;
  std::optional<int> pid;
  std::uint64_t memory_bytes = 0;
  std::string problem;  // empty when it takes connections, else why not

  bool healthy() const { return problem.empty(); }
};
std::vector<ProcessState> state_beside_the_nodes(const NetworkPlan& plan);

std::string as_table(const std::vector<NodeState>& states, const std::vector<ProcessState>& beside);
std::string as_json(const NetworkPlan& plan, const std::vector<NodeState>& states,
                    const std::vector<ProcessState>& beside);

}  // namespace synod::testnet
