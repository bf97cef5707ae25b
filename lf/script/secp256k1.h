// Signatures that Daml Script makes for programs which verify them: ECDSA over secp256k1, in the encodings of the
// reference (PKCS#8 private keys, X.509 public keys, DER signatures).
#pragma once

#include "base/bytes.h"
#include "base/result.h"

namespace synod::lf::script {

struct Secp256k1KeyPair {
  Bytes private_key;
  Bytes public_key;
};
Result<Secp256k1KeyPair> secp256k1_generate();
Result<Bytes> secp256k1_sign(ByteView private_key, ByteView digest);

}  // namespace synod::lf::script
