#include "lf/script/test_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/testing/shared_files.h"
#include "lf/text/assembler.h"

namespace synod::lf::script {
namespace {

struct Suite {
  const char* dar;
  std::size_t scripts;
};

class Scripts : public ::testing::TestWithParam<Suite> {};

// The scripts check themselves: they fail when the interpreter or the ledger does something else than they expect.
TEST_P(Scripts, AllPass) {
  SYNOD_NEEDS_SHARED(path, std::string("dars/") + GetParam().dar);
  const std::string bytes = synod::testing::read_file(path);
  auto file = read_dar(bytes);
  ASSERT_TRUE(file) << file.error().to_string();
  auto dar = decode_dar(bytes);
  ASSERT_TRUE(dar) << dar.error().to_string();
  auto runner = TestRunner::create(*dar, file->sdk_version, {});
  ASSERT_TRUE(runner) << runner.error().to_string();
  EXPECT_EQ((*runner)->scripts().size(), GetParam().scripts);
  const char* only = std::getenv("SYNOD_SCRIPT");  // to look at some by hand
  for (const auto& script : (*runner)->scripts()) {
    if (only && !matches(only, script)) continue;
    ScriptOutcome outcome = (*runner)->run(script);
    EXPECT_FALSE(outcome.failure) << script << ": " << outcome.failure->command << ": "
                                  << outcome.failure->error.to_string();
  }
}

INSTANTIATE_TEST_SUITE_P(Shared, Scripts,
                         ::testing::Values(Suite{"CantonExamples-3.2.0.dar", 11},
                                           Suite{"splice-amulet-test-0.1.8.dar", 50},
                                           Suite{"splice-token-standard-test-v1-1.0.13.dar", 17}));

// The library of Daml before 3.3 had its type in another module and asked in another form.
TEST(LegacyScripts, SayWhatToDo) {
  const auto library = assemble_package(
      "metadata ('daml-script' : '3.1.0') module Daml.Script { record Script (a: *) = { run: Unit -> a } ; }");
  ASSERT_TRUE(library) << library.error().to_string();
  std::vector<Dar::Entry> entries{*library};
  const auto main = assemble_package(R"(metadata ('old' : '1.0.0') module M {
    val script : 'daml-script':Daml.Script:Script Int64 = 'daml-script':Daml.Script:Script @Int64 { run = \(u: Unit) -> 1 } ;
    val other : Int64 = 1 ;
  })",
                                     {.dependencies = entries});
  ASSERT_TRUE(main) << main.error().to_string();
  entries.insert(entries.begin(), *main);
  auto runner = TestRunner::create(Dar{entries}, "3.1.0", {});
  ASSERT_TRUE(runner) << runner.error().to_string();
  EXPECT_EQ((*runner)->scripts(), std::vector<std::string>{"M:script"});
  const ScriptOutcome outcome = (*runner)->run("M:script");
  ASSERT_TRUE(outcome.failure);
  EXPECT_EQ(outcome.failure->error.id, "SCRIPT_LEGACY");
  EXPECT_THAT(outcome.failure->error.cause,
              ::testing::HasSubstr("Legacy daml-script is not supported in daml 3.3, please recompile"));
}

TEST(ScriptNames, PatternsMatch) {
  EXPECT_TRUE(matches("Iou", "Main.Iou:setup"));
  EXPECT_FALSE(matches("iou", "Main.Iou:setup"));
  EXPECT_TRUE(matches("Main.*:set*", "Main.Iou:setup"));
  EXPECT_FALSE(matches("*:set", "Main.Iou:setup"));
  EXPECT_TRUE(matches("*", ""));
}

}  // namespace
}  // namespace synod::lf::script
