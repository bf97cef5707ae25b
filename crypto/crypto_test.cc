// Worked examples are recorded exchanges of the real system (numbers of its recipes in the names).
#include <gtest/gtest.h>

#include "canton/crypto_v30.pb.h"
#include "crypto/encryption.h"
#include "crypto/hash.h"
#include "crypto/keys.h"
#include "crypto/sign.h"

namespace synod::crypto {
namespace {

Bytes hex(std::string_view text) { return *from_hex(text); }

TEST(Hash, OfNothingAndOfText) {
  EXPECT_EQ(to_hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(hmac_sha256("key", "The quick brown fox jumps over the lazy dog")),
            "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8");
}

TEST(Hash, ParsesOnlyMultihashes) {
  const Hash hash = crypto::hash(HashPurpose::topology_transaction, "x");
  EXPECT_EQ(*Hash::parse(hash.bytes()), hash);
  EXPECT_EQ(*Hash::from_hex(hash.hex()), hash);
  EXPECT_TRUE(hash.is_set());
  EXPECT_FALSE(Hash().is_set());
  EXPECT_FALSE(Hash::parse(""));
  EXPECT_FALSE(Hash::parse(hash.bytes() + "x"));
  EXPECT_FALSE(Hash::parse(Bytes(34, '\0')));
  EXPECT_FALSE(Hash::from_hex("zz"));
}

TEST(Hasher, PrefixesLengths) {
  const Hash a = Hasher(HashPurpose::aggregation_id).add_string("ab").add_i32(1).add_i64(-1).add_bool(true).finish();
  EXPECT_EQ(a, crypto::hash(HashPurpose::aggregation_id, hex("00000002616200000001ffffffffffffffff01")));
}

TEST(Keys, FingerprintsRecipe1) {
  EXPECT_EQ(fingerprint_of(
                true, hex("302a300506032b65700321008afa0e7a9ec41722b842cad07b7e0ada0a1ed9061e544463c149b612bc1290e0")),
            "1220837c5a43aa0aaaadbea6440060e9f2979ad00a12a49b97e1c423e8563ffe0d28");
  const auto key = EncryptionPublicKey::create(EncryptionKeySpec::p256,
                                               hex("3059301306072a8648ce3d020106082a8648ce3d030107034200043c0b754d8b306"
                                                   "5f4e081be4db1679dd93aae6917b2d0085848459043e326792ad"
                                                   "fff0fc1659439c5658261f3dbeb1f2ae250d91426759771c7994f1d191693b0"));
  ASSERT_TRUE(key);
  EXPECT_EQ(key->fingerprint(), "122072795ed16b317c85e2425bd2838b57404f864984be01619ae467b5fccf2b19f1");
  const auto zero = SigningPublicKey::create(
      SigningKeySpec::ed25519, hex("302a300506032b6570032100" + std::string(64, '0')), {KeyUsage::namespace_});
  ASSERT_TRUE(zero);
  EXPECT_EQ(zero->fingerprint(), "1220ea618da83b6c6b2c4557ffa17d722045169f52b8f50f3b31fc867e266de7e53d");
}

TEST(Keys, RefusesWhatIsNoKey) {
  const auto random = seeded_random(1);
  const Bytes spki = SigningKeyPair::generate({KeyUsage::protocol}, *random).public_key().spki();
  EXPECT_FALSE(SigningPublicKey::create(SigningKeySpec::ed25519, "", {KeyUsage::protocol}));
  EXPECT_FALSE(SigningPublicKey::create(SigningKeySpec::ed25519, spki + "x", {KeyUsage::protocol}));
  EXPECT_FALSE(SigningPublicKey::create(SigningKeySpec::p256, spki, {KeyUsage::protocol}));
  EXPECT_FALSE(SigningPublicKey::create(SigningKeySpec::ed25519, spki, {}));
  EXPECT_FALSE(SigningPublicKey::create(SigningKeySpec::ed25519, Bytes(100'000, 'x'), {KeyUsage::protocol}));
  // A point that is not on the curve.
  Bytes point = EncryptionKeyPair::generate(*random).public_key().spki();
  point.back() ^= 1;
  EXPECT_FALSE(EncryptionPublicKey::create(EncryptionKeySpec::p256, point));
}

TEST(Keys, TravelThroughProto) {
  const auto random = seeded_random(2);
  for (SigningKeySpec spec : {SigningKeySpec::ed25519, SigningKeySpec::p256}) {
    const SigningKeyPair pair =
        SigningKeyPair::generate({KeyUsage::protocol, KeyUsage::proof_of_ownership}, *random, spec);
    v30::SigningPublicKey proto;
    pair.public_key().to_proto(proto);
    EXPECT_EQ(*SigningPublicKey::from_proto(proto), pair.public_key());
    EXPECT_EQ(SigningKeyPair::from_pkcs8(spec, pair.pkcs8(), pair.public_key().usages())->fingerprint(),
              pair.fingerprint());
    proto.set_format(v30::CRYPTO_KEY_FORMAT_RAW);
    EXPECT_FALSE(SigningPublicKey::from_proto(proto));
  }
}

TEST(Keys, SeededKeysRepeat) {
  const auto a = seeded_random(7), b = seeded_random(7);
  EXPECT_EQ(SigningKeyPair::generate({KeyUsage::protocol}, *a).pkcs8(),
            SigningKeyPair::generate({KeyUsage::protocol}, *b).pkcs8());
  EXPECT_EQ(EncryptionKeyPair::generate(*a).pkcs8(), EncryptionKeyPair::generate(*b).pkcs8());
}

TEST(Sign, AcknowledgementRecipe3) {
  const Bytes content = hex(
      "0a5f0a544d45443a3a6d65646961746f72313a3a313232303463626236363833663161666638356433303832613062663135643630373637"
      "33303430346565313538353736653836613831303265626632363034306663301099a4b5858c9c9803101e");
  const Hash digest = crypto::hash(HashPurpose::acknowledgement, content);
  EXPECT_EQ(digest.hex(), "12204c74cac2841c15fdd61c000034e8dee9a84e906d86e6420fb168e18ed022e6e3");
}

TEST(Sign, EveryKindOfKey) {
  const auto random = seeded_random(3);
  const Hash hash = crypto::hash(HashPurpose::signed_protocol_message, "message");
  for (SigningKeySpec spec : {SigningKeySpec::ed25519, SigningKeySpec::p256}) {
    const SigningKeyPair key = SigningKeyPair::generate({KeyUsage::protocol}, *random, spec);
    const SigningKeyPair other = SigningKeyPair::generate({KeyUsage::protocol}, *random, spec);
    const Signature signature = sign(hash, key);
    EXPECT_TRUE(verify(hash, signature, key.public_key()));
    EXPECT_FALSE(verify(crypto::hash(HashPurpose::signed_protocol_message, "other"), signature, key.public_key()));
    EXPECT_EQ(verify(hash, signature, other.public_key()).error().id, "SIGNATURE_CHECK_FAILED");
    Signature damaged = signature;
    damaged.bytes[5] ^= 1;
    EXPECT_FALSE(verify(hash, damaged, key.public_key()));
    damaged.bytes.clear();
    EXPECT_FALSE(verify(hash, damaged, key.public_key()));
    Signature wrong_format = signature;
    wrong_format.format = SignatureFormat::raw;
    EXPECT_FALSE(verify(hash, wrong_format, key.public_key()));
    v30::Signature proto;
    signature.to_proto(proto);
    EXPECT_EQ(*Signature::from_proto(proto), signature);
  }
}

// Keys and signatures of another implementation over the hash 12 20 00 01 … 1f.
// More keys than a thread keeps contexts for (sign.cc), each of them used before and after the others and gone at last.
TEST(Sign, ManyKeysDoNotGetInEachOthersWay) {
  const auto random = seeded_random(11);
  for (int round = 0; round < 2; ++round) {
    std::vector<SigningKeyPair> keys;
    for (int i = 0; i < 70; ++i)
      keys.push_back(SigningKeyPair::generate({KeyUsage::protocol}, *random, SigningKeySpec::p256));
    for (int pass = 0; pass < 2; ++pass) {
      for (std::size_t i = 0; i < keys.size(); ++i) {
        const Hash digest = hash(HashPurpose::sequenced_event, std::to_string(i));
        Signature signature = sign(digest, keys[i]);
        EXPECT_TRUE(verify(digest, signature, keys[i].public_key()));
        signature.signed_by = keys[(i + 1) % keys.size()].fingerprint();
        EXPECT_FALSE(verify(digest, signature, keys[(i + 1) % keys.size()].public_key()));
      }
    }
  }
}

TEST(Sign, VerifiesEveryCurve) {
  struct Vector {
    SigningKeySpec spec;
    SigningAlgorithm algorithm;
    const char* spki;
    const char* signature;
  };
  const Vector vectors[] = {
      {SigningKeySpec::p384, SigningAlgorithm::ecdsa_sha384,
       "3076301006072a8648ce3d020106052b8104002203620004d9a292e8e826e605a81d37163ce7645a244235d3dd049fca5e6d33d737e0ae"
       "9fb51b97615c641c3cf69eb0e65e7395ecbfe3a8bf2b4159f045156f1f2e250d35c90948cd31552a8033d5b91fbc6a1e4088262be4af42"
       "6439ed831eb6268b5016",
       "30650230153088428cf0605d107ccf7dfc9bc3c0acc072d3f77ed0e80ea2ff31f0ceeb81e3a8cb770bf78b423916b6a1d3ebd49d023100"
       "aea2f1854c61a512906a19a227b79603f62b28b93ef224eb6faf97f7f20870045df57de0178aa5b0473fb0522c3f6f8c"},
      {SigningKeySpec::secp256k1, SigningAlgorithm::ecdsa_sha256,
       "3056301006072a8648ce3d020106052b8104000a03420004b6364e46169fc4f64c4ebe5341c79de6d3b72bcfe0d5b105928727408ecfe4"
       "b9fe14fcab4f277c7dca915f19794d704f43bb3d64bd4b775c8382194e7020610a",
       "30450220334c8d1bc68dc8cb459161918affee58500307d6434a0258b54f13656f319295022100d6d30e4f20e501c2d6ba311103a11ed2"
       "5d38a21fbceeafa7e42707ffc4e64e17"},
      {SigningKeySpec::p256, SigningAlgorithm::ecdsa_sha256,
       "3059301306072a8648ce3d020106082a8648ce3d030107034200049f40f1516e4d57758478482d8c59dd67b82db36be0c46175de4e03fc"
       "cb1b98756c4dd0754a12c8d2a30499d20a0a1b7a2df6736408f53d1f6e756cf99aa6a9f6",
       "3044022059c4f36210d823bff6f57c8d4ff58939b0b47df23852120ce32fa6093d92742702205a3b0a4d27914a61715e5c07a338ee227c"
       "5f7acc6296318e4ac21252d7ef2ea4"},
  };
  Bytes digest;
  for (char c = 0; c < 32; ++c) digest.push_back(c);
  const Hash hash = Hash::of_digest(digest);
  for (const Vector& vector : vectors) {
    const auto key = SigningPublicKey::create(vector.spec, hex(vector.spki), {KeyUsage::protocol});
    ASSERT_TRUE(key) << key.error().to_string();
    Signature signature{SignatureFormat::der, hex(vector.signature), key->fingerprint(), vector.algorithm, {}};
    EXPECT_TRUE(verify(hash, signature, *key));
    EXPECT_FALSE(verify(Hash::of_digest(Bytes(32, 'x')), signature, *key));
    signature.bytes.back() ^= 1;
    EXPECT_FALSE(verify(hash, signature, *key));
  }
}

TEST(Sign, RefusesAnAlgorithmThatDoesNotFitTheKey) {
  const auto random = seeded_random(4);
  const SigningKeyPair key = SigningKeyPair::generate({KeyUsage::protocol}, *random, SigningKeySpec::p256);
  const Hash hash = crypto::hash(HashPurpose::signed_protocol_message, "message");
  Signature signature = sign(hash, key);
  signature.algorithm = SigningAlgorithm::ecdsa_sha384;
  EXPECT_FALSE(verify(hash, signature, key.public_key()));
  signature.algorithm = SigningAlgorithm::ed25519;
  EXPECT_FALSE(verify(hash, signature, key.public_key()));
}

TEST(Sign, SessionKeysAreVouchedForAndExpire) {
  const auto random = seeded_random(5);
  const std::string synchronizer = "golden::12201234";
  const SigningKeyPair long_term =
      SigningKeyPair::generate({KeyUsage::protocol, KeyUsage::proof_of_ownership}, *random);
  const SigningKeyPair session = SigningKeyPair::generate({KeyUsage::protocol, KeyUsage::proof_of_ownership}, *random);
  const Hash hash = crypto::hash(HashPurpose::submission_request, "content");
  Signature signature = sign(hash, session);
  SignatureDelegation delegation;
  delegation.session_key_spki = session.public_key().spki();
  delegation.valid_from = Timestamp{1'000'000'000};
  delegation.valid_seconds = 300;
  delegation.signature = sign(delegation_hash(session.fingerprint(), delegation, synchronizer), long_term).bytes;
  signature.delegation = delegation;
  signature.signed_by = long_term.fingerprint();
  const Timestamp inside = delegation.valid_from + Duration::seconds(299);
  EXPECT_TRUE(verify_delegated(hash, signature, long_term.public_key(), synchronizer, inside));
  EXPECT_FALSE(verify_delegated(hash, signature, long_term.public_key(), synchronizer, inside + Duration::seconds(1)));
  EXPECT_FALSE(verify_delegated(hash, signature, long_term.public_key(), "other::12201234", inside));
  EXPECT_FALSE(verify_delegated(hash, signature, session.public_key(), synchronizer, inside));
  EXPECT_FALSE(verify(hash, signature, long_term.public_key()));
  v30::Signature proto;
  signature.to_proto(proto);
  EXPECT_EQ(*Signature::from_proto(proto), signature);
  // Beyond all time there is nothing to add to.
  for (const Timestamp beyond : {Timestamp{INT64_MAX - 1'000'000}, Timestamp{INT64_MIN}, Timestamp::max().next()}) {
    signature.delegation->valid_from = beyond;
    signature.to_proto(proto);
    EXPECT_FALSE(Signature::from_proto(proto));
    EXPECT_FALSE(verify_delegated(hash, signature, long_term.public_key(), synchronizer, inside));
    EXPECT_FALSE(verify_delegated(hash, signature, long_term.public_key(), synchronizer, beyond));
  }
}

TEST(Encryption, EciesThereAndBack) {
  const auto random = seeded_random(6);
  const EncryptionKeyPair key = EncryptionKeyPair::generate(*random), other = EncryptionKeyPair::generate(*random);
  const Bytes plain = random->bytes(16);
  const auto ciphertext = encrypt_ecies(plain, key.public_key(), *random);
  ASSERT_TRUE(ciphertext);
  EXPECT_EQ(ciphertext->size(), 145u);
  EXPECT_EQ(*decrypt_ecies(*ciphertext, key), plain);
  EXPECT_FALSE(decrypt_ecies(*ciphertext, other));
  for (std::size_t at : {0u, 20u, 90u, 130u}) {
    Bytes damaged = *ciphertext;
    damaged[at] ^= 1;
    const auto result = decrypt_ecies(damaged, key);
    // The IV is not covered by the tag: a change there only changes the first block.
    if (at == 0)
      EXPECT_NE(result.value_or(""), plain);
    else
      EXPECT_FALSE(result);
  }
  // The ephemeral point, off the curve: refused as such, before anything secret is multiplied with it.
  Bytes off_curve = *ciphertext;
  off_curve[16 + 64] ^= 1;
  const auto refused = decrypt_ecies(off_curve, key);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().cause.find("not a point of the curve"), std::string::npos) << refused.error().cause;
  EXPECT_FALSE(decrypt_ecies(ciphertext->substr(0, 100), key));
  EXPECT_FALSE(decrypt_ecies("", key));
}

TEST(Encryption, AesGcmThereAndBack) {
  const auto random = seeded_random(8);
  const Bytes key = random->bytes(16);
  for (std::size_t size : {0u, 1u, 16u, 5000u}) {
    const Bytes plain = random->bytes(size);
    const auto ciphertext = encrypt_aes128_gcm(plain, key, *random);
    ASSERT_TRUE(ciphertext);
    EXPECT_EQ(ciphertext->size(), size + 28);
    EXPECT_EQ(*decrypt_aes128_gcm(*ciphertext, key), plain);
    Bytes damaged = *ciphertext;
    damaged.back() ^= 1;
    EXPECT_FALSE(decrypt_aes128_gcm(damaged, key));
  }
  EXPECT_FALSE(decrypt_aes128_gcm("short", key));
  EXPECT_FALSE(encrypt_aes128_gcm("x", "short key", *random));
  EXPECT_FALSE(decrypt_aes128_gcm(Bytes(40, 'x'), "short key"));
}

}  // namespace
}  // namespace synod::crypto
