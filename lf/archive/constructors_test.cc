// Every constructor of the archive format, by name: encoded, read by protobuf, decoded, typed and run, in each version
// that has it; refused in the others. The list is held against the format's own description, so that one that is added
// there and not here makes the test fail.
#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/testing/shared_files.h"
#include "lf/archive/constructors_test_rows.h"
#include "lf/archive/decode.h"
#include "lf/archive/schema.h"
#include "lf/daml_lf2.pb.h"
#include "lf/ledger/test_support.h"
#include "lf/text/assembler.h"
#include "lf/typing/check_package.h"

namespace synod::lf {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using ::testing::HasSubstr;
namespace plf = ::daml_lf_2;

const Party kAlice = "alice::1220aa";

// Part of development versions only, which no network accepts, or built by hand below.
const std::set<std::string> kUnstable = {"Expr.choice_controller",
                                         "Expr.choice_observer",
                                         "Expr.experimental",
                                         "BuiltinLit.rounding_mode",
                                         "BuiltinType.BIGNUMERIC",
                                         "BuiltinType.ROUNDING_MODE",
                                         "BuiltinFunction.SCALE_BIGNUMERIC",
                                         "BuiltinFunction.PRECISION_BIGNUMERIC",
                                         "BuiltinFunction.ADD_BIGNUMERIC",
                                         "BuiltinFunction.SUB_BIGNUMERIC",
                                         "BuiltinFunction.MUL_BIGNUMERIC",
                                         "BuiltinFunction.DIV_BIGNUMERIC",
                                         "BuiltinFunction.SHIFT_RIGHT_BIGNUMERIC",
                                         "BuiltinFunction.BIGNUMERIC_TO_NUMERIC",
                                         "BuiltinFunction.NUMERIC_TO_BIGNUMERIC",
                                         "BuiltinFunction.BIGNUMERIC_TO_TEXT",
                                         "BuiltinFunction.TYPE_REP_TYCON_NAME",
                                         "BuiltinFunction.EXTERNAL_CALL"};
const std::set<std::string> kUnstableFields = {"daml_lf_2.TemplateChoice.authorizers"};
const char* const kByHand = "Package.no_imported_packages_reason";

std::string short_name(const std::string& full) { return full.substr(std::string("daml_lf_2.").size()); }

// All constructors of the format: the alternatives of every oneof, the values of every enumeration.
std::set<std::string> described() {
  std::set<std::string> out;
  auto enumeration = [&](const EnumDescriptor& e) {
    for (int i = 0; i < e.value_count(); ++i) out.insert(short_name(e.full_name()) + "." + e.value(i)->name());
  };
  std::vector<const Descriptor*> work;
  const auto& file = *plf::Package::descriptor()->file();
  for (int i = 0; i < file.message_type_count(); ++i) work.push_back(file.message_type(i));
  for (int i = 0; i < file.enum_type_count(); ++i) enumeration(*file.enum_type(i));
  while (!work.empty()) {
    const Descriptor& m = *work.back();
    work.pop_back();
    for (int i = 0; i < m.nested_type_count(); ++i) work.push_back(m.nested_type(i));
    for (int i = 0; i < m.enum_type_count(); ++i) enumeration(*m.enum_type(i));
    for (int i = 0; i < m.field_count(); ++i)
      if (m.field(i)->real_containing_oneof()) out.insert(short_name(m.full_name()) + "." + m.field(i)->name());
  }
  std::erase_if(out, [](const std::string& name) { return name.starts_with("BuiltinLit.RoundingMode."); });
  return out;
}

// The constructors that a message has in it; nothing may be there that protobuf does not know.
void collect(const Message& message, std::set<std::string>& found) {
  const auto& reflection = *message.GetReflection();
  EXPECT_TRUE(reflection.GetUnknownFields(message).empty()) << message.GetTypeName();
  const Descriptor& d = *message.GetDescriptor();
  for (int i = 0; i < d.field_count(); ++i) {
    const FieldDescriptor& f = *d.field(i);
    const bool alternative = f.real_containing_oneof() != nullptr;
    if (alternative && !reflection.HasField(message, &f)) continue;
    if (alternative) found.insert(short_name(d.full_name()) + "." + f.name());
    if (f.cpp_type() == FieldDescriptor::CPPTYPE_ENUM)
      found.insert(short_name(f.enum_type()->full_name()) + "." + reflection.GetEnum(message, &f)->name());
    if (f.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (f.is_repeated()) {
      for (int k = 0; k < reflection.FieldSize(message, &f); ++k)
        collect(reflection.GetRepeatedMessage(message, &f, k), found);
    } else if (reflection.HasField(message, &f)) {
      collect(reflection.GetMessage(message, &f), found);
    }
  }
}

class Constructors : public ::testing::TestWithParam<int> {
 protected:
  LanguageVersion version() const { return {2, static_cast<std::uint8_t>(GetParam())}; }

  // A package to refer to; and those of a real DAR, where operations by key find their pair type.
  static const std::vector<Dar::Entry>& dependencies() {
    static const auto all = [] {
      std::vector<Dar::Entry> out;
      if (auto path = synod::testing::shared_path("dars/canton-builtin-admin-workflow-ping.dar"))
        if (auto dar = decode_dar(synod::testing::read_file(*path))) out = dar->entries;
      out.push_back(
          *assemble_package("metadata ('library' : '1.0.0') module L { val one : Int64 = 1 ; }", {.version = kLf21}));
      return out;
    }();
    return all;
  }
  static bool can_run(const Row& row) {
    return dependencies().size() > 1 || std::string_view(row.expression).find(kPairType) == std::string_view::npos;
  }

  static Result<Dar::Entry> assemble(LanguageVersion version, const std::vector<const Row*>& rows) {
    std::string model = kModel;
    const std::string key =
        version.has_contract_keys() ? "key @Party (M:K {p} this) (\\(p: Party) -> Cons @Party [p] (Nil @Party)) ;" : "";
    model.replace(model.find("$KEY"), 4, key);
    std::string text = "metadata ('constructors' : '1.0.0') module M {" + model +
                       "record @serializable T = { p: Party } ; template (this : T) = { "
                       "signatories Cons @Party [M:T {p} this] (Nil @Party) ;";
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const Row& row = *rows[i];
      const std::string type = row.type, expression = row.expression, number = std::to_string(i);
      std::string update = "upure @(" + type + ") (" + expression + ")";
      if (expression.starts_with("!")) update = expression.substr(1);
      text += " choice @nonConsuming C" + number + " (self) (arg : M:Void) : " + type +
              ", controllers Cons @Party [M:T {p} this] (Nil @Party) to " + update + " ;";
    }
    return assemble_package(text + " } ; }", {.version = version, .dependencies = dependencies()});
  }

  std::vector<const Row*> rows() const {
    std::vector<const Row*> out;
    for (const Row& row : kRows)
      if (row.since <= GetParam() && GetParam() <= row.until && can_run(row)) out.push_back(&row);
    return out;
  }
};

TEST(Format, EveryConstructorHasItsRow) {
  std::set<std::string> ours = kUnstable;
  ours.insert(kByHand);
  for (const Row& row : kRows) EXPECT_TRUE(ours.insert(row.name).second) << row.name << " is there twice";
  EXPECT_EQ(ours, described());
}

TEST_P(Constructors, AreEncodedDecodedTypedAndRun) {
  auto entry = assemble(version(), rows());
  ASSERT_TRUE(entry) << entry.error().to_string();
  plf::Package message;
  ASSERT_TRUE(message.ParseFromString(std::string(parse_payload(entry->payload)->package_message)));
  std::set<std::string> found;
  collect(message, found);
  auto store = std::make_shared<PackageStore>();
  for (const auto& d : dependencies()) store->add(d.package);
  store->add(entry->package);
  auto checked = check_package(*entry->package, *store);
  ASSERT_TRUE(checked) << checked.error().to_string();
  Engine engine(store);
  testing::ContractsInMemory contracts;
  const auto all = rows();
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_TRUE(found.contains(all[i]->name)) << all[i]->name << " is not in the package";
    SubmitContext c;
    c.submitters = {kAlice};
    c.ledger_time = c.preparation_time = Timestamp{1'000'000};
    c.submission_seed = Bytes(32, 's');
    c.participant_id = "participant1::1220dd";
    auto result = engine.submit({CreateAndExerciseCommand{{entry->package->id(), "M", "T"},
                                                          Value::record({Value::party(kAlice)}),
                                                          "C" + std::to_string(i),
                                                          Value::record({})}},
                                c, contracts);
    EXPECT_EQ(result ? result->transaction.at(1).exercise()->result->to_string() : result.error().id, all[i]->want)
        << all[i]->name;
  }
}

