// gzip with a bound: what a sender compressed may not unpack to more than the reader allows.
#pragma once

#include "base/bytes.h"
#include "base/result.h"

namespace synod::protocol {

Bytes gzip(ByteView plain);
// All members of the input, at most `limit` bytes: MAX_BYTES_TO_DECOMPRESS_EXCEEDED beyond. Trailing bytes are refused.
Result<Bytes> gunzip(ByteView compressed, std::size_t limit);

}  // namespace synod::protocol
