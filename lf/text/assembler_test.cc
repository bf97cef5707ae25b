#include "lf/text/assembler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/shared_files.h"
#include "lf/archive/decode.h"
#include "lf/text/printer.h"
#include "lf/type_schema.h"

namespace synod::lf {
namespace {

using synod::testing::read_file;
using ::testing::HasSubstr;

// Expressions and definitions of all kinds; in a form that a type checker would accept.
constexpr const char* kEverything = R"(
metadata ('everything' : '1.2.3')
module A.B {
  record @serializable R (a: *) b = { x: a, y: b, z: Int64 };
  record @serializable T = { p: Party, ps: List Party };
  variant @serializable V a = L: a | M: Unit ;
  enum @serializable Color = Red | Green ;
  synonym Dict (f: * -> *) (n: nat) = <map: forall a (b: *). (a -> b) -> f a -> f b, other: Numeric n> ;
  record @serializable E = { message: Text };
  record @serializable View = { owner: Party };
  exception E = { message \(e: A.B:E) -> A.B:E {message} e };

  val dict : ||A.B:Dict Option 3|| -> Int64 = \(d: ||A.B:Dict Option 3||) -> 1 ;
  val r : A.B:R Int64 Text = A.B:R @Int64 @Text { x = 1, y = "two\n\"three\"", z = -4 };
  val x : Int64 = A.B:R @Int64 @Text {x} A.B:r;
  val u : A.B:R Int64 Text = A.B:R @Int64 @Text { A.B:r with z = 9223372036854775807 };
  val v : A.B:V Int64 = A.B:V:L @Int64 5 ;
  val c : A.B:Color = A.B:Color:Green ;
  val s : <f: Int64, g: Text> = <f = 1, g = ""> ;
  val sf : Int64 = (A.B:s).f ;
  val su : <f: Int64, g: Text> = <A.B:s with g = "x"> ;
  val id : forall a. a -> a = /\ a. \(x: a) -> x ;
  val two : forall a b. a -> b -> a = /\ a (b: *). \(x: a) (y: b) -> x ;
  val app : Int64 = A.B:two @Int64 @Text (A.B:id @Int64 7) "y" ;
  val lits : Unit = let t : Timestamp = 1969-12-31T23:59:59.999999Z in let d: Date = 2020-02-29 in
     let n : Numeric 2 = -1.50 in let f: FailureCategory = INVALID_INDEPENDENT_OF_SYSTEM_STATE in () ;
  val cases : Option Int64 -> List Int64 -> A.B:V Int64 -> A.B:Color -> Bool -> Int64 =
     \(o: Option Int64) (l: List Int64) (v: A.B:V Int64) (c: A.B:Color) (b: Bool) ->
       case o of None -> 0 | Some i -> (case l of Nil -> 1 | Cons h t -> (case v of A.B:V:L n -> n | _ ->
         (case c of A.B:Color:Red -> 2 | A.B:Color:Green -> (case b of True -> 3 | False -> (case () of () -> 4))))) ;
  val lists : List Int64 = Cons @Int64 [1, 2, ADD_INT64 1 2] (Nil @Int64) ;
  val opts : Option (Option Int64) = Some @(Option Int64) (None @Int64) ;
  val any : Any = to_any @A.B:T (A.B:T { p = ERROR @Party "no", ps = Nil @Party }) ;
  val unany : Option A.B:T = from_any @A.B:T A.B:any ;
  val rep : TypeRep = type_rep @(List Int64) ;
  val thrown : Update Int64 = try @Int64 (upure @Int64 (throw @Int64 @A.B:E (A.B:E {message = "oops"})))
     catch e -> Some @(Update Int64) (case from_any_exception @A.B:E e of None -> upure @Int64 0 | Some x -> upure @Int64 1) ;
  val exc : Text = ANY_EXCEPTION_MESSAGE (to_any_exception @A.B:E (A.B:E {message = "m"})) ;
  val located : Int64 = loc(A.B, located, 1, 2, 3, 4) (ADD_INT64 1 1) ;
  val toI : A.B:T -> A.B:Token = \(t: A.B:T) -> to_interface @A.B:Token @A.B:T t ;
  val fromI : A.B:Token -> Option A.B:T = \(t: A.B:Token) -> from_interface @A.B:Token @A.B:T t ;
  val toReq : A.B:Token -> A.B:Base = \(t: A.B:Token) -> to_required_interface @A.B:Base @A.B:Token t ;
  val fromReq : A.B:Base -> Option A.B:Token = \(t: A.B:Base) -> from_required_interface @A.B:Base @A.B:Token t ;
  val unsafeReq : ContractId A.B:Base -> A.B:Base -> A.B:Token =
     \(c: ContractId A.B:Base) (t: A.B:Base) -> unsafe_from_required_interface @A.B:Base @A.B:Token c t ;
  val parts : A.B:Token -> Party = \(t: A.B:Token) -> call_method @A.B:Token owner t ;
  val view : A.B:Token -> A.B:View = \(t: A.B:Token) -> view_interface @A.B:Token t ;
  val sig : A.B:Token -> List Party = \(t: A.B:Token) -> signatory_interface @A.B:Token t ;
  val obs : A.B:Token -> List Party = \(t: A.B:Token) -> observer_interface @A.B:Token t ;
  val itr : A.B:Token -> TypeRep = \(t: A.B:Token) -> interface_template_type_rep @A.B:Token t ;
  val run : A.B:T -> Update Unit = \(t: A.B:T) ->
     ubind cid : ContractId A.B:T <- create @A.B:T t ;
           _ : A.B:T <- fetch_template @A.B:T cid ;
           i : ContractId A.B:Token <- create_by_interface @A.B:Token (A.B:toI t) ;
           j : A.B:Token <- fetch_interface @A.B:Token i ;
           now : Timestamp <- uget_time ;
           before : Bool <- ledger_time_lt now ;
           k : Int64 <- exercise_interface @A.B:Token Poke i 3 ;
           l : Unit <- uembed_expr @Unit (upure @Unit ()) ;
           m : Int64 <- exercise @A.B:T Poke cid 4
     in upure @Unit () ;

