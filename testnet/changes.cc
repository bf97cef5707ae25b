#include "testnet/changes.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/config.h"

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

}  // namespace synod::testnet
