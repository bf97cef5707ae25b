// Owners for OpenSSL objects. Internal to this folder.
#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/env.h"

namespace synod::crypto {

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};

using PkeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using PkeyContext = std::unique_ptr<EVP_PKEY_CTX, Deleter<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Deleter<EVP_CIPHER_CTX_free>>;
using BigNumber = std::unique_ptr<BIGNUM, Deleter<BN_clear_free>>;
using Group = std::unique_ptr<EC_GROUP, Deleter<EC_GROUP_free>>;
using Point = std::unique_ptr<EC_POINT, Deleter<EC_POINT_free>>;
using SecretPoint = std::unique_ptr<EC_POINT, Deleter<EC_POINT_clear_free>>;
using BioPtr = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using X509Ptr = std::unique_ptr<X509, Deleter<X509_free>>;
using X509NamePtr = std::unique_ptr<X509_NAME, Deleter<X509_NAME_free>>;
using X509ExtensionPtr = std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>>;

inline const unsigned char* raw(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }
inline unsigned char* raw(std::string& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

// A fresh P-256 key pair whose private number comes from `random`, so that a seeded run repeats: bare, and as a key.
struct P256Pair {
  BigNumber secret;
  std::string point;  // the public one, uncompressed: 65 bytes
};
P256Pair fresh_p256(Random& random);
PkeyPtr generate_p256(Random& random);
// The public point of a P-256 key, uncompressed (65 bytes), and its private number.
std::string uncompressed_point(EVP_PKEY* key);
BigNumber secret_number(EVP_PKEY* key);
// ECDH: the x coordinate (32 bytes) of the secret's multiple of an uncompressed point; none: not a point of the curve.
// P-256 has no other subgroups, so that being on the curve is all there is to check.
std::optional<Bytes> p256_agree(const BIGNUM* secret, std::string_view their_point);

}  // namespace synod::crypto
