#include "protocol/merkle.h"

namespace synod::protocol {

Hash inner_node_hash(const std::vector<Hash>& children) {
  crypto::Hasher hasher(crypto::HashPurpose::merkle_inner_node);
  hasher.add_i32(static_cast<std::int32_t>(children.size()));
  for (const Hash& child : children) hasher.add_hash(child);
  return hasher.finish();
}

Hash leaf_hash(crypto::HashPurpose purpose, const Salt& salt, ByteView versioned_leaf) {
  return crypto::Hasher(purpose).add_bytes(salt).add_bytes(versioned_leaf).finish();
}

}  // namespace synod::protocol
