// Fabric's blocks: their bytes, their hashes, and the check that one follows another.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace common {
class Block;
}

namespace synod::ordering::fabric_wire {

struct FabricBlock {
  std::uint64_t number = 0;
  Bytes previous_hash;      // empty for block 0
  Bytes data_hash;          // as stated in the header
  std::vector<Bytes> data;  // serialised envelopes
};

// SHA-256 of the concatenated data (Fabric protoutil: BlockDataHash; the Merkle tree has always had full width).
Bytes data_hash(const std::vector<Bytes>& data);

// What block hashes and orderers' signatures are over (Fabric protoutil: BlockHeaderBytes). Hashes are at most 32
// bytes.
Bytes header_der(std::uint64_t number, ByteView previous_hash, ByteView data_hash);

// SHA-256 of the DER form of SEQUENCE { number INTEGER, previous_hash OCTET STRING, data_hash OCTET STRING }
// (Fabric protoutil: BlockHeaderHash).
Bytes header_hash(std::uint64_t number, ByteView previous_hash, ByteView data_hash);
Bytes header_hash(const FabricBlock& block);

// common.Block with Fabric's five (here empty) metadata entries; data_hash is computed.
Bytes serialize_block(const FabricBlock& block);

// Error ORDERING_MALFORMED_BLOCK: not a block, or the data do not match the header's data_hash.
Result<FabricBlock> parse_block(ByteView bytes);
Result<FabricBlock> from_message(common::Block message);

}  // namespace synod::ordering::fabric_wire
