// A check with a table must say what OpenSSL's own check says, for good signatures and for every kind of bad one.
#include "crypto/frequent_keys.h"

#include <gtest/gtest.h>
#include <openssl/ecdsa.h>
#include <openssl/obj_mac.h>

#include <chrono>
#include <thread>
#include <vector>

#include "crypto/hash.h"
#include "crypto/openssl_handles.h"
#include "crypto/sign.h"

namespace synod::crypto {
namespace {

bool openssl_verifies(const SigningPublicKey& key, ByteView message, ByteView signature) {
  DigestContext context(EVP_MD_CTX_new());
  return EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.native()) == 1 &&
         EVP_DigestVerify(context.get(), raw(signature), signature.size(), raw(message), message.size()) == 1;
}

SigningKeyPair new_key() {
  return SigningKeyPair::generate({KeyUsage::protocol}, *system_random(), SigningKeySpec::p256);
}

struct Numbers {
  BigNumber r{BN_new()}, s{BN_new()};
};
Numbers numbers_of(const Bytes& signature) {
  const unsigned char* at = raw(signature);
  ECDSA_SIG* parsed = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(signature.size()));
  Numbers out;
  BN_copy(out.r.get(), ECDSA_SIG_get0_r(parsed));
  BN_copy(out.s.get(), ECDSA_SIG_get0_s(parsed));
  ECDSA_SIG_free(parsed);
  return out;
}
Bytes encode(const BIGNUM* r, const BIGNUM* s) {
  ECDSA_SIG* signature = ECDSA_SIG_new();
  ECDSA_SIG_set0(signature, BN_dup(r), BN_dup(s));
  Bytes out(static_cast<std::size_t>(i2d_ECDSA_SIG(signature, nullptr)), '\0');
  unsigned char* at = raw(out);
  i2d_ECDSA_SIG(signature, &at);
  ECDSA_SIG_free(signature);
  return out;
}

TEST(P256Table, AgreesWithOpensslOnSignaturesGoodAndSpoiled) {
  int good = 0, bad = 0;
  for (int k = 0; k < 3; ++k) {
    const SigningKeyPair key = new_key(), other = new_key();
    const auto table = P256Table::make(key.public_key());
    ASSERT_TRUE(table);
    const auto compare = [&](ByteView message, const Bytes& signature) {
      const bool expected = openssl_verifies(key.public_key(), message, signature);
      ASSERT_EQ(table->verify(message, signature), expected) << to_hex(message) << " " << to_hex(signature);
      ++(expected ? good : bad);
    };
    for (int i = 0; i < 200; ++i) {
      const Hash hash = crypto::hash(HashPurpose::submission_request, std::to_string(i));
      const Bytes signature = sign(hash, key).bytes;
      compare(hash.view(), signature);
      compare(hash.view(), sign(hash, other).bytes);
      Bytes spoiled = signature;
      spoiled[static_cast<std::size_t>(i) % spoiled.size()] ^= static_cast<char>(1 << (i % 8));
      compare(hash.view(), spoiled);
      compare(crypto::hash(HashPurpose::submission_request, "another").view(), signature);
    }
  }
  EXPECT_EQ(good, 600);
  EXPECT_EQ(bad, 1800);
}