TEST_P(Constructors, WhatIsOfLaterVersionsIsRefused) {
  for (const Row& row : kRows) {
    if (row.since <= 2 || GetParam() >= row.since || !can_run(row)) continue;
    const LanguageVersion its{2, static_cast<std::uint8_t>(row.since)};
    // A program without a key, so that it is the row that is refused.
    auto entry = assemble(its, {&row});
    ASSERT_TRUE(entry) << row.name << " " << entry.error().to_string();
    auto payload = encode_payload(version(), parse_payload(entry->payload)->package_message);
    auto decoded = decode_payload(package_id_of(payload), payload);
    ASSERT_FALSE(decoded) << row.name;
    EXPECT_EQ(decoded.error().id, "DAR_PARSE_ERROR");
  }
}

INSTANTIATE_TEST_SUITE_P(Lf2, Constructors, ::testing::Values(1, 2, 3),
                         [](const auto& info) { return "Minor" + std::to_string(info.param); });

// ---- what no text can say, made with protobuf

plf::Package small(LanguageVersion version) {
  auto entry = assemble_package("metadata ('small' : '1.0.0') module M { val one : Int64 = 1 ; val two : Int64 = 2 ; }",
                                {.version = version});
  plf::Package out;
  EXPECT_TRUE(entry && out.ParseFromString(std::string(parse_payload(entry->payload)->package_message)));
  return out;
}

