#include "topology/stored_codec.h"

#include "canton/topology_admin_v30.pb.h"
#include "protocol/versioned.h"
#include "topology/proto_time.h"

namespace synod::topology {
namespace admin_v30 = ::com::digitalasset::canton::topology::admin::v30;

void put_stored(const StoredTransaction& stored, admin_v30::TopologyTransactions_Item& item) {
  put_timestamp(stored.sequenced, *item.mutable_sequenced());
  put_timestamp(stored.valid_from, *item.mutable_valid_from());
  if (stored.valid_until) put_timestamp(*stored.valid_until, *item.mutable_valid_until());
  item.set_transaction(stored.transaction.to_versioned());
  if (stored.rejection_reason) item.set_rejection_reason(*stored.rejection_reason);
}

Result<StoredTransaction> parse_stored(const admin_v30::TopologyTransactions_Item& item) {
  if (!item.has_sequenced()) return fail(malformed("sequenced", "not set"));
  if (!item.has_valid_from()) return fail(malformed("valid_from", "not set"));
  SYNOD_TRY(const auto sequenced, parse_timestamp(item.sequenced(), "sequenced"));
  SYNOD_TRY(const auto valid_from, parse_timestamp(item.valid_from(), "valid_from"));
  std::optional<Timestamp> valid_until;
  if (item.has_valid_until()) {
    SYNOD_TRY(valid_until, parse_timestamp(item.valid_until(), "valid_until"));
  }
  SYNOD_TRY(auto transaction, SignedTransaction::parse_versioned(item.transaction()));
  std::optional<std::string> reason;
  if (item.has_rejection_reason()) reason = item.rejection_reason();
  return StoredTransaction{sequenced, valid_from, valid_until, std::move(transaction), std::move(reason)};
}

Bytes encode_stored(const StoredTransaction& stored) {
  admin_v30::TopologyTransactions_Item item;
  put_stored(stored, item);
  return protocol::serialize_proto(item);
}

Result<StoredTransaction> decode_stored(ByteView bytes) {
  admin_v30::TopologyTransactions_Item item;
  SYNOD_RETURN_IF_ERROR(protocol::parse_proto(bytes, item, "TopologyTransactions.Item"));
  return parse_stored(item);
}

}  // namespace synod::topology
