#include "testnet/network_plan.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "testnet/changes.h"
#include "testnet/network_file.h"
#include "testnet/node_database.h"
#include "testnet/ordering_engine.h"

namespace synod::testnet {
namespace {

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

Status check_name(const NetworkFile& file, const char* what, const std::string& name,
                  const std::vector<std::string>& known) {
  if (std::find(known.begin(), known.end(), name) != known.end()) return {};
  std::string names;
  for (const std::string& one : known) names += (names.empty() ? "" : ", ") + one;
  return fail(wrong_at(file, {what}, std::string(what) + " '" + name + "' is none of " + names));
}

Status check(const NetworkFile& file, const NetworkPlan& plan) {
  SYNOD_RETURN_IF_ERROR(check_name(file, "ordering", plan.ordering, orderings()));
  SYNOD_RETURN_IF_ERROR(check_name(file, "cache", plan.cache, caches()));
  const auto wrong = [&](const char* place, const char* cause) { return fail(wrong_at(file, {place}, cause)); };
  if (plan.ordering == "solo" && plan.with_role(Role::orderer).size() != 1)
    return wrong("organisations", "a network with solo ordering has exactly one orderer");
  if (plan.with_role(Role::sequencer).empty()) return wrong("organisations", "a network needs a sequencer");
  if (plan.static_time && plan.with_role(Role::sequencer).size() != 1)
    return wrong("static-time",
                 "static-time needs exactly one sequencer: several would not believe each other's leaps");
  if (plan.with_role(Role::topology_manager).size() != 1)
    return wrong("organisations", "a network has exactly one topology-manager");
  return {};
}

// The nodes of an organisation, with two ports each from `port` upwards.
Result<std::vector<NodePlan>> nodes_of(const NetworkFile::Organisation& organisation, const std::string& folder,
                                       std::uint16_t& port) {
  std::vector<NodePlan> nodes;
  for (const std::string& role_name : organisation.nodes) {
    SYNOD_TRY(const Role role, parse_role(role_name));
    const std::int64_t processes = role == Role::mediator ? organisation.mediator_replicas : 1;
    for (std::int64_t number = 1; number <= processes; ++number) {
      const std::string own = role_name + (number == 1 ? "" : "-" + std::to_string(number));
      nodes.push_back({organisation.name + "-" + own, organisation.name, role,
                       folder + "/" + organisation.name + "/" + own, port, static_cast<std::uint16_t>(port + 1),
                       number == 1 ? "" : organisation.name + "-" + role_name});
      port = static_cast<std::uint16_t>(port + 2);
    }
  }
  return nodes;
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
  SYNOD_TRY(const NetworkFile file, read_network_file(network_file));
  NetworkPlan plan{file.network, file.synchronizer, file.ordering, file.cache, "", {}, {}, {}};
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

  auto port = static_cast<std::uint16_t>(file.first_port);
  for (const NetworkFile::Organisation& organisation : file.organisations) {
    SYNOD_TRY(std::vector<NodePlan> nodes, nodes_of(organisation, plan.folder, port));
    for (NodePlan& node : nodes)
      if (node.role != Role::orderer || plan.ordering == "solo") plan.nodes.push_back(std::move(node));
  }
  for (const NetworkFile::MediatorGroup& group : file.mediator_groups) {
    MediatorGroupPlan& made = plan.mediator_groups.emplace_back();
    made.threshold = static_cast<std::uint32_t>(group.threshold);
    for (const std::string& organisation : group.mediators)
      made.mediators.push_back(organisation + "-" + to_string(Role::mediator));
  }
  // Who is connected to comes before who connects; Role is declared in that order.
  std::stable_sort(plan.nodes.begin(), plan.nodes.end(),
                   [](const NodePlan& a, const NodePlan& b) { return a.role < b.role; });
  SYNOD_RETURN_IF_ERROR(check(file, plan));
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
