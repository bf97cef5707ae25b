#include "lf/script/secp256k1.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>

namespace synod::lf::script {
namespace {

using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using ContextPtr = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;

Error crypto_failed(const char* what) { return invalid_argument("SCRIPT_SIGNATURE_FAILED", what); }

}  // namespace

Result<Secp256k1KeyPair> secp256k1_generate() {
  KeyPtr key(EVP_EC_gen("secp256k1"), &EVP_PKEY_free);
  if (!key) return fail(crypto_failed("a secp256k1 key cannot be generated"));
  unsigned char* der = nullptr;
  Secp256k1KeyPair out;
  std::unique_ptr<PKCS8_PRIV_KEY_INFO, decltype(&PKCS8_PRIV_KEY_INFO_free)> info(EVP_PKEY2PKCS8(key.get()),
                                                                                 &PKCS8_PRIV_KEY_INFO_free);
  int n = info ? i2d_PKCS8_PRIV_KEY_INFO(info.get(), &der) : -1;
  if (n <= 0) return fail(crypto_failed("a private key cannot be encoded"));
  out.private_key.assign(reinterpret_cast<const char*>(der), static_cast<std::size_t>(n));
  OPENSSL_free(der);
  der = nullptr;
  n = i2d_PUBKEY(key.get(), &der);
  if (n <= 0) return fail(crypto_failed("a public key cannot be encoded"));
  out.public_key.assign(reinterpret_cast<const char*>(der), static_cast<std::size_t>(n));
  OPENSSL_free(der);
  return out;
}

Result<Bytes> secp256k1_sign(ByteView private_key, ByteView digest) {
  const auto* in = reinterpret_cast<const unsigned char*>(private_key.data());
  KeyPtr key(d2i_AutoPrivateKey(nullptr, &in, static_cast<long>(private_key.size())), &EVP_PKEY_free);
  if (!key || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_EC)
    return fail(crypto_failed("the private key is not a PKCS#8 key of an elliptic curve"));
  ContextPtr context(EVP_PKEY_CTX_new(key.get(), nullptr), &EVP_PKEY_CTX_free);
  const auto* data = reinterpret_cast<const unsigned char*>(digest.data());
  std::size_t size = 0;
  if (!context || EVP_PKEY_sign_init(context.get()) <= 0 ||
      EVP_PKEY_sign(context.get(), nullptr, &size, data, digest.size()) <= 0)
    return fail(crypto_failed("the message cannot be signed"));
  Bytes out(size, '\0');
  if (EVP_PKEY_sign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size, data, digest.size()) <= 0)
    return fail(crypto_failed("the message cannot be signed"));
  out.resize(size);
  return out;
}

}  // namespace synod::lf::script
