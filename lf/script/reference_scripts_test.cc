// The reference's own script tests, told again as LF text: lf/testdata/scripts. They check themselves, as scripts do.
//
// A file has packages, each after a line `package 'name' version`, and after a line `scripts` (without one: from the
// start) the modules with the scripts. Version * is the first one whose package id comes before those of the standard
// library. Beyond LF text there are
//   $Name            what the table below says; $[name-1.0.0] the id of that package, $[name-1.0.0:8] its first digits
//   'name-1.0.0'     that package, where there are several of a name
//   do T { x: U <- e ; e ; let y: U = e ; e }    the script of type T that does these one after the other
//   -- a comment     on lines of its own; `-- fails script: text` expects a script to fail with that text
// prelude.lf is part of every scripts package. Libraries: our own of library.lf, and the real one of a DAR.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "base/testing/shared_files.h"
#include "lf/script/test_runner.h"
#include "lf/text/assembler.h"
#include "lf/typing/check_package.h"

namespace synod::lf::script {
namespace {

using ::testing::HasSubstr;

constexpr const char* kFolder = "lf/testdata/scripts/";

struct Setup {
  const char* name;
  const char* dar;   // where the standard library comes from; null: standard.lf
  bool own_library;  // library.lf
  LanguageVersion version;
  int submit_version;
  const char* contract_key;  // as a question has it
  const char* observers;     // what ValidationFailed calls them
};

bool is_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

std::string trimmed(std::string_view s) {
  const char* kBlank = " \t\n";
  auto begin = s.find_first_not_of(kBlank);
  return begin == std::string_view::npos ? "" : std::string(s.substr(begin, s.find_last_not_of(kBlank) - begin + 1));
}

// The end of what begins at `at`: behind a text literal, or the next character.
std::size_t behind(std::string_view s, std::size_t at) {
  if (s[at] != '"') return at + 1;
  for (++at; at < s.size() && s[at] != '"'; ++at)
    if (s[at] == '\\') ++at;
  return at + 1;
}

// Where `what` stands outside of all brackets and texts.
std::size_t find_outside(std::string_view s, std::string_view what, std::size_t from = 0) {
  int depth = 0;
  for (std::size_t at = from; at < s.size(); at = behind(s, at)) {
    if (depth == 0 && s.substr(at).starts_with(what)) return at;
    if (std::string_view("([{").find(s[at]) != std::string_view::npos) ++depth;
    if (std::string_view(")]}").find(s[at]) != std::string_view::npos) --depth;
  }
  return std::string_view::npos;
}

std::string with_blocks(std::string_view s);

// The rest of a do block as nested binds.
std::string chain(const std::vector<std::string>& statements, std::size_t at, const std::string& type) {
  const std::string& s = statements[at];
  if (at + 1 == statements.size()) return "(" + with_blocks(s) + ")";
  const std::string rest = chain(statements, at + 1, type);
  if (s.starts_with("let ")) return "(" + with_blocks(s) + " in " + rest + ")";
  auto arrow = find_outside(s, " <-");
  auto colon = s.find(':');
  std::string name = "done", its_type = "Unit", expression = s;
  if (arrow != std::string::npos) {
    name = trimmed(s.substr(0, colon));
    its_type = trimmed(s.substr(colon + 1, arrow - colon - 1));
    expression = s.substr(arrow + 3);
  }
  return "(P:bind @(" + its_type + ") @(" + type + ") (" + with_blocks(expression) + ") (\\(" + name + ": " + its_type +
         ") -> " + rest + "))";
}

std::string with_blocks(std::string_view s) {
  std::string out;
  for (std::size_t at = 0; at < s.size();) {
    const bool is_do = s.substr(at).starts_with("do ") && (at == 0 || !is_name(s[at - 1]));
    if (!is_do) {
      auto next = behind(s, at);
      out += s.substr(at, next - at);
      at = next;
      continue;
    }
    auto open = find_outside(s, "{", at);
    auto close = find_outside(s, "}", open + 1);
    std::string type = trimmed(s.substr(at + 3, open - at - 3));
    std::string_view body = s.substr(open + 1, close - open - 1);
    std::vector<std::string> statements;
    for (std::size_t from = 0;;) {
      auto semicolon = find_outside(body, ";", from);
      const bool last = semicolon == std::string_view::npos;
      statements.push_back(trimmed(body.substr(from, last ? semicolon : semicolon - from)));
      if (last) break;
      from = semicolon + 1;
    }
    out += chain(statements, 0, type);
    at = close + 1;
  }
  return out;
}

struct Section {
  std::string name, version, text;  // the scripts package has no name
};
struct File {
  std::vector<Section> sections;
  std::map<std::string, std::string> fails;  // script -> text
};

File read(const std::string& name) {
  File out;
  std::istringstream lines(synod::testing::read_file(kFolder + name));
  out.sections.push_back({});
  for (std::string line; std::getline(lines, line);) {
    const std::string content = trimmed(line);
    constexpr std::string_view kFails = "-- fails ";
    if (content.starts_with(kFails)) {
      auto colon = content.find(": ");
      out.fails["M:" + content.substr(kFails.size(), colon - kFails.size())] = content.substr(colon + 2);
    }
    if (content.starts_with("--")) {
      out.sections.back().text += "\n";  // lines keep their numbers
    } else if (line.starts_with("package '")) {
      auto quote = line.find('\'', 9);
      out.sections.push_back({line.substr(9, quote - 9), trimmed(line.substr(quote + 1)), ""});
    } else if (line == "scripts") {
      out.sections.push_back({});
    } else {
      out.sections.back().text += line + "\n";
    }
  }
  return out;
}

class World {
 public:
  explicit World(const Setup& setup) : setup_(setup) {}

