#include "crypto/frequent_keys.h"

#include <gmpxx.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "crypto/hash.h"
#include "crypto/openssl_handles.h"

namespace synod::crypto {
namespace {

constexpr int kNice = 10;

using Numbers = std::unique_ptr<BN_CTX, Deleter<BN_CTX_free>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, Deleter<ECDSA_SIG_free>>;

Group p256() { return Group(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1)); }

// Scratch numbers that a thread's checks share.
BN_CTX* scratch() {
  thread_local const Numbers numbers(BN_CTX_new());
  return numbers.get();
}

// Takes back what was taken from the scratch numbers.
struct ScratchFrame {
  ScratchFrame() { BN_CTX_start(scratch()); }
  ~ScratchFrame() { BN_CTX_end(scratch()); }
};

// The inverse of `number` modulo `modulus`, both of at most 32 bytes. GMP takes a tenth of OpenSSL's time, but not the
// same time for all numbers: these are known to everybody. A third of a check went into this.
bool invert(BIGNUM* inverse, const BIGNUM* number, const BIGNUM* modulus) {
  std::array<unsigned char, 32> bytes;
  const auto integer = [&](const BIGNUM* from, mpz_class& to) {
    if (BN_bn2binpad(from, bytes.data(), static_cast<int>(bytes.size())) < 0) return false;
    mpz_import(to.get_mpz_t(), bytes.size(), 1, 1, 1, 0, bytes.data());
    return true;
  };
  thread_local mpz_class value, order, result;
  if (!integer(number, value) || !integer(modulus, order)) return false;
  if (mpz_invert(result.get_mpz_t(), value.get_mpz_t(), order.get_mpz_t()) == 0) return false;
  std::size_t size = 0;
  mpz_export(bytes.data(), &size, 1, 1, 1, 0, result.get_mpz_t());
  return BN_bin2bn(bytes.data(), static_cast<int>(size), inverse) != nullptr;
}

// DER and nothing else: a signature has one encoding, here as in OpenSSL's own check.
EcdsaSignature decode(ByteView der) {
  const unsigned char* at = raw(der);
  EcdsaSignature signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  if (!signature || at != raw(der) + der.size()) return nullptr;
  std::array<unsigned char, 80> again;  // 72 bytes at most, unless a number is out of range
  if (i2d_ECDSA_SIG(signature.get(), nullptr) != static_cast<int>(der.size()) || der.size() > again.size())
    return nullptr;
  unsigned char* out = again.data();
  i2d_ECDSA_SIG(signature.get(), &out);
  return std::equal(der.begin(), der.end(), reinterpret_cast<const char*>(again.data())) ? std::move(signature)
                                                                                         : nullptr;
}

// Some functions OpenSSL 3 calls deprecated without naming others: the one that makes tables (where it makes none, keys
// have no tables and signatures are checked as usual) and the one that tells a point's projective coordinates.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

// Is the point's x coordinate, modulo the order n, r? OpenSSL keeps x as X / Z^2 and would divide; comparing X with
// r Z^2 takes an eighth of a check less. x is below the field's p, which is above n: r and r + n come into question.
bool has_x(const EC_GROUP* curve, const EC_POINT* point, const BIGNUM* r) {
  const ScratchFrame frame;
  BN_CTX* numbers = scratch();
  const BIGNUM* p = EC_GROUP_get0_field(curve);
  BIGNUM* x = BN_CTX_get(numbers);
  BIGNUM* z = BN_CTX_get(numbers);
  BIGNUM* candidate = BN_CTX_get(numbers);
  BIGNUM* product = BN_CTX_get(numbers);
  if (!product || EC_POINT_get_Jprojective_coordinates_GFp(curve, point, x, nullptr, z, numbers) != 1 ||
      BN_mod_sqr(z, z, p, numbers) != 1 || !BN_copy(candidate, r))
    return false;
  while (BN_cmp(candidate, p) < 0) {
    if (BN_mod_mul(product, candidate, z, p, numbers) != 1) return false;
    if (BN_cmp(product, x) == 0) return true;
    if (BN_add(candidate, candidate, EC_GROUP_get0_order(curve)) != 1) return false;
  }
  return false;
}

}  // namespace

struct P256Table::Impl {
  Group curve = p256();
  Group multiples = p256();  // with the key as its generator
};

