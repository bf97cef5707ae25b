// A number that signs twice gives the key away: none may come twice, whoever takes them.
#include "crypto/ready_nonces.h"

#include <gtest/gtest.h>
#include <openssl/ecdsa.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>
#include <vector>

#include "crypto/hash.h"
#include "crypto/openssl_handles.h"
#include "crypto/sign.h"

namespace synod::crypto {
namespace {

SigningKeyPair a_key() {
  return SigningKeyPair::generate({KeyUsage::protocol}, *system_random(), SigningKeySpec::p256);
}

// The r of a DER signature, as hex digits.
std::string r_of(const Bytes& signature) {
  const unsigned char* at = raw(signature);
  ECDSA_SIG* parsed = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(signature.size()));
  char* digits = BN_bn2hex(ECDSA_SIG_get0_r(parsed));
  std::string out = digits;
  OPENSSL_free(digits);
  ECDSA_SIG_free(parsed);
  return out;
}

Status check(const SigningKeyPair& key, const Hash& hash, const Bytes& signature) {
  return verify(hash, {SignatureFormat::der, signature, key.fingerprint(), SigningAlgorithm::ecdsa_sha256, {}},
                key.public_key());
}

// Waits for the thread that makes them; false: it takes too long.
bool sign_when_ready(ReadyNonces& ready, const SigningKeyPair& key, const Hash& hash, Bytes& signature) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (std::chrono::steady_clock::now() < give_up) {
    if (auto made = ready.try_sign(key.native(), sha256(hash.view()))) {
      signature = std::move(*made);
      return true;
    }
    std::this_thread::sleep_for(std::chrono::microseconds(200));  // whoever makes them steps back for others
  }
  return false;
}

TEST(ReadyNonces, KeysThatSignOftenHaveThemAndTheirSignaturesAreGood) {
  ReadyNonces ready({.signatures_before_stock = 3, .stock = 8, .max_stocks = 4, .max_counted_keys = 16});
  const SigningKeyPair key = a_key();
  const Hash hash = crypto::hash(HashPurpose::submission_request, "message");
  EXPECT_FALSE(ready.try_sign(key.native(), sha256(hash.view())));
  EXPECT_FALSE(ready.try_sign(key.native(), sha256(hash.view())));
  Bytes signature;
  ASSERT_TRUE(sign_when_ready(ready, key, hash, signature));
  EXPECT_TRUE(check(key, hash, signature));
  EXPECT_FALSE(check(key, crypto::hash(HashPurpose::submission_request, "another"), signature));
  EXPECT_FALSE(check(a_key(), hash, signature));
}

TEST(ReadyNonces, NoneComesTwice) {
  ReadyNonces ready({.signatures_before_stock = 100, .stock = 8, .max_stocks = 2, .max_counted_keys = 16});
  // More keys than stocks, one after the other, so that stocks come and go meanwhile.
  const std::vector<SigningKeyPair> keys = {a_key(), a_key(), a_key()};
  std::mutex mutex;
  std::multiset<std::string> seen;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const SigningKeyPair& key = keys[static_cast<std::size_t>(i / 40) % keys.size()];
        const Hash hash = crypto::hash(HashPurpose::submission_request, std::to_string(t) + "/" + std::to_string(i));
        Bytes signature;
        if (!sign_when_ready(ready, key, hash, signature)) continue;
        const bool good = check(key, hash, signature).has_value();
        const std::lock_guard lock(mutex);
        EXPECT_TRUE(good);
        seen.insert(r_of(signature));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(seen.size(), 800u);
  EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()).size(), seen.size());
}

// What everybody calls: with and without a stock, the same key.
TEST(ReadyNonces, SignaturesAreGoodBeforeAndAfterAKeyHasAStock) {
  const SigningKeyPair key = a_key();
  std::set<std::string> seen;
  for (int i = 0; i < 500; ++i) {
    const Hash hash = crypto::hash(HashPurpose::submission_request, std::to_string(i));
    const Signature signature = sign(hash, key);
    ASSERT_TRUE(verify(hash, signature, key.public_key())) << i;
    ASSERT_TRUE(seen.insert(r_of(signature.bytes)).second) << i;
  }
}

// Ends the process with 0 if the thread that makes them runs after many signatures with one key, and with 3 if not.
[[noreturn]] void exit_by_whether_the_maker_runs() {
  const SigningKeyPair key = a_key();
  for (int i = 0; i < 300; ++i) sign(crypto::hash(HashPurpose::submission_request, std::to_string(i)), key);
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::getline(std::ifstream(thread.path() / "comm"), name);
    if (name == "nonces") std::_Exit(0);
  }
  std::_Exit(3);
}

// In processes of their own, as the other tests have the thread started.
TEST(ReadyNoncesDeathTest, NoneIsMadeWhereTheyAreSwitchedOff) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(exit_by_whether_the_maker_runs(), ::testing::ExitedWithCode(0), "");
  EXPECT_EXIT(
      {
        make_signatures_ready(false);
        exit_by_whether_the_maker_runs();
      },
      ::testing::ExitedWithCode(3), "");
}

}  // namespace
}  // namespace synod::crypto
