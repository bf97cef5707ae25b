#include <openssl/core_names.h>
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
  if (secret) OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, secret);
  Params params(OSSL_PARAM_BLD_to_param(builder.get()));
  PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* key = nullptr;
  const int selection = secret ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
  if (EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, selection, params.get()) != 1)
    return nullptr;
  return PkeyPtr(key);
}

}  // namespace

PkeyPtr generate_p256(Random& random) {
  const BIGNUM* order = EC_GROUP_get0_order(p256());
  BigNumber secret;
  do {  // rejection keeps the distribution uniform; a second round practically never happens
    const Bytes candidate = random.bytes(32);
    secret.reset(BN_bin2bn(raw(candidate), 32, nullptr));
  } while (BN_is_zero(secret.get()) || BN_cmp(secret.get(), order) >= 0);
  Point point(EC_POINT_new(p256()));
  SYNOD_CHECK(EC_POINT_mul(p256(), point.get(), secret.get(), nullptr, nullptr, nullptr) == 1);
  std::string encoded(65, '\0');
  SYNOD_CHECK(EC_POINT_point2oct(p256(), point.get(), POINT_CONVERSION_UNCOMPRESSED, raw(encoded), encoded.size(),
                                 nullptr) == encoded.size());
  PkeyPtr key = make_key(encoded, secret.get());
  SYNOD_CHECK(key != nullptr);
  return key;
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

PkeyPtr p256_from_point(std::string_view point) {
  if (point.size() != 65 || point[0] != 4) return nullptr;
  Point parsed(EC_POINT_new(p256()));
  if (EC_POINT_oct2point(p256(), parsed.get(), raw(point), point.size(), nullptr) != 1)
    return nullptr;  // checks the curve
  return make_key(std::string(point), nullptr);
}

}  // namespace synod::crypto
