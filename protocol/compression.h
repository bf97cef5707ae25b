// gzip with a bound: what a sender compressed may not unpack to more than the reader allows.
#pragma once

#include "base/bytes.h"
#include "base/result.h"

namespace synod::protocol {

Bytes gzip(ByteView plain);
// All members of the input, at most `limit` bytes: MAX_BYTES_TO_DECOMPRESS_EXCEEDED beyond. Trailing bytes are refused.
Result<Bytes> gunzip(ByteView compressed, std::size_t limit);
// The same, and within a budget that the parts of one message share: what was unpacked is taken from it, and when
// something is wrong, all that this part was allowed, for it may have been unpacked before that showed.
Result<Bytes> gunzip(ByteView compressed, std::size_t limit, std::size_t& budget);

}  // namespace synod::protocol