  void add_dar(const Dar& dar) {
    for (const auto& entry : dar.entries) {
      entries_.push_back(entry);
      if (entry.package->has_module("Daml.Script.Internal.LowLevel")) library_ = entry.package->id();
    }
  }
  // The packages that have a name; the text of the others.
  std::string add(const File& file) {
    std::string rest;
    for (const auto& section : file.sections) {
      if (section.name.empty()) {
        rest += section.text;
      } else if (auto entry = section.version == "*" ? assemble_before_all(section) : assemble(section)) {
        ids_[section.name + "-" + entry->package->version()] = entry->package->id();
      }
    }
    return rest;
  }
  std::optional<Dar::Entry> assemble_before_all(Section section) {
    for (int version = 1;; ++version) {
      section.version = std::to_string(version);
      auto entry = assemble(section);
      if (!entry || entry->package->id() < "4") return entry;
      entries_.pop_back();
    }
  }
  // Null, and the test has failed, if the text is wrong.
  std::optional<Dar::Entry> assemble(const Section& section) {
    auto entry = assemble_package(
        "metadata ('" + section.name + "' : '" + section.version + "') " + with_blocks(expanded(section.text)),
        {.version = setup_.version, .dependencies = entries_});
    if (!entry) {
      ADD_FAILURE() << section.name << ": " << entry.error().to_string();
      return std::nullopt;
    }
    PackageStore store;
    for (const auto& e : entries_) store.add(e.package);
    store.add(entry->package);
    auto checked = check_package(*entry->package, store);
    EXPECT_TRUE(checked) << section.name << ": " << checked.error().to_string();
    if (entry->package->has_module("Daml.Script.Internal.LowLevel")) library_ = entry->package->id();
    entries_.push_back(*entry);
    return std::move(*entry);
  }
  // With the last package as the main one.
  Dar dar() const {
    Dar out;
    out.entries = entries_;
    std::swap(out.entries.front(), out.entries.back());
    return out;
  }