Result<PackagePtr> decoded(const plf::Package& message, LanguageVersion version) {
  auto payload = encode_payload(version, message.SerializeAsString());
  return decode_payload(package_id_of(payload), payload);
}

std::string cause(const Result<PackagePtr>& result) { return result ? "accepted" : result.error().cause; }

TEST(Format, DevelopmentConstructorsAreRefused) {
  for (auto version : {kLf22, kLf23}) {
    EXPECT_TRUE(decoded(small(version), version));
    const plf::TypeConId id = [&] {
      plf::TypeConId out;
      out.mutable_module()->mutable_package_id()->mutable_self_package_id();
      return out;
    }();
    std::map<std::string, plf::Package> made;
    for (const auto& name : kUnstable) {
      plf::Package p = small(version);
      plf::Expr& e = *p.mutable_interned_exprs(0);
      if (name == "Expr.choice_controller") {
        *e.mutable_choice_controller()->mutable_template_() = id;
      } else if (name == "Expr.choice_observer") {
        *e.mutable_choice_observer()->mutable_template_() = id;
      } else if (name == "Expr.experimental") {
        e.mutable_experimental()->set_name("x");
      } else if (name == "BuiltinLit.rounding_mode") {
        e.mutable_builtin_lit()->set_rounding_mode(plf::BuiltinLit::HALF_EVEN);
      } else if (name.starts_with("BuiltinType.")) {
        plf::BuiltinType type;
        ASSERT_TRUE(plf::BuiltinType_Parse(name.substr(12), &type));
        p.mutable_interned_types(0)->mutable_builtin()->set_builtin(type);
      } else {
        plf::BuiltinFunction function;
        ASSERT_TRUE(plf::BuiltinFunction_Parse(name.substr(16), &function)) << name;
        e.set_builtin(function);
      }
      auto result = decoded(p, version);
      ASSERT_FALSE(result) << name;
      EXPECT_EQ(result.error().id, "DAR_PARSE_ERROR") << name;
    }
  }
}

