// The tools for Daml archives, as commands.
#include "lf/archive/dar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>

#include "lf/archive/decode.h"
#include "lf/archive/wire_writer.h"
#include "tests/e2e/command_line.h"

namespace synod::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// Files in a folder that goes away with the test.
class Dars : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string folder = ::testing::TempDir() + "dars.XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string at(const std::string& name) const { return folder_ + "/" + name; }
  std::string build(const std::string& name, const std::string& text, const std::string& options = "") {
    write_text(at(name + ".lf"), text);
    const Ran ran = synod("dar build '" + at(name + ".lf") + "' -o '" + at(name + ".dar") + "' " + options);
    EXPECT_EQ(ran.exit_code, 0) << ran.output;
    return "'" + at(name + ".dar") + "'";
  }
  static boost::json::value json(const Ran& ran) {
    boost::system::error_code error;
    const auto begin = ran.output.find('{'), end = ran.output.rfind('}');  // errors stand beside it
    auto value = boost::json::parse(ran.output.substr(std::min(begin, ran.output.size()), end + 1 - begin), error);
    EXPECT_FALSE(error) << ran.output;
    return value;
  }

  std::string folder_;
};

constexpr const char* kLibrary =
    "metadata ('notes' : '1.0.0') module N { record @serializable Note = { text: Text } ; }";

std::string app(const std::string& version, const std::string& field, const std::string& rest = "") {
  return "metadata ('app' : '" + version +
         "') module M { enum @serializable Color = Red | Green ; record @serializable T = { owner: Party, note: "
         "'notes':N:Note, color: M:Color" +
         field +
         " } ; template (this : T) = { signatories Cons @Party [M:T {owner} this] (Nil @Party) ; choice Give (self) "
         "(to_whom : Party) : Unit , controllers Cons @Party [M:T {owner} this] (Nil @Party) to upure @Unit () ; " +
         rest + " } ; }";
}

TEST_F(Dars, BuildInspectAndDecompile) {
  const std::string notes = build("notes", kLibrary);
  const std::string dar = build("app", app("1.0.0", ""), "--dependency " + notes);

  const Ran text = synod("dar inspect " + dar);
  ASSERT_EQ(text.exit_code, 0) << text.output;
  EXPECT_THAT(text.output,
              AllOf(HasSubstr("package app 1.0.0\n"), HasSubstr("template M:T\n    owner : Party\n    note : N:Note\n"),
                    HasSubstr("choice Give (Party) : Unit"), HasSubstr("enum M:Color\n    Red\n    Green\n"),
                    HasSubstr("\n    notes 1.0.0  "), Not(HasSubstr("record N:Note"))));
  const Ran library = synod("dar inspect " + dar + " --package notes");
  EXPECT_THAT(library.output, AllOf(HasSubstr("package notes 1.0.0\n"), HasSubstr("record N:Note\n    text : Text\n")));
  EXPECT_EQ(synod("dar inspect " + dar + " --package notes-1.0.0").output, library.output);

  const auto described = json(synod("dar inspect " + dar + " --json --package notes"));
  EXPECT_NE(described.at("main"), described.at("package"));
  EXPECT_EQ(described.at("packages").as_array().size(), 2u);
  EXPECT_EQ(described.at("types").at(0).at("members").at(0).at("type").as_string(), "Text");
  const std::string id(described.at("package").as_string());
  EXPECT_EQ(synod("dar inspect " + dar + " --package " + id).output, library.output);

  // What is decompiled builds again, and is then the same text.
  const Ran decompiled = synod("dar decompile " + dar + " -o '" + at("again.lf") + "'");
  ASSERT_EQ(decompiled.exit_code, 0) << decompiled.output;
  const std::string again = build("again", read_text(at("again.lf")), "--dependency " + notes);
  EXPECT_EQ(synod("dar decompile " + again).output, read_text(at("again.lf")));
  EXPECT_EQ(json(synod("dar inspect " + again + " --json")).at("templates"),
            json(synod("dar inspect " + dar + " --json")).at("templates"));
  EXPECT_THAT(synod("dar decompile " + dar + " --package notes").output, HasSubstr("metadata ('notes' : '1.0.0')"));
}

TEST_F(Dars, MistakesAreNamed) {
  const std::string dar = build("notes", kLibrary);
  const Ran unknown = synod("dar inspect " + dar + " --package nots");
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.output, HasSubstr("PACKAGE_NOT_FOUND: no package 'nots' in the file; it has notes"));
  EXPECT_EQ(synod("dar decompile " + dar + " --package nots").exit_code, 1);
  const Ran missing = synod("dar inspect '" + at("no.dar") + "'");
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.output, HasSubstr("DAR_NOT_FOUND"));
  write_text(at("text.dar"), "no archive");
  EXPECT_THAT(synod("dar inspect '" + at("text.dar") + "'").output, HasSubstr("INVALID_DAR"));
  EXPECT_EQ(synod("dar").exit_code, 2);
  EXPECT_EQ(synod("dar inspect").exit_code, 2);
  write_text(at("bad.lf"), "metadata ('bad' : '1.0.0') module M { val x : Int64 = }");
  const Ran bad = synod("dar build '" + at("bad.lf") + "' -o '" + at("bad.dar") + "'");
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_THAT(bad.output, HasSubstr("LF_TEXT_ERROR"));
}

