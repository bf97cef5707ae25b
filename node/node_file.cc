#include "node/node_file.h"

#include <array>

#include "base/config_place.h"
#include "base/static_clock.h"
#include "base/wrong_clock.h"
#include "rpc/message_limit.h"

namespace synod::node {
namespace {

constexpr std::array kRoles = {"orderer", "sequencer", "mediator", "topology-manager", "participant"};

void describe(config::Fields& f, Listen& listen) {
  f.text("address", listen.address, "Address to listen on.");
  f.integer("port", listen.port, "Port; 0: any free one.");
  f.text("certificate", listen.certificate, "TLS certificate chain (PEM file); empty: plaintext.");
  f.text("private-key", listen.private_key, "Its private key (PEM file).");
  f.text("client-ca", listen.client_ca, "Clients must show a certificate of this authority (PEM file).");
  f.size_within("max-request-bytes", listen.max_request_bytes, rpc::kLeastMessageLimit, rpc::kGreatestMessageLimit,
                "Larger messages are refused.");
}

void describe(config::Fields& f, Endpoints& endpoints) {
  f.texts("addresses", endpoints.addresses, "host:port; several for fail-over.");
  f.text("ca", endpoints.ca, "Authority of the servers' certificates (PEM file); empty: plaintext.");
  f.text("certificate", endpoints.certificate, "Own certificate for mutual TLS (PEM file).");
  f.text("private-key", endpoints.private_key, "Its private key (PEM file).");
}

void describe(config::Fields& f, ordering::solo::OrdererConfig& c) {
  f.text("channel", c.engine.channel, "Name of the channel, as in Fabric.");
  f.flag("allow-unsigned", c.allow_unsigned,
         "Take envelopes without a signature: where mutual TLS or the network keeps strangers out.");
  f.texts("client-certificates", c.client_certificate_files,
          "Holders of these certificates (PEM files) may submit signed envelopes and read.");
  f.integer(
      "keep-blocks", c.engine.keep_blocks,
      "At least so many of the newest blocks are kept, older ones go, a segment at a time; 0: all. A sequencer that "
      "is further behind, or has lost its cache, then needs a peer's state.");
  f.size("segment-bytes", c.engine.segment_bytes, "Size of a file of the log.");
  f.size("max-record-bytes", c.engine.max_record_bytes, "Largest envelope.");
  f.integer("max-block-records", c.engine.max_block_records, "Most envelopes of a block.");
  f.size("max-block-bytes", c.engine.max_block_bytes, "Size of a block; a larger envelope has one of its own.");
  f.duration("batch-timeout", c.engine.batch_timeout,
             "A block gathers envelopes for so long, unless it is full before; 0s: it is cut at once, and what comes "
             "while it is written goes into the next one.");
  f.size("max-queued-bytes", c.engine.max_queued_bytes, "Waiting for their block; more is refused.");
  f.integer("max-queued-records", c.engine.max_queued_records,
            "Envelopes that wait for their block; more are refused.");
  f.duration("full-disk-retry", c.engine.full_disk_retry, "How often a submission may try a full disk again.");
  f.size("max-unanswered-bytes", c.limits.max_unanswered_bytes,
         "Of envelopes that wait for their answer, a Broadcast stream; above it the stream is not read on.");
  f.size("max-unsent-bytes", c.limits.max_unsent_bytes,
         "Of blocks that the client has not taken, a Deliver stream; above it no more are read.");
  f.size("cache-bytes", c.engine.cache_bytes, "Of the newest blocks, kept in memory.");
}

void describe(config::Fields& f, SequencerSection& s) {
  f.text("genesis", s.genesis, "Genesis file of the synchronizer; read when the cache is empty.");
  f.text("onboarding-state", s.onboarding_state,
         "Instead of the genesis: state exported by a running sequencer, for one that joins; fills an empty cache.");
  f.object(
      "ordering",
      [&](config::Fields& g) {
        describe(g, s.ordering);
        g.text("channel", s.channel, "Channel at the ordering service.");
        describe(g, s.engines);
      },
      "The ordering service.");
  f.object(
      "cache", [&](config::Fields& g) { describe(g, s.cache); },
      "What was made of the log, for restarts and subscriptions. When it cannot be written, the sequencer says so, "
      "takes no requests, and tries again until it can.");
  f.object("limits", [&](config::Fields& g) { sequencer::describe(g, s.limits); }, "Limits.");
}

template <typename Section, typename Describe>
void describe_member(config::Fields& f, Section& s, Describe describe_node) {
  f.object("sequencers", [&](config::Fields& g) { describe(g, s.sequencers); }, "Sequencers to connect to.");
  f.object("settings", [&](config::Fields& g) { describe_node(g, s.node); }, "Limits and timing.");
}

void describe(config::Fields& f, ParticipantSection& s) {
  participant::describe(f, s.node);
  f.object("ledger-api", [&](config::Fields& g) { participant::describe(g, s.ledger_api); }, "The Ledger API.");
}

}  // namespace

rpc::ServerConfig Listen::server() const {
  rpc::ServerConfig config;
  config.address = address;
  config.port = port;
  config.max_request_bytes = max_request_bytes;
  if (!certificate.empty()) {
    config.tls = rpc::ServerTls{certificate, private_key, std::nullopt};
    if (!client_ca.empty()) config.tls->client_ca_file = client_ca;
  }
  return config;
}

std::optional<rpc::ClientTls> Endpoints::tls() const {
  if (ca.empty()) return std::nullopt;
  rpc::ClientTls tls{ca, std::nullopt, std::nullopt};
  if (!certificate.empty()) {
    tls.certificate_chain_file = certificate;
    tls.private_key_file = private_key;
  }
  return tls;
}

std::vector<sequencer::client::Endpoint> Endpoints::sequencers() const {
  std::vector<sequencer::client::Endpoint> endpoints;
  for (const std::string& address : addresses) endpoints.push_back({address, address, tls()});
  return endpoints;
}

Result<std::shared_ptr<Clock>> clock_of(const NodeFile& file) {
  if (!file.static_clock.empty()) return StaticClock::open(file.static_clock);
  if (!file.wrong_clock.empty()) return WrongClock::open(file.wrong_clock);
  return system_clock();
}

void describe(config::Fields& f, NodeFile& file) {
  f.text("name", file.name, "Name of the node; the readable part of its id.");
  f.text("role", file.role, "orderer, sequencer, mediator, topology-manager or participant.");
  f.text("data-folder", file.data_folder, "Keys and stores of this node.");
  f.text(
      "static-clock", file.static_clock,
      "For tests: time stands still until it is set, and is kept in this file, which all nodes of the network share. "
      "Empty: the wall clock.");
  f.text(
      "wrong-clock", file.wrong_clock,
      "For tests: this node's wall clock is wrong by the microseconds that this file holds as a binary number of eight "
      "bytes; they may change while the node runs. Empty: it is right.");
  f.flag(
      "ready-signatures", file.ready_signatures,
      "Make the part of signatures that does not depend on the message beforehand. Turn it off where a snapshot of "
      "this machine's or container's memory may be resumed more than once: signatures of both would give keys away.");
  f.object(
      "log",
      [&](config::Fields& g) {
        g.text("level", file.log_level, "trace, debug, info, warn or error.");
        g.text("format", file.log_format, "text or json.");
      },
      "Logging, to standard error.");
  f.object("public", [&](config::Fields& g) { describe(g, file.public_api); }, "What the role offers to others.");
  f.object("admin", [&](config::Fields& g) { describe(g, file.admin); }, "Status and log level; keep it private.");
  if (file.role == "orderer")
    f.object("orderer", [&](config::Fields& g) { describe(g, file.orderer); }, "The solo ordering service.");
  if (file.role == "sequencer")
    f.object("sequencer", [&](config::Fields& g) { describe(g, file.sequencer); }, "The sequencer.");
  if (file.role == "mediator")
    f.object(
        "mediator",
        [&](config::Fields& g) {
          describe_member(g, file.mediator, [](config::Fields& h, auto& c) { mediator::describe(h, c); });
          g.object(
              "store", [&](config::Fields& h) { describe(h, file.mediator.store); },
              "What it needs after a restart. Processes with the same keys and the same schema of a database are "
              "replicas: one is active, the others take over when it is gone.");
        },
        "The mediator.");
  if (file.role == "topology-manager")
    f.object(
        "topology-manager",
        [&](config::Fields& g) {
          describe_member(g, file.topology_manager, [](config::Fields& h, auto& c) { topology::describe(h, c); });
        },
        "The topology manager.");
  if (file.role == "participant")
    f.object("participant", [&](config::Fields& g) { describe(g, file.participant); }, "The participant.");
}

Result<NodeFile> read_node_file(const std::string& path) {
  NodeFile file;
  SYNOD_RETURN_IF_ERROR(config::read_file(path, [&](config::Fields& f) { describe(f, file); }));
  const auto wrong = [&](const std::vector<std::string>& key, const std::string& cause) {
    return fail(invalid_argument("CONFIG_INVALID", config::place_of(path, key) + ": " + cause));
  };
  bool known = false;
  for (const char* role : kRoles) known = known || file.role == role;
  if (!known)
    return wrong({"role"},
                 "role '" + file.role + "' is none of orderer, sequencer, mediator, topology-manager, participant");
  if (file.name.empty()) return wrong({"name"}, "name is missing");
  if (file.data_folder.empty()) return wrong({"data-folder"}, "data-folder is missing");
  if (file.log_format != "text" && file.log_format != "json")
    return wrong({"log", "format"}, "log.format is neither text nor json");
  return file;
}

std::string write_node_file(NodeFile file) {
  return config::write_text([&](config::Fields& f) { describe(f, file); });
}

std::string configuration_reference() {
  std::string page;
  for (const char* role : kRoles) {
    NodeFile file;
    file.role = role;
    page +=
        std::string("## ") + role + "\n\n" + config::reference([&](config::Fields& f) { describe(f, file); }) + "\n";
  }
  return page;
}

}  // namespace synod::node
