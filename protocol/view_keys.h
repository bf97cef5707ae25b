// Keys of views that stay in use for a while, on the side that made them and on the side that opened them, so that most
// requests need no public-key encryption.
// Fact: Canton keeps its session encryption keys likewise (SessionKeyStore.scala), for some seconds after they were
// made.
//
// Thread rules: one thread at a time.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "crypto/keys.h"
#include "protocol/encrypted_view.h"

namespace synod::protocol {

// A view key with its encryption for each reader.
struct ViewKey {
  Bytes key;
  std::vector<EncryptedSessionKey> encrypted;
};

// The sender's: one key per recipients tree and encryption keys of the readers, never for a further transaction once
// `lifetime` is over. The whole tree counts: a view's key is also told to the readers of the views above it.
class SentViewKeys {
 public:
  struct Limits {
    Duration lifetime = Duration::seconds(10);  // zero: a fresh key for each transaction
    std::size_t max_keys = 10'000;
  };
  SentViewKeys() = default;
  explicit SentViewKeys(Limits limits) : limits_(limits) {}

  const ViewKey* find(const Bytes& readers, Timestamp now) const;
  void add(Bytes readers, ViewKey key, Timestamp now);

 private:
  struct Entry {
    ViewKey key;
    Timestamp made;
  };
  bool usable(const Entry& entry, Timestamp now) const;

  Limits limits_;
  std::map<Bytes, Entry> keys_;
};

// The receiver's: what ciphertexts were found to hold. Remembers at least the newest kGeneration and at most twice as
// many.
class OpenedViewKeys {
 public:
  std::optional<Bytes> find(const EncryptedSessionKey& encrypted) const;
  void add(const EncryptedSessionKey& encrypted, Bytes key);

 private:
  static constexpr std::size_t kGeneration = 5'000;  // 2 MB or so
  std::unordered_map<Bytes, Bytes> newer_, older_;
};

}  // namespace synod::protocol
