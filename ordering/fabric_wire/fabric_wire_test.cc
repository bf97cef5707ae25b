#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/testing/temporary_folder.h"
#include "ordering/fabric_wire/block_codec.h"
#include "ordering/fabric_wire/envelope.h"
#include "ordering/fabric_wire/identity.h"
#include "ordering/fabric_wire/testing/test_identity.h"

namespace synod::ordering::fabric_wire {
namespace {

// Expected values from Python: hashlib over a DER encoding written by hand.
TEST(BlockCodec, HashesHeadersAsFabricDoes) {
  const Bytes data = data_hash({"abc", "def"});
  EXPECT_EQ(to_hex(data), "bef57ec7f53a6d40beb640a780a639c83bc29ac8a9816f1fc6c5c6dcd93c4721");  // sha256("abcdef")
  EXPECT_EQ(to_hex(header_hash(0, "", data)), "e835c3d8d2fc367519aaf85012f791ea5bf11c2d061d60ae1bda1f5bddf1f86f");
  EXPECT_EQ(to_hex(header_hash(127, Bytes(32, '\1'), data)),
            "71593379cf4fd37cb1797a30e26dec624e306958e488e3052f77f5670b28ad29");
  EXPECT_EQ(to_hex(header_hash(128, Bytes(32, '\1'), data)),
            "9e291909874ea8d9a9fe252f9e747c1a3e1aa1b1100a6ebd10233059df321b6d");
  EXPECT_EQ(to_hex(header_hash(UINT64_MAX, Bytes(32, '\1'), data)),
            "509d497e68b2ff19cb13a15fa32e2bd448f689d76da140a356ce98a5dae4bc47");
}

TEST(BlockCodec, ReadsWhatItWroteAndRefusesChangedContent) {
  FabricBlock block{7, Bytes(32, 'p'), {}, {"one", "two"}};
  const Bytes bytes = serialize_block(block);
  const auto read = parse_block(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->number, 7u);
  EXPECT_EQ(read->data, block.data);
  EXPECT_EQ(read->previous_hash, block.previous_hash);
  Bytes changed = bytes;
  changed[changed.find("two")] = 'x';
  EXPECT_EQ(parse_block(changed).error().id, "ORDERING_MALFORMED_BLOCK");
  for (std::size_t n = 0; n < bytes.size(); ++n) (void)parse_block(bytes.substr(0, n));  // no crash
  EXPECT_FALSE(parse_block("rubbish"));
}

TEST(Envelope, CarriesItsParts) {
  const Bytes bytes = make_envelope(EnvelopeType::message, "ch", "payload", nullptr);
  const auto envelope = parse_envelope(bytes);
  ASSERT_TRUE(envelope);
  EXPECT_EQ(envelope->channel_id, "ch");
  EXPECT_EQ(envelope->data, "payload");
  EXPECT_EQ(envelope->type, 0);
  EXPECT_TRUE(envelope->creator.empty());
  EXPECT_EQ(parse_envelope("").error().id, "ORDERING_MALFORMED_ENVELOPE");
  for (std::size_t n = 0; n < bytes.size(); ++n) (void)parse_envelope(bytes.substr(0, n));
}

TEST(Identity, SignaturesOfListedCertificatesVerifyAndOthersDoNot) {
  const auto alice = testing::make_identity("org1"), mallory = testing::make_identity("org2");
  const auto clients = TrustedClients::from_pem({alice.certificate_pem});
  ASSERT_TRUE(clients);
  const auto verify = [&](const SigningIdentity& signer, bool tamper) {
    const auto envelope = parse_envelope(make_envelope(EnvelopeType::message, "ch", "data", &signer));
    return clients->verify(envelope->creator, tamper ? envelope->payload + "x" : envelope->payload,
                           envelope->signature);
  };
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(verify(alice.signer, false));  // twenty: half of them would have a high S
  EXPECT_EQ(verify(alice.signer, true).error().id, "ORDERING_NOT_AUTHORIZED");
  EXPECT_EQ(verify(mallory.signer, false).error().id, "ORDERING_NOT_AUTHORIZED");
  EXPECT_EQ(clients->verify("rubbish", "m", "s").error().id, "ORDERING_NOT_AUTHORIZED");
  EXPECT_EQ(clients->verify(alice.signer.creator(), "m", "not DER").error().id, "ORDERING_NOT_AUTHORIZED");
  EXPECT_FALSE(TrustedClients::from_pem({"no certificate"}));
  EXPECT_EQ(SigningIdentity::from_pem("org", alice.certificate_pem, mallory.key_pem).error().id,
            "ORDERING_IDENTITY_INVALID");
}

TEST(Identity, FollowsItsFilesAsSoonAsTheyBelongTogether) {
  const std::string folder = synod::testing::new_folder("identity");
  const std::string certificate = folder + "/certificate.pem", key = folder + "/key.pem";
  const auto put = [](const std::string& path, const std::string& text) {
    std::ofstream(path + ".new") << text;
    std::filesystem::rename(path + ".new", path);
  };
  const auto before = testing::make_identity("org1"), after = testing::make_identity("org1");
  put(certificate, before.certificate_pem);
  put(key, before.key_pem);
  const auto signer = SigningIdentity::from_files("org1", certificate, key);
  ASSERT_TRUE(signer) << signer.error().to_string();
  const auto signed_by = [&](const testing::TestIdentity& expected) {
    const auto envelope = parse_envelope(make_envelope(EnvelopeType::message, "ch", "data", &*signer));
    return static_cast<bool>(TrustedClients::from_pem({expected.certificate_pem})
                                 ->verify(envelope->creator, envelope->payload, envelope->signature));
  };
  EXPECT_TRUE(signed_by(before));
  put(key, after.key_pem);
  EXPECT_TRUE(signed_by(before)) << "the new key has no certificate yet";
  put(certificate, after.certificate_pem);
  EXPECT_TRUE(signed_by(after));
  std::filesystem::remove(key);
  EXPECT_TRUE(signed_by(after)) << "files that are gone change nothing";
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace synod::ordering::fabric_wire
