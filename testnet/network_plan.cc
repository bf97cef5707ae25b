#include "testnet/network_plan.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "base/config.h"
#include "testnet/cache_database.h"
#include "testnet/changes.h"
#include "testnet/ordering_engine.h"

namespace synod::testnet {
namespace {

struct Organisation {
  std::string name;
  std::vector<std::string> nodes;
};

struct NetworkFile {
  std::string network;
  std::string synchronizer = "synod";
  std::string ordering = "solo";
  std::string cache;
  std::int64_t first_port = 27500;
  bool static_time = false;
  std::vector<Organisation> organisations;
};

void describe(config::Fields& f, NetworkFile& file) {
  f.text("network", file.network, "Name of the network, and of its folder.");
  f.text("synchronizer", file.synchronizer, "The readable part of the synchronizer id.");
  f.text("ordering", file.ordering, "Ordering engine: solo, or a real one that is started beside the nodes.");
  f.text(
      "cache", file.cache,
      "Where each sequencer keeps its cache: rocksdb, in its folder; postgres, in a schema of the database that they "
      "share for the log with ordering postgres, otherwise in a server of its own that is started beside it. Empty: "
      "postgres with ordering postgres, rocksdb with any other.");
  f.int64("first-port", file.first_port, "Nodes listen on ports from here upwards.");
  f.flag("static-time", file.static_time,
         "Time stands still until an application sets it (Ledger API TimeService). For tests of time, with one "
         "sequencer, from the beginning of the network.");
  f.list(
      "organisations", file.organisations,
      [](config::Fields& g, Organisation& organisation) {
        g.text("name", organisation.name, "Name, the first part of its nodes' names.");
        g.texts("nodes", organisation.nodes, "Roles that it runs.");
      },
      "Who takes part.");
}

bool is_name(const std::string& text) {
  return !text.empty() && text.size() <= 40 && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::islower(c) || std::isdigit(c) || c == '-';
  });
}

Error wrong(const std::string& file, std::string cause) {
  return invalid_argument("NETWORK_FILE_INVALID", file + ": " + std::move(cause));
}

// What was prepared in a folder before; without an ordering if nothing was. prepare() writes the file.
struct Prepared {
  std::string ordering;
  std::string cache = "rocksdb";
};

Prepared prepared_in(const std::string& folder) {
  std::ifstream in(folder + "/network");
  std::string line, name, synchronizer;
  std::getline(in, line);
  std::istringstream words(line);
  Prepared prepared;
  words >> name >> synchronizer >> prepared.ordering;
  if (std::string cache; words >> cache) prepared.cache = cache;
  return prepared;
}

Status check_name(const std::string& path, const char* what, const std::string& name,
                  const std::vector<std::string>& known) {
  if (std::find(known.begin(), known.end(), name) != known.end()) return {};
  std::string names;
  for (const std::string& one : known) names += (names.empty() ? "" : ", ") + one;
  return fail(wrong(path, std::string(what) + " '" + name + "' is none of " + names));
}

Status check(const std::string& path, const NetworkPlan& plan) {
  SYNOD_RETURN_IF_ERROR(check_name(path, "ordering", plan.ordering, orderings()));
  SYNOD_RETURN_IF_ERROR(check_name(path, "cache", plan.cache, caches()));
  if (plan.ordering == "solo" && plan.with_role(Role::orderer).size() != 1)
    return fail(wrong(path, "a network with solo ordering has exactly one orderer"));
  if (plan.with_role(Role::sequencer).empty()) return fail(wrong(path, "a network needs a sequencer"));
  if (plan.static_time && plan.with_role(Role::sequencer).size() != 1)
    return fail(wrong(path, "static-time needs exactly one sequencer: several would not believe each other's leaps"));
  if (plan.with_role(Role::mediator).size() != 1) return fail(wrong(path, "a network has exactly one mediator"));
  if (plan.with_role(Role::topology_manager).size() != 1)
    return fail(wrong(path, "a network has exactly one topology-manager"));
  return {};
}

}  // namespace

const char* to_string(Role role) {
  switch (role) {
    case Role::orderer:
      return "orderer";
    case Role::sequencer:
      return "sequencer";
    case Role::mediator:
      return "mediator";
    case Role::topology_manager:
      return "topology-manager";
    case Role::participant:
      return "participant";
  }
  return "";
}

