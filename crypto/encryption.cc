#include "crypto/encryption.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "base/check.h"
#include "crypto/hash.h"
#include "crypto/openssl_handles.h"

namespace synod::crypto {
namespace {

constexpr std::size_t kCbcIv = 16, kPoint = 65, kTag = 32, kMacKey = 64, kBlock = 16;
constexpr std::size_t kGcmIv = 12, kGcmTag = 16;

Error cannot_decrypt(std::string cause) {
  return Error("DECRYPTION_FAILED", ErrorCategory::malicious_or_faulty, std::move(cause));
}

// KDF2 with SHA-256: SHA256(input ‖ 1) ‖ SHA256(input ‖ 2) ‖ …, cut.
Bytes kdf2(ByteView input, std::size_t size) {
  Bytes out;
  for (std::int32_t counter = 1; out.size() < size; ++counter) {
    Bytes block(input);
    append_i32(block, counter);
    out += sha256(block);
  }
  out.resize(size);
  return out;
}

Bytes mac_of(ByteView mac_key, ByteView ciphertext) {
  Bytes input(ciphertext);
  input.append(8, '\0');  // the length of an empty label
  return hmac_sha256(mac_key, input);
}

Result<Bytes> aes_cbc(ByteView input, ByteView key, ByteView iv, bool encrypt) {
  CipherContext context(EVP_CIPHER_CTX_new());
  SYNOD_CHECK(EVP_CipherInit_ex(context.get(), EVP_aes_128_cbc(), nullptr, raw(key), raw(iv), encrypt ? 1 : 0) == 1);
  Bytes out(input.size() + kBlock, '\0');
  int first = 0, last = 0;
  if (EVP_CipherUpdate(context.get(), raw(out), &first, raw(input), static_cast<int>(input.size())) != 1 ||
      EVP_CipherFinal_ex(context.get(), raw(out) + first, &last) != 1) {
    ERR_clear_error();
    return fail(cannot_decrypt("bad padding"));
  }
  out.resize(static_cast<std::size_t>(first + last));
  return out;
}

}  // namespace

Result<Bytes> encrypt_ecies(ByteView plaintext, const EncryptionPublicKey& to, Random& random) {
  if (to.spec() != EncryptionKeySpec::p256)
    return fail(
        Error("UNSUPPORTED_ENCRYPTION_KEY", ErrorCategory::unsupported, "only P-256 encryption keys are supported"));
  const P256Pair ephemeral = fresh_p256(random);
  const auto secret = p256_agree(ephemeral.secret.get(), uncompressed_point(to.native()));
  SYNOD_CHECK(secret);  // a key's point is on the curve: checked when it became a key
  const Bytes keys = kdf2(ephemeral.point + *secret, kSymmetricKeySize + kMacKey);
  const ByteView key_view(keys);
  const Bytes iv = random.bytes(kCbcIv);
  SYNOD_TRY(Bytes encrypted, aes_cbc(plaintext, key_view.substr(0, kSymmetricKeySize), iv, true));
  const Bytes tag = mac_of(key_view.substr(kSymmetricKeySize), encrypted);
  return iv + ephemeral.point + encrypted + tag;
}

Result<Bytes> decrypt_ecies(ByteView ciphertext, const EncryptionKeyPair& key) {
  if (key.public_key().spec() != EncryptionKeySpec::p256)
    return fail(
        Error("UNSUPPORTED_ENCRYPTION_KEY", ErrorCategory::unsupported, "only P-256 encryption keys are supported"));
  if (ciphertext.size() < kCbcIv + kPoint + kBlock + kTag) return fail(cannot_decrypt("the ciphertext is too short"));
  const ByteView iv = ciphertext.substr(0, kCbcIv);
  const ByteView point = ciphertext.substr(kCbcIv, kPoint);
  const ByteView encrypted = ciphertext.substr(kCbcIv + kPoint, ciphertext.size() - kCbcIv - kPoint - kTag);
  const ByteView tag = ciphertext.substr(ciphertext.size() - kTag);
  const auto secret = p256_agree(secret_number(key.native()).get(), point);
  if (!secret) return fail(cannot_decrypt("the ephemeral key is not a point of the curve"));
  const Bytes keys = kdf2(Bytes(point) + *secret, kSymmetricKeySize + kMacKey);
  const ByteView key_view(keys);
  const Bytes expected = mac_of(key_view.substr(kSymmetricKeySize), encrypted);
  if (CRYPTO_memcmp(expected.data(), tag.data(), kTag) != 0)
    return fail(cannot_decrypt("the authentication tag is wrong"));
  return aes_cbc(encrypted, key_view.substr(0, kSymmetricKeySize), iv, false);
}

Result<Bytes> encrypt_aes128_gcm(ByteView plaintext, ByteView key, Random& random) {
  if (key.size() != kSymmetricKeySize) return fail(invalid_argument("INVALID_KEY_SIZE", "an AES-128 key has 16 bytes"));
  Bytes out = random.bytes(kGcmIv);
  out.resize(kGcmIv + plaintext.size() + kGcmTag);
  CipherContext context(EVP_CIPHER_CTX_new());
  int size = 0, rest = 0;
  SYNOD_CHECK(
      EVP_EncryptInit_ex(context.get(), EVP_aes_128_gcm(), nullptr, raw(key), raw(out)) == 1 &&
      EVP_EncryptUpdate(context.get(), raw(out) + kGcmIv, &size, raw(plaintext), static_cast<int>(plaintext.size())) ==
          1 &&
      EVP_EncryptFinal_ex(context.get(), raw(out) + kGcmIv + size, &rest) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kGcmTag, raw(out) + kGcmIv + plaintext.size()) == 1);
  return out;
}

Result<Bytes> decrypt_aes128_gcm(ByteView ciphertext, ByteView key) {
  if (key.size() != kSymmetricKeySize) return fail(invalid_argument("INVALID_KEY_SIZE", "an AES-128 key has 16 bytes"));
  if (ciphertext.size() < kGcmIv + kGcmTag) return fail(cannot_decrypt("the ciphertext is too short"));
  const ByteView encrypted = ciphertext.substr(kGcmIv, ciphertext.size() - kGcmIv - kGcmTag);
  Bytes tag(ciphertext.substr(ciphertext.size() - kGcmTag));
  Bytes out(encrypted.size(), '\0');
  CipherContext context(EVP_CIPHER_CTX_new());
  int size = 0, rest = 0;
  Bytes last(kBlock, '\0');
  SYNOD_CHECK(EVP_DecryptInit_ex(context.get(), EVP_aes_128_gcm(), nullptr, raw(key), raw(ciphertext)) == 1 &&
              EVP_DecryptUpdate(context.get(), raw(out), &size, raw(encrypted), static_cast<int>(encrypted.size())) ==
                  1 &&
              EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kGcmTag, raw(tag)) == 1);
  if (EVP_DecryptFinal_ex(context.get(), raw(last), &rest) != 1) {
    ERR_clear_error();
    return fail(cannot_decrypt("the authentication tag is wrong"));
  }
  return out;
}

}  // namespace synod::crypto
