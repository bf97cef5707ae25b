#include "crypto/hash.h"

#include <openssl/evp.h>

#include <algorithm>

#include "base/check.h"

namespace synod::crypto {
namespace {

const EVP_MD* sha256_method() {
  // Fetched once: the implicit fetch behind EVP_sha256() costs more than hashing a short message.
  static const EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return method;
}

}  // namespace

Bytes sha256(ByteView data) {
  Bytes out(32, '\0');
  unsigned size = 0;
  SYNOD_CHECK(EVP_Digest(data.data(), data.size(), reinterpret_cast<unsigned char*>(out.data()), &size, sha256_method(),
                         nullptr) == 1);
  return out;
}

// RFC 2104 by its two hashes: OpenSSL's one-shot HMAC fetches its algorithm each time, which costs more than hashing
// the short messages of seeds and contract ids.
Bytes hmac_sha256(ByteView key, ByteView message) {
  constexpr std::size_t kBlock = 64;
  Bytes padded = key.size() > kBlock ? sha256(key) : Bytes(key);
  padded.resize(kBlock, '\0');
  Bytes inner = padded, outer = padded;
  for (std::size_t i = 0; i < kBlock; ++i) {
    inner[i] = static_cast<char>(inner[i] ^ 0x36);
    outer[i] = static_cast<char>(outer[i] ^ 0x5c);
  }
  inner.append(message);
  outer.append(sha256(inner));
  return sha256(outer);
}

Hash Hash::of_digest(ByteView digest) {
  SYNOD_CHECK(digest.size() == 32);
  Hash out;
  out.bytes_[0] = 0x12;
  out.bytes_[1] = 0x20;
  std::copy(digest.begin(), digest.end(), out.bytes_.begin() + 2);
  return out;
}

Result<Hash> Hash::parse(ByteView bytes) {
  if (bytes.size() != kSize) return fail(malformed("hash", "expected 34 bytes, got " + std::to_string(bytes.size())));
  if (bytes[0] != 0x12 || bytes[1] != 0x20) return fail(malformed("hash", "not a SHA-256 multihash"));
  return of_digest(bytes.substr(2));
}

Result<Hash> Hash::from_hex(std::string_view hex) {
  SYNOD_TRY(Bytes bytes, synod::from_hex(hex));
  return parse(bytes);
}

Hasher::Hasher(HashPurpose purpose) : context_(EVP_MD_CTX_new()) {
  SYNOD_CHECK(context_ != nullptr && EVP_DigestInit_ex(context_, sha256_method(), nullptr) == 1);
  add_i32(static_cast<std::int32_t>(purpose));
}

Hasher::~Hasher() { EVP_MD_CTX_free(context_); }

Hasher& Hasher::add_raw(ByteView bytes) {
  SYNOD_CHECK(EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1);
  return *this;
}

Hasher& Hasher::add_byte(std::uint8_t value) {
  const char c = static_cast<char>(value);
  return add_raw({&c, 1});
}

Hasher& Hasher::add_i32(std::int32_t value) {
  Bytes encoded;
  append_i32(encoded, value);
  return add_raw(encoded);
}

Hasher& Hasher::add_i64(std::int64_t value) {
  Bytes encoded;
  append_i64(encoded, value);
  return add_raw(encoded);
}

Hasher& Hasher::add_bytes(ByteView bytes) {
  add_i32(static_cast<std::int32_t>(bytes.size()));
  return add_raw(bytes);
}

Hash Hasher::finish() {
  char digest[32];
  unsigned size = 0;
  SYNOD_CHECK(EVP_DigestFinal_ex(context_, reinterpret_cast<unsigned char*>(digest), &size) == 1 && size == 32);
  return Hash::of_digest({digest, 32});
}

Hash hash(HashPurpose purpose, ByteView data) { return Hasher(purpose).add_raw(data).finish(); }

}  // namespace synod::crypto
