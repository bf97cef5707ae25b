#include "crypto/ready_nonces.h"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "crypto/openssl_handles.h"

// OpenSSL 3 calls these functions deprecated without naming others that make a signature in two steps; where they fail,
// nothing is ever ready and signatures are made as usual.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace synod::crypto {
namespace {

constexpr int kNiceOfMaker = 10;

struct FreeEcKey {
  void operator()(EC_KEY* key) const { EC_KEY_free(key); }
};
using EcKey = std::unique_ptr<EC_KEY, FreeEcKey>;

struct Nonce {
  BigNumber inverse, r;
};

std::optional<Nonce> make_nonce(EC_KEY* key) {
  BIGNUM *inverse = nullptr, *r = nullptr;
  if (key && ECDSA_sign_setup(key, nullptr, &inverse, &r) == 1) return Nonce{BigNumber(inverse), BigNumber(r)};
  ERR_clear_error();
  return std::nullopt;
}

PkeyPtr another_hold(EVP_PKEY* key) {
  EVP_PKEY_up_ref(key);
  return PkeyPtr(key);
}

}  // namespace

// Guarded by the mutex: everything but the keys.
struct ReadyNonces::Stock {
  explicit Stock(EVP_PKEY* of) : key(another_hold(of)), ec_key(EVP_PKEY_get1_EC_KEY(of)) {}
  const PkeyPtr key;  // while it is held, no other key can come to have its address
  const EcKey ec_key;
  std::vector<Nonce> ready;
  bool being_filled = false;
  std::uint64_t last_use = 0;
};

ReadyNonces::~ReadyNonces() {
  if (maker_) maker_->stop();
}

std::optional<Bytes> ReadyNonces::try_sign(EVP_PKEY* key, ByteView digest) {
  std::shared_ptr<Stock> stock;
  std::optional<Nonce> nonce;
  {
    // Not worth waiting for.
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (lock) stock = stock_of(key);
    if (!stock) return std::nullopt;
    if (!stock->ready.empty()) {
      nonce = std::move(stock->ready.back());
      stock->ready.pop_back();
    }
    if (!stock->being_filled && stock->ready.size() <= limits_.stock / 2) {
      stock->being_filled = true;
      maker_->post([this, stock] { fill(*stock); });
    }
  }
  if (!nonce) return std::nullopt;
  Bytes signature(static_cast<std::size_t>(ECDSA_size(stock->ec_key.get())), '\0');
  unsigned size = 0;
  if (ECDSA_sign_ex(0, raw(digest), static_cast<int>(digest.size()), raw(signature), &size, nonce->inverse.get(),
                    nonce->r.get(), stock->ec_key.get()) != 1) {
    ERR_clear_error();
    return std::nullopt;
  }
  signature.resize(size);
  return signature;
}

// Under the mutex.
std::shared_ptr<ReadyNonces::Stock> ReadyNonces::stock_of(EVP_PKEY* key) {
  if (const auto found = stocks_.find(key); found != stocks_.end()) {
    found->second->last_use = ++uses_;
    return found->second;
  }
  if (signatures_.size() >= limits_.max_counted_keys) signatures_.clear();
  if (++signatures_[key] < limits_.signatures_before_stock) return nullptr;
  signatures_.erase(key);
  if (stocks_.size() >= limits_.max_stocks) drop_oldest();
  if (!maker_) {
    maker_ = std::make_unique<EventLoop>("nonces");
    maker_->post([] { setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNiceOfMaker); });
  }
  const auto stock = std::make_shared<Stock>(key);
  stock->last_use = ++uses_;
  return stocks_[key] = stock;
}

void ReadyNonces::drop_oldest() {
  const auto oldest = std::min_element(stocks_.begin(), stocks_.end(), [](const auto& a, const auto& b) {
    return a.second->last_use < b.second->last_use;
  });
  if (oldest != stocks_.end()) stocks_.erase(oldest);
}

// On the maker's thread.
void ReadyNonces::fill(Stock& stock) {
  for (;;) {
    auto nonce = make_nonce(stock.ec_key.get());
    const std::lock_guard lock(mutex_);
    if (nonce) stock.ready.push_back(std::move(*nonce));
    if (nonce && stock.ready.size() < limits_.stock) continue;
    stock.being_filled = false;
    return;
  }
}

}  // namespace synod::crypto

#pragma GCC diagnostic pop
