// Signatures that were found good, so that one that comes back is not checked again: a sequencer sees each submission
// when it accepts it and again in its block. Internal to this folder.
#pragma once

#include <array>
#include <cstring>
#include <mutex>
#include <unordered_set>

#include "base/bytes.h"
#include "crypto/hash.h"

namespace synod::crypto {

// Remembers at least the newest kGeneration and at most twice as many. Thread rules: any thread.
class VerifiedSignatures {
 public:
  // Identifies a check: what was signed, the signature, the key. Its parts have fixed or delimited lengths.
  using Id = std::array<char, 32>;
  static Id id_of(ByteView message, ByteView signature, ByteView key_fingerprint) {
    Bytes all;
    for (const ByteView part : {message, signature, key_fingerprint}) {
      append_i32(all, static_cast<std::int32_t>(part.size()));
      all += part;
    }
    Id id;
    std::memcpy(id.data(), sha256(all).data(), id.size());
    return id;
  }

  bool contains(const Id& id) const {
    std::lock_guard lock(mutex_);
    return newer_.contains(id) || older_.contains(id);
  }
  void add(const Id& id) {
    std::lock_guard lock(mutex_);
    newer_.insert(id);
    if (newer_.size() < kGeneration) return;
    older_ = std::move(newer_);
    newer_.clear();
  }

 private:
  static constexpr std::size_t kGeneration = 16'384;  // 1 MB or so
  struct First8 {                                     // the id is a hash already
    std::size_t operator()(const Id& id) const {
      std::size_t hash;
      std::memcpy(&hash, id.data(), sizeof hash);
      return hash;
    }
  };
  mutable std::mutex mutex_;
  std::unordered_set<Id, First8> newer_, older_;
};

}  // namespace synod::crypto
