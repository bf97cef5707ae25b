#include "lf/typing/check_package.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/shared_files.h"
#include "lf/archive/dar.h"
#include "lf/text/assembler.h"

namespace synod::lf {
namespace {

using synod::testing::read_file;
using ::testing::HasSubstr;

// Checks the main package of a DAR and the smaller ones it needs; the standard library itself takes seconds when this
// is compiled without optimisation.
constexpr std::size_t kSmall = 3'000;  // expressions

void expect_well_typed(const char* file) {
  SYNOD_NEEDS_SHARED(path, file);
  auto dar = decode_dar(read_file(path));
  ASSERT_TRUE(dar.has_value());
  PackageStore store;
  for (const auto& entry : dar->entries) store.add(entry.package);
  for (const auto& entry : dar->entries) {
    if (&*entry.package != &dar->main() && entry.package->expr_count() > kSmall) continue;
    auto checked = check_package(*entry.package, store);
    EXPECT_TRUE(checked.has_value()) << checked.error().to_string();
  }
}

TEST(CheckPackage, RealPackagesAreWellTyped21) { expect_well_typed("dars/CantonExamples-3.2.0.dar"); }
TEST(CheckPackage, RealPackagesAreWellTyped22) { expect_well_typed("dars/canton-builtin-admin-workflow-ping.dar"); }
TEST(CheckPackage, EveryConstruct21) { expect_well_typed("dars/encoder-test-2.1.dar"); }
TEST(CheckPackage, EveryConstruct22) { expect_well_typed("dars/encoder-test-2.2.dar"); }

TEST(CheckPackage, TheIllFormedPackageIsRefused) {
  SYNOD_NEEDS_SHARED(path, "dars/illformed.dar");
  auto dar = decode_dar(read_file(path));
  ASSERT_TRUE(dar.has_value());
  PackageStore store;
  store.add(dar->entries[0].package);
  auto checked = check_package(dar->main(), store);
  ASSERT_FALSE(checked.has_value());
  EXPECT_EQ(checked.error().id, "DAR_VALIDATION_ERROR");
}

std::string check_text(const std::string& definitions, LanguageVersion version = kLf22) {
  auto entry = assemble_package("metadata ('p' : '1') module M { " + definitions + " }", {.version = version});
  if (!entry) return "NOT ASSEMBLED " + entry.error().cause;
  PackageStore store;
  store.add(entry->package);
  auto checked = check_package(*entry->package, store);
  return checked ? "ok" : checked.error().cause;
}

TEST(CheckPackage, Examples) {
  for (const char* file : {"examples/ping.lf", "examples/iou.lf"}) {
    auto entry = assemble_package(read_file(file));
    ASSERT_TRUE(entry.has_value());
    PackageStore store;
    store.add(entry->package);
    auto checked = check_package(*entry->package, store);
    EXPECT_TRUE(checked.has_value()) << checked.error().to_string();
  }
}

TEST(CheckPackage, Expressions) {
  EXPECT_EQ(check_text("val x : Int64 = 1 ;"), "ok");
  EXPECT_THAT(check_text("val x : Text = 1 ;"), HasSubstr("in M:x: type mismatch: expected Text, found Int64"));
  EXPECT_THAT(check_text("val x : Int64 = y ;"), HasSubstr("unknown variable y"));
  EXPECT_THAT(check_text("val x : Int64 = M:y ;"), HasSubstr("unknown value"));
  EXPECT_THAT(check_text("val x : Int64 = ADD_INT64 1 \"a\" ;"), HasSubstr("expected Int64, found Text"));
  EXPECT_THAT(check_text("val x : Int64 = 1 2 ;"), HasSubstr("expected a function, found Int64"));
  EXPECT_THAT(check_text("val x : Int64 -> Int64 = \\(a: Int64) -> let b: Int64 = a in b ; val y : Int64 = b ;"),
              HasSubstr("M:y: unknown variable b"));
  EXPECT_EQ(check_text("val x : forall a. a -> a = /\\ b. \\(y: b) -> y ; val z : Int64 = M:x @Int64 3 ;"), "ok");
  EXPECT_THAT(check_text("val x : forall a. a -> a = /\\ b. \\(y: b) -> y ; val z : Text = M:x @Int64 3 ;"),
              HasSubstr("expected Text, found Int64"));
  EXPECT_THAT(check_text("val x : Int64 = 1 @Int64 ;"), HasSubstr("expected a polymorphic value"));
  EXPECT_THAT(check_text("val x : Numeric 2 = 1.5 ;"), HasSubstr("expected Numeric 2, found Numeric 1"));
  EXPECT_THAT(check_text("val x : List = Nil @Int64 ;"), HasSubstr("expected a type of values"));
  EXPECT_THAT(check_text("val x : Int64 Int64 = 1 ;"), HasSubstr("ill-kinded"));
  EXPECT_THAT(check_text("val x : forall a. List a = /\\ b. Nil @a ;"), HasSubstr("unknown type variable a"));
}

TEST(CheckPackage, QuantifiersAndSynonyms) {
  EXPECT_EQ(
      check_text("synonym F (f: * -> *) = <map: forall a b. (a -> b) -> f a -> f b> ;"
                 "val l : ||M:F List|| -> forall x y. (x -> y) -> List x -> List y = \\(d: ||M:F List||) -> (d).map ;"),
      "ok");
  EXPECT_EQ(check_text("val k : forall a. a -> forall b. b -> a = /\\ x. \\(p: x) -> /\\ y. \\(q: y) -> p ;"
                       "val u : Int64 = M:k @Int64 1 @Text \"\" ;"),
            "ok");
  EXPECT_THAT(check_text("val k : forall a. a -> forall b. b -> a = /\\ x. \\(p: x) -> /\\ y. \\(q: y) -> q ;"),
              HasSubstr("type mismatch"));
  EXPECT_THAT(check_text("synonym A = ||M:B|| ; synonym B = ||M:A|| ; val x : ||M:A|| = 1 ;"),
              HasSubstr("cycle in type synonym definitions M:A -> M:B"));
  EXPECT_THAT(check_text("synonym A a = List a ; val x : ||M:A|| = Nil @Int64 ;"),
              HasSubstr("wrong number of arguments"));
}

TEST(CheckPackage, DataAndCases) {
  const std::string data = "record R a = { x: a, y: Int64 } ; variant V a = L: a | N: Unit ; enum E = P | Q ;";
  EXPECT_EQ(
      check_text(data + "val f : M:V Text -> Text = \\(v: M:V Text) -> case v of M:V:L t -> t | M:V:N u -> \"\" ;"),
      "ok");
  EXPECT_THAT(check_text(data + "val f : M:V Text -> Text = \\(v: M:V Text) -> case v of M:V:L t -> t ;"),
              HasSubstr("leaves out"));
  EXPECT_THAT(check_text(data + "val f : M:V Text -> Text = \\(v: M:V Text) -> case v of M:V:L t -> t | _ -> 1 ;"),
              HasSubstr("expected Text, found Int64"));
  EXPECT_THAT(check_text(data + "val f : M:V Text -> Text = \\(v: M:V Text) -> case v of M:E:P -> \"\" | _ -> \"\" ;"),
              HasSubstr("pattern does not match"));
  EXPECT_THAT(check_text(data + "val r : M:R Text = M:R @Text { y = 1, x = \"\" } ;"),
              HasSubstr("fields do not match"));
  EXPECT_THAT(check_text(data + "val r : M:R Text = M:R @Text { x = 1, y = 1 } ;"),
              HasSubstr("expected Text, found Int64"));
  EXPECT_THAT(check_text(data + "val r : Int64 = M:R @Text {z} (ERROR @(M:R Text) \"\") ;"), HasSubstr("has no z"));
  EXPECT_THAT(check_text(data + "val e : M:E = M:E:Z ;"), HasSubstr("unknown enumeration constructor Z"));
  EXPECT_THAT(check_text(data + "val v : M:V Text = M:V:L 1 ;"), HasSubstr("expected a type of values"));
  EXPECT_THAT(check_text("record R = { x: Int64, x: Text } ;"), HasSubstr("collide: M.R.x"));
  EXPECT_THAT(check_text("record R = { x: Int64 } ; record r = {} ;"), HasSubstr("collide"));
  EXPECT_EQ(check_text("variant V = A: M:V.A ; record V.A = { x: Int64 } ;"), "ok");
}

TEST(CheckPackage, Serialisability) {
  EXPECT_EQ(check_text("record @serializable R a = { x: List a, y: GenMap Text (Option (Numeric 3)), z: ContractId "
                       "(Int64 -> Int64) } ;"),
            "ok");
  for (const char* type :
       {"Int64 -> Int64", "Update Unit", "Any", "TypeRep", "<a: Int64>", "forall a. a", "M:Not", "List M:Not"}) {
    EXPECT_THAT(check_text("record Not = {} ; record @serializable R = { x: " + std::string(type) + " } ;"),
                HasSubstr("not serialisable"))
        << type;
  }
  EXPECT_THAT(check_text("variant @serializable V = ;"), HasSubstr("without values"));
}

TEST(CheckPackage, Templates) {
  auto with = [](const std::string& parts) {
    return check_text(
        "record @serializable T = { p: Party } ; record @serializable V = { n: Int64 } ; "
        "interface (this : I) = { viewtype M:V ; method m : Int64 ; } ; template (this : T) = { " +
        parts + " } ;");
  };
  const std::string signatories = "signatories Cons @Party [M:T {p} this] (Nil @Party) ; ";
  EXPECT_EQ(
      with(signatories +
           "choice C (self) (a: Int64) : ContractId M:T , controllers Nil @Party to upure @(ContractId M:T) self ; "
           "implements M:I { view = M:V { n = 1 } ; method m = 2 ; } ;"),
      "ok");
  EXPECT_THAT(with("signatories M:T {p} this ;"), HasSubstr("expected List Party, found Party"));
  EXPECT_THAT(with(signatories + "precondition 1 ;"), HasSubstr("expected Bool"));
  EXPECT_THAT(with(signatories + "choice C (self) (a: Int64) : Int64 , controllers Nil @Party to upure @Text \"\" ;"),
              HasSubstr("M:T.C: type mismatch: expected Update Int64, found Update Text"));
  EXPECT_THAT(
      with(signatories +
           "choice C (self) (a: Int64) : Int64 , controllers (case self of _ -> Nil @Party) to upure @Int64 1 ;"),
      HasSubstr("unknown variable self"));
  EXPECT_THAT(
      with(signatories + "choice C (self) (a: Int64 -> Int64) : Int64 , controllers Nil @Party to upure @Int64 1 ;"),
      HasSubstr("not serialisable"));
  EXPECT_THAT(with(signatories + "implements M:I { view = M:V { n = 1 } ; } ;"), HasSubstr("no method m"));
  EXPECT_THAT(with(signatories + "implements M:I { view = 3 ; method m = 2 ; } ;"),
              HasSubstr("expected M:V, found Int64"));
  EXPECT_THAT(with(signatories + "implements M:X { view = 3 ; } ;"), HasSubstr("unknown interface"));
  EXPECT_THAT(with(signatories + "choice C (self) (a: M:I) : Int64 , controllers Nil @Party to upure @Int64 1 ;"),
              HasSubstr("not serialisable"));
  EXPECT_THAT(
      check_text("val f : M:T -> M:I = \\(t: M:T) -> to_interface @M:I @M:T t ; record @serializable T = { p: Party } ;"
                 "template (this: T) = { signatories Nil @Party ; } ; record @serializable V = {} ; interface (this: "
                 "I) = { viewtype M:V ; } ;"),
      HasSubstr("does not implement"));
}

// After Canton's RecursionSpec.
TEST(CheckPackage, Circles) {
  const auto check = [](const std::string& modules) {
    auto entry = assemble_package("metadata ('p' : '1') " + modules, {.version = kLf23});
    if (!entry) return "NOT ASSEMBLED " + entry.error().cause;
    PackageStore store;
    store.add(entry->package);
    auto checked = check_package(*entry->package, store);
    return checked ? "ok" : checked.error().cause.substr(checked.error().cause.rfind(": ") + 2);
  };
  const std::string b = "module B { val b : Int64 = 1 ; record R = {} ; } ";
  EXPECT_EQ(check(b + "module A { val a : Int64 = B:b ; synonym S = B:R ; }"), "ok");
  // Every way to name another module.
  const std::vector<std::string> ways = {
      "val b : Int64 = A:b ;",
      "record R = { x: A:R } ;",
      "variant V = X: A:R ;",
      "synonym S = A:R ;",
      "val f : Int64 -> Int64 = let g: A:R -> Int64 = \\(r: A:R) -> 1 in \\(n: Int64) -> n ;",
      "val f : Bool = EQUAL @(List A:R) (Nil @A:R) (Nil @A:R) ;",
      "val e : A:E = A:E:X ;",
      "record @serializable T = { p: Party } ; template (this : T) = { signatories Nil @Party ; choice C (self) (u: "
      "Unit) : Unit , controllers Nil @Party to A:u ; } ;",
      "record @serializable T = { p: Party } ; template (this : T) = { signatories Nil @Party ; implements A:I { view "
      "= "
      "A:V {} ; } ; } ;",
      "record @serializable V = {} ; interface (this : J) = { viewtype B:V ; requires A:I ; } ;",
      "record @serializable X = {} ; exception X = { message \\(e: B:X) -> A:t ; } ;",
  };
  for (const auto& way : ways) {
    const std::string text =
        "module B { val n : Int64 = 1 ; " + way +
        " } module A { val n : Int64 = B:n ; val b : Int64 = 2 ; record R = {} ; enum E = X ; val t : Text = \"\" ; "
        "val u "
        ": Update Unit = upure @Unit () ; record @serializable V = {} ; interface (this : I) = { viewtype A:V ; } ; }";
    EXPECT_THAT(check(text), ::testing::AnyOf("cycle in module dependency A -> B", "cycle in module dependency B -> A"))
        << way;
  }
  EXPECT_THAT(check("module A { val a : Int64 = B:b ; } module B { val b : Int64 = C:c ; } module C { val c : Int64 = "
                    "D:d ; val e : Int64 = A:a ; } module D { val d : Int64 = 1 ; }"),
              ::testing::StartsWith("cycle in module dependency "));
  EXPECT_EQ(check("module M { synonym A = ||M:B|| ; synonym B = List (||M:C||) ; synonym C = Int64 ; }"), "ok");
  EXPECT_EQ(check("module M { synonym A = ||M:A|| ; }"), "cycle in type synonym definitions M:A");
  EXPECT_EQ(check("module M { synonym A = List (||M:B||) ; synonym B = Option (||M:A||) ; }"),
            "cycle in type synonym definitions M:A -> M:B");
}

TEST(CheckPackage, SharedExpressionsDoNotTakeForEver) {
  std::string chain = "val x0 : Int64 = 1 ;";
  auto entry = assemble_package("metadata ('p' : '1') module M { " + chain + " }");
  ASSERT_TRUE(entry.has_value());
  PackageStore store;
  store.add(entry->package);
  EXPECT_FALSE(check_package(*entry->package, store, CheckLimits{.max_steps = 1}).has_value());
}

}  // namespace
}  // namespace synod::lf