  interface (this : Base) = { viewtype A.B:View ; } ;
  interface (this : Token) = {
    viewtype A.B:View ;
    requires A.B:Base ;
    method owner : Party ;
    choice @nonConsuming Poke (self) (n : Int64) : Int64 , controllers Cons @Party [call_method @A.B:Token owner this] (Nil @Party)
      to upure @Int64 n ;
  } ;

  template (this : T) = {
    precondition True ;
    signatories Cons @Party [A.B:T {p} this] (Nil @Party) ;
    observers A.B:T {ps} this ;
    choice Poke (self) (n : Int64) : Int64 , controllers Cons @Party [A.B:T {p} this] (Nil @Party) , observers A.B:T {ps} this
      to upure @Int64 n ;
    implements A.B:Base { view = A.B:View { owner = A.B:T {p} this } ; } ;
    implements A.B:Token { view = A.B:View { owner = A.B:T {p} this } ; method owner = A.B:T {p} this ; } ;
  } ;
}
module C { val x : Int64 = A.B:x ; }
)";

TEST(Assembler, EncodingADecodedPackageGivesTheSameBytes) {
  for (auto version : {kLf21, kLf22, kLf23}) {
    auto entry = assemble_package(kEverything, {.version = version});
    ASSERT_TRUE(entry.has_value()) << version.to_string() << " " << entry.error().to_string();
    const Package& p = *entry->package;
    EXPECT_EQ(p.language_version(), version);
    EXPECT_EQ(p.id(), package_id_of(entry->payload));
    EXPECT_EQ(p.name(), "everything");
    EXPECT_EQ(p.version(), "1.2.3");
    EXPECT_EQ(p.templates().size(), 1u);
    EXPECT_EQ(p.interfaces().size(), 2u);
    EXPECT_EQ(p.exceptions().size(), 1u);
    EXPECT_TRUE(p.find_value("A.B", "run"));
    EXPECT_TRUE(p.find_value("C", "x"));
    EXPECT_FALSE(p.find_value("C", "y"));
    auto again = encode_package(p);
    ASSERT_TRUE(again.has_value()) << again.error().to_string();
    EXPECT_EQ(to_hex(*again), to_hex(entry->payload)) << version.to_string();
  }
}

TEST(Assembler, WhatOneVersionOnlyHas) {
  constexpr const char* kKeys = R"(metadata ('k' : '1') module M {
    record @serializable T = { p: Party };
    val byKey : Party -> Update Unit = \(p: Party) -> exercise_by_key @M:T Go p () ;
    template (this : T) = {
      signatories Cons @Party [M:T {p} this] (Nil @Party) ;
      choice Go (self) (u : Unit) : Unit , controllers Cons @Party [M:T {p} this] (Nil @Party) to upure @Unit () ;
      key @Party (M:T {p} this) (\(p: Party) -> Cons @Party [p] (Nil @Party)) ;
    } ; })";
  auto with_key = assemble_package(kKeys, {.version = kLf23});
  ASSERT_TRUE(with_key.has_value()) << with_key.error().to_string();
  EXPECT_TRUE(with_key->package->templates()[0].has_key);
  EXPECT_THAT(assemble_package(kKeys, {.version = kLf22}).error().cause, HasSubstr("2.3"));
  constexpr const char* kUnsafe = R"(metadata ('u' : '1') module M { interface (this : I) = { viewtype Unit ; } ;
    val f : ContractId M:I -> M:I -> M:T = \(c: ContractId M:I) (i: M:I) -> unsafe_from_interface @M:I @M:T c i ; })";
  EXPECT_TRUE(assemble_package(kUnsafe, {.version = kLf21}).has_value());
  EXPECT_FALSE(assemble_package(kUnsafe, {.version = kLf22}).has_value());
}