TEST(Format, TheReasonForNoImports) {
  plf::Package p = small(kLf22);
  p.set_no_imported_packages_reason("built by hand");
  EXPECT_TRUE(decoded(p, kLf22)) << cause(decoded(p, kLf22));
  plf::Package old = small(kLf21);
  old.set_no_imported_packages_reason("built by hand");
  EXPECT_THAT(cause(decoded(old, kLf21)), HasSubstr("not supported by Daml-LF 2.1"));
  old.mutable_package_imports();
  EXPECT_THAT(cause(decoded(old, kLf21)), HasSubstr("not supported by Daml-LF 2.1"));
}

TEST(Format, UnsafeFromInterfaceIsOfVersion21Only) {
  constexpr const char* kText = R"(metadata ('u' : '1') module M {
    record @serializable V = {} ; interface (this : A) = { viewtype M:V ; } ;
    interface (this : B) = { viewtype M:V ; requires M:A ; } ;
    val f : ContractId M:A -> M:A -> M:B = \(c: ContractId M:A) (i: M:A) -> unsafe_from_required_interface @M:A @M:B c i ; })";
  auto entry = assemble_package(kText, {.version = kLf22});
  ASSERT_TRUE(entry);
  plf::Package p;
  ASSERT_TRUE(p.ParseFromString(std::string(parse_payload(entry->payload)->package_message)));
  for (auto& e : *p.mutable_interned_exprs())
    if (e.has_unsafe_from_required_interface()) {
      const std::string fields = e.unsafe_from_required_interface().SerializeAsString();
      ASSERT_TRUE(e.mutable_unsafe_from_interface()->ParseFromString(fields));
    }
  EXPECT_THAT(cause(decoded(p, kLf22)), HasSubstr("unsafe_from_interface is not supported by Daml-LF 2.2"));
}

TEST(Format, GuardsOfInterfaceExercisesAreRefused) {
  plf::Package p = small(kLf23);
  auto& exercise = *p.mutable_interned_exprs(1)->mutable_update()->mutable_exercise_interface();
  auto& module = *exercise.mutable_interface()->mutable_module();
  module.mutable_package_id()->mutable_self_package_id();
  for (plf::Expr* e : {exercise.mutable_cid(), exercise.mutable_arg(), exercise.mutable_guard()})
    e->set_interned_expr(0);
  EXPECT_THAT(cause(decoded(p, kLf23)), HasSubstr("guard"));
}

TEST(Format, UnknownFieldsAreRefusedEverywhere) {
  plf::Package p = small(kLf23);
  auto refused = [&](Message& in) {
    in.GetReflection()->MutableUnknownFields(&in)->AddVarint(900, 1);
    EXPECT_THAT(cause(decoded(p, kLf23)), HasSubstr("unknown field 900")) << in.GetTypeName();
    in.GetReflection()->MutableUnknownFields(&in)->Clear();
  };
  refused(p);
  refused(*p.mutable_metadata());
  refused(*p.mutable_modules(0));
  refused(*p.mutable_modules(0)->mutable_flags());
  refused(*p.mutable_modules(0)->mutable_values(0));
  refused(*p.mutable_modules(0)->mutable_values(0)->mutable_expr());
  refused(*p.mutable_interned_exprs(0));
  refused(*p.mutable_interned_exprs(0)->mutable_builtin_lit());
  refused(*p.mutable_interned_types(0));
  refused(*p.mutable_interned_dotted_names(0));
  EXPECT_TRUE(decoded(p, kLf23));
}

// ---- the table of fields that the decoder reads by

