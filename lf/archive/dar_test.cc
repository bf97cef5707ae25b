#include "lf/archive/dar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>

#include "base/testing/shared_files.h"
#include "lf/archive/decode.h"
#include "lf/archive/wire_writer.h"
#include "lf/archive/zip_file.h"
#include "lf/package_store.h"
#include "lf/text/assembler.h"

namespace synod::lf {
namespace {

using synod::testing::read_file;
using ::testing::HasSubstr;

struct Expected {
  const char* file;
  const char* main;  // first digits of the main package id
  std::size_t packages;
  const char* version;
};

constexpr Expected kGood[] = {
    {"canton-builtin-admin-workflow-ping.dar", "de2cc2f90eb52341", 30, "2.2"},
    {"canton-builtin-admin-workflow-party-replication-alpha.dar", "8541ef08471ba3c7", 30, "2.2"},
    {"encoder-test-2.1.dar", "0b492a754765457a", 1, "2.1"},
    {"encoder-test-2.2.dar", "df69fa60ae2cd3fd", 1, "2.2"},
    {"CantonExamples-3.2.0.dar", "f94329fba82051bc", 30, "2.1"},
    {"all-kinds-of-1.0.0.dar", "6d7e83e81a0a7960", 30, "2.1"},
    {"utility-credential-v0-0.0.2.dar", "aa472491115b521b", 29, "2.1"},
    {"splice-amulet-test-0.1.8.dar", "7a11cff3fd00142d", 37, "2.1"},
    {"splice-token-standard-test-v1-1.0.13.dar", "903e2f384673e266", 52, "2.1"},
    {"splice-amulet-0.1.0.dar", "48cac5ba4b6bf78d", 30, "2.1"},
    {"splice-amulet-0.1.9.dar", "a5b055492fb8f08b", 37, "2.1"},
    {"splice-amulet-0.1.14.dar", "3ca1343ab26b453d", 37, "2.1"},
    {"splice-amulet-0.1.18.dar", "a31be0483f317564", 40, "2.1"},
    {"splice-amulet-0.1.22.dar", "fb10433a48c24f30", 51, "2.1"},
    {"splice-dso-governance-0.1.28.dar", "eeb461e9e430d8aa", 54, "2.1"},
    {"splice-wallet-0.1.23.dar", "727c0fb9711d59b5", 53, "2.1"},
    {"splice-test-token-v2-1.0.0.dar", "a38a96b6f46c14c5", 45, "2.1"},
    {"illformed.dar", "dc0563f935abf08b", 1, "2.1"},
    {"splice-validator-lifecycle-0.1.0.dar", "cef96fac957362f1", 30, "2.1"},
    {"splice-validator-lifecycle-0.1.1.dar", "1ddf05c960029145", 30, "2.1"},
    {"splice-validator-lifecycle-0.1.2.dar", "57e2f15f9755db1f", 30, "2.1"},
    {"splice-validator-lifecycle-0.1.3.dar", "33cbc8ef9f2937b5", 31, "2.1"},
    {"splice-validator-lifecycle-0.1.4.dar", "9333354aaaf7378f", 31, "2.1"},
    {"splice-validator-lifecycle-0.1.5.dar", "455dd4533c2dd013", 31, "2.1"},
    {"splice-validator-lifecycle-0.1.6.dar", "a717b2b9c23f630e", 31, "2.1"},
    {"splice-validator-lifecycle-0.1.7.dar", "9018d59e7759bfe3", 31, "2.1"},
    {"splice-validator-lifecycle-0.1.8.dar", "217edf88c015ee08", 31, "2.1"},
    {"splice-util-batched-markers-1.0.0.dar", "727c5e97457d3ff8", 31, "2.1"},
    {"splice-util-batched-markers-1.0.1.dar", "4d91a9b044e0e996", 32, "2.1"},
    {"splice-util-batched-markers-1.0.2.dar", "ec84eb67802403d9", 34, "2.1"},
    {"splice-util-batched-markers-1.0.3.dar", "74ee4c91b80c80b6", 34, "2.1"},
};

class RealDar : public ::testing::TestWithParam<Expected> {};

TEST_P(RealDar, DecodesAndIsSelfConsistent) {
  SYNOD_NEEDS_SHARED(path, std::string("dars/") + GetParam().file);
  static PackageStore store;  // across the cases: most packages occur in many files
  auto dar = decode_dar(read_file(path), {}, &store);
  ASSERT_TRUE(dar.has_value()) << dar.error().to_string();
  for (const auto& entry : dar->entries) store.add(entry.package);
  EXPECT_EQ(dar->main().id().substr(0, 16), GetParam().main);
  EXPECT_EQ(dar->entries.size(), GetParam().packages);
  EXPECT_EQ(dar->main().language_version().to_string(), GetParam().version);
  auto consistent = check_dar_dependencies(*dar);
  EXPECT_TRUE(consistent.has_value()) << consistent.error().to_string();
}

INSTANTIATE_TEST_SUITE_P(Shared, RealDar, ::testing::ValuesIn(kGood), [](const auto& test) {
  std::string name = test.param.file;
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
});

TEST(Dar, PreFreezePackagesAreRefused) {
  SYNOD_NEEDS_SHARED(path, "dars/model-tests-2.1-PRE-FREEZE.dar");
  auto dar = decode_dar(read_file(path));
  ASSERT_FALSE(dar.has_value());
  EXPECT_EQ(dar.error().id, "DAR_PARSE_ERROR");
}

TEST(Dar, Lf1IsRefusedByName) {
  for (const char* name : {"dars/dummy-1.15.dar", "dars/dazl-Test-2.9.1.dar"}) {
    SYNOD_NEEDS_SHARED(path, name);
    auto dar = decode_dar(read_file(path));
    ASSERT_FALSE(dar.has_value()) << name;
    EXPECT_EQ(dar.error().id, "ALLOWED_LANGUAGE_VERSIONS");
    EXPECT_THAT(dar.error().cause, HasSubstr("1."));
  }
}

TEST(Dar, LargestApplicationLoadsFast) {
  SYNOD_NEEDS_SHARED(path, "dars/splice-amulet-0.1.22.dar");
  auto bytes = read_file(path);
  auto start = std::chrono::steady_clock::now();
  auto dar = decode_dar(bytes);
  auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start).count();
  ASSERT_TRUE(dar.has_value());
  std::size_t values = 0, templates = 0, choices = 0, expressions = 0;
  const Package& main = dar->main();
  for (const Template& t : main.templates()) choices += t.choices.count;
  templates += main.templates().size();
  values += main.values().size();
  for (const auto& entry : dar->entries) expressions += entry.package->expr_count();
  EXPECT_EQ(main.name(), "splice-amulet");
  EXPECT_EQ(main.version(), "0.1.22");
  EXPECT_EQ(templates, 34u);
  EXPECT_EQ(choices, 113u);
  EXPECT_EQ(values, 7854u);
  RecordProperty("milliseconds", static_cast<int>(ms));
  std::printf("[  INFO    ] %zu packages, %zu expressions in %d ms\n", dar->entries.size(), expressions,
              static_cast<int>(ms));
}

Bytes zip_of(std::vector<std::pair<std::string, ByteView>> files) { return *write_zip(files); }

TEST(Dar, ManifestSyntax) {
  auto manifest = parse_dar_manifest(
      "Manifest-Version: 1.0\r\nmain-DALF: a/\r\n b.dalf\r\nDalfs: a/b.dalf, c\r\n .dalf ,d\r\nFormat: "
      "daml-lf\r\n\r\nX");
  ASSERT_TRUE(manifest.has_value()) << manifest.error().to_string();
  EXPECT_EQ(manifest->main_dalf, "a/b.dalf");
  EXPECT_THAT(manifest->dependencies, ::testing::ElementsAre("c.dalf", "d"));
  EXPECT_EQ(parse_dar_manifest("Main-Dalf: a\nFormat: daml-lf\n").error().id, "INVALID_DAR");
  EXPECT_EQ(parse_dar_manifest("Main-Dalf: a\nDalfs: a\nFormat: elf\n").error().id, "INVALID_DAR");
  EXPECT_EQ(parse_dar_manifest(" x\n").error().id, "INVALID_DAR");
  EXPECT_EQ(parse_dar_manifest("nothing\n").error().id, "INVALID_DAR");
}

TEST(Dar, RefusesWhatIsNoDar) {
  EXPECT_EQ(read_dar("").error().id, "INVALID_DAR");
  EXPECT_EQ(read_dar("PK no zip").error().id, "INVALID_DAR");
  EXPECT_EQ(read_dar(zip_of({{"x", "y"}})).error().id, "INVALID_DAR");
  constexpr const char* manifest = "Main-Dalf: a\nDalfs: a, b\nFormat: daml-lf\n";
  EXPECT_EQ(read_dar(zip_of({{"META-INF/MANIFEST.MF", manifest}, {"a", "1"}})).error().id, "INVALID_ZIP_ENTRY");
  auto ok = read_dar(zip_of({{"META-INF/MANIFEST.MF", manifest}, {"b", "2"}, {"a", "1"}}));
  ASSERT_TRUE(ok.has_value());
  ASSERT_EQ(ok->entries.size(), 2u);
  EXPECT_EQ(ok->entries[0].archive, "1");
  EXPECT_EQ(ok->entries[1].archive, "2");
}

TEST(Dar, BombsAreRefused) {
  Bytes zeros(10 << 20, '\0');
  auto dar =
      zip_of({{"META-INF/MANIFEST.MF", "Main-Dalf: a\nDalfs: a, b\nFormat: daml-lf\n"}, {"a", zeros}, {"b", zeros}});
  EXPECT_LT(dar.size(), 100'000u);
  EXPECT_EQ(read_dar(dar, DarLimits{.max_entry_bytes = 1 << 20}).error().id, "ZIP_BOMB");
  EXPECT_EQ(read_dar(dar, DarLimits{.max_total_bytes = 15 << 20}).error().id, "ZIP_BOMB");
  EXPECT_EQ(read_dar(dar, DarLimits{.max_entries = 2}).error().id, "INVALID_DAR");
  EXPECT_TRUE(read_dar(dar).has_value());
}

TEST(Dar, WritesTheSameBytesAndReadsThemBack) {
  std::vector<DarFile::Entry> entries{{std::string(100, 'n') + ".dalf", "first"}, {"b.dalf", "second"}};
  auto dar = write_dar(entries);
  ASSERT_TRUE(dar.has_value());
  EXPECT_EQ(*dar, *write_dar(entries));
  auto read = read_dar(*dar);
  ASSERT_TRUE(read.has_value()) << read.error().to_string();
  ASSERT_EQ(read->entries.size(), 2u);
  EXPECT_EQ(read->entries[0].name, entries[0].name);
  EXPECT_EQ(read->entries[1].archive, "second");
}

TEST(Archive, HashIsChecked) {
  auto payload = encode_payload(kLf21, "");
  auto archive = encode_archive(payload);
  auto parsed = parse_archive(archive);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->payload, payload);
  EXPECT_EQ(parsed->package_id, package_id_of(payload));
  archive.back() = archive.back() == '0' ? '1' : '0';
  EXPECT_THAT(parse_archive(archive).error().cause, HasSubstr("Mismatching hashes"));
  EXPECT_THAT(parse_archive("").error().cause, HasSubstr("Invalid hash"));
  WireWriter unknown;
  unknown.varint(9, 1);
  EXPECT_THAT(parse_archive(unknown.data()).error().cause, HasSubstr("unknown field 9"));
}

TEST(Archive, VersionsOtherThanTheStableOnesAreRefused) {
  for (const char* minor : {"", "0", "4", "dev", "3-rc1", "1.0"}) {
    WireWriter payload;
    payload.bytes(3, minor);
    payload.bytes(4, "");
    EXPECT_EQ(parse_payload(payload.data()).error().id, "ALLOWED_LANGUAGE_VERSIONS") << minor;
  }
  WireWriter patched;
  patched.bytes(3, "1");
  patched.bytes(4, "");
  patched.varint(5, 7);
  EXPECT_THAT(parse_payload(patched.data()).error().cause, HasSubstr("Unknown patch version 7"));
  EXPECT_EQ(parse_payload("").error().id, "DAR_PARSE_ERROR");
}

TEST(Archive, DiscontinuedVersionsAreReadOnRequest) {
  auto entry = assemble_package("metadata ('candidate' : '1.0.0') module M { record R = {} ; }", {.version = kLf23});
  ASSERT_TRUE(entry) << entry.error().to_string();
  const auto parsed = parse_payload(entry->payload);
  ASSERT_TRUE(parsed);
  for (const char* minor : {"3-rc1", "3-rc2"}) {
    WireWriter payload;
    payload.bytes(3, minor);
    payload.bytes(4, parsed->package_message);
    auto dar = write_dar({{"candidate.dalf", encode_archive(payload.data())}});
    ASSERT_TRUE(dar);
    auto refused = decode_dar(*dar);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().id, "ALLOWED_LANGUAGE_VERSIONS");
    EXPECT_THAT(refused.error().cause, HasSubstr(std::string("2.") + minor + " was discontinued"));
    auto read = decode_dar(*dar, {}, nullptr, {.discontinued_versions = true});
    ASSERT_TRUE(read) << read.error().to_string();
    EXPECT_EQ(read->main().language_version(), kLf23);
    EXPECT_EQ(read->main().id(), package_id_of(payload.data()));
  }
  for (const char* minor : {"3-rc3", "2-rc1", "3-rc"}) EXPECT_FALSE(parse_lf2_minor(minor, true)) << minor;
}

}  // namespace
}  // namespace synod::lf