Result<Role> parse_role(const std::string& text) {
  for (Role role : {Role::orderer, Role::sequencer, Role::mediator, Role::topology_manager, Role::participant})
    if (text == to_string(role)) return role;
  return fail(invalid_argument(
      "UNKNOWN_ROLE",
      "'" + text + "' is no role; roles are orderer, sequencer, mediator, topology-manager, participant"));
}

std::vector<const NodePlan*> NetworkPlan::with_role(Role role) const {
  std::vector<const NodePlan*> found;
  for (const NodePlan& node : nodes)
    if (node.role == role) found.push_back(&node);
  return found;
}

Result<const NodePlan*> NetworkPlan::find(const std::string& name) const {
  std::vector<const NodePlan*> by_role;
  std::string names;
  for (const NodePlan& node : nodes) {
    if (node.name == name) return &node;
    if (name == to_string(node.role)) by_role.push_back(&node);
    names += (names.empty() ? "" : ", ") + node.name;
  }
  if (by_role.size() == 1) return by_role[0];
  return fail(not_found("NODE_NOT_FOUND", "no node is called '" + name + "'; nodes are " + names));
}

Result<NetworkPlan> load_plan(const std::string& network_file, const std::string& data_folder,
                              const std::string& ordering, const std::string& cache) {
  NetworkFile file;
  SYNOD_RETURN_IF_ERROR(config::read_file(network_file, [&](config::Fields& f) { describe(f, file); }));
  if (!is_name(file.network)) return fail(wrong(network_file, "network must be a short name of a-z, 0-9 and -"));
  if (file.first_port < 1024 || file.first_port > 65000)
    return fail(wrong(network_file, "first-port must lie between 1024 and 65000"));

  NetworkPlan plan{file.network, file.synchronizer, file.ordering, file.cache, "", {}, {}};
  plan.static_time = file.static_time;
  const std::string folder = data_folder.empty() ? "testnet-data/" + file.network : data_folder;
  plan.folder = std::filesystem::absolute(folder).lexically_normal().string();
  if (const Prepared prepared = prepared_in(plan.folder); !prepared.ordering.empty()) {
    plan.ordering = prepared.ordering;
    plan.cache = prepared.cache;
  }
  if (!ordering.empty()) plan.ordering = ordering;
  if (!cache.empty()) plan.cache = cache;
  if (plan.cache.empty()) plan.cache = plan.ordering == "postgres" ? "postgres" : "rocksdb";

  std::set<std::string> names;
  std::uint16_t port = static_cast<std::uint16_t>(file.first_port);
  for (const Organisation& organisation : file.organisations) {
    if (!is_name(organisation.name))
      return fail(wrong(network_file, "'" + organisation.name + "' is no name of an organisation (a-z, 0-9 and -)"));
    for (const std::string& role_name : organisation.nodes) {
      SYNOD_TRY(const Role role, parse_role(role_name));
      NodePlan node{organisation.name + "-" + role_name,
                    organisation.name,
                    role,
                    plan.folder + "/" + organisation.name + "/" + role_name,
                    port,
                    static_cast<std::uint16_t>(port + 1)};
      port = static_cast<std::uint16_t>(port + 2);
      if (role == Role::orderer && plan.ordering != "solo") continue;
      if (!names.insert(node.name).second)
        return fail(wrong(network_file, "organisation '" + organisation.name + "' has two nodes of role " + role_name));
      plan.nodes.push_back(std::move(node));
    }
  }
  // Who is connected to comes before who connects; Role is declared in that order.
  std::stable_sort(plan.nodes.begin(), plan.nodes.end(),
                   [](const NodePlan& a, const NodePlan& b) { return a.role < b.role; });
  SYNOD_RETURN_IF_ERROR(check(network_file, plan));
  SYNOD_TRY(const PlanChanges changes, read_changes(plan.folder));
  plan.founders = plan.nodes;
  apply(changes, plan);
  return plan;
}

std::string default_network_file() {
  const std::filesystem::path here = "testnet/two-orgs.yaml";
  std::error_code ignored;
  if (std::filesystem::exists(here, ignored)) return here.string();
  const std::filesystem::path binary = std::filesystem::read_symlink("/proc/self/exe", ignored);
  return (binary.parent_path().parent_path() / here).string();
}

}  // namespace synod::testnet