TEST_F(Dars, UpgradeReport) {
  const std::string with = "--dependency " + build("notes", kLibrary);
  const std::string one = build("one", app("1.0.0", ", n: Int64"), with);
  const std::string two = build("two", app("1.1.0", ", n: Int64, more: Option Text"), with);
  const std::string bad =
      build("bad",
            "metadata ('app' : '1.2.0') module M { enum @serializable Color = Green | Red ; record "
            "@serializable T = { owner: Party, note: 'notes':N:Note, color: M:Color, n: Text } ; template "
            "(this : T) = { signatories Cons @Party [M:T {owner} this] (Nil @Party) ; } ; }",
            with);
  const Ran valid = synod("dar upgrade-check " + one + " " + two);
  EXPECT_EQ(valid.exit_code, 0) << valid.output;
  EXPECT_THAT(valid.output, AllOf(HasSubstr("valid  app  1.0.0 -> 1.1.0"), HasSubstr("1 packages unchanged")));
  const Ran refused = synod("dar upgrade-check " + one + " " + bad);
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.output,
              AllOf(HasSubstr("refused  app  1.0.0 -> 1.2.0"), HasSubstr("Choice Give appears"),
                    HasSubstr("template T has changed the types"), HasSubstr("data type Color has changed the order")));
  const Ran back = synod("dar upgrade-check " + two + " " + one);
  EXPECT_EQ(back.exit_code, 1);
  EXPECT_THAT(back.output, HasSubstr("version 1.0.0 does not come after 1.1.0"));
  const std::string same = build("same", app("1.0.0", ", n: Int64, more: Option Text"), with);
  EXPECT_THAT(synod("dar upgrade-check " + one + " " + same).output, HasSubstr("the version did not"));
  EXPECT_THAT(synod("dar upgrade-check " + with.substr(13) + " " + one).output, HasSubstr("new  app  - -> 1.0.0"));

  const Ran report = synod("dar upgrade-check --json " + one + " " + bad);
  EXPECT_EQ(report.exit_code, 1);
  const auto parsed = json(report);
  EXPECT_EQ(parsed.at("refused").to_number<int>(), 1);
  EXPECT_EQ(parsed.at("packages").at(0).at("causes").as_array().size(), 3u);

  // Of a DAR with several versions of a package, the one just before counts.
  const auto color = [](const std::string& dar) {
    return "'" + std::string(json(synod("dar inspect --json " + dar)).at("main").as_string()) + "':M:Color";
  };
  const std::string both = build("both",
                                 "metadata ('user' : '1.0.0') module U { record @serializable A = { a: " + color(one) +
                                     ", b: " + color(two) + " } ; }",
                                 with + " --dependency " + one + " --dependency " + two);
  const std::string third = build("third", app("1.2.0", ", n: Int64, more: Option Text, third: Option Int64"), with);
  EXPECT_THAT(synod("dar upgrade-check " + both + " " + third).output, HasSubstr("valid  app  1.1.0 -> 1.2.0"));
}

TEST_F(Dars, ReleaseCandidatesOnlyOnRequest) {
  build("app", "metadata ('app' : '1.0.0') module M { record @serializable R = {} ; }", "--lf-version 2.3");
  const auto file = lf::read_dar(read_text(at("app.dar")));
  ASSERT_TRUE(file);
  const auto archive = lf::parse_archive(file->entries.at(0).archive);
  ASSERT_TRUE(archive);
  const auto payload = lf::parse_payload(archive->payload);
  ASSERT_TRUE(payload);
  lf::WireWriter candidate;
  candidate.bytes(3, "3-rc1");
  candidate.bytes(4, payload->package_message);
  const auto dar = lf::write_dar({{"app.dalf", lf::encode_archive(candidate.data())}});
  ASSERT_TRUE(dar);
  write_text(at("candidate.dar"), *dar);
  const Ran refused = synod("dar inspect '" + at("candidate.dar") + "'");
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.output, AllOf(HasSubstr("ALLOWED_LANGUAGE_VERSIONS"), HasSubstr("2.3-rc1 was discontinued")));
  const Ran read = synod("dar --discontinued-lf inspect '" + at("candidate.dar") + "'");
  EXPECT_EQ(read.exit_code, 0) << read.output;
  EXPECT_THAT(read.output, HasSubstr("Daml-LF 2.3"));
  EXPECT_THAT(synod("dar --help").output, Not(HasSubstr("discontinued")));
}

}  // namespace
}  // namespace synod::e2e
