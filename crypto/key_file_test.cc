#include "crypto/key_file.h"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "crypto/certificate.h"
#include "crypto/openssl_handles.h"

namespace synod::crypto {
namespace {

class KeyFolder : public ::testing::Test {
 protected:
  void SetUp() override { folder = std::filesystem::temp_directory_path() / ("synod-keys-" + system_random()->uuid()); }
  void TearDown() override { std::filesystem::remove_all(folder); }
  std::filesystem::path folder;
};

TEST_F(KeyFolder, KeepsKeysInOrderAndPrivate) {
  const auto random = seeded_random(1);
  const SigningKeyPair first = SigningKeyPair::generate({KeyUsage::namespace_}, *random);
  const SigningKeyPair second = SigningKeyPair::generate({KeyUsage::protocol, KeyUsage::proof_of_ownership}, *random);
  const EncryptionKeyPair third = EncryptionKeyPair::generate(*random);
  {
    auto store = open_key_folder(folder);
    ASSERT_TRUE(store) << store.error().to_string();
    ASSERT_TRUE((*store)->add(first, "namespace"));
    ASSERT_TRUE((*store)->add(second, "protocol"));
    ASSERT_TRUE((*store)->add(third, "encryption"));
    ASSERT_TRUE((*store)->add(second, "again"));
  }
  auto store = open_key_folder(folder);
  ASSERT_TRUE(store) << store.error().to_string();
  EXPECT_EQ((*store)->signing_keys(), (std::vector<SigningPublicKey>{first.public_key(), second.public_key()}));
  EXPECT_EQ((*store)->encryption_keys(), std::vector<EncryptionPublicKey>{third.public_key()});
  EXPECT_EQ((*store)->first_signing_key(KeyUsage::protocol)->pkcs8(), second.pkcs8());
  EXPECT_FALSE((*store)->first_signing_key(KeyUsage::sequencer_authentication));
  EXPECT_EQ((*store)->encryption_key(third.fingerprint())->pkcs8(), third.pkcs8());
  struct stat info{};
  ASSERT_EQ(::stat((folder / (first.fingerprint() + ".key")).c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(KeyFolder, RefusesWhatOthersMayReadAndWhatIsDamaged) {
  const auto random = seeded_random(2);
  const SigningKeyPair key = SigningKeyPair::generate({KeyUsage::protocol}, *random);
  ASSERT_TRUE((*open_key_folder(folder))->add(key, ""));
  const auto file = folder / (key.fingerprint() + ".key");
  std::filesystem::permissions(file, std::filesystem::perms(0644));
  EXPECT_EQ(open_key_folder(folder).error().id, "KEY_STORE_UNUSABLE");
  std::filesystem::permissions(file, std::filesystem::perms(0600));
  EXPECT_TRUE(open_key_folder(folder));
  std::filesystem::rename(file, folder / "1220abc.key");
  EXPECT_FALSE(open_key_folder(folder));
  std::ofstream(folder / "1220abc.key") << "garbage";
  EXPECT_FALSE(open_key_folder(folder));
  std::filesystem::remove(folder / "1220abc.key");
  std::filesystem::permissions(folder, std::filesystem::perms(0755));
  EXPECT_FALSE(open_key_folder(folder));
}

TEST(Certificates, AreSignedByTheirAuthority) {
  CertificateRequest request;
  request.common_name = "Test authority";
  request.organization = "Bank A";
  request.valid_from = system_clock()->now();
  const auto authority = make_certificate_authority(request);
  ASSERT_TRUE(authority) << authority.error().to_string();
  request.common_name = "sequencer1";
  request.dns_names = {"localhost", "sequencer1.example"};
  request.ip_addresses = {"127.0.0.1", "::1"};
  const auto server = make_certificate(request, *authority);
  ASSERT_TRUE(server) << server.error().to_string();
  auto parse = [](const std::string& pem) {
    BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    return X509Ptr(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  };
  const X509Ptr ca = parse(authority->certificate_pem), leaf = parse(server->certificate_pem);
  ASSERT_TRUE(ca && leaf);
  EXPECT_EQ(X509_verify(leaf.get(), X509_get0_pubkey(ca.get())), 1);
  EXPECT_EQ(X509_check_host(leaf.get(), "localhost", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_ip_asc(leaf.get(), "127.0.0.1", 0), 1);
  EXPECT_NE(X509_check_host(leaf.get(), "other.example", 0, 0, nullptr), 1);
  EXPECT_EQ(certificate_fingerprint(server->certificate_pem)->size(), 64u);
  request.dns_names = {"a,DNS:evil"};
  EXPECT_FALSE(make_certificate(request, *authority));
  EXPECT_FALSE(make_certificate(CertificateRequest{}, Certificate{"x", "y"}));
  EXPECT_FALSE(certificate_der("nothing"));
}

}  // namespace
}  // namespace synod::crypto
