// Keccak-256 with the original padding (01), as Ethereum uses it; not SHA3-256.
#pragma once

#include "base/bytes.h"

namespace synod::lf::eval {

Bytes keccak256(ByteView data);  // 32 bytes

}  // namespace synod::lf::eval