TEST(Format, TheDecodersTableIsTheFormat) {
  const std::map<std::string, Msg> messages = {{"Unit", Msg::unit},
                                               {"SelfOrImportedPackageId", Msg::package_ref},
                                               {"ModuleId", Msg::module_id},
                                               {"TypeConId", Msg::definition_id},
                                               {"TypeSynId", Msg::definition_id},
                                               {"ValueId", Msg::definition_id},
                                               {"FieldWithType", Msg::typed_field},
                                               {"VarWithType", Msg::typed_var},
                                               {"TypeVarWithKind", Msg::kinded_var},
                                               {"FieldWithExpr", Msg::field_expr},
                                               {"Binding", Msg::binding},
                                               {"Kind", Msg::kind},
                                               {"Kind.Arrow", Msg::kind_arrow},
                                               {"Type", Msg::type},
                                               {"Type.Var", Msg::type_var},
                                               {"Type.Con", Msg::type_con},
                                               {"Type.Syn", Msg::type_syn},
                                               {"Type.Builtin", Msg::type_builtin},
                                               {"Type.Forall", Msg::type_forall},
                                               {"Type.Struct", Msg::type_struct},
                                               {"Type.TApp", Msg::type_app},
                                               {"BuiltinLit", Msg::literal},
                                               {"Location", Msg::location},
                                               {"Location.Range", Msg::range},
                                               {"Expr", Msg::expr},
                                               {"Expr.RecCon", Msg::record_con},
                                               {"Expr.RecProj", Msg::record_proj},
                                               {"Expr.RecUpd", Msg::record_upd},
                                               {"Expr.VariantCon", Msg::variant_con},
                                               {"Expr.EnumCon", Msg::enum_con},
                                               {"Expr.StructCon", Msg::struct_con},
                                               {"Expr.StructProj", Msg::struct_proj},
                                               {"Expr.StructUpd", Msg::struct_upd},
                                               {"Expr.App", Msg::app},
                                               {"Expr.TyApp", Msg::type_application},
                                               {"Expr.Abs", Msg::abs},
                                               {"Expr.TyAbs", Msg::type_abs},
                                               {"Expr.Nil", Msg::nil},
                                               {"Expr.Cons", Msg::cons},
                                               {"Expr.OptionalNone", Msg::optional_none},
                                               {"Expr.OptionalSome", Msg::typed_expr},
                                               {"Expr.ToAny", Msg::typed_expr},
                                               {"Expr.FromAny", Msg::typed_expr},
                                               {"Expr.ToAnyException", Msg::typed_expr},
                                               {"Expr.FromAnyException", Msg::typed_expr},
                                               {"Pure", Msg::typed_expr},
                                               {"Update.EmbedExpr", Msg::typed_expr},
                                               {"Expr.Throw", Msg::throw_},
                                               {"Expr.ToInterface", Msg::interface_cast},
                                               {"Expr.FromInterface", Msg::interface_cast},
                                               {"Expr.CallInterface", Msg::call_interface},
                                               {"Expr.ViewInterface", Msg::interface_expr},
                                               {"Expr.SignatoryInterface", Msg::interface_expr},
                                               {"Expr.ObserverInterface", Msg::interface_expr},
                                               {"Expr.InterfaceTemplateTypeRep", Msg::interface_expr},
                                               {"Expr.UnsafeFromInterface", Msg::unsafe_interface_cast},
                                               {"Expr.ToRequiredInterface", Msg::required_cast},
                                               {"Expr.FromRequiredInterface", Msg::required_cast},
                                               {"Expr.UnsafeFromRequiredInterface", Msg::unsafe_required_cast},
                                               {"CaseAlt", Msg::case_alt},
                                               {"CaseAlt.Variant", Msg::alt_variant},
                                               {"CaseAlt.Enum", Msg::alt_enum},
                                               {"CaseAlt.Cons", Msg::alt_cons},
                                               {"CaseAlt.OptionalSome", Msg::alt_some},
                                               {"Case", Msg::case_of},
                                               {"Block", Msg::block},
                                               {"Update", Msg::update},
                                               {"Update.Create", Msg::create},
                                               {"Update.CreateInterface", Msg::create},
                                               {"Update.Exercise", Msg::exercise},
                                               {"Update.ExerciseInterface", Msg::exercise_interface},
                                               {"Update.ExerciseByKey", Msg::exercise_by_key},
                                               {"Update.Fetch", Msg::fetch},
                                               {"Update.FetchInterface", Msg::fetch},
                                               {"Update.RetrieveByKey", Msg::by_key},
                                               {"Update.QueryNByKey", Msg::by_key},
                                               {"Update.TryCatch", Msg::try_catch},
                                               {"TemplateChoice", Msg::choice},
                                               {"InterfaceInstanceBody.InterfaceInstanceMethod", Msg::instance_method},
                                               {"InterfaceInstanceBody", Msg::instance_body},
                                               {"DefTemplate.DefKey", Msg::template_key},
                                               {"DefTemplate.Implements", Msg::implements},
                                               {"DefTemplate", Msg::template_},
                                               {"InterfaceMethod", Msg::interface_method},
                                               {"DefInterface", Msg::interface},
                                               {"DefException", Msg::exception},
                                               {"DefDataType.Fields", Msg::fields},
                                               {"DefDataType.EnumConstructors", Msg::constructors},
                                               {"DefDataType", Msg::data_type},
                                               {"DefTypeSyn", Msg::synonym},
                                               {"DefValue.NameWithType", Msg::named_type},
                                               {"DefValue", Msg::value},
                                               {"FeatureFlags", Msg::feature_flags},
                                               {"Module", Msg::module},
                                               {"InternedDottedName", Msg::dotted_name},
                                               {"UpgradedPackageId", Msg::upgraded},
                                               {"PackageMetadata", Msg::metadata}};
  // The package itself is taken apart first; development messages are not read.
  const std::set<std::string> others = {"Package", "PackageImports", "Expr.ChoiceController", "Expr.ChoiceObserver",
                                        "Expr.Experimental"};
  auto wanted_type = [](const FieldDescriptor& f) {
    switch (f.type()) {
      case FieldDescriptor::TYPE_BOOL:
        return FieldType::boolean;
      case FieldDescriptor::TYPE_SINT64:
        return FieldType::sint64;
      case FieldDescriptor::TYPE_SFIXED64:
        return FieldType::sfixed64;
      case FieldDescriptor::TYPE_MESSAGE:
        return FieldType::message;
      default:
        return FieldType::int32;
    }
  };
  std::vector<const Descriptor*> work;
  const auto& file = *plf::Package::descriptor()->file();
  for (int i = 0; i < file.message_type_count(); ++i) work.push_back(file.message_type(i));
  std::size_t seen = 0;
  while (!work.empty()) {
    const Descriptor& m = *work.back();
    work.pop_back();
    for (int i = 0; i < m.nested_type_count(); ++i) work.push_back(m.nested_type(i));
    const std::string name = short_name(m.full_name());
    if (others.contains(name)) continue;
    auto it = messages.find(name);
    ASSERT_NE(it, messages.end()) << name;
    ++seen;
    for (int number = 1; number < 60; ++number)
      if (!m.FindFieldByNumber(number)) {
        EXPECT_EQ(field_spec(it->second, static_cast<std::uint32_t>(number)).type, FieldType::unknown)
            << name << number;
      }
    for (int i = 0; i < m.field_count(); ++i) {
      const FieldDescriptor& f = *m.field(i);
      const FieldSpec& spec = field_spec(it->second, static_cast<std::uint32_t>(f.number()));
      if (kUnstable.contains(name + "." + f.name()) || kUnstableFields.contains(f.full_name())) {
        EXPECT_EQ(spec.type, FieldType::unknown) << f.full_name();
        continue;
      }
      EXPECT_EQ(spec.type, wanted_type(f)) << f.full_name();
      EXPECT_EQ(spec.repeated, f.is_repeated()) << f.full_name();
      EXPECT_EQ(spec.oneof, f.real_containing_oneof() != nullptr) << f.full_name();
      if (spec.type == FieldType::message) {
        EXPECT_EQ(spec.message, messages.at(short_name(f.message_type()->full_name()))) << f.full_name();
      }
    }
  }
  EXPECT_EQ(seen, messages.size());
}

}  // namespace
}  // namespace synod::lf
