#include "canton/sequencer_api_v30.pb.h"
#include "canton/topology_admin_v30.pb.h"
#include "protocol/versioned.h"
#include "topology/genesis.h"
#include "topology/stored_codec.h"

namespace synod::topology {
namespace {

using TopologyTransactions = com::digitalasset::canton::topology::admin::v30::TopologyTransactions;
using DownloadResponse = com::digitalasset::canton::sequencer::api::v30::DownloadTopologyStateForInitResponse;

Status append_items(const TopologyTransactions& proto, std::vector<StoredTransaction>& snapshot) {
  for (const auto& item : proto.items()) {
    SYNOD_TRY(auto stored, parse_stored(item));
    snapshot.push_back(std::move(stored));
  }
  return {};
}

}  // namespace

Bytes encode_snapshot(const std::vector<StoredTransaction>& snapshot) {
  TopologyTransactions proto;
  for (const auto& stored : snapshot) put_stored(stored, *proto.add_items());
  return protocol::serialize_proto(proto);
}

Result<std::vector<StoredTransaction>> decode_snapshot(ByteView bytes) {
  TopologyTransactions proto;
  SYNOD_RETURN_IF_ERROR(protocol::parse_proto(bytes, proto, "TopologyTransactions"));
  std::vector<StoredTransaction> result;
  SYNOD_RETURN_IF_ERROR(append_items(proto, result));
  return result;
}

std::vector<Bytes> encode_snapshot_messages(const std::vector<StoredTransaction>& snapshot,
                                            std::size_t items_per_message) {
  std::vector<Bytes> result;
  std::size_t next = 0;
  do {
    DownloadResponse message;
    auto& items = *message.mutable_topology_transactions();
    for (std::size_t i = 0; i < items_per_message && next < snapshot.size(); ++i)
      put_stored(snapshot[next++], *items.add_items());
    result.push_back(protocol::serialize_proto(message));
  } while (next < snapshot.size());
  return result;
}

Status decode_snapshot_message(ByteView message, std::vector<StoredTransaction>& snapshot) {
  DownloadResponse proto;
  SYNOD_RETURN_IF_ERROR(protocol::parse_proto(message, proto, "DownloadTopologyStateForInitResponse"));
  return append_items(proto.topology_transactions(), snapshot);
}

crypto::Hash snapshot_hash(const std::vector<StoredTransaction>& snapshot) {
  crypto::Hasher hasher(crypto::HashPurpose::initial_topology_state);
  for (const auto& stored : snapshot) hasher.add_hash(stored.transaction.hash());
  return hasher.finish();
}

}  // namespace synod::topology
