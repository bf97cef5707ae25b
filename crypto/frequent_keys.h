// Signatures by P-256 keys that are met often, checked in half the time: OpenSSL multiplies a point twice as fast when
// it has tables of its multiples, and makes such tables for any point that is named a group's generator. The equation
// is FIPS 186-5's (section 6.4.2); the arithmetic is OpenSSL's, the inverse of a number GMP's. Internal to this folder.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/bytes.h"
#include "base/event_loop.h"
#include "crypto/keys.h"

namespace synod::crypto {

// A key with its table: 150 KB, and 20 ms to make. Thread rules: verify() from any thread.
class P256Table {
 public:
  // None: not a P-256 key, or this OpenSSL makes no tables.
  static std::shared_ptr<const P256Table> make(const SigningPublicKey& key);
  // ECDSA with SHA-256 over `message`; exactly the signatures that EVP_DigestVerify finds good.
  bool verify(ByteView message, ByteView der_signature) const;

 private:
  struct Impl;
  explicit P256Table(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

// Which keys come often. Tables are made on a thread of its own, which gives way to others: whoever checks a signature
// goes on without the table meanwhile. Thread rules: any thread.
class FrequentKeys {
 public:
  struct Limits {
    std::uint64_t checks_before_table = 1000;
    std::size_t max_tables = 64;          // the one unused for longest goes: 10 MB at most
    std::size_t max_counted_keys = 4096;  // forgotten together when there are more
  };
  FrequentKeys() : FrequentKeys(Limits()) {}
  explicit FrequentKeys(Limits limits) : limits_(limits) {}
  ~FrequentKeys();

  // None: there is no table for this key (yet).
  std::shared_ptr<const P256Table> table_for(const SigningPublicKey& key);
  std::size_t tables() const;
  bool busy() const;  // with a table

 private:
  struct Entry {
    std::shared_ptr<const P256Table> table;
    std::uint64_t last_use = 0;
  };
  void make_table(const SigningPublicKey& key);
  void drop_oldest();

  const Limits limits_;
  mutable std::mutex mutex_;
  std::size_t in_the_making_ = 0;
  std::uint64_t uses_ = 0;
  std::unordered_map<std::string, std::uint64_t> checks_;  // by fingerprint; keys without a table
  std::unordered_map<std::string, Entry> tables_;
  std::unique_ptr<EventLoop> maker_;  // from the first table on
};

}  // namespace synod::crypto
