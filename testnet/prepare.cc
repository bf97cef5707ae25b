// Everything a network needs before its first start: folders, certificates, identities, genesis, configuration files.
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "base/env.h"
#include "base/files.h"
#include "crypto/certificate.h"
#include "node/founding.h"
#include "node/node_file.h"
#include "testnet/launcher.h"
#include "testnet/node_database.h"
#include "testnet/ordering_engine.h"

namespace synod::testnet {
namespace {

constexpr char kBundle[] = "authorities.pem";  // the certificate authorities of all organisations
constexpr char kShape[] = "network";           // what was prepared; its last file

Status write(const std::string& path, const std::string& content, bool secret = false) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  if (secret) chmod(path.c_str(), 0600);
  out << content;
  out.close();
  if (!out) return fail(unavailable("NETWORK_FOLDER_FAILED", "cannot write " + path));
  return {};
}

// Nodes and ports: a folder may be used again only for the same.
std::string shape_of(const NetworkPlan& plan) {
  std::string shape = plan.name + " " + plan.synchronizer + " " + plan.ordering;
  if (plan.cache != "rocksdb")
    shape += " " + plan.cache;  // a folder's first line may be from before there was a choice
  shape += "\n";
  for (const NodePlan& node : plan.founders) shape += node.name + " " + std::to_string(node.public_port) + "\n";
  if (plan.mediator_groups.size() == 1 && plan.mediator_groups[0].mediators.size() == 1) return shape;
  for (const MediatorGroupPlan& group : plan.mediator_groups) {
    shape += "mediator group " + std::to_string(group.threshold);
    for (const std::string& mediator : group.mediators) shape += " " + mediator;
    shape += "\n";
  }
  return shape;
}

crypto::CertificateRequest local_request_for(const std::string& name, const std::string& organisation) {
  crypto::CertificateRequest request;
  request.common_name = name;
  request.organization = organisation;
  request.dns_names = {"localhost"};
  request.ip_addresses = {"127.0.0.1"};
  request.valid_from = system_clock()->now() - Duration::seconds(3600);
  return request;
}

// One authority an organisation, one certificate a node.
Status make_certificates(const NetworkPlan& plan) {
  std::map<std::string, crypto::Certificate> authorities;
  std::string bundle;
  for (const NodePlan& node : plan.nodes) {
    auto authority = authorities.find(node.organisation);
    if (authority == authorities.end()) {
      crypto::CertificateRequest request = local_request_for(node.organisation + " authority", node.organisation);
      request.dns_names.clear();
      request.ip_addresses.clear();
      SYNOD_TRY(crypto::Certificate made, crypto::make_certificate_authority(request));
      SYNOD_RETURN_IF_ERROR(
          write(plan.folder + "/" + node.organisation + "/authority.key", made.private_key_pem, true));
      SYNOD_RETURN_IF_ERROR(write(plan.folder + "/" + node.organisation + "/authority.pem", made.certificate_pem));
      bundle += made.certificate_pem;
      authority = authorities.emplace(node.organisation, std::move(made)).first;
    }
    SYNOD_TRY(const crypto::Certificate certificate,
              crypto::make_certificate(local_request_for(node.name, node.organisation), authority->second));
    SYNOD_RETURN_IF_ERROR(write(node.folder + "/tls.pem", certificate.certificate_pem));
    SYNOD_RETURN_IF_ERROR(write(node.folder + "/tls.key", certificate.private_key_pem, true));
  }
  return write(plan.folder + "/" + kBundle, bundle);
}

// A replica is the same member: it has the same keys.
Status share_keys(const NetworkPlan& plan, const NodePlan& replica) {
  SYNOD_TRY(const NodePlan* original, plan.find(replica.replica_of));
  const std::string keys = replica.folder + "/data/keys";
  std::error_code error;
  std::filesystem::remove_all(keys, error);  // of an attempt that did not get to the end
  std::filesystem::copy(original->folder + "/data/keys", keys, std::filesystem::copy_options::recursive, error);
  if (error) return fail(unavailable("NETWORK_FOLDER_FAILED", keys + ": " + error.message()));
  chmod(keys.c_str(), 0700);
  return {};
}

Status make_genesis(const NetworkPlan& plan) {
  const auto random = system_random();
  const auto identity = [&](const NodePlan& node, protocol::MemberKind kind) {
    return node::open_identity(kind, node.name, node.folder + "/data", *random);
  };
  SYNOD_TRY(node::Identity owner,
            identity(*plan.with_role(Role::topology_manager)[0], protocol::MemberKind::participant));
  node::Founders founders{plan.synchronizer, std::move(owner), {}, {}};
  for (const NodePlan* node : plan.with_role(Role::sequencer)) {
    SYNOD_TRY(const node::Identity sequencer, identity(*node, protocol::MemberKind::sequencer));
    founders.sequencers.push_back(sequencer.introduction);
  }
  for (const MediatorGroupPlan& group : plan.mediator_groups) {
    auto& founding = founders.mediator_groups.emplace_back();
    founding.threshold = group.threshold;
    for (const std::string& name : group.mediators) {
      SYNOD_TRY(const NodePlan* node, plan.find(name));
      SYNOD_TRY(const node::Identity mediator, identity(*node, protocol::MemberKind::mediator));
      founding.mediators.push_back(mediator.introduction);
    }
  }
  for (const NodePlan& node : plan.nodes)
    if (node.is_replica()) SYNOD_RETURN_IF_ERROR(share_keys(plan, node));
  founders.static_time = plan.static_time;
  SYNOD_TRY(const node::GenesisFile genesis, node::found_synchronizer(founders));
  for (const NodePlan* node : plan.with_role(Role::sequencer))
    SYNOD_RETURN_IF_ERROR(node::write_genesis(node->folder + "/genesis.bin", genesis));
  return {};
}

constexpr Duration kNeverExpires = Duration::seconds(100ll * 365 * 24 * 3600);

std::string local(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

std::vector<std::string> sequencer_addresses(const NetworkPlan& plan) {
  std::vector<std::string> addresses;
  for (const NodePlan* node : plan.with_role(Role::sequencer)) addresses.push_back(local(node->public_port));
  return addresses;
}

Result<node::NodeFile> file_for(const NetworkPlan& plan, const NodePlan& plan_node, const OrderingEngine* engine) {
  node::NodeFile file;
  file.name = plan_node.is_replica() ? plan_node.replica_of : plan_node.name;  // of the member
  file.role = to_string(plan_node.role);
  file.data_folder = plan_node.folder + "/data";
  file.public_api.port = plan_node.public_port;
  file.admin.port = plan_node.admin_port;
  if (plan.static_time) {
    file.static_clock = plan.folder + "/static-clock";
    // Tokens that expire with every leap of the time would hold everything up until members are authenticated again.
    file.sequencer.limits.token_lifetime = kNeverExpires;
  }
  const std::string certificate = plan_node.folder + "/tls.pem", key = plan_node.folder + "/tls.key",
                    bundle = plan.folder + "/" + kBundle;
  switch (plan_node.role) {
    case Role::orderer:
      // Mutual TLS keeps strangers out; what sequencers submit is signed by them anyway.
      file.orderer.allow_unsigned = true;
      file.public_api.certificate = certificate;
      file.public_api.private_key = key;
      file.public_api.client_ca = bundle;
      file.public_api.max_request_bytes = 20u << 20;
      break;
    case Role::sequencer:
      file.public_api.certificate = certificate;
      file.public_api.private_key = key;
      file.sequencer.genesis = plan_node.folder + "/genesis.bin";
      SYNOD_RETURN_IF_ERROR(configure_database(plan, plan_node, file));
      if (engine)
        SYNOD_RETURN_IF_ERROR(engine->configure(plan_node, file));
      else
        file.sequencer.ordering = {{local(plan.with_role(Role::orderer)[0]->public_port)}, bundle, certificate, key};
      break;
    case Role::mediator:
      file.mediator.sequencers = {sequencer_addresses(plan), bundle, "", ""};
      SYNOD_RETURN_IF_ERROR(configure_database(plan, plan_node, file));
      break;
    case Role::topology_manager:
      file.topology_manager.sequencers = {sequencer_addresses(plan), bundle, "", ""};
      break;
    case Role::participant:
      // Its own organisation's sequencer, and the others in need.
      for (const NodePlan* sequencer : plan.with_role(Role::sequencer))
        file.participant.node.sequencers.push_back(
            {local(sequencer->public_port), sequencer->organisation != plan_node.organisation});
      file.participant.node.tls_ca_file = bundle;
      file.public_api.max_request_bytes = 128u << 20;  // DARs
      break;
  }
  return file;
}

}  // namespace

Status prepare(const NetworkPlan& plan, const Progress& progress) {
  const std::string shape = shape_of(plan), marker = plan.folder + "/" + kShape;
  if (const std::string prepared = file_bytes(marker).value_or(""); !prepared.empty()) {
    if (prepared == shape) return {};
    return fail(failed_precondition(
        "NETWORK_FOLDER_IN_USE",
        plan.folder + " holds a network of another shape; remove the folder, or choose another with --data"));
  }
  for (const NodePlan& node : plan.nodes) {
    std::error_code error;
    std::filesystem::create_directories(node.folder + "/data", error);
    if (error) return fail(unavailable("NETWORK_FOLDER_FAILED", node.folder + ": " + error.message()));
  }
  SYNOD_TRY(const auto engine, engine_of(plan));
  if (engine) SYNOD_RETURN_IF_ERROR(engine->prepare(progress));
  for (const NodePlan& node : plan.nodes) SYNOD_RETURN_IF_ERROR(prepare_database(plan, node, progress));
  progress("  making certificates, keys and the genesis of the synchronizer");
  SYNOD_RETURN_IF_ERROR(make_certificates(plan));
  SYNOD_RETURN_IF_ERROR(make_genesis(plan));
  for (const NodePlan& node : plan.nodes) {
    SYNOD_TRY(node::NodeFile file, file_for(plan, node, engine.get()));
    SYNOD_RETURN_IF_ERROR(write(node.config_file(), node::write_node_file(std::move(file))));
  }
  return write(marker, shape);
}

}  // namespace synod::testnet
