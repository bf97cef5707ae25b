// A new synchronizer's first topology state, and the form in which topology states travel.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/keys.h"
#include "protocol/ids.h"
#include "topology/parameters.h"
#include "topology/transaction.h"

namespace synod::topology {

// Transactions by which one member introduces itself: root certificate and key mapping, fully signed.
struct MemberIdentity {
  protocol::Member member;
  std::vector<SignedTransaction> transactions;
};

// Creates them for a member whose namespace key `ns_key` and registered keys are in `keys`. The order is that in which
// they must be processed: root certificate, then owner-to-key mapping.
Result<MemberIdentity> introduce_member(const crypto::KeyStore& keys, const protocol::Member& member,
                                        const std::vector<PublicKey>& registered);

struct GenesisConfig {
  std::string name;  // of the synchronizer, as in name::namespace
  std::uint32_t decentralized_threshold = 1;
  std::vector<Fingerprint> owners;  // namespace keys of the owners; their private keys must be in `keys`
  StaticParameters static_parameters;
  DynamicParameters dynamic_parameters;
  std::vector<MemberIdentity> identities;  // of owners (if not members), sequencers, mediators and further members
  std::vector<protocol::Member> sequencers;
  std::uint32_t sequencer_threshold = 1;
  struct Group {
    std::uint32_t index = 0;
    std::uint32_t threshold = 1;
    std::vector<protocol::Member> mediators;
  };
  std::vector<Group> mediator_groups;
  std::vector<protocol::UniqueId> participants;  // whose trust certificates are part of the genesis, signed with `keys`
};

struct Genesis {
  protocol::PhysicalSynchronizerId synchronizer;
  std::vector<StoredTransaction> snapshot;
};

// The unique id that a synchronizer of this name gets when these namespaces found it (decentralized namespace, also
// with one owner, as Canton's bootstrap makes it).
protocol::UniqueId synchronizer_id(const std::string& name, const std::vector<Fingerprint>& owners);

// Builds the genesis state and checks it by replaying it. All private keys it signs with must be in `keys`.
Result<Genesis> make_genesis(const GenesisConfig& config, const crypto::KeyStore& keys);

// One protobuf message TopologyTransactions with all items: a genesis file, and the body of a snapshot response.
Bytes encode_snapshot(const std::vector<StoredTransaction>& snapshot);
Result<std::vector<StoredTransaction>> decode_snapshot(ByteView bytes);
// As in DownloadTopologyStateForInit: messages with at most `items_per_message` items each, at least one message.
std::vector<Bytes> encode_snapshot_messages(const std::vector<StoredTransaction>& snapshot,
                                            std::size_t items_per_message = 100);
// Appends the items of one message of the stream.
Status decode_snapshot_message(ByteView message, std::vector<StoredTransaction>& snapshot);
// DownloadTopologyStateForInitHash: H(60, transaction hashes in order). Recipe 6.
crypto::Hash snapshot_hash(const std::vector<StoredTransaction>& snapshot);

}  // namespace synod::topology
