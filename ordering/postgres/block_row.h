// The content of a block as one value of the database, and its hash. The database computes the same hash in append().
#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "ordering/ordering_log.h"

namespace synod::ordering::postgres {

// i32 length and bytes for each record.
Bytes encode_records(const std::vector<Bytes>& records);
// Error id ORDERING_MALFORMED_BLOCK.
Result<std::vector<Bytes>> decode_records(ByteView content);

// SHA-256 over i64 height, previous hash and SHA-256 of the content, both length-prefixed. Block 0's content is the
// log's random identity, which is not records.
Bytes block_hash(Height height, ByteView previous_hash, ByteView content);

}  // namespace synod::ordering::postgres
