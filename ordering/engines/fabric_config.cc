#include "ordering/engines/fabric_config.h"

#include <fmt/format.h>

namespace synod::ordering::engines {
namespace {

std::string domain(const std::string& organisation) { return organisation + ".synod"; }

std::string orderer_domain(std::size_t orderer) { return domain(orderer_msp_id(orderer)); }

std::string signing_certificate(const FabricNetwork& network, std::size_t orderer) {
  return fmt::format("{}/msp/signcerts/node.{}-cert.pem", orderer_crypto(network, orderer), orderer_domain(orderer));
}

// Any organisation's member may write and read; changes of the channel need a majority of the organisations.
std::string group_policies(int indent) {
  const std::string margin(static_cast<std::size_t>(indent), ' ');
  return fmt::format(
      "{0}Readers: {{Type: ImplicitMeta, Rule: ANY Readers}}\n"
      "{0}Writers: {{Type: ImplicitMeta, Rule: ANY Writers}}\n"
      "{0}Admins: {{Type: ImplicitMeta, Rule: MAJORITY Admins}}\n",
      margin);
}

std::string organisation_entry(const std::string& msp_id, const std::string& msp_folder) {
  return fmt::format(
      "        - Name: {0}\n"
      "          ID: {0}\n"
      "          MSPDir: {1}\n"
      "          Policies:\n"
      "            Readers: {{Type: Signature, Rule: \"OR('{0}.member')\"}}\n"
      "            Writers: {{Type: Signature, Rule: \"OR('{0}.member')\"}}\n"
      "            Admins: {{Type: Signature, Rule: \"OR('{0}.admin')\"}}\n"
      "            Endorsement: {{Type: Signature, Rule: \"OR('{0}.member')\"}}\n",
      msp_id, msp_folder);
}

// SnapshotIntervalSize is below PreferredMaxBytes on purpose. A starting orderer reads its log from the last snapshot
// in pages of PreferredMaxBytes. With the channel's first membership entries in one page and more pages to come it can
// stop for ever: etcdraft applies such an entry only when the thread that waits to hand over the next page has taken a
// message (chain.go `WALSyncC`, node.go `applyC`). With a snapshot a page, there is no such restart.
std::string raft_section(const FabricNetwork& network) {
  std::string text = fmt::format(
      "      EtcdRaft:\n"
      "        Options: {{TickInterval: {}ms, ElectionTick: 10, HeartbeatTick: 1, MaxInflightBlocks: 5, "
      "SnapshotIntervalSize: 1 MB}}\n"
      "        Consenters:\n",
      network.raft_tick.micros / 1000);
  for (std::size_t i = 0; i < network.orderers.size(); ++i) {
    const std::string certificate = orderer_crypto(network, i) + "/tls/server.crt";
    text += fmt::format("          - {{Host: 127.0.0.1, Port: {}, ClientTLSCert: {}, ServerTLSCert: {}}}\n",
                        network.orderers[i].service, certificate, certificate);
  }
  return text;
}

// The pool is larger than by default: sequencers keep many batches in flight, and a full pool holds up a whole stream.
std::string bft_section(const FabricNetwork& network) {
  const auto millis = [](Duration d) { return std::to_string(d.micros / 1000) + "ms"; };
  std::string text = fmt::format(
      "      SmartBFT:\n"
      "        RequestBatchMaxCount: 500\n"
      "        RequestBatchMaxBytes: 4194304\n"
      "        RequestBatchMaxInterval: {}\n"
      "        IncomingMessageBufferSize: 1000\n"
      "        RequestPoolSize: 4000\n"
      "        RequestForwardTimeout: {}\n"
      "        RequestComplainTimeout: {}\n"
      "        RequestAutoRemoveTimeout: 3m\n"
      "        ViewChangeResendInterval: {}\n"
      "        ViewChangeTimeout: {}\n"
      "        LeaderHeartbeatTimeout: {}\n"
      "        LeaderHeartbeatCount: 10\n"
      "        CollectTimeout: 1s\n"
      "        SyncOnStart: false\n"
      "      ConsenterMapping:\n",
      millis(network.batch_timeout), millis(network.leader_timeout), millis(network.leader_timeout * 2),
      millis(network.leader_timeout), millis(network.leader_timeout * 3), millis(network.leader_timeout));
  for (std::size_t i = 0; i < network.orderers.size(); ++i) {
    const std::string certificate = orderer_crypto(network, i) + "/tls/server.crt";
    text += fmt::format(
        "        - {{ID: {}, Host: 127.0.0.1, Port: {}, MSPID: {}, Identity: {}, ClientTLSCert: {}, ServerTLSCert: "
        "{}}}\n",
        i + 1, network.orderers[i].service, orderer_msp_id(i), signing_certificate(network, i), certificate,
        certificate);
  }
  return text;
}

}  // namespace

const char* to_string(FabricConsensus consensus) {
  return consensus == FabricConsensus::etcdraft ? "etcdraft" : "SmartBFT";
}

std::string orderer_msp_id(std::size_t orderer) { return "orderer" + std::to_string(orderer + 1); }

std::string orderer_crypto(const FabricNetwork& network, std::size_t orderer) {
  return fmt::format("{0}/crypto/ordererOrganizations/{1}/orderers/node.{1}", network.folder, orderer_domain(orderer));
}

std::string user_crypto(const FabricNetwork& network, const std::string& organisation) {
  return fmt::format("{0}/crypto/peerOrganizations/{1}/users/User1@{1}", network.folder, domain(organisation));
}

std::string admin_crypto(const FabricNetwork& network, const std::string& organisation) {
  return fmt::format("{0}/crypto/peerOrganizations/{1}/users/Admin@{1}", network.folder, domain(organisation));
}

std::string crypto_config_yaml(const FabricNetwork& network) {
  std::string text = "OrdererOrgs:\n";
  for (std::size_t i = 0; i < network.orderers.size(); ++i)
    text += fmt::format(
        "  - Name: {0}\n    Domain: {1}\n    EnableNodeOUs: true\n"
        "    Specs:\n      - Hostname: node\n        SANS: [localhost, 127.0.0.1]\n",
        orderer_msp_id(i), orderer_domain(i));
  text += "PeerOrgs:\n";
  for (const std::string& organisation : network.organisations)
    text += fmt::format("  - Name: {0}\n    Domain: {1}\n    EnableNodeOUs: true\n    Users: {{Count: 1}}\n",
                        organisation, domain(organisation));
  return text;
}

std::string configtx_yaml(const FabricNetwork& network) {
  const bool bft = network.consensus == FabricConsensus::smartbft;
  std::string text = fmt::format(
      "Profiles:\n"
      "  {}:\n"
      "    Capabilities: {{V2_0: true{}}}\n"
      "    Policies:\n{}"
      "    Orderer:\n"
      "      OrdererType: {}\n"
      "      BatchTimeout: {}ms\n"
      "      BatchSize: {{MaxMessageCount: 500, AbsoluteMaxBytes: {} MB, PreferredMaxBytes: 2 MB}}\n"
      "      Capabilities: {{V2_0: true}}\n"
      "      Policies:\n{}"
      "        BlockValidation: {{Type: ImplicitMeta, Rule: ANY Writers}}\n",
      kFabricProfile, bft ? ", V3_0: true" : "", group_policies(6), bft ? "BFT" : "etcdraft",
      network.batch_timeout.micros / 1000, network.max_envelope_mib, group_policies(8));
  text += bft ? bft_section(network) : raft_section(network);
  text += "      Organizations:\n";
  for (std::size_t i = 0; i < network.orderers.size(); ++i) {
    text += organisation_entry(orderer_msp_id(i),
                               fmt::format("{}/crypto/ordererOrganizations/{}/msp", network.folder, orderer_domain(i)));
    text += fmt::format("          OrdererEndpoints: [\"127.0.0.1:{}\"]\n", network.orderers[i].service);
  }
  text += "    Application:\n      Capabilities: {V2_0: true}\n      Policies:\n" + group_policies(8) +
          "      Organizations:\n";
  for (const std::string& organisation : network.organisations)
    text += organisation_entry(organisation,
                               fmt::format("{}/crypto/peerOrganizations/{}/msp", network.folder, domain(organisation)));
  return text;
}

std::string orderer_yaml(const FabricNetwork& network, std::size_t orderer, const std::string& data_folder) {
  const FabricOrdererPorts& ports = network.orderers[orderer];
  const std::string crypto = orderer_crypto(network, orderer), roots = network.folder + "/" + kFabricTlsRoots;
  const std::string tls = fmt::format(
      "{{Enabled: true, PrivateKey: {0}/tls/server.key, Certificate: {0}/tls/server.crt, RootCAs: [{1}], "
      "ClientAuthRequired: true, ClientRootCAs: [{1}]}}",
      crypto, roots);
  return fmt::format(
      "General:\n"
      "  ListenAddress: 127.0.0.1\n"
      "  ListenPort: {}\n"
      "  TLS: {}\n"
      "  Keepalive: {{ServerMinInterval: 60s, ServerInterval: 7200s, ServerTimeout: 20s}}\n"
      "  MaxRecvMsgSize: 104857600\n"
      "  MaxSendMsgSize: 104857600\n"
      "  Cluster: {{SendBufferSize: 100}}\n"
      "  BootstrapMethod: none\n"
      "  LocalMSPDir: {}/msp\n"
      "  LocalMSPID: {}\n"
      "  BCCSP: {{Default: SW, SW: {{Hash: SHA2, Security: 256}}}}\n"
      "  Authentication: {{TimeWindow: 15m}}\n"
      "FileLedger: {{Location: {}/ledger}}\n"
      "Operations: {{ListenAddress: \"127.0.0.1:{}\", TLS: {{Enabled: false}}}}\n"
      "Metrics: {{Provider: prometheus}}\n"
      "Admin: {{ListenAddress: \"127.0.0.1:{}\", TLS: {}}}\n"
      "ChannelParticipation: {{Enabled: true, MaxRequestBodySize: 10 MB}}\n"
      "Consensus: {{Type: {}, WALDir: {}/wal, SnapDir: {}/snapshots}}\n",
      ports.service, tls, crypto, orderer_msp_id(orderer), data_folder, ports.operations, ports.admin, tls,
      network.consensus == FabricConsensus::smartbft ? "BFT" : "etcdraft", data_folder, data_folder);
}

}  // namespace synod::ordering::engines
