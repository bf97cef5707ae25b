#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <algorithm>
#include <memory>

#include "crypto/hash.h"
#include "lf/eval/builtins.h"
#include "lf/eval/fatal.h"
#include "lf/eval/keccak.h"
#include "lf/eval/utf8.h"

namespace synod::lf::eval {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

[[noreturn]] void malformed_encoding(std::string_view value, const std::string& cause) {
  fatal("INTERPRETATION_CRYPTO_ERROR_MALFORMED_BYTE_ENCODING", ErrorCategory::invalid_state_other,
        "Invalid byte encoding format for " + std::string(value) + ":\n" + cause,
        {{"CRYPTO_VALUE", std::string(value)}});
}

Bytes decode_hex(std::string_view s, const std::string& cause) {
  bool lower = std::all_of(s.begin(), s.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  if (!lower || s.size() % 2 != 0) malformed_encoding(s, cause);
  return *from_hex(s);
}

Key read_key(std::string_view hex) {
  Bytes der = decode_hex(hex, "can not parse DER encoded public key hex string");
  const auto* p = reinterpret_cast<const unsigned char*>(der.data());
  Key key(d2i_PUBKEY(nullptr, &p, static_cast<long>(der.size())), &EVP_PKEY_free);
  const bool whole = p == reinterpret_cast<const unsigned char*>(der.data()) + der.size();
  if (!key || !whole || EVP_PKEY_base_id(key.get()) != EVP_PKEY_EC)
    fatal("INTERPRETATION_CRYPTO_ERROR_MALFORMED_KEY", ErrorCategory::invalid_state_other,
          "Malformed public key for " + std::string(hex) + ":\nnot a public key on an elliptic curve",
          {{"CRYPTO_VALUE", std::string(hex)}});
  return key;
}

bool on_secp256k1(const Key& key) {
  char name[80] = {};
  std::size_t length = 0;
  return EVP_PKEY_get_utf8_string_param(key.get(), OSSL_PKEY_PARAM_GROUP_NAME, name, sizeof name, &length) == 1 &&
         std::string_view(name) == "secp256k1";
}

constexpr const char* kNotHexMessage = "can not parse message hex string";

using Signature = std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)>;

// Only the canonical encoding of two numbers below the order of the curve is a signature at all; another one ends the
// interpretation there, and so it must here. Fact: StandardDSAEncoding of Bouncy Castle, which the reference uses.
Signature read_signature(const Bytes& der, const Key& key) {
  const auto* p = reinterpret_cast<const unsigned char*>(der.data());
  Signature signature(d2i_ECDSA_SIG(nullptr, &p, static_cast<long>(der.size())), &ECDSA_SIG_free);
  BIGNUM* order = nullptr;
  EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_EC_ORDER, &order);
  std::unique_ptr<BIGNUM, decltype(&BN_free)> limit(order, &BN_free);
  if (!signature || !limit) return Signature(nullptr, &ECDSA_SIG_free);
  unsigned char* again = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &again);
  const bool canonical =
      size > 0 && der == ByteView(reinterpret_cast<const char*>(again), static_cast<std::size_t>(size));
  OPENSSL_free(again);
  auto in_range = [&](const BIGNUM* n) { return !BN_is_negative(n) && BN_cmp(n, limit.get()) < 0; };
  if (!canonical || !in_range(ECDSA_SIG_get0_r(signature.get())) || !in_range(ECDSA_SIG_get0_s(signature.get())))
    return Signature(nullptr, &ECDSA_SIG_free);
  return signature;
}

// Signature, digest and key are read in that order: it shows which of several malformed ones is reported.
bool verify(std::string_view signature_hex, std::string_view digest_hex, std::string_view key_hex) {
  const Bytes signature = decode_hex(signature_hex, "can not parse signature hex string");
  const Bytes digest = decode_hex(digest_hex, kNotHexMessage);
  Key key = read_key(key_hex);
  if (!read_signature(signature, key))
    fatal("INTERPRETATION_CRYPTO_ERROR_MALFORMED_SIGNATURE", ErrorCategory::invalid_state_other,
          "Malformed signature for " + std::string(signature_hex) + ":\nerror decoding signature bytes.",
          {{"CRYPTO_VALUE", std::string(signature_hex)}});
  std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(EVP_PKEY_CTX_new(key.get(), nullptr),
                                                                      &EVP_PKEY_CTX_free);
  return context && EVP_PKEY_verify_init(context.get()) == 1 &&
         EVP_PKEY_verify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                         reinterpret_cast<const unsigned char*>(digest.data()), digest.size()) == 1;
}

}  // namespace

bool crypto_builtin(BuiltinContext& context, BuiltinFunction function, const Cell* a, Cell& out) {
  using F = BuiltinFunction;
  Arena& arena = context.arena;
  auto text = [&](int i) {
    need(a[i], Tag::text);
    return text_of(a[i]);
  };
  const std::string not_hex = "can not parse hex string";
  switch (function) {
    case F::sha256_text:
      out = make_text(arena, to_hex(crypto::sha256(text(0))));
      return true;
    case F::sha256_hex:
      out = make_text(arena, to_hex(crypto::sha256(decode_hex(text(0), not_hex))));
      return true;
    case F::keccak256_text:
      out = make_text(arena, to_hex(keccak256(decode_hex(text(0), not_hex))));
      return true;
    case F::text_to_hex:
      out = make_text(arena, to_hex(text(0)));
      return true;
    case F::hex_to_text:
      out = make_text(arena, decode_lossy(decode_hex(text(0), "can not parse hex string argument")));
      return true;
    case F::secp256k1_bool:
      out = make_bool(verify(text(0), to_hex(crypto::sha256(decode_hex(text(1), kNotHexMessage))), text(2)));
      return true;
    case F::secp256k1_with_ecdsa_bool:
      out = make_bool(verify(text(0), text(1), text(2)));
      return true;
    case F::secp256k1_validate_key:
      out = make_bool(on_secp256k1(read_key(text(0))));
      return true;
    default:
      return false;
  }
}

}  // namespace synod::lf::eval