std::shared_ptr<const P256Table> P256Table::make(const SigningPublicKey& key) {
  if (key.spec() != SigningKeySpec::p256) return nullptr;
  std::array<unsigned char, 80> encoded;
  std::size_t size = 0;
  auto impl = std::make_shared<Impl>();
  const bool made =
      impl->curve && impl->multiples &&
      EVP_PKEY_get_octet_string_param(key.native(), OSSL_PKEY_PARAM_PUB_KEY, encoded.data(), encoded.size(), &size) ==
          1 &&
      [&] {
        const Point point(EC_POINT_new(impl->curve.get()));
        return point && EC_POINT_oct2point(impl->curve.get(), point.get(), encoded.data(), size, scratch()) == 1 &&
               EC_GROUP_set_generator(impl->multiples.get(), point.get(), EC_GROUP_get0_order(impl->curve.get()),
                                      EC_GROUP_get0_cofactor(impl->curve.get())) == 1;
      }() &&
      EC_GROUP_precompute_mult(impl->multiples.get(), scratch()) == 1 &&
      EC_GROUP_have_precompute_mult(impl->multiples.get()) == 1;
  ERR_clear_error();
  if (!made) return nullptr;
  return std::shared_ptr<const P256Table>(new P256Table(std::move(impl)));
}
#pragma GCC diagnostic pop

// r and s in [1, n-1]; (x, y) = (e/s) G + (r/s) Q, not the point at infinity; good if x mod n = r.
bool P256Table::verify(ByteView message, ByteView der_signature) const {
  const EcdsaSignature signature = decode(der_signature);
  if (!signature) {
    ERR_clear_error();
    return false;
  }
  const EC_GROUP* curve = impl_->curve.get();
  const BIGNUM* n = EC_GROUP_get0_order(curve);
  const BIGNUM* r = ECDSA_SIG_get0_r(signature.get());
  const BIGNUM* s = ECDSA_SIG_get0_s(signature.get());
  for (const BIGNUM* number : {r, s})
    if (BN_is_zero(number) || BN_is_negative(number) || BN_cmp(number, n) >= 0) return false;

  const ScratchFrame frame;
  BN_CTX* numbers = scratch();
  BIGNUM* e = BN_CTX_get(numbers);
  BIGNUM* inverse = BN_CTX_get(numbers);
  BIGNUM* of_curve = BN_CTX_get(numbers);
  BIGNUM* of_key = BN_CTX_get(numbers);
  if (!of_key) return false;
  const Bytes digest = sha256(message);
  const Point sum(EC_POINT_new(curve)), part(EC_POINT_new(curve));
  const bool computed = sum && part && BN_bin2bn(raw(digest), static_cast<int>(digest.size()), e) &&
                        invert(inverse, s, n) && BN_mod_mul(of_curve, e, inverse, n, numbers) == 1 &&
                        BN_mod_mul(of_key, r, inverse, n, numbers) == 1 &&
                        EC_POINT_mul(curve, sum.get(), of_curve, nullptr, nullptr, numbers) == 1 &&
                        EC_POINT_mul(impl_->multiples.get(), part.get(), of_key, nullptr, nullptr, numbers) == 1 &&
                        EC_POINT_add(curve, sum.get(), sum.get(), part.get(), numbers) == 1 &&
                        EC_POINT_is_at_infinity(curve, sum.get()) == 0;
  if (!computed) ERR_clear_error();
  return computed && has_x(curve, sum.get(), r);
}

FrequentKeys::~FrequentKeys() {
  if (maker_) maker_->stop();
}

std::shared_ptr<const P256Table> FrequentKeys::table_for(const SigningPublicKey& key) {
  if (key.spec() != SigningKeySpec::p256) return nullptr;
  std::lock_guard lock(mutex_);
  if (const auto found = tables_.find(key.fingerprint()); found != tables_.end()) {
    found->second.last_use = ++uses_;
    return found->second.table;
  }
  if (checks_.size() >= limits_.max_counted_keys) checks_.clear();
  if (++checks_[key.fingerprint()] != limits_.checks_before_table) return nullptr;
  if (!maker_) {
    maker_ = std::make_unique<EventLoop>("key-tables");
    maker_->post([] { setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNice); });
  }
  ++in_the_making_;
  maker_->post([this, key] { make_table(key); });
  return nullptr;
}

void FrequentKeys::make_table(const SigningPublicKey& key) {
  auto table = P256Table::make(key);
  std::lock_guard lock(mutex_);
  --in_the_making_;
  if (!table) return;
  checks_.erase(key.fingerprint());
  if (tables_.size() >= limits_.max_tables) drop_oldest();
  tables_[key.fingerprint()] = Entry{std::move(table), ++uses_};
}

void FrequentKeys::drop_oldest() {
  const auto oldest = std::min_element(tables_.begin(), tables_.end(), [](const auto& a, const auto& b) {
    return a.second.last_use < b.second.last_use;
  });
  if (oldest != tables_.end()) tables_.erase(oldest);
}

bool FrequentKeys::busy() const {
  std::lock_guard lock(mutex_);
  return in_the_making_ > 0;
}

std::size_t FrequentKeys::tables() const {
  std::lock_guard lock(mutex_);
  return tables_.size();
}

}  // namespace synod::crypto
