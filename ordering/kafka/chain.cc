#include "ordering/kafka/chain.h"

#include <algorithm>

#include "crypto/hash.h"

namespace synod::ordering::kafka {
namespace {

constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kRecentHashes = 10'000;

}  // namespace

Bytes encode_witness(const Witness& witness) {
  Bytes bytes;
  append_i64(bytes, witness.height.value);
  return bytes + witness.hash;
}

std::optional<Witness> decode_witness(ByteView bytes) {
  if (bytes.size() != 8 + kHashBytes) return std::nullopt;
  const Height height(read_i64(bytes));
  if (height.value < 0) return std::nullopt;
  return Witness{height, Bytes(bytes.substr(8))};
}

Bytes content_digest(const std::optional<Bytes>& record) { return record ? crypto::sha256(*record) : Bytes(); }

Bytes block_hash(Height height, ByteView previous_hash, ByteView content) {
  Bytes input;
  append_i64(input, height.value);
  append_length_prefixed(input, previous_hash);
  append_length_prefixed(input, content);
  return crypto::sha256(input);
}

Anchor::Anchor(Height from, Height wanted) : from_(from.value), wanted_(wanted.value), at_(from_ - 1) {
  if (from_ == 0) hash_ = Bytes();
}

void Anchor::advance(std::int64_t to, const std::map<std::int64_t, Bytes>& contents) {
  while (at_ < to) {
    ++at_;
    const auto content = contents.find(at_);
    hash_ = block_hash(Height(at_), *hash_, content == contents.end() ? Bytes() : content->second);
    recent_.emplace_hint(recent_.end(), at_, *hash_);
    if (recent_.size() > kRecentHashes) recent_.erase(recent_.begin());
  }
}

void Anchor::check(std::int64_t offset, const Witness& witness) {
  const auto known = recent_.find(witness.height.value);
  if (known != recent_.end() && known->second != witness.hash && !liar_) liar_ = offset;
}

void Anchor::add(std::int64_t offset, const Bytes& content, const std::optional<Witness>& witness) {
  // A message can only tell of blocks before it.
  if (witness && witness->height.value < offset && witness->height.value <= wanted_) {
    if (!hash_ && witness->height.value >= from_ - 1) {
      at_ = witness->height.value;
      hash_ = witness->hash;
      advance(std::min(offset - 1, wanted_), contents_);
      contents_.clear();
    }
    if (hash_) {
      advance(std::min(offset - 1, wanted_), {});
      check(offset, *witness);
      if (!newest_witnessed_ || *newest_witnessed_ < witness->height) newest_witnessed_ = witness->height;
    }
  }
  if (offset > wanted_) return;
  if (!hash_) {
    contents_.emplace(offset, content);
  } else {
    advance(offset, {{offset, content}});
  }
}

std::optional<Bytes> Anchor::finish() {
  if (hash_) advance(wanted_, {});
  return hash_;
}

}  // namespace synod::ordering::kafka