TEST(P256Table, AgreesWithOpensslAtTheEdges) {
  const SigningKeyPair key = new_key();
  const auto table = P256Table::make(key.public_key());
  ASSERT_TRUE(table);
  const Hash hash = crypto::hash(HashPurpose::submission_request, "x");
  const Bytes signature = sign(hash, key).bytes;
  const Numbers numbers = numbers_of(signature);
  const Group curve(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
  const BIGNUM* n = EC_GROUP_get0_order(curve.get());

  const auto number = [](const char* text) {
    BIGNUM* out = nullptr;
    BN_dec2bn(&out, text);
    return BigNumber(out);
  };
  const auto plus = [](const BIGNUM* a, const BIGNUM* b) {
    BigNumber out(BN_new());
    BN_add(out.get(), a, b);
    return out;
  };
  BigNumber mirrored(BN_new());  // (r, n - s) is good whenever (r, s) is
  BN_sub(mirrored.get(), n, numbers.s.get());
  BigNumber below(BN_dup(n));
  BN_sub_word(below.get(), 1);
  BigNumber huge(BN_new());
  BN_lshift(huge.get(), n, 300);

  std::vector<BigNumber> values;
  for (const char* text : {"0", "1", "2"}) values.push_back(number(text));
  for (const BIGNUM* value : std::initializer_list<const BIGNUM*>{n, below.get(), huge.get(), mirrored.get()})
    values.emplace_back(BN_dup(value));
  values.push_back(plus(numbers.r.get(), n));
  values.push_back(plus(numbers.s.get(), n));
  std::vector<Bytes> signatures = {"",
                                   "\x30",
                                   signature + '\0',
                                   signature.substr(1),
                                   signature.substr(0, signature.size() - 1),
                                   *from_hex("3006020180020101"),
                                   *from_hex("3006020101020180")};  // negative
  for (const BigNumber& value : values) {
    signatures.push_back(encode(value.get(), numbers.s.get()));
    signatures.push_back(encode(numbers.r.get(), value.get()));
    for (const BigNumber& another : values) signatures.push_back(encode(value.get(), another.get()));
  }
  // The same numbers, not in the shortest form: a length in two bytes, a leading zero.
  signatures.push_back(Bytes("\x30\x81") + signature.substr(1));
  Bytes padded = signature;
  padded.insert(4, 1, '\0');
  ++padded[1];
  ++padded[3];
  signatures.push_back(padded);

  int good = 0;
  for (const Bytes& candidate : signatures) {
    const bool expected = openssl_verifies(key.public_key(), hash.view(), candidate);
    EXPECT_EQ(table->verify(hash.view(), candidate), expected) << to_hex(candidate);
    good += expected;
  }
  EXPECT_EQ(good, 1) << "the mirrored one";
  EXPECT_TRUE(table->verify(hash.view(), signature));
}

TEST(P256Table, IsForP256Alone) {
  const auto ed25519 = SigningKeyPair::generate({KeyUsage::protocol}, *system_random());
  EXPECT_FALSE(P256Table::make(ed25519.public_key()));
  EXPECT_FALSE(FrequentKeys({.checks_before_table = 1}).table_for(ed25519.public_key()));
}

void await_tables(const FrequentKeys& frequent) {
  while (frequent.busy()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

TEST(FrequentKeys, MakeATableForAKeyThatComesOften) {
  FrequentKeys frequent({.checks_before_table = 3, .max_tables = 2});
  const SigningKeyPair a = new_key(), b = new_key(), c = new_key();
  EXPECT_FALSE(frequent.table_for(a.public_key()));
  EXPECT_FALSE(frequent.table_for(a.public_key()));
  EXPECT_FALSE(frequent.table_for(a.public_key())) << "it is made on another thread";
  await_tables(frequent);
  EXPECT_TRUE(frequent.table_for(a.public_key()));
  for (const auto* key : {&b, &c}) {
    for (int i = 0; i < 3; ++i) frequent.table_for(key->public_key());
    await_tables(frequent);
  }
  EXPECT_EQ(frequent.tables(), 2u);
  EXPECT_FALSE(frequent.table_for(a.public_key())) << "b and c were used since";
  EXPECT_TRUE(frequent.table_for(c.public_key()));
}

TEST(FrequentKeys, ForgetCountsOfTooManyKeys) {
  FrequentKeys frequent({.checks_before_table = 2, .max_tables = 2, .max_counted_keys = 2});
  const SigningKeyPair a = new_key(), b = new_key(), c = new_key();
  for (const auto* key : {&a, &b, &c, &a}) EXPECT_FALSE(frequent.table_for(key->public_key()));
  EXPECT_FALSE(frequent.busy()) << "a's first check was forgotten";
}

}  // namespace
}  // namespace synod::crypto
