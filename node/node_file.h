// A node's configuration file. `role` decides which section follows; the sections' contents belong to the roles.
#pragma once

#include <string>
#include <vector>

#include "base/config.h"
#include "mediator/mediator_node.h"
#include "node/ordering_engines.h"
#include "node/stores.h"
#include "ordering/solo/orderer_node.h"
#include "participant/ledger_api/ledger_api.h"
#include "participant/participant_node.h"
#include "rpc/server.h"
#include "sequencer/sequencer_node.h"
#include "topology/manager/topology_manager_node.h"

namespace synod::node {

// Where a node listens. Certificate and key name files in PEM; without them it speaks plaintext.
struct Listen {
  std::string address = "127.0.0.1";
  int port = 0;
  std::string certificate;
  std::string private_key;
  std::string client_ca;  // set: clients must show a certificate of this authority
  std::uint64_t max_request_bytes = 16u << 20;

  rpc::ServerConfig server() const;
};

// Whom a node calls.
struct Endpoints {
  std::vector<std::string> addresses;  // host:port
  std::string ca;                      // PEM file; without it plaintext
  std::string certificate;             // own certificate for mutual TLS, with its key
  std::string private_key;

  std::optional<rpc::ClientTls> tls() const;
  std::vector<sequencer::client::Endpoint> sequencers() const;
};

struct SequencerSection {
  std::string genesis;           // file
  std::string onboarding_state;  // file; instead of the genesis, for a sequencer that joins a running synchronizer
  Endpoints ordering;
  std::string channel = "synod";
  CacheSection cache;
  OrderingEngines engines;  // instead of the endpoints and channel before, unless the engine is solo
  sequencer::SequencerConfig limits;
};

struct MediatorSection {
  Endpoints sequencers;
  MemberStoreSection store;
  mediator::MediatorNodeConfig node;
};

struct TopologyManagerSection {
  Endpoints sequencers;
  topology::TopologyManagerConfig node;
};

struct ParticipantSection {
  participant::ParticipantConfig node;
  participant::LedgerApiConfig ledger_api;
};

// Thread rules: each call opens the clock anew.
struct NodeFile;
Result<std::shared_ptr<Clock>> clock_of(const NodeFile& file);

struct NodeFile {
  std::string name;
  std::string role;         // orderer, sequencer, mediator, topology-manager, participant
  std::string data_folder;  // keys and stores of this node
  std::string log_level = "info";
  std::string log_format = "text";
  std::string static_clock;  // file; empty: the wall clock
  std::string wrong_clock;   // file; empty: the wall clock is right
  bool ready_signatures = true;
  Listen public_api;  // what the role offers: AtomicBroadcast, the sequencer's public API, the Ledger API
  Listen admin;       // status and log level; keep it private

  ordering::solo::OrdererConfig orderer;
  SequencerSection sequencer;
  MediatorSection mediator;
  TopologyManagerSection topology_manager;
  ParticipantSection participant;
};

void describe(config::Fields& f, NodeFile& file);
Result<NodeFile> read_node_file(const std::string& path);
std::string write_node_file(NodeFile file);
// Reference pages of all roles, in Markdown.
std::string configuration_reference();

}  // namespace synod::node
