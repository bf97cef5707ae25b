// Encryption of views: ECIES on P-256 for keys, AES-128-GCM for contents.
// Facts: recipe 9 of the recordings (KDF2, although Canton's enum says HKDF); JcePureCrypto.scala.
#pragma once

#include "base/bytes.h"
#include "base/env.h"
#include "base/result.h"
#include "crypto/keys.h"

namespace synod::crypto {

inline constexpr std::size_t kSymmetricKeySize = 16;

// IV(16) ‖ ephemeral point(65) ‖ AES-128-CBC(PKCS#7) ‖ HMAC tag(32).
Result<Bytes> encrypt_ecies(ByteView plaintext, const EncryptionPublicKey& to, Random& random);
Result<Bytes> decrypt_ecies(ByteView ciphertext, const EncryptionKeyPair& key);

// IV(12) ‖ ciphertext ‖ tag(16), no associated data. The key is 16 bytes; another size is an error.
Result<Bytes> encrypt_aes128_gcm(ByteView plaintext, ByteView key, Random& random);
Result<Bytes> decrypt_aes128_gcm(ByteView ciphertext, ByteView key);

}  // namespace synod::crypto
