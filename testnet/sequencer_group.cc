#include "testnet/sequencer_group.h"

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/env.h"
#include "canton/sequencer_admin_v30.grpc.pb.h"
#include "canton/topology_admin_v30.grpc.pb.h"
#include "node/identity.h"
#include "node/node_file.h"
#include "synod/admin.grpc.pb.h"
#include "synod/sequencer_operations.grpc.pb.h"
#include "testnet/certificates.h"
#include "testnet/changes.h"
#include "testnet/node_database.h"
#include "testnet/ordering_engine.h"
#include "testnet/process.h"
#include "testnet/status.h"
#include "testnet/topology_admin.h"

namespace synod::testnet {
namespace {

namespace canton = ::com::digitalasset::canton::protocol::v30;
namespace topology_api = ::com::digitalasset::canton::topology::admin::v30;
namespace sequencer_api = ::com::digitalasset::canton::sequencer::admin::v30;
namespace ops = ::synod::sequencer::operations::v1;

std::string loopback(std::uint16_t port) { return fmt::format("127.0.0.1:{}", port); }

// Changes the list of active sequencers and waits until that has taken effect.
Status change_group(const NetworkPlan& plan, const std::string& uid, bool present, Duration patience) {
  const auto channel = admin_channel(topology_manager(plan).public_port);
  topology_api::ListSequencerSynchronizerStateRequest query;
  query.mutable_base_query()->mutable_head_state();
  topology_api::ListSequencerSynchronizerStateResponse found;
  grpc::ClientContext read;
  read.set_deadline(until(patience));
  SYNOD_RETURN_IF_ERROR(done(
      topology_api::TopologyManagerReadService::NewStub(channel)->ListSequencerSynchronizerState(&read, query, &found),
      "reading the group of sequencers"));
  if (found.results_size() != 1) return fail(internal_error("the topology names no group of sequencers"));
  auto group = found.results(0).item();
  auto& active = *group.mutable_active();
  const auto at = std::find(active.begin(), active.end(), uid);
  if ((at != active.end()) == present) return {};
  if (present) {
    active.Add(std::string(uid));
  } else {
    active.erase(at);
  }
  canton::TopologyMapping mapping;
  *mapping.mutable_sequencer_synchronizer_state() = group;
  return authorize(plan, mapping, TopologyChange::put, patience, "changing the group of sequencers");
}

// Until the peer has come to where the topology manager was.
Status wait_for_peer(const NetworkPlan& plan, const NodePlan& peer, Duration patience) {
  const auto manager = ask(topology_manager(plan), patience);
  const std::int64_t time = manager ? manager->sequencing_time_micros() : 0;
  const auto clock = system_clock();
  for (const std::int64_t give_up = clock->monotonic_micros() + patience.micros;;) {
    const auto status = ask(peer, patience);
    if (status && status->sequencing_time_micros() >= time) return {};
    if (clock->monotonic_micros() > give_up) {
      return fail(unavailable("NETWORK_NOT_READY", peer.name + " does not follow the log"));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

// The state of a peer, into a file.
Status export_state(const NodePlan& peer, const std::string& path, Duration patience) {
  const auto stub = sequencer_api::SequencerAdministrationService::NewStub(admin_channel(peer.admin_port));
  grpc::ClientContext context;
  context.set_deadline(until(patience));
  const auto stream = stub->OnboardingStateV2(&context, {});
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  sequencer_api::OnboardingStateV2Response piece;
  while (stream->Read(&piece)) out << piece.onboarding_state_for_sequencer();
  out.close();
  SYNOD_RETURN_IF_ERROR(done(stream->Finish(), "exporting the state of " + peer.name));
  if (!out) return fail(unavailable("NETWORK_FOLDER_FAILED", "cannot write " + path));
  return {};
}

Status write_file(const NodePlan& node, const node::NodeFile& file) {
  std::ofstream out(node.config_file(), std::ios::trunc);
  out << node::write_node_file(file);
  out.close();
  if (!out) return fail(unavailable("NETWORK_FOLDER_FAILED", "cannot write " + node.config_file()));
  return {};
}

// Configured like a peer, but itself.
Status configure(const NetworkPlan& plan, const NodePlan& node, const NodePlan& peer, const std::string& state,
                 const OrderingEngine* engine) {
  SYNOD_TRY(node::NodeFile file, node::read_node_file(peer.config_file()));
  file.name = node.name;
  file.data_folder = node.folder + "/data";
  file.public_api.port = node.public_port;
  file.public_api.certificate = node.folder + "/tls.pem";
  file.public_api.private_key = node.folder + "/tls.key";
  file.admin.port = node.admin_port;
  file.sequencer.genesis = "";
  file.sequencer.onboarding_state = state;
  if (!file.sequencer.ordering.certificate.empty()) {
    file.sequencer.ordering.certificate = node.folder + "/tls.pem";
    file.sequencer.ordering.private_key = node.folder + "/tls.key";
  }
  if (!file.sequencer.ordering.ca.empty()) file.sequencer.ordering.ca = authorities_file(plan);
  SYNOD_RETURN_IF_ERROR(configure_database(plan, node, file));
  if (engine) SYNOD_RETURN_IF_ERROR(engine->configure(node, file));
  return write_file(node, file);
}

// Rewrites who a member is connected to, and has it take that over.
Status tell_member(const NodePlan& member, const NodePlan& sequencer, bool use, Duration patience) {
  SYNOD_TRY(node::NodeFile file, node::read_node_file(member.config_file()));
  const std::string address = loopback(sequencer.public_port);
  const auto change = [&](std::vector<std::string>& addresses) {
    std::erase(addresses, address);
    if (use) addresses.push_back(address);
  };
  if (member.role == Role::mediator) change(file.mediator.sequencers.addresses);
  if (member.role == Role::topology_manager) change(file.topology_manager.sequencers.addresses);
  if (member.role == Role::participant) {
    auto& known = file.participant.node.sequencers;
    std::erase_if(known, [&](const auto& endpoint) { return endpoint.address == address; });
    if (use) known.push_back({address, sequencer.organisation != member.organisation});
  }
  SYNOD_RETURN_IF_ERROR(write_file(member, file));
  if (!running(member)) return {};
  grpc::ClientContext context;
  context.set_deadline(until(patience));
  synod::admin::v1::ReloadConfigurationResponse response;
  return done(synod::admin::v1::NodeService::NewStub(admin_channel(member.admin_port))
                  ->ReloadConfiguration(&context, {}, &response),
              "telling " + member.name);
}

Status tell_members(const NetworkPlan& plan, const NodePlan& sequencer, bool use, Duration patience,
                    const Progress& progress) {
  for (const NodePlan& node : plan.nodes) {
    if (node.role == Role::orderer || node.role == Role::sequencer) continue;
    SYNOD_RETURN_IF_ERROR(tell_member(node, sequencer, use, patience));
    progress(fmt::format("  {:<28} {} {}", node.name, use ? "uses" : "no longer uses", sequencer.name));
  }
  return {};
}

Result<const NodePlan*> running_peer(const NetworkPlan& plan, const std::string& but) {
  for (const NodePlan* node : plan.with_role(Role::sequencer)) {
    if (node->name != but && running(*node)) return node;
  }
  return fail(failed_precondition("NO_RUNNING_SEQUENCER", "no other sequencer of the network runs"));
}

}  // namespace

Status add_sequencer(const NetworkPlan& plan, const std::string& organisation, Duration patience,
                     const Progress& progress) {
  SYNOD_TRY(const NodePlan node, place_for(plan, organisation, Role::sequencer));
  SYNOD_TRY(const NodePlan* peer, running_peer(plan, node.name));
  std::error_code error;
  std::filesystem::create_directories(node.folder + "/data", error);
  if (error) return fail(unavailable("NETWORK_FOLDER_FAILED", node.folder + ": " + error.message()));
  progress("  making keys and a certificate for " + node.name);
  if (!std::filesystem::exists(node.folder + "/tls.pem")) SYNOD_RETURN_IF_ERROR(renew_certificate(plan, node));
  const auto random = system_random();
  SYNOD_TRY(const node::Identity identity,
            node::open_identity(protocol::MemberKind::sequencer, node.name, node.folder + "/data", *random));

  progress("  registering " + identity.member.to_string());
  SYNOD_RETURN_IF_ERROR(introduce(plan, identity.introduction, patience));
  SYNOD_RETURN_IF_ERROR(change_group(plan, identity.member.uid().to_string(), true, patience));

  const std::string state = node.folder + "/onboarding-state.bin";
  if (!std::filesystem::exists(node.folder + "/data/cache")) {
    progress("  taking over the state of " + peer->name);
    SYNOD_RETURN_IF_ERROR(wait_for_peer(plan, *peer, patience));
    SYNOD_RETURN_IF_ERROR(export_state(*peer, state, patience));
  }
  SYNOD_RETURN_IF_ERROR(prepare_database(plan, node, progress));
  if (const auto database = database_of(plan, node)) SYNOD_RETURN_IF_ERROR(database->start(patience));
  SYNOD_TRY(const auto engine, engine_of(plan));
  if (engine) SYNOD_RETURN_IF_ERROR(engine->admit(node, patience, progress));
  SYNOD_RETURN_IF_ERROR(configure(plan, node, *peer, state, engine.get()));
  SYNOD_TRY(PlanChanges changes, read_changes(plan.folder));
  std::erase(changes.removed, node.name);
  if (!plan.find(node.name)) changes.added.push_back(node);
  SYNOD_RETURN_IF_ERROR(write_changes(plan.folder, std::move(changes)));
  SYNOD_RETURN_IF_ERROR(start(node));
  SYNOD_RETURN_IF_ERROR(wait_ready(node, patience));
  progress(fmt::format("  {:<28} ready", node.name));
  return tell_members(plan, node, true, patience, progress);
}

Status remove_sequencer(const NetworkPlan& plan, const std::string& name, Duration patience, const Progress& progress) {
  SYNOD_TRY(const NodePlan* node, plan.find(name));
  if (node->role != Role::sequencer) return fail(invalid_argument("NODE_NOT_FOUND", name + " is no sequencer"));
  if (plan.with_role(Role::sequencer).size() < 2) {
    return fail(failed_precondition("LAST_SEQUENCER", "a synchronizer needs a sequencer; " + name + " is the last"));
  }
  const auto random = system_random();
  SYNOD_TRY(const node::Identity identity,
            node::open_identity(protocol::MemberKind::sequencer, node->name, node->folder + "/data", *random));
  SYNOD_RETURN_IF_ERROR(tell_members(plan, *node, false, patience, progress));
  SYNOD_RETURN_IF_ERROR(change_group(plan, identity.member.uid().to_string(), false, patience));
  progress("  " + identity.member.to_string() + " has left the synchronizer");
  if (running(*node) && !stop(*node, SIGTERM, Duration::seconds(10)) && !stop(*node, SIGKILL, Duration::seconds(30))) {
    return fail(unavailable("PROCESS_STOP_FAILED", node->name + " does not stop"));
  }
  if (const auto database = database_of(plan, *node); database && !database->stop()) {
    return fail(unavailable("PROCESS_STOP_FAILED", database->name + " does not stop"));
  }
  SYNOD_TRY(PlanChanges changes, read_changes(plan.folder));
  const auto added = std::find_if(changes.added.begin(), changes.added.end(),
                                  [&](const NodePlan& other) { return other.name == node->name; });
  if (added != changes.added.end()) {
    changes.added.erase(added);
  } else {
    changes.removed.push_back(node->name);
  }
  return write_changes(plan.folder, std::move(changes));
}

Status rotate_keys(const NetworkPlan& plan, const std::string& name, Duration patience, const Progress& progress) {
  SYNOD_TRY(const NodePlan* node, plan.find(name));
  if (node->role != Role::sequencer) return fail(invalid_argument("NODE_NOT_FOUND", name + " is no sequencer"));
  ops::RotateKeysRequest request;
  request.set_timeout_micros(patience.micros);
  ops::RotateKeysResponse response;
  grpc::ClientContext context;
  context.set_deadline(until(patience + Duration::seconds(5)));
  SYNOD_RETURN_IF_ERROR(
      done(ops::SequencerOperations::NewStub(admin_channel(node->admin_port))->RotateKeys(&context, request, &response),
           "replacing the keys of " + node->name));
  for (const auto& key : response.added()) progress("  new key " + key);
  SYNOD_RETURN_IF_ERROR(renew_certificate(plan, *node));
  progress("  new certificate " + node->folder + "/tls.pem");
  SYNOD_TRY(const auto engine, engine_of(plan));
  if (!engine) return {};  // the solo orderer knows it by that certificate
  SYNOD_TRY(const std::vector<std::string> renewed, engine->renew_identity(*node));
  for (const std::string& certificate : renewed) progress("  new certificate " + certificate);
  return {};
}

}  // namespace synod::testnet
