#include "testnet/mediator_group.h"

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/env.h"
#include "canton/topology_admin_v30.grpc.pb.h"
#include "node/identity.h"
#include "node/node_file.h"
#include "testnet/certificates.h"
#include "testnet/changes.h"
#include "testnet/node_database.h"
#include "testnet/process.h"
#include "testnet/topology_admin.h"

namespace synod::testnet {
namespace {

namespace canton = ::com::digitalasset::canton::protocol::v30;
namespace topology_api = ::com::digitalasset::canton::topology::admin::v30;

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Status put(const NetworkPlan& plan, const MediatorGroup& group, TopologyChange change, Duration patience) {
  canton::TopologyMapping mapping;
  auto& state = *mapping.mutable_mediator_synchronizer_state();
  state.set_synchronizer_id(group.synchronizer);
  state.set_group(group.index);
  state.set_threshold(group.threshold);
  state.mutable_active()->Assign(group.active.begin(), group.active.end());
  state.mutable_observers()->Assign(group.observers.begin(), group.observers.end());
  return authorize(plan, mapping, change, patience, fmt::format("changing mediator group {}", group.index));
}

Status check_threshold(const MediatorGroup& group) {
  if (group.threshold >= 1 && group.threshold <= group.active.size()) return {};
  return fail(failed_precondition(
      "MEDIATOR_THRESHOLD", fmt::format("mediator group {} would have {} mediators and threshold {}; name another one "
                                        "with --threshold",
                                        group.index, group.active.size(), group.threshold)));
}

Status configure(const NetworkPlan& plan, const NodePlan& node) {
  // Sequencers as its peers have them, for some may have been added since the network was prepared.
  SYNOD_TRY(const node::NodeFile peer, node::read_node_file(topology_manager(plan).config_file()));
  node::NodeFile file;
  file.name = node.name;
  file.role = to_string(node.role);
  file.data_folder = node.folder + "/data";
  file.static_clock = peer.static_clock;
  file.public_api.port = node.public_port;
  file.admin.port = node.admin_port;
  file.mediator.sequencers = peer.topology_manager.sequencers;
  std::ofstream out(node.config_file(), std::ios::trunc);
  out << node::write_node_file(std::move(file));
  out.close();
  if (!out) return fail(unavailable("NETWORK_FOLDER_FAILED", "cannot write " + node.config_file()));
  return {};
}

Status join(const NetworkPlan& plan, const NodePlan& node) {
  SYNOD_TRY(PlanChanges changes, read_changes(plan.folder));
  std::erase(changes.removed, node.name);
  if (!plan.find(node.name)) changes.added.push_back(node);
  return write_changes(plan.folder, std::move(changes));
}

Status leave(const NetworkPlan& plan, const NodePlan& node) {
  SYNOD_TRY(PlanChanges changes, read_changes(plan.folder));
  const auto added = std::find_if(changes.added.begin(), changes.added.end(),
                                  [&](const NodePlan& other) { return other.name == node.name; });
  if (added != changes.added.end()) {
    changes.added.erase(added);
  } else {
    changes.removed.push_back(node.name);
  }
  return write_changes(plan.folder, std::move(changes));
}

Result<node::Identity> identity_of(const NodePlan& node) {
  const auto random = system_random();
  return node::open_identity(protocol::MemberKind::mediator, node.name, node.folder + "/data", *random);
}

}  // namespace

Result<std::vector<MediatorGroup>> mediator_groups(const NetworkPlan& plan, Duration patience) {
  topology_api::ListMediatorSynchronizerStateRequest query;
  query.mutable_base_query()->mutable_head_state();
  query.mutable_base_query()->set_operation(canton::Enums::TOPOLOGY_CHANGE_OP_ADD_REPLACE);  // not what was removed
  topology_api::ListMediatorSynchronizerStateResponse found;
  grpc::ClientContext context;
  context.set_deadline(until(patience));
  SYNOD_RETURN_IF_ERROR(
      done(topology_api::TopologyManagerReadService::NewStub(admin_channel(topology_manager(plan).public_port))
               ->ListMediatorSynchronizerState(&context, query, &found),
           "reading the mediator groups"));
  std::vector<MediatorGroup> groups;
  for (const auto& result : found.results()) {
    const auto& state = result.item();
    groups.push_back({state.synchronizer_id(),
                      state.group(),
                      state.threshold(),
                      {state.active().begin(), state.active().end()},
                      {state.observers().begin(), state.observers().end()}});
  }
  std::sort(groups.begin(), groups.end(), [](const auto& a, const auto& b) { return a.index < b.index; });
  if (groups.empty()) return fail(internal_error("the topology names no mediator group"));
  return groups;
}

Status add_mediator(const NetworkPlan& plan, const std::string& organisation, const MediatorChange& change,
                    Duration patience, const Progress& progress) {
  SYNOD_TRY(const NodePlan node, place_for(plan, organisation, Role::mediator));
  SYNOD_TRY(const auto groups, mediator_groups(plan, patience));
  std::error_code error;
  std::filesystem::create_directories(node.folder + "/data", error);
  if (error) return fail(unavailable("NETWORK_FOLDER_FAILED", node.folder + ": " + error.message()));
  if (!std::filesystem::exists(node.folder + "/tls.pem")) SYNOD_RETURN_IF_ERROR(renew_certificate(plan, node));
  SYNOD_TRY(const node::Identity identity, identity_of(node));
  const std::string uid = identity.member.uid().to_string();

  MediatorGroup group;
  const auto known =
      std::find_if(groups.begin(), groups.end(), [&](const MediatorGroup& one) { return one.index == change.group; });
  const bool is_new = known == groups.end();
  if (!is_new) group = *known;
  if (is_new) group.synchronizer = groups.front().synchronizer;
  group.index = change.group;
  MediatorGroup with = group;
  if (change.threshold) with.threshold = *change.threshold;
  std::erase(with.observers, uid);
  if (!contains(with.active, uid)) with.active.push_back(uid);
  SYNOD_RETURN_IF_ERROR(check_threshold(with));

  progress("  registering " + identity.member.to_string());
  SYNOD_RETURN_IF_ERROR(introduce(plan, identity.introduction, patience));
  // So that the group does not count on it before it runs. A new group has nobody else.
  if (!is_new && !contains(group.active, uid) && !contains(group.observers, uid)) {
    group.observers.push_back(uid);
    SYNOD_RETURN_IF_ERROR(put(plan, group, TopologyChange::put, patience));
    progress(fmt::format("  {} observes mediator group {}", node.name, group.index));
  } else if (is_new) {
    SYNOD_RETURN_IF_ERROR(put(plan, with, TopologyChange::put, patience));
  }
  SYNOD_RETURN_IF_ERROR(configure(plan, node));
  SYNOD_RETURN_IF_ERROR(join(plan, node));
  SYNOD_RETURN_IF_ERROR(start(node));
  SYNOD_RETURN_IF_ERROR(wait_ready(node, patience));
  progress(fmt::format("  {:<28} ready", node.name));
  // The threshold comes last: open requests have the verdicts of those only who were active when they came.
  if (!is_new) {
    MediatorGroup counted = with;
    counted.threshold = group.threshold;
    if (counted != group) SYNOD_RETURN_IF_ERROR(put(plan, counted, TopologyChange::put, patience));
    if (with != counted) SYNOD_RETURN_IF_ERROR(put(plan, with, TopologyChange::put, patience));
  }
  progress(fmt::format("  mediator group {}: {} of {} must agree", with.index, with.threshold, with.active.size()));
  return {};
}

Status remove_mediator(const NetworkPlan& plan, const std::string& name, const MediatorChange& change,
                       Duration patience, const Progress& progress) {
  SYNOD_TRY(const NodePlan* node, plan.find(name));
  if (node->role != Role::mediator || node->is_replica())
    return fail(invalid_argument("NODE_NOT_FOUND", name + " is no mediator by itself"));
  SYNOD_TRY(const auto groups, mediator_groups(plan, patience));
  SYNOD_TRY(const node::Identity identity, identity_of(*node));
  const std::string uid = identity.member.uid().to_string();
  for (MediatorGroup group : groups) {
    if (!contains(group.active, uid) && !contains(group.observers, uid)) continue;
    const MediatorGroup before = group;
    std::erase(group.active, uid);
    std::erase(group.observers, uid);
    if (group.active.empty()) {
      if (groups.size() == 1)
        return fail(
            failed_precondition("LAST_MEDIATOR", "a synchronizer needs a mediator; " + node->name + " is the last"));
      SYNOD_RETURN_IF_ERROR(put(plan, before, TopologyChange::remove, patience));
      progress(fmt::format("  mediator group {} is no more", group.index));
      continue;
    }
    if (change.threshold) group.threshold = *change.threshold;
    SYNOD_RETURN_IF_ERROR(check_threshold(group));
    SYNOD_RETURN_IF_ERROR(put(plan, group, TopologyChange::put, patience));
    progress(
        fmt::format("  mediator group {}: {} of {} must agree", group.index, group.threshold, group.active.size()));
  }
  for (const NodePlan& process : plan.nodes) {
    if (process.name != node->name && process.replica_of != node->name) continue;
    if (running(process) && !stop(process, SIGTERM, Duration::seconds(10)) &&
        !stop(process, SIGKILL, Duration::seconds(30)))
      return fail(unavailable("PROCESS_STOP_FAILED", process.name + " does not stop"));
    SYNOD_RETURN_IF_ERROR(leave(plan, process));
  }
  if (const auto database = database_of(plan, *node); database && !database->stop())
    return fail(unavailable("PROCESS_STOP_FAILED", database->name + " does not stop"));
  return {};
}

}  // namespace synod::testnet
