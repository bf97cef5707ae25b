// Stored transactions as bytes: one item of Canton's TopologyTransactions message, in snapshots and in our store.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "topology/transaction.h"

namespace com::digitalasset::canton::topology::admin::v30 {
class TopologyTransactions_Item;
}

namespace synod::topology {

void put_stored(const StoredTransaction& stored,
                com::digitalasset::canton::topology::admin::v30::TopologyTransactions_Item& item);
Result<StoredTransaction> parse_stored(
    const com::digitalasset::canton::topology::admin::v30::TopologyTransactions_Item& item);
Bytes encode_stored(const StoredTransaction& stored);
Result<StoredTransaction> decode_stored(ByteView bytes);

}  // namespace synod::topology