TEST(Assembler, ErrorsSayWhere) {
  auto cause = [](const char* text) { return assemble_dar(text).error().cause; };
  EXPECT_THAT(cause(""), HasSubstr("line 1, column 1: expected metadata"));
  EXPECT_THAT(cause("metadata ('a' : 'x')"), HasSubstr("version"));
  EXPECT_THAT(cause("metadata ('a' : '1')\nmodule M {\n  val x : Int64 = ;\n}"),
              HasSubstr("line 3, column 19: expected an expression"));
  EXPECT_THAT(cause("metadata ('a' : '1') module M { val x : Int64 = \"abc ; }"), HasSubstr("does not end"));
  EXPECT_THAT(cause("metadata ('a' : '1') module M { val x : Int64 = 'nobody':M:x ; }"), HasSubstr("unknown package"));
  EXPECT_THAT(cause("metadata ('a' : '1') module M { val x : Int64 = 1; val x : Int64 = 2; }"), HasSubstr("collision"));
  std::string deep = "metadata ('a' : '1') module M { val x : Int64 = ";
  deep.append(10'000, '(');
  EXPECT_THAT(cause(deep.c_str()), HasSubstr("nested too deeply"));
}

TEST(Assembler, DependenciesGoIntoTheDar) {
  auto library = assemble_package("metadata ('lib' : '1.0') module L { val one : Int64 = 1 ; }");
  auto unused = assemble_package("metadata ('unused' : '1.0') module U { val one : Int64 = 1 ; }");
  ASSERT_TRUE(library.has_value() && unused.has_value());
  std::vector<Dar::Entry> dependencies{*library, *unused};
  for (auto version : {kLf21, kLf22}) {
    auto dar =
        assemble_dar("metadata ('app' : '1.0') module M { val two : Int64 = ADD_INT64 'lib':L:one 'lib':L:one ; }",
                     {.version = version, .dependencies = dependencies});
    ASSERT_TRUE(dar.has_value()) << dar.error().to_string();
    auto decoded = decode_dar(*dar);
    ASSERT_TRUE(decoded.has_value()) << decoded.error().to_string();
    ASSERT_EQ(decoded->entries.size(), 2u);
    EXPECT_EQ(decoded->main().name(), "app");
    EXPECT_EQ(decoded->entries[1].package->id(), library->package->id());
    EXPECT_TRUE(check_dar_dependencies(*decoded).has_value());
    EXPECT_EQ(decoded->main().declared_imports().size(), version == kLf22 ? 1u : 0u);
  }
}

TEST(Examples, PingAndIou) {
  for (auto version : {kLf21, kLf22, kLf23}) {
    auto ping = assemble_dar(read_file("examples/ping.lf"), {.version = version});
    ASSERT_TRUE(ping.has_value()) << ping.error().to_string();
    auto iou = assemble_dar(read_file("examples/iou.lf"), {.version = version});
    ASSERT_TRUE(iou.has_value()) << iou.error().to_string();
    auto dar = decode_dar(*iou);
    ASSERT_TRUE(dar.has_value());
    EXPECT_EQ(dar->main().templates().size(), 2u);
    auto store = std::make_shared<PackageStore>();
    store->add(dar->entries[0].package);
    TypeSchema schema(store);
    const DataType* record = dar->main().find_data_type("Iou", "Iou");
    ASSERT_TRUE(record);
    auto members = schema.members(*schema.type(dar->main(), *record));
    ASSERT_EQ(members.size(), 4u);
    EXPECT_EQ(TypeSchema::to_string(*members[2].type), "Iou:Amount");
    EXPECT_EQ(TypeSchema::to_string(*members[3].type), "[Party]");
  }
}

// Real packages, encoded again: what comes back decodes, and encodes to the same bytes.
TEST(Encoder, RealPackagesSurvive) {
  for (const char* file :
       {"dars/encoder-test-2.1.dar", "dars/encoder-test-2.2.dar", "dars/canton-builtin-admin-workflow-ping.dar"}) {
    SYNOD_NEEDS_SHARED(path, file);
    auto dar = decode_dar(read_file(path));
    ASSERT_TRUE(dar.has_value());
    for (const auto& entry : dar->entries) {
      if (entry.package->expr_count() > 20'000) continue;  // the largest take seconds without optimisation
      auto once = encode_package(*entry.package);
      ASSERT_TRUE(once.has_value()) << once.error().to_string();
      auto decoded = decode_payload(package_id_of(*once), *once);
      ASSERT_TRUE(decoded.has_value()) << entry.package->name() << " " << decoded.error().to_string();
      EXPECT_EQ((*decoded)->values().size(), entry.package->values().size());
      EXPECT_EQ((*decoded)->ref_count(), entry.package->ref_count());
      EXPECT_TRUE(*encode_package(**decoded) == *once) << entry.package->name();
    }
  }
}

// Whether the syntax tree is the same: round_trip_test.cc.
void expect_round_trip(const Package& package) {
  auto text = print_package(package);
  auto again = assemble_package(text, {.version = package.language_version()});
  ASSERT_TRUE(again.has_value()) << package.name() << ": " << again.error().to_string();
  EXPECT_TRUE(print_package(*again->package) == text) << package.name();
}

TEST(Printer, WhatTheAssemblerReads) {
  for (auto version : {kLf21, kLf22, kLf23}) {
    auto entry = assemble_package(kEverything, {.version = version});
    ASSERT_TRUE(entry.has_value());
    expect_round_trip(*entry->package);
  }
}

}  // namespace
}  // namespace synod::lf
