#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>

#include "base/check.h"
#include "crypto/openssl_handles.h"

namespace synod::crypto {
namespace {

using ParamBuilder = std::unique_ptr<OSSL_PARAM_BLD, Deleter<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Deleter<OSSL_PARAM_free>>;

const EC_GROUP* p256() {
  static EC_GROUP* const group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
  return group;
}

PkeyPtr make_key(const std::string& point, const BIGNUM* secret) {
  ParamBuilder builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, secret);
  Params params(OSSL_PARAM_BLD_to_param(builder.get()));
  PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, params.get()) != 1)
    return nullptr;
  return PkeyPtr(key);
}

}  // namespace

P256Pair fresh_p256(Random& random) {
  const BIGNUM* order = EC_GROUP_get0_order(p256());
  P256Pair pair;
  do {  // rejection keeps the distribution uniform; a second round practically never happens
    const Bytes candidate = random.bytes(32);
    pair.secret.reset(BN_bin2bn(raw(candidate), 32, nullptr));
  } while (BN_is_zero(pair.secret.get()) || BN_cmp(pair.secret.get(), order) >= 0);
  Point point(EC_POINT_new(p256()));
  SYNOD_CHECK(EC_POINT_mul(p256(), point.get(), pair.secret.get(), nullptr, nullptr, nullptr) == 1);
  pair.point.assign(65, '\0');
  SYNOD_CHECK(EC_POINT_point2oct(p256(), point.get(), POINT_CONVERSION_UNCOMPRESSED, raw(pair.point), pair.point.size(),
                                 nullptr) == pair.point.size());
  return pair;
}

PkeyPtr generate_p256(Random& random) {
  const P256Pair pair = fresh_p256(random);
  PkeyPtr key = make_key(pair.point, pair.secret.get());
  SYNOD_CHECK(key != nullptr);
  return key;
}

BigNumber secret_number(EVP_PKEY* key) {
  BIGNUM* secret = nullptr;
  SYNOD_CHECK(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &secret) == 1);
  return BigNumber(secret);
}

// What OpenSSL's ECDH computes, without the objects that it makes around it: they took more than half of the time.
std::optional<Bytes> p256_agree(const BIGNUM* secret, std::string_view their_point) {
  if (their_point.size() != 65 || their_point[0] != 4) return std::nullopt;
  Point theirs(EC_POINT_new(p256()));
  SecretPoint shared(EC_POINT_new(p256()));
  BigNumber x(BN_new());
  Bytes out(32, '\0');
  if (EC_POINT_oct2point(p256(), theirs.get(), raw(their_point), their_point.size(), nullptr) != 1 ||
      EC_POINT_mul(p256(), shared.get(), nullptr, theirs.get(), secret, nullptr) != 1 ||
      EC_POINT_get_affine_coordinates(p256(), shared.get(), x.get(), nullptr, nullptr) != 1 ||
      BN_bn2binpad(x.get(), raw(out), static_cast<int>(out.size())) != static_cast<int>(out.size())) {
    ERR_clear_error();
    return std::nullopt;
  }
  return out;
}

std::string uncompressed_point(EVP_PKEY* key) {
  std::string out(133, '\0');
  std::size_t size = 0;
  SYNOD_CHECK(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, raw(out), out.size(), &size) == 1);
  out.resize(size);
  if (size == 65) return out;
  // A key may have been parsed from the compressed form.
  Point point(EC_POINT_new(p256()));
  SYNOD_CHECK(EC_POINT_oct2point(p256(), point.get(), raw(out), out.size(), nullptr) == 1);
  out.resize(65);
  SYNOD_CHECK(EC_POINT_point2oct(p256(), point.get(), POINT_CONVERSION_UNCOMPRESSED, raw(out), out.size(), nullptr) ==
              65);
  return out;
}

}  // namespace synod::crypto
