#include "lf/upload_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/shared_files.h"
#include "lf/text/assembler.h"
#include "lf/upgrade/upgrade_check.h"

namespace synod::lf {
namespace {

using synod::testing::read_file;
using ::testing::HasSubstr;

Dar dar_of(const std::string& name, const std::string& version, const std::string& definitions) {
  auto bytes = assemble_dar("metadata ('" + name + "' : '" + version + "') module M { " + definitions + " }");
  EXPECT_TRUE(bytes.has_value()) << bytes.error().to_string();
  auto dar = decode_dar(*bytes);
  EXPECT_TRUE(dar.has_value());
  return std::move(*dar);
}

// What an upload says after another one was accepted.
std::string upload_after(const Dar& first, const Dar& second) {
  PackageStore known;
  for (const auto& entry : first.entries) known.add(entry.package);
  auto checked = check_upload(second, known);
  return checked ? "ok" : checked.error().id + ": " + checked.error().cause;
}

const std::string kTemplate =
    "template (this : T) = { signatories Cons @Party [M:T {p} this] (Nil @Party) ; "
    "choice C (self) (a: Int64) : Int64 , controllers Nil @Party to upure @Int64 1 ; } ; ";
const std::string kRecord = "record @serializable T = { p: Party, n: Int64 } ; ";

TEST(UploadCheck, UpgradesMayAdd) {
  auto v1 = dar_of("app", "1.0.0",
                   kRecord + kTemplate + "variant @serializable V a = A: a | B: Unit ; enum @serializable E = P | Q ;");
  auto v2 = dar_of("app", "1.1.0",
                   "record @serializable T = { p: Party, n: Int64, more: Option Text } ; "
                   "template (this : T) = { signatories Cons @Party [M:T {p} this] (Nil @Party) ; "
                   "choice C (self) (a: Int64) : Int64 , controllers Nil @Party to upure @Int64 2 ; "
                   "choice D (self) (a: Int64) : Int64 , controllers Nil @Party to upure @Int64 2 ; } ; "
                   "variant @serializable V b = A: b | B: Unit | C: Text ; enum @serializable E = P | Q | R ;"
                   "record @serializable New = {} ;");
  EXPECT_EQ(upload_after(v1, v2), "ok");
  EXPECT_EQ(upload_after(v2, v1), "ok") << "the order of uploads does not matter";
  EXPECT_EQ(upload_after(v1, v1), "ok");
}

TEST(UploadCheck, WhatAnUpgradeMayNotDo) {
  auto v1 = dar_of("app", "1.0.0",
                   kRecord + kTemplate + "variant @serializable V a = A: a | B: Unit ; enum @serializable E = P | Q ;");
  const std::string rest = "variant @serializable V a = A: a | B: Unit ; enum @serializable E = P | Q ; ";
  auto says = [&](const std::string& definitions) { return upload_after(v1, dar_of("app", "1.1.0", definitions)); };
  EXPECT_EQ(says(kRecord + kTemplate + rest), "ok");
  EXPECT_THAT(says("record @serializable T = { p: Party } ; " + kTemplate + rest),
              HasSubstr("missing some of its original fields"));
  EXPECT_THAT(says("record @serializable T = { p: Party, n: Text } ; " + kTemplate + rest),
              HasSubstr("changed the types"));
  EXPECT_THAT(says("record @serializable T = { p: Party, n: Int64, x: Int64 } ; " + kTemplate + rest),
              HasSubstr("not Optional"));
  EXPECT_THAT(says("record @serializable T = { x: Option Int64, p: Party, n: Int64 } ; " + kTemplate + rest),
              HasSubstr("order of its fields"));
  EXPECT_THAT(says(kRecord + rest), HasSubstr("Template T appears"));
  EXPECT_THAT(
      says(kRecord + "template (this : T) = { signatories Cons @Party [M:T {p} this] (Nil @Party) ; } ;" + rest),
      HasSubstr("Choice C appears"));
  EXPECT_THAT(says(kRecord + kTemplate + "variant @serializable V a = A: a ; enum @serializable E = P | Q ;"),
              HasSubstr("removed an existing variant"));
  EXPECT_THAT(
      says(kRecord + kTemplate + "variant @serializable V a = A: Int64 | B: Unit ; enum @serializable E = P | Q ;"),
      HasSubstr("type of a variant"));
  EXPECT_THAT(says(kRecord + kTemplate + "variant @serializable V a = A: a | B: Unit ; enum @serializable E = Q | P ;"),
              HasSubstr("order of its variants"));
  EXPECT_THAT(says(kRecord + kTemplate + "variant @serializable V a = A: a | B: Unit ; record @serializable E = {} ;"),
              HasSubstr("variety"));
  EXPECT_THAT(says(kRecord + kTemplate + "variant @serializable V a = A: a | B: Unit ; "),
              HasSubstr("Data type E appears"));
}

TEST(UploadCheck, NamesAndVersionsMeanOnePackage) {
  auto first = dar_of("app", "1.0.0", kRecord), second = dar_of("app", "1.0.0", kRecord + "val x : Int64 = 1 ;");
  EXPECT_THAT(upload_after(first, second), HasSubstr("KNOWN_PACKAGE_VERSION"));
  auto utility = dar_of("lib", "1.0.0", "val x : Int64 = 1 ;"), other = dar_of("lib", "1.0.0", "val x : Int64 = 2 ;");
  EXPECT_EQ(upload_after(utility, other), "ok");
}

TEST(UploadCheck, IllTypedAndIncompleteFiles) {
  EXPECT_THAT(upload_after(dar_of("a", "1", ""), dar_of("b", "1", "val x : Text = 1 ;")),
              HasSubstr("DAR_VALIDATION_ERROR"));
  auto with_superfluous = dar_of("a", "1", kRecord);
  with_superfluous.entries.push_back(dar_of("b", "1", kRecord).entries[0]);
  EXPECT_THAT(upload_after(dar_of("c", "1", ""), with_superfluous), HasSubstr("DAR_DEPENDENCIES_NOT_VALID"));
}

TEST(UpgradeCheck, RealChains) {
  struct Chain {
    const char* prefix;
    int first, last;
  };
  for (auto [prefix, first, last] :
       {Chain{"dars/splice-validator-lifecycle-0.1.", 6, 8}, Chain{"dars/splice-util-batched-markers-1.0.", 0, 1}}) {
    PackageStore store;
    const Package* past = nullptr;
    for (int i = first; i <= last; ++i) {
      SYNOD_NEEDS_SHARED(path, prefix + std::to_string(i) + ".dar");
      auto dar = decode_dar(read_file(path), {}, &store);
      ASSERT_TRUE(dar.has_value());
      for (const auto& entry : dar->entries) store.add(entry.package);
      const Package* present = store.find(dar->main().id());
      if (past) {
        auto checked = check_upgrade(*past, *present, store);
        EXPECT_TRUE(checked.has_value()) << checked.error().to_string();
      }
      past = present;
    }
  }
}

}  // namespace
}  // namespace synod::lf
