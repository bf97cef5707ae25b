// From a network file to a plan: which processes there are, where each keeps its files, and on which ports it listens.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace synod::testnet {

enum class Role { orderer, sequencer, mediator, topology_manager, participant };

const char* to_string(Role role);  // as in network files: "topology-manager"
Result<Role> parse_role(const std::string& text);

struct NodePlan {
  std::string name;  // <organisation>-<role>, of further processes of a mediator <organisation>-mediator-<number>
  std::string organisation;
  Role role;
  std::string folder;  // absolute; configuration, keys, certificates, data and log of this node
  std::uint16_t
      public_port;  // orderer: AtomicBroadcast; sequencer: public API; participant: Ledger API; others: unused
  std::uint16_t admin_port;
  std::string replica_of;  // empty, or the node whose identity and store it shares

  bool is_replica() const { return !replica_of.empty(); }
  std::string config_file() const { return folder + "/node.yaml"; }
  std::string log_file() const { return folder + "/node.log"; }
  std::string pid_file() const { return folder + "/pid"; }
};

// As founded; what has become of it is in the topology.
struct MediatorGroupPlan {
  std::uint32_t threshold = 1;
  std::vector<std::string> mediators;  // node names
};

struct NetworkPlan {
  std::string name;
  std::string synchronizer;
  std::string ordering;
  std::string cache;               // of the sequencers: rocksdb, postgres
  std::string folder;              // absolute; removing it removes the network
  std::vector<NodePlan> nodes;     // in the order in which they start
  std::vector<NodePlan> founders;  // as the network file has them: without what was added and removed since
  std::vector<MediatorGroupPlan> mediator_groups;  // by index
  bool static_time = false;

  std::vector<const NodePlan*> with_role(Role role) const;
  // By node name; an unambiguous role or organisation-role prefix is enough. Error id NODE_NOT_FOUND lists the names.
  Result<const NodePlan*> find(const std::string& name) const;
};

// Reads a network file and checks it: names, one orderer, at least one sequencer, mediators in groups, one topology
// manager. Error ids: those of read_network_file.
// `data_folder` empty: testnet-data/<network> below the current folder.
// The ordering is, in this order: `ordering`, that of the network which was prepared in the folder, the file's; the
// cache likewise, and what fits the ordering if nobody says. Nodes of role orderer belong to solo only, and are left
// out otherwise.
Result<NetworkPlan> load_plan(const std::string& network_file, const std::string& data_folder,
                              const std::string& ordering = "", const std::string& cache = "");

// Where the file of the standard network is when none is named: testnet/two-orgs.yaml here or beside the binary's build
// folder.
std::string default_network_file();

}  // namespace synod::testnet
