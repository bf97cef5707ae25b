// Every rule of the static check of upgrades, once kept and once broken. The list is that of the Daml repository's
// UpgradesCheckSpec and of Upgrading.scala; the definitions are ours.
#include "lf/upgrade/upgrade_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lf/text/assembler.h"
#include "lf/upload_check.h"

namespace synod::lf {
namespace {

using ::testing::HasSubstr;

Dar dar_of(const std::string& name, const std::string& version, const std::string& definitions,
           const AssembleOptions& options = {}) {
  const std::string body = definitions.starts_with("module") ? definitions : "module M { " + definitions + " }";
  auto bytes = assemble_dar("metadata ('" + name + "' : '" + version + "') " + body, options);
  EXPECT_TRUE(bytes.has_value()) << bytes.error().to_string() << definitions;
  auto dar = decode_dar(*bytes);
  EXPECT_TRUE(dar.has_value());
  return std::move(*dar);
}

// What the last upload of a sequence says; the others must be accepted.
std::string upload(const std::vector<Dar>& dars) {
  PackageStore known;
  std::string said;
  for (const Dar& dar : dars) {
    EXPECT_TRUE(said.empty() || said == "ok") << said;
    auto checked = check_upload(dar, known);
    said = checked ? "ok" : checked.error().id + ": " + checked.error().cause;
    for (const auto& entry : dar.entries) known.add(entry.package);
  }
  return said;
}

std::string upgraded(const std::string& past, const std::string& present, const AssembleOptions& options = {}) {
  return upload({dar_of("app", "1.0.0", past, options), dar_of("app", "1.1.0", present, options)});
}

// A template T of a record with these fields, with these choices and what else it has.
std::string with_template(const std::string& fields, const std::string& parts = "", const std::string& rest = "") {
  return "record @serializable T = { p: Party" + fields + " } ; " + rest +
         " template (this : T) = { signatories Cons @Party [M:T {p} this] (Nil @Party) ; " + parts + " } ;";
}
std::string choice(const std::string& name, const std::string& argument, const std::string& result,
                   const std::string& body) {
  return "choice " + name + " (self) (a: " + argument + ") : " + result +
         " , controllers Cons @Party [M:T {p} this] (Nil @Party) to upure @(" + result + ") (" + body + ") ; ";
}

struct Rule {
  const char* name;
  std::string past, good, bad;
  const char* reason;
};

TEST(UpgradeRules, ReportsAllThatIsWrong) {
  const Dar past =
      dar_of("app", "1.0.0",
             with_template(", a: Int64", choice("A", "Unit", "Unit", "()") + choice("B", "Unit", "Text", "\"\""),
                           "record @serializable R = { x: Int64 } ; enum @serializable E = X | Y ; record "
                           "@serializable Gone = {} ;"));
  const Dar present = dar_of("app", "1.1.0",
                             with_template("", choice("B", "Unit", "Int64", "1"),
                                           "record @serializable R = { x: Text } ; enum @serializable E = Y | X ;"));
  PackageStore store;
  for (const Dar* dar : {&past, &present})
    for (const auto& entry : dar->entries) store.add(entry.package);
  const auto problems = upgrade_problems(past.main(), present.main(), store);
  EXPECT_THAT(problems,
              ::testing::ElementsAre(HasSubstr("Choice A appears"), HasSubstr("choice B cannot change its"),
                                     HasSubstr("Data type Gone appears"), HasSubstr("template T is missing some"),
                                     HasSubstr("data type R has changed the types"),
                                     HasSubstr("data type E has changed the order")));
  EXPECT_THAT(check_upgrade(past.main(), present.main(), store).error().cause, HasSubstr(problems.front()));
  EXPECT_TRUE(upgrade_problems(past.main(), past.main(), store).empty());
  // Definitions of a module that is gone are not listed one by one.
  const Dar elsewhere = dar_of("app", "1.1.0", "module N { record @serializable R = { x: Int64 } ; }");
  store.add(elsewhere.entries[0].package);
  EXPECT_THAT(upgrade_problems(past.main(), elsewhere.main(), store), ::testing::ElementsAre(HasSubstr("Module M")));
}

TEST(UpgradeRules, EachKeptAndBroken) {
  const std::string c = choice("C", "M:C", "Int64", "1");
  const std::string c_record = "record @serializable C = { n: Int64 } ; ";
  const Rule rules[] = {
      {"modules stay",
       "module M { val x : Int64 = 1 ; record @serializable R = {} ; } module N { val y : Int64 = 1 ; }",
       "module M { record @serializable R = {} ; } module N { } module O { val y : Int64 = 1 ; }",
       "module M { record @serializable R = {} ; }", "Module N appears"},
      {"templates stay", with_template(""), with_template("") + "record @serializable U = {} ;",
       "record @serializable T = { p: Party } ;", "Template T appears"},
      {"data types stay", "record @serializable R = {} ; record Q = {} ;", "record @serializable R = {} ;",
       "record @serializable S = {} ;", "Data type R appears"},
      {"choices stay", with_template("", c, c_record),
       with_template("", c + choice("D", "Int64", "Int64", "2"), c_record), with_template("", "", c_record),
       "Choice C appears"},
      {"choices keep their results", with_template("", c, c_record),
       with_template("", choice("C", "M:C", "Int64", "7"), c_record),
       with_template("", choice("C", "M:C", "Text", "\"\""), c_record),
       "The upgraded choice C cannot change its return type."},
      {"fields stay", "record @serializable R = { a: Int64, b: Text } ;",
       "record @serializable R = { a: Int64, b: Text, c: Option Text } ;", "record @serializable R = { a: Int64 } ;",
       "The upgraded data type R is missing some of its original fields."},
      {"fields keep their types", "record @serializable R = { a: List Int64 } ;",
       "record @serializable R = { a: List Int64 } ; record @serializable S = {} ;",
       "record @serializable R = { a: List Text } ;",
       "The upgraded data type R has changed the types of some of its original fields."},
      {"an optional field is another than one that is not", "record @serializable R = { a: Int64 } ;",
       "record @serializable R = { a: Int64 } ;", "record @serializable R = { a: Option Int64 } ;",
       "has changed the types of some of its original fields"},
      {"new fields are optional", "record @serializable R = { a: Int64 } ;",
       "record @serializable R = { a: Int64, b: Option (List Int64) } ;",
       "record @serializable R = { a: Int64, b: List Int64 } ;",
       "The upgraded data type R has added new fields, but those fields are not Optional."},
      {"new fields come last", "record @serializable R = { a: Int64, b: Text } ;",
       "record @serializable R = { a: Int64, b: Text, c: Option Int64, d: Option Int64 } ;",
       "record @serializable R = { a: Int64, c: Option Int64, b: Text } ;",
       "The upgraded data type R has changed the order of its fields - any new fields must be added at the end"},
      {"the record of a template", with_template(", n: Int64"), with_template(", n: Int64, m: Option Int64"),
       with_template(", n: Int64, m: Int64"), "The upgraded template T has added new fields"},
      {"the record of a choice", with_template("", c, c_record),
       with_template("", c, "record @serializable C = { n: Int64, m: Option Int64 } ; "),
       with_template("", c, "record @serializable C = { n: Int64, m: Int64 } ; "),
       "The upgraded input type of choice C on template T has added new fields"},
      {"the record of a constructor", "variant @serializable V = A: M:V.A ; record @serializable V.A = { n: Int64 } ;",
       "variant @serializable V = A: M:V.A ; record @serializable V.A = { n: Int64, m: Option Int64 } ;",
       "variant @serializable V = A: M:V.A ; record @serializable V.A = { n: Int64, m: Int64 } ;",
       "The upgraded variant constructor V.A from variant V has added a field."},
      {"constructors stay", "variant @serializable V = A: Int64 | B: Text ;",
       "variant @serializable V = A: Int64 | B: Text | C: Unit ;", "variant @serializable V = A: Int64 ;",
       "The upgraded data type V has removed an existing variant."},
      {"constructors keep their types", "variant @serializable V = A: Int64 ;", "variant @serializable V = A: Int64 ;",
       "variant @serializable V = A: Text ;", "The upgraded data type V has changed the type of a variant."},
      {"constructors keep their order", "variant @serializable V = A: Int64 | B: Int64 ;",
       "variant @serializable V = A: Int64 | B: Int64 | AA: Int64 ;",
       "variant @serializable V = A: Int64 | AA: Int64 | B: Int64 ;",
       "The upgraded data type V has changed the order of its variants - any new variant must be added at the end of "
       "the "
       "variant."},
      {"enumerations keep what they have", "enum @serializable E = A | B ;", "enum @serializable E = A | B | C ;",
       "enum @serializable E = B ;", "The upgraded data type E has removed an existing variant."},
      {"enumerations keep their order", "enum @serializable E = A | B ;", "enum @serializable E = A | B | C ;",
       "enum @serializable E = A | C | B ;",
       "The upgraded data type E has changed the order of its variants - any new variant must be added at the end of "
       "the "
       "enum."},
      {"a record stays a record", "record @serializable R = {} ;", "record @serializable R = {} ;",
       "variant @serializable R = A: Unit ;", "The upgraded data type R has changed from a record to a variant."},
      {"a variant stays a variant", "variant @serializable R = A: Unit ;", "variant @serializable R = A: Unit ;",
       "enum @serializable R = A ;", "The upgraded data type R has changed from a variant to a enum."},
      {"what can be stored stays so", "record @serializable R = {} ; record @serializable S = {} ;",
       "record @serializable R = {} ; record @serializable S = {} ;", "record R = {} ; record @serializable S = {} ;",
       "The upgraded data type R was serializable and is now unserializable."},
      {"what could not be stored may change", "record R = { a: Int64 } ; record @serializable S = {} ;",
       "record R = { b: Text } ; record @serializable S = {} ;", "record @serializable R = { c: Text } ;",
       "Data type S appears"},
      {"parameters keep their number", "record @serializable R (a: *) = { x: a } ;",
       "record @serializable R (b: *) = { x: b, y: Option b } ;", "record @serializable R (a: *) (b: *) = { x: a } ;",
       "The upgraded data type R has changed the number of type variables it has."},
      {"parameters keep their places", "record @serializable R (a: *) (b: *) = { x: a, y: b } ;",
       "record @serializable R (b: *) (a: *) = { x: b, y: a } ;",
       "record @serializable R (a: *) (b: *) = { x: b, y: a } ;",
       "has changed the types of some of its original fields"},
      {"a record gets no other use: template", "record @serializable T = { p: Party } ;",
       "record @serializable T = { p: Party } ;", with_template(""),
       "The record T has changed origin from data type T to template T"},
      {"a record gets no other use: choice", with_template("", "", c_record), with_template("", "", c_record),
       with_template("", c, c_record),
       "The record C has changed origin from data type C to input type of choice C on template T"},
      {"a record gets no other use: constructor",
       "variant @serializable V = A: Int64 ; record @serializable W.A = { n: Int64 } ;",
       "variant @serializable V = A: Int64 ; record @serializable W.A = { n: Int64 } ;",
       "variant @serializable V = A: Int64 ; record @serializable W.A = { n: Int64 } ; variant @serializable W = A: "
       "M:W.A ;",
       "The record W.A has changed origin from data type W.A to variant constructor W.A from variant W"},
      {"an interface may go, but nothing may take its name from a record",
       "record @serializable V = {} ; record @serializable I = {} ;",
       "record @serializable V = {} ; record @serializable I = {} ; interface (this : J) = { viewtype M:V ; } ;",
       "record @serializable V = {} ; interface (this : I) = { viewtype M:V ; } ;", "Data type I appears"},
  };
  for (const Rule& rule : rules) {
    EXPECT_EQ(upgraded(rule.past, rule.good), "ok") << rule.name;
    const std::string said = upgraded(rule.past, rule.bad);
    EXPECT_THAT(said, HasSubstr("NOT_VALID_UPGRADE_PACKAGE")) << rule.name;
    EXPECT_THAT(said, HasSubstr(rule.reason)) << rule.name;
  }
}

TEST(UpgradeRules, KindsOfParameters) {
  // Only parameters of kind * make serialisable types here, so the kinds are compared on what is of no use otherwise.
  const std::string past = "record @serializable R (a: *) (n: nat) = { x: a } ;";
  PackageStore packages;
  auto one = dar_of("app", "1.0.0", past), two = dar_of("app", "1.1.0", past),
       three = dar_of("app", "1.2.0", "record @serializable R (a: *) (n: *) = { x: a } ;");
  for (const Dar* dar : {&one, &two, &three}) packages.add(dar->entries[0].package);
  EXPECT_TRUE(check_upgrade(one.main(), two.main(), packages));
  auto refused = check_upgrade(two.main(), three.main(), packages);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().cause,
              HasSubstr("The upgraded data type R has changed the kind of one of its type variables."));
}

TEST(UpgradeRules, Keys) {
  const AssembleOptions options{.version = kLf23};
  auto keyed = [](const std::string& type, const std::string& value, const std::string& maintainers) {
    return with_template("", "key @" + type + " (" + value + ") (\\(k: " + type + ") -> " + maintainers + ") ;",
                         "record @serializable K = { p: Party } ; record @serializable L = { p: Party } ; ");
  };
  const std::string none =
      with_template("", "", "record @serializable K = { p: Party } ; record @serializable L = { p: Party } ; ");
  const std::string k = keyed("M:K", "M:K { p = M:T {p} this }", "Cons @Party [M:K {p} k] (Nil @Party)");
  const std::string l = keyed("M:L", "M:L { p = M:T {p} this }", "Cons @Party [M:L {p} k] (Nil @Party)");
  EXPECT_EQ(upgraded(k, k, options), "ok");
  EXPECT_THAT(upgraded(k, l, options), HasSubstr("The upgraded template T cannot change its key type."));
  EXPECT_THAT(upgraded(k, none, options), HasSubstr("The upgraded template T cannot remove its key."));
  EXPECT_THAT(upgraded(none, k, options), HasSubstr("The upgraded template T cannot add a key."));
}

TEST(UpgradeRules, LanguageVersionsGrow) {
  auto of = [](const char* version, LanguageVersion lf) {
    return dar_of("app", version, "record @serializable R = {} ;", {.version = lf});
  };
  EXPECT_EQ(upload({of("1.0.0", kLf21), of("1.1.0", kLf22), of("1.2.0", kLf23)}), "ok");
  EXPECT_THAT(upload({of("1.0.0", kLf22), of("1.1.0", kLf21)}),
              HasSubstr("The upgraded package uses an older LF version (2.1 < 2.2)"));
}

TEST(UpgradeRules, VersionsComeInAnyOrder) {
  auto v = [](const char* version, const char* fields) {
    return dar_of("app", version, std::string("record @serializable R = { a: Int64") + fields + " } ;");
  };
  auto one = [&] { return v("1.0.0", ""); };
  auto two = [&] { return v("2.0.0", ", b: Option Int64"); };
  auto three = [&] { return v("10.0.0", ", b: Option Int64, c: Option Int64"); };
  EXPECT_EQ(upload({one(), two(), three()}), "ok");
  EXPECT_EQ(upload({one(), three(), two()}), "ok");
  EXPECT_EQ(upload({three(), one(), two()}), "ok");
  // 2 fits after 1, but 10 does not fit after it; whichever comes last is refused.
  auto wrong = [&] { return v("2.0.0", ", x: Option Int64"); };
  EXPECT_THAT(upload({one(), wrong(), three()}), HasSubstr("missing some of its original fields"));
  EXPECT_THAT(upload({one(), three(), wrong()}), HasSubstr("missing some of its original fields"));
  // Another name is another lineage.
  EXPECT_EQ(upload({one(), dar_of("other", "2.0.0", "record @serializable Q = {} ;")}), "ok");
}

TEST(UpgradeRules, Dependencies) {
  auto dep = [](const char* version, const char* fields) {
    return dar_of("dep", version, std::string("record @serializable D = { a: Int64") + fields + " } ;");
  };
  auto app = [](const char* version, const Dar& on) {
    return dar_of("app", version, "record @serializable R = { d: 'dep':M:D } ;", {.dependencies = on.entries});
  };
  auto d1 = dep("1.0.0", ""), d2 = dep("2.0.0", ", b: Option Int64"), bad = dep("2.0.0", ", b: Int64");
  EXPECT_EQ(upload({app("1.0.0", d1), app("1.1.0", d2)}), "ok");
  EXPECT_EQ(upload({app("1.0.0", d1), app("1.1.0", d1)}), "ok");
  EXPECT_THAT(upload({app("1.0.0", d1), app("1.1.0", bad)}), HasSubstr("data type D has added new fields"));
  // A type of an older dependency is no upgrade of the same type of a newer one.
  EXPECT_THAT(upload({app("1.0.0", d2), app("1.1.0", d1)}), HasSubstr("data type R has changed the types"));
}

TEST(UpgradeRules, InstancesOfInterfaces) {
  auto dep = dar_of("face", "1.0.0", "record @serializable V = {} ; interface (this : I) = { viewtype M:V ; } ;");
  const AssembleOptions options{.dependencies = dep.entries};
  const std::string without = with_template("");
  const std::string with = with_template("", "implements 'face':M:I { view = 'face':M:V {} ; } ;");
  EXPECT_EQ(upgraded(with, with, options), "ok");
  EXPECT_EQ(upgraded(without, with, options), "ok");
  EXPECT_THAT(upgraded(with, without, options),
              HasSubstr(":M:I by template T appears in package that is being upgraded"));
  // An interface of the package itself is another one in its next version.
  const std::string own = "record @serializable V = {} ; interface (this : I) = { viewtype M:V ; } ; " +
                          with_template("", "implements M:I { view = M:V {} ; } ;");
  EXPECT_THAT(upgraded(own, own + "val x : Int64 = 1 ;"), HasSubstr("Implementation of interface"));
  const std::string alone = "record @serializable V = {} ; interface (this : I) = { viewtype M:V ; } ;";
  EXPECT_EQ(upgraded(alone, "record @serializable V = {} ;"), "ok");
  EXPECT_EQ(upgraded(alone, alone + "val x : Int64 = 1 ;"), "ok");
}

TEST(UpgradeRules, ExceptionsMayChangeOrGo) {
  const std::string exception =
      "record @serializable R = {} ; record @serializable E = { why: Text } ; exception E = { message \\(e: M:E) -> "
      "M:E {why} e } ;";
  EXPECT_EQ(upgraded(exception, "record @serializable R = {} ;"), "ok");
  EXPECT_EQ(upgraded(exception,
                     "record @serializable R = {} ; record @serializable E = { what: Text } ; exception E = { "
                     "message \\(e: M:E) -> M:E {what} e } ;"),
            "ok");
}

TEST(UpgradeRules, UtilityPackagesAndTheStandardLibrary) {
  const std::string one = "val x : Int64 = 1 ; record Q = {} ;", two = "val x : Int64 = 2 ;";
  EXPECT_EQ(upload({dar_of("lib", "1.0.0", one), dar_of("lib", "1.0.0", two)}), "ok");
  EXPECT_EQ(upload({dar_of("daml-prim", "1.0.0", one), dar_of("daml-prim", "1.0.0", two)}), "ok");
  const std::string record = "record @serializable R = {} ;";
  EXPECT_THAT(upload({dar_of("lib", "1.0.0", record), dar_of("lib", "1.0.0", record + one)}),
              HasSubstr("KNOWN_PACKAGE_VERSION"));
  for (const char* name : {"daml-prim", "daml-stdlib"})
    EXPECT_THAT(upload({dar_of(name, "1.0.0", record)}), HasSubstr("DAML_PRIM_NOT_UTILITY_PACKAGE"));
}

}  // namespace
}  // namespace synod::lf