 private:
  std::string expanded(const std::string& text) const {
    const std::string low = "'" + library_ + "':Daml.Script.Internal.LowLevel";
    const std::string questions = "'" + library_ + "':Daml.Script.Internal.Questions";
    const std::string error = questions + ".Submit.Error";
    const std::string types = "'daml-prim-DA-Types':DA.Types";
    auto exception = [](const std::string& name) {
      return "'daml-prim-DA-Exception-" + name + "':DA.Exception." + name + ":" + name;
    };
    const std::string results = "(List " + questions + ".Commands:CommandResult)";
    const std::string done = "(" + types + ":Tuple2 " + results + " " + questions + ".TransactionTree:TransactionTree)";
    const std::map<std::string, std::string> names{
        {"T", types},
        {"Any", "'ghc-stdlib-DA-Internal-Any':DA.Internal.Any"},
        {"NonEmpty", "'daml-stdlib-DA-NonEmpty-Types':DA.NonEmpty.Types:NonEmpty"},
        {"SrcLoc", "'daml-stdlib-DA-Stack-Types':DA.Stack.Types:SrcLoc"},
        {"Status", "'daml-stdlib-DA-Internal-Fail-Types':DA.Internal.Fail.Types:FailureStatus"},
        {"GeneralError", exception("GeneralError")},
        {"AssertionFailed", exception("AssertionFailed")},
        {"PreconditionFailed", exception("PreconditionFailed")},
        {"Low", low},
        {"Script", low + ":Script"},
        {"ScriptF", low + ":ScriptF"},
        {"Question", low + ":Question"},
        {"LV", low + ":LedgerValue"},
        {"Free", "'" + library_ + "':Daml.Script.Internal.Free:Free"},
        {"Q", questions},
        {"Error", error},
        {"SubmitError", error + ":SubmitError"},
        {"Results", results},
        {"Done", done},
        {"Outcome", "(" + types + ":Either " + error + ":SubmitError " + done + ")"},
        {"Observers", setup_.observers},
        {"V", std::to_string(setup_.submit_version)},
        {"KeyField", setup_.contract_key == std::string("Any") ? "Any" : low + ":" + setup_.contract_key},
    };
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
      if (text[at] == '$') {
        auto end = at + 1;
        while (end < text.size() && std::isalnum(static_cast<unsigned char>(text[end]))) ++end;
        auto it = names.find(text.substr(at + 1, end - at - 1));
        if (it == names.end()) ADD_FAILURE() << "no " << text.substr(at, end - at);
        out += it == names.end() ? "" : it->second;
        at = end;
      } else if (text[at] == '\'') {
        auto end = text.find('\'', at + 1);
        std::string name = text.substr(at + 1, end - at - 1);
        auto it = ids_.find(name);
        out += "'" + (it == ids_.end() ? name : it->second) + "'";
        at = end + 1;
      } else {
        auto end = behind(text, at);
        out += text[at] == '"' ? with_ids(text.substr(at, end - at)) : text.substr(at, end - at);
        at = end;
      }
    }
    return out;
  }
  std::string with_ids(std::string literal) const {
    for (std::size_t at; (at = literal.find("$[")) != std::string::npos;) {
      auto end = literal.find(']', at);
      std::string name = literal.substr(at + 2, end - at - 2);
      auto colon = name.find(':');
      const std::string& id = ids_.at(name.substr(0, colon));
      literal.replace(at, end + 1 - at, colon == std::string::npos ? id : id.substr(0, 8));
    }
    return literal;
  }

