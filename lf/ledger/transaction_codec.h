// Transactions <-> bytes of lf/transaction.proto Transaction, byte-exact with Canton's TransactionCoder. Nodes stand in
// execution order; seeds are no part of it. Of equal transactions the bytes are equal.
#pragma once

#include <cstddef>

#include "base/bytes.h"
#include "base/result.h"
#include "lf/transaction.h"

namespace synod::lf {

// Ids of nodes are their numbers. The version is the transaction's, see Transaction::version().
Bytes encode_transaction(const Transaction& transaction);

// Node ids may be any distinct numbers; the result is numbered in execution order. Refused (PROTO_DESERIALIZATION or
// what values and identifiers give): unknown fields, versions newer than the transaction's, contract keys below 2.3,
// nodes that are missing, unreachable or reached twice, more than `max_nodes`.
Result<Transaction> decode_transaction(ByteView bytes, std::size_t max_nodes = 100'000);

}  // namespace synod::lf
