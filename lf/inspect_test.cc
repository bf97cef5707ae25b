#include "lf/inspect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/shared_files.h"
#include "lf/text/assembler.h"

namespace synod::lf {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Inspect, ShowsTemplatesChoicesAndDependencies) {
  auto library = assemble_package("metadata ('lib' : '1.0') module L { record @serializable Note = { text: Text } ; }");
  ASSERT_TRUE(library.has_value());
  std::vector<Dar::Entry> dependencies{*library};
  auto bytes = assemble_dar(R"(metadata ('app' : '2.0')
    module M {
      record @serializable T = { owner: Party, notes: List 'lib':L:Note, amounts: TextMap (Option (Numeric 10)) } ;
      interface (this : I) = { viewtype 'lib':L:Note ; choice @nonConsuming Ask (self) (u : Unit) : Text
        , controllers Nil @Party to upure @Text "" ; } ;
      template (this : T) = {
        signatories Cons @Party [M:T {owner} this] (Nil @Party) ;
        choice Give (self) (to_whom : Party) : ContractId M:T
          , controllers Cons @Party [M:T {owner} this] (Nil @Party) to create @M:T this ;
        implements M:I { view = 'lib':L:Note { text = "" } ; } ;
      } ;
    })",
                            {.dependencies = dependencies});
  ASSERT_TRUE(bytes.has_value()) << bytes.error().to_string();
  auto dar = decode_dar(*bytes);
  ASSERT_TRUE(dar.has_value());
  EXPECT_THAT(describe(*dar),
              AllOf(StartsWith("package app 2.0\n"),
                    HasSubstr("template M:T\n    owner : Party\n    notes : [L:Note]\n    "
                              "amounts : TextMap (Optional (Numeric 10))\n"),
                    HasSubstr("implements M:I"), HasSubstr("choice Give (Party) : ContractId M:T"),
                    HasSubstr("interface M:I\n    view L:Note\n    nonconsuming choice Ask (Unit) : Text"),
                    HasSubstr("dependencies\n  app 2.0  " + dar->main().id() + "\n    lib 1.0  ")));
  EXPECT_THAT(describe_json(*dar),
              AllOf(HasSubstr(R"({"name":"Give","consuming":true,"argument":"Party","result":"ContractId M:T"})"),
                    HasSubstr("\"dependencies\":[\"" + library->package->id() + "\"]")));
}

TEST(Inspect, RealApplication) {
  SYNOD_NEEDS_SHARED(path, "dars/CantonExamples-3.2.0.dar");
  auto dar = decode_dar(testing::read_file(path));
  ASSERT_TRUE(dar.has_value());
  EXPECT_THAT(
      describe(*dar),
      AllOf(
          HasSubstr(
              "template Iou:Iou\n    payer : Party\n    owner : Party\n    amount : Iou:Amount\n    viewers : [Party]"),
          HasSubstr("choice Transfer (Iou:Transfer) : ContractId Iou:Iou"), HasSubstr("(see above)")));
}

}  // namespace
}  // namespace synod::lf
