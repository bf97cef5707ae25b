// Halves of ECDSA signatures on P-256, made beforehand: the secret number k, inverted, and r do not depend on the
// message, and nearly all the time of a signature goes into them (FIPS 186-5, section 6.4.1; OpenSSL's
// ECDSA_sign_setup). Whoever waits for a message waits for its signatures; in between there is time. Internal to this
// folder.
#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "base/bytes.h"
#include "base/event_loop.h"

namespace synod::crypto {

// Makes them on a thread of its own, which gives way to others. Each is used once and then gone; what is ready lies in
// memory and is as secret as the key beside it. What is given up: OpenSSL makes k of the message too, so that not even
// a random generator that repeats itself makes the same k sign two messages. Here one would, and so would a snapshot of
// the memory that is resumed twice; two such signatures give the key away. Thread rules: any thread.
class ReadyNonces {
 public:
  struct Limits {
    std::uint64_t signatures_before_stock = 100;  // a key that has signed so often gets a stock
    std::size_t stock = 64;                       // filled up when half of it is left
    std::size_t max_stocks = 16;                  // the one unused for longest goes
    std::size_t max_counted_keys = 1024;          // forgotten together when there are more
  };
  ReadyNonces() : ReadyNonces(Limits()) {}
  explicit ReadyNonces(Limits limits) : limits_(limits) {}
  ~ReadyNonces();

  // The DER signature of a SHA-256 digest by a P-256 key; none: nothing is ready, sign as usual.
  std::optional<Bytes> try_sign(EVP_PKEY* key, ByteView digest);

 private:
  struct Stock;
  std::shared_ptr<Stock> stock_of(EVP_PKEY* key);
  void drop_oldest();
  void fill(Stock& stock);

  const Limits limits_;
  std::mutex mutex_;
  std::uint64_t uses_ = 0;
  std::unordered_map<const EVP_PKEY*, std::uint64_t> signatures_;  // of keys without a stock
  std::unordered_map<const EVP_PKEY*, std::shared_ptr<Stock>> stocks_;
  std::unique_ptr<EventLoop> maker_;  // from the first stock on
};

}  // namespace synod::crypto
