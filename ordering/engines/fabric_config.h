// What Fabric's programs are told, as text: who there is (cryptogen), the channel (configtxgen), one orderer (orderer).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"

namespace synod::ordering::engines {

enum class FabricConsensus { etcdraft, smartbft };
const char* to_string(FabricConsensus consensus);

struct FabricOrdererPorts {
  std::uint16_t service = 0;     // AtomicBroadcast, and between the orderers; mutual TLS
  std::uint16_t operations = 0;  // metrics, plaintext
  std::uint16_t admin = 0;       // channel participation; mutual TLS
};

struct FabricNetwork {
  std::string folder;  // absolute
  FabricConsensus consensus = FabricConsensus::etcdraft;
  std::vector<FabricOrdererPorts> orderers;  // each is an organisation of its own: a consortium's members run one each
  std::vector<std::string> organisations;    // whose sequencers submit and read: a-z, 0-9 and -
  Duration batch_timeout = Duration::milliseconds(20);
  std::uint32_t max_envelope_mib = 20;               // SmartBFT itself takes no envelope above 500 KiB
  Duration raft_tick = Duration::milliseconds(100);  // an election begins after ten without a leader
  Duration leader_timeout = Duration::seconds(3);    // SmartBFT: then another leader is chosen
};

// Folders that cryptogen makes, below the network's.
std::string orderer_crypto(const FabricNetwork& network, std::size_t orderer);  // has msp/ and tls/
std::string user_crypto(const FabricNetwork& network, const std::string& organisation);
std::string admin_crypto(const FabricNetwork& network, const std::string& organisation);

std::string orderer_msp_id(std::size_t orderer);

inline constexpr char kFabricProfile[] = "Synod";           // in configtx.yaml
inline constexpr char kFabricTlsRoots[] = "tls-roots.pem";  // all organisations' authorities, in the network's folder

std::string crypto_config_yaml(const FabricNetwork& network);
std::string configtx_yaml(const FabricNetwork& network);
std::string orderer_yaml(const FabricNetwork& network, std::size_t orderer, const std::string& data_folder);

}  // namespace synod::ordering::engines
