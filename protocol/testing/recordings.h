// Recorded exchanges of the real system (../shared/recordings): messages on the wire, keys, ids.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "crypto/keys.h"
#include "protocol/ids.h"

namespace synod::testing {

struct RecordedMessage {
  std::string connection;  // e.g. mediator1-sequencer1
  std::string method;      // without the service: Subscribe
  int call = 0;
  bool to_server = false;
  Bytes data;
};

struct RecordedNode {
  std::string name;  // sequencer1
  protocol::Member id;
  std::vector<crypto::SigningKeyPair> signing_keys;
  std::vector<crypto::EncryptionKeyPair> encryption_keys;
};

struct RecordedKeys {
  protocol::PhysicalSynchronizerId synchronizer;
  std::vector<RecordedNode> nodes;
  std::map<crypto::Fingerprint, crypto::SigningKeyPair> signing;
  std::unique_ptr<crypto::KeyStore> store;  // all of them
  int fingerprints_checked = 0;
};

// `folder`: the main run's or that of another run (permissioned, subviews).
RecordedKeys read_recorded_keys(const std::string& folder);
// The messages of one connection in order; data that was left out of the recording is skipped.
std::vector<RecordedMessage> read_recording(const std::string& folder, const std::string& connection);
// Those of all members' connections to sequencers, connection by connection in alphabetical order.
std::vector<RecordedMessage> read_member_recordings(const std::string& folder);

}  // namespace synod::testing