  Setup setup_;
  std::vector<Dar::Entry> entries_;
  std::string library_;
  std::map<std::string, std::string> ids_;  // "name-version" -> package id
};

class ReferenceScripts : public ::testing::TestWithParam<std::tuple<Setup, const char*>> {};

TEST_P(ReferenceScripts, HaveTheReferencesResults) {
  const auto& [setup, name] = GetParam();
  World world(setup);
  if (setup.dar) {
    SYNOD_NEEDS_SHARED(path, std::string("dars/") + setup.dar);
    auto dar = decode_dar(synod::testing::read_file(path));
    ASSERT_TRUE(dar) << dar.error().to_string();
    world.add_dar(*dar);
  } else {
    world.add(read("standard.lf"));
  }
  if (setup.own_library) world.add(read("library.lf"));
  const std::string prelude = world.add(read("prelude.lf"));
  const File file = read(name);
  const std::string scripts = world.add(file);
  ASSERT_FALSE(HasFailure());
  auto main = world.assemble({"scripts", "1.0.0", prelude + scripts});
  ASSERT_TRUE(main);
  auto runner = TestRunner::create(world.dar(), "3.5.0", {});
  ASSERT_TRUE(runner) << runner.error().to_string();

  const char* only = std::getenv("SYNOD_SCRIPT");  // to look at some by hand
  std::size_t failures = 0, ran = 0;
  for (const auto& script : (*runner)->scripts()) {
    if (!script.starts_with("M:") || (only && !matches(only, script))) continue;
    ++ran;
    ScriptOutcome outcome = (*runner)->run(script);
    const std::string said = outcome.failure ? outcome.failure->error.to_string() : "";
    auto expected = file.fails.find(script);
    if (expected == file.fails.end()) {
      EXPECT_FALSE(outcome.failure) << script << ": " << outcome.failure->command << ": " << said;
    } else {
      ++failures;
      EXPECT_THAT(said, HasSubstr(expected->second)) << script;
    }
  }
  EXPECT_GT(ran, 0u);
  if (name == std::string("ledger.lf")) {
    EXPECT_EQ(std::ranges::count(scripts_with_argument((*runner)->main()), "M:test2"), 1);
    const std::string argument = R"({"p": "Alice", "v": 42})", wrong = R"({"p": "Alice"})";
    EXPECT_EQ((*runner)->run("M:test2", &argument).result, Value::int64(42));
    EXPECT_THAT((*runner)->run("M:test2", &wrong).failure->error.cause, HasSubstr("missing field 'v'"));
    EXPECT_THAT((*runner)->run("M:test2").failure->error.cause, HasSubstr("requires an argument"));
    EXPECT_THAT((*runner)->run("M:tree", &argument).failure->error.cause, HasSubstr("does not take arguments"));
  }
  if (!only) {
    EXPECT_EQ(failures, file.fails.size());
  }
}

constexpr Setup kOwn{"Own", nullptr, true, kLf21, 2, "LedgerValue", "NonSignatoryStakeholders"};
constexpr Setup kReal{"Sdk34", "splice-token-standard-test-v1-1.0.13.dar", false, kLf21, 1, "Any", "Observers"};
constexpr Setup kKeys{
    "Lf23", "splice-token-standard-test-v1-1.0.13.dar", true, kLf23, 2, "LedgerValue", "NonSignatoryStakeholders"};

std::string test_name(const ::testing::TestParamInfo<std::tuple<Setup, const char*>>& info) {
  std::string file = std::get<1>(info.param);
  return std::get<0>(info.param).name + ("_" + file.substr(0, file.find('.')));
}

INSTANTIATE_TEST_SUITE_P(Library, ReferenceScripts,
                         ::testing::Combine(::testing::Values(kOwn, kReal),
                                            ::testing::Values("submit.lf", "exceptions.lf", "packages.lf",
                                                              "upgrades.lf", "ledger.lf")),
                         test_name);
INSTANTIATE_TEST_SUITE_P(StandardNames, ReferenceScripts,
                         ::testing::Combine(::testing::Values(kReal), ::testing::Values("standard_names.lf")),
                         test_name);
INSTANTIATE_TEST_SUITE_P(Keys, ReferenceScripts,
                         ::testing::Combine(::testing::Values(kKeys), ::testing::Values("keys.lf")), test_name);

}  // namespace
}  // namespace synod::lf::script
