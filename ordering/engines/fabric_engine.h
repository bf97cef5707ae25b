// A running Hyperledger Fabric ordering service on this machine: real orderers, etcdraft or SmartBFT, with mutual TLS
// on 127.0.0.1. No peers, no chaincode. Everything it keeps lies in one folder, where another process finds it again.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/process.h"
#include "ordering/engines/fabric_config.h"
#include "ordering/engines/fabric_tools.h"

namespace synod::ordering::engines {

struct FabricEngineConfig {
  std::string folder;  // absolute; made if it does not exist
  FabricConsensus consensus = FabricConsensus::etcdraft;
  int orderers = 3;                                           // etcdraft: 1 or 3 and more; SmartBFT: 4 and more
  std::vector<std::string> organisations = {"org1", "org2"};  // empty: those that the folder was prepared for
  std::uint16_t first_port = 0;                               // three ports an orderer from here upwards; 0: free ones
  Duration batch_timeout = Duration::milliseconds(20);
  bool dies_with_us = false;  // orderers are killed when the thread that started them ends: for tests
};

// What a sequencer of one organisation needs: file names, all in the engine's folder.
struct FabricAccess {
  std::vector<std::string> endpoints;  // host:port
  std::string channel;
  std::string channel_block;  // the channel's first block: whom to believe
  std::string tls_roots, tls_certificate, tls_key;
  std::string msp_id, certificate, key;  // of envelopes
};

// Who may change the channel for an organisation.
struct FabricAdministrator {
  std::string msp_id, certificate, key;
};

// An organisation's authorities: of envelopes, and of TLS. File names.
struct FabricAuthorities {
  std::string certificate, key, tls_certificate, tls_key;
};

// Thread rules: one thread at a time.
class FabricEngine {
 public:
  // Prepares a new folder: identities, certificates, ports, configurations. One that was prepared before is used as it
  // is, and must have been for the same consensus, orderers and organisations. Error ids: FABRIC_FOLDER_IN_USE,
  // FABRIC_CONFIG_INVALID, and those of the programs.
  static Result<FabricEngine> open(const FabricTools& tools, FabricEngineConfig config);

  // Starts all orderers that do not run; returns when all serve. Error id FABRIC_NOT_READY.
  Status start(Duration patience);
  // Makes the channel, or joins the orderers that do not have it, and waits until it has a leader.
  Status open_channel(const std::string& channel, Duration patience);
  // All orderers forget the channel, in the background. Its name must not be used again: they keep what Raft wrote for
  // it.
  Status remove_channel(const std::string& channel);
  // Of stopped orderers: every channel is gone, identities and ports stay. Error id FABRIC_STILL_RUNNING.
  Status wipe();
  // SIGTERM, then SIGKILL to who is left. True: nothing runs any more.
  bool stop(Duration patience) const;

  std::size_t size() const { return network_.orderers.size(); }
  const ServerProcess& orderer(std::size_t index) const { return processes_[index]; }
  std::string endpoint(std::size_t index) const;
  Status wait_serving(std::size_t index, Duration patience) const;
  // As the orderers that run see it; none while there is none.
  std::optional<std::size_t> leader(const std::string& channel) const;
  Status wait_leader(const std::string& channel, Duration patience) const;
  // Number of blocks that this orderer has; none if it does not run.
  std::optional<std::uint64_t> height(std::size_t index, const std::string& channel) const;

  FabricAccess access(const std::string& organisation, const std::string& channel) const;
  FabricAdministrator administrator(const std::string& organisation) const;
  FabricAuthorities authorities(const std::string& organisation) const;

  // Issues identities for a further organisation, which open() knows from now on, and returns a file with a
  // configuration block of the channel as it would be made with this organisation from the beginning. The running
  // channel still has to be told (ordering/fabric/channel_change.h). Done again, it changes nothing. Error ids as
  // open().
  Result<std::string> add_organisation(const std::string& organisation, const std::string& channel);
  const FabricNetwork& network() const { return network_; }

 private:
  FabricEngine(FabricTools tools, FabricNetwork network, bool dies_with_us);
  Status prepare() const;
  Status write_tls_roots() const;
  Status write_shape() const;
  std::string channel_block(const std::string& channel) const;
  Result<std::string> osnadmin(std::size_t index, std::vector<std::string> arguments) const;
  Status at_all(const std::function<Status(std::size_t orderer)>& act) const;
  Status join(std::size_t index, const std::string& channel, std::int64_t give_up) const;

  FabricTools tools_;
  FabricNetwork network_;
  std::vector<ServerProcess> processes_;
};

}  // namespace synod::ordering::engines
