#include "testnet/changes.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>

#include "base/config.h"
#include "testnet/process.h"

namespace synod::testnet {
namespace {

std::string file_in(const std::string& folder) { return folder + "/changes.yaml"; }

void describe_node(config::Fields& f, NodePlan& node) {
  f.text("name", node.name, "Of the node.");
  f.text("organisation", node.organisation, "Who runs it.");
  std::string role = to_string(node.role);
  f.text("role", role, "Its role.");
  if (const auto parsed = parse_role(role)) node.role = *parsed;
  f.integer("public-port", node.public_port, "Where it serves others.");
  f.integer("admin-port", node.admin_port, "Where it tells its status.");
}

void describe(config::Fields& f, PlanChanges& changes) {
  f.list("added", changes.added, describe_node, "Nodes that the network file does not have.");
  f.texts("removed", changes.removed, "Nodes of the network file that are no more.");
}

}  // namespace

Result<PlanChanges> read_changes(const std::string& network_folder) {
  PlanChanges changes;
  if (!std::filesystem::exists(file_in(network_folder))) return changes;
  SYNOD_RETURN_IF_ERROR(config::read_file(file_in(network_folder), [&](config::Fields& f) { describe(f, changes); }));
  return changes;
}

Status write_changes(const std::string& network_folder, PlanChanges changes) {
  std::ofstream out(file_in(network_folder), std::ios::trunc);
  out << config::write_text([&](config::Fields& f) { describe(f, changes); });
  out.close();
  if (!out) return fail(unavailable("NETWORK_FOLDER_FAILED", "cannot write " + file_in(network_folder)));
  return {};
}

void apply(const PlanChanges& changes, NetworkPlan& plan) {
  for (NodePlan node : changes.added) {
    node.folder = plan.folder + "/" + node.organisation + "/" + to_string(node.role);
    plan.nodes.push_back(std::move(node));
  }
  std::erase_if(plan.nodes, [&](const NodePlan& node) {
    return std::find(changes.removed.begin(), changes.removed.end(), node.name) != changes.removed.end();
  });
  std::stable_sort(plan.nodes.begin(), plan.nodes.end(),
                   [](const NodePlan& a, const NodePlan& b) { return a.role < b.role; });
}

Result<NodePlan> place_for(const NetworkPlan& plan, const std::string& organisation, Role role) {
  NodePlan node;
  node.organisation = organisation;
  node.role = role;
  node.name = organisation + "-" + to_string(role);
  node.folder = plan.folder + "/" + organisation + "/" + to_string(role);
  std::uint16_t last = 0;
  for (const NodePlan& known : plan.nodes) {
    last = std::max(last, known.admin_port);
    if (known.name != node.name) continue;
    if (!running(known)) return known;
    std::string id = std::string(to_string(role)) + "_EXISTS";
    std::transform(id.begin(), id.end(), id.begin(), [](unsigned char c) { return c == '-' ? '_' : std::toupper(c); });
    return fail(failed_precondition(id, node.name + " is part of the network already"));
  }
  node.public_port = static_cast<std::uint16_t>(last + 1);
  node.admin_port = static_cast<std::uint16_t>(last + 2);
  return node;
}

}  // namespace synod::testnet
