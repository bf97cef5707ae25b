// How messages of a Kafka topic become blocks with heights and hashes that are the same at every node for ever.
//
// One message is one block, and its offset is its height. An offset without a message (Kafka may leave some out) is a
// block without records. Hashes form one chain from offset 0; Kafka does not store them, every driver computes them. So
// that a driver need not read the log from its start, and can still go on when the start was pruned, each message
// carries a witness in a header: the newest block that its sender knew, with its hash. Who starts to read at height h
// reads back from h to the first message whose witness tells a hash at or below h-1, and computes forward from there;
// usually some tens of messages. All other witnesses on the way are compared with the chain, so a wrong one is found
// out, and everyone who reads alerts; the operator of the topic decides who may write to it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "base/bytes.h"
#include "ordering/ordering_log.h"

namespace synod::ordering::kafka {

struct Witness {
  Height height;
  Bytes hash;  // of the block at `height`
  bool operator==(const Witness&) const = default;
};

inline constexpr char kWitnessHeader[] = "w";

Bytes encode_witness(const Witness& witness);           // 40 bytes: height, hash
std::optional<Witness> decode_witness(ByteView bytes);  // none: not a witness

// What a message contributes to the hash of its block. `record` is none for an offset without a message or a message
// without a value.
Bytes content_digest(const std::optional<Bytes>& record);

// SHA-256 over height, previous hash (empty at height 0) and content digest.
Bytes block_hash(Height height, ByteView previous_hash, ByteView content);

// Finds the hash of block `wanted` from the messages at the offsets from `from` on and their witnesses. Messages are
// added in the order of their offsets; an offset that is left out has no message. Memory: a digest a message until the
// first witness helps, constant afterwards.
class Anchor {
 public:
  Anchor(Height from, Height wanted);  // from <= wanted + 1

  void add(std::int64_t offset, const Bytes& content, const std::optional<Witness>& witness);

  // After all offsets up to `wanted` were read. None if no witness helps and `from` is not 0.
  std::optional<Bytes> finish();
  bool anchored() const { return hash_.has_value(); }
  // The first message whose witness contradicts the chain: whoever sent it is faulty or malicious.
  std::optional<std::int64_t> liar() const { return liar_; }
  // The highest block at or below `wanted` that a witness told of: the log may be cut off after it.
  std::optional<Height> newest_witnessed() const { return newest_witnessed_; }

 private:
  void advance(std::int64_t to, const std::map<std::int64_t, Bytes>& contents);
  void check(std::int64_t offset, const Witness& witness);

  const std::int64_t from_;
  const std::int64_t wanted_;
  std::map<std::int64_t, Bytes> contents_;  // by offset, while not anchored
  std::int64_t at_ = 0;                     // hash_ is of this block
  std::optional<Bytes> hash_;
  std::map<std::int64_t, Bytes> recent_;  // the newest hashes computed, to check witnesses with
  std::optional<std::int64_t> liar_;
  std::optional<Height> newest_witnessed_;
};

}  // namespace synod::ordering::kafka
