// Blindable Merkle leaves. A blinded node is only its hash; an unblinded leaf keeps the bytes it was hashed over.
// Facts: recipe 8 of the recordings; MerkleTree.scala. Leaf hash = H(purpose; bytes(salt); bytes(versioned leaf)).
#pragma once

#include <initializer_list>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "base/result.h"
#include "crypto/hash.h"

namespace synod::protocol {

using crypto::Hash;
using Salt = Bytes;  // 32 bytes (HMAC-SHA256)

// H(3; int(n); child hashes).
Hash inner_node_hash(const std::vector<Hash>& children);
Hash leaf_hash(crypto::HashPurpose purpose, const Salt& salt, ByteView versioned_leaf);

// T has: static constexpr HashPurpose kPurpose; Salt salt; static Result<T> parse(ByteView versioned); Bytes
// serialize() const.
template <typename T>
class MerkleLeaf {
 public:
  MerkleLeaf() = default;
  static MerkleLeaf blinded(const Hash& hash) {
    MerkleLeaf out;
    out.hash_ = hash;
    return out;
  }
  static MerkleLeaf of(T value) {
    Bytes bytes = value.serialize();
    return MerkleLeaf(std::move(value), std::move(bytes));
  }
  static Result<MerkleLeaf> parse(ByteView versioned) {
    SYNOD_TRY(T value, T::parse(versioned));
    return MerkleLeaf(std::move(value), Bytes(versioned));
  }

  const Hash& hash() const { return hash_; }
  bool is_blinded() const { return content_ == nullptr; }
  const T& value() const {  // unblinded only
    SYNOD_CHECK(content_ != nullptr);
    return content_->first;
  }
  const Bytes& bytes() const {  // unblinded only; with the version wrapper, as received
    SYNOD_CHECK(content_ != nullptr);
    return content_->second;
  }
  MerkleLeaf blind() const { return blinded(hash_); }
  bool operator==(const MerkleLeaf& other) const { return hash_ == other.hash_ && is_blinded() == other.is_blinded(); }

 private:
  MerkleLeaf(T value, Bytes bytes)
      : hash_(leaf_hash(T::kPurpose, value.salt, bytes)),
        content_(std::make_shared<const std::pair<T, Bytes>>(std::move(value), std::move(bytes))) {}
  Hash hash_;
  std::shared_ptr<const std::pair<T, Bytes>> content_;
};

}  // namespace synod::protocol
