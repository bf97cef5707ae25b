#include "lf/archive/schema.h"

#include <array>
#include <initializer_list>

namespace synod::lf {

namespace {

constexpr std::uint32_t kMaxFieldNumber = 47;

struct Row {
  std::uint32_t number;
  FieldSpec spec;
};

constexpr FieldSpec int32{FieldType::int32};
constexpr FieldSpec int32s{FieldType::int32, Msg::none, true};
constexpr FieldSpec boolean{FieldType::boolean};
constexpr FieldSpec int32_case{FieldType::int32, Msg::none, false, true};
constexpr FieldSpec sint64_case{FieldType::sint64, Msg::none, false, true};
constexpr FieldSpec sfixed64_case{FieldType::sfixed64, Msg::none, false, true};
constexpr FieldSpec one(Msg m) { return {FieldType::message, m}; }
constexpr FieldSpec many(Msg m) { return {FieldType::message, m, true}; }
constexpr FieldSpec a(Msg m) { return {FieldType::message, m, false, true}; }  // alternative of the oneof

using Table = std::array<std::array<FieldSpec, kMaxFieldNumber + 1>, kMessages>;

Table make_table() {
  using enum Msg;
  Table table{};
  auto def = [&](Msg m, std::initializer_list<Row> rows) {
    for (const Row& row : rows) table[static_cast<int>(m)][row.number] = row.spec;
  };
  def(package_ref, {{1, a(unit)}, {3, int32_case}, {4, int32_case}});
  def(module_id, {{1, one(package_ref)}, {2, int32}});
  def(definition_id, {{1, one(module_id)}, {2, int32}});
  def(typed_field, {{3, int32}, {2, one(type)}});
  def(typed_var, {{3, int32}, {2, one(type)}});
  def(kinded_var, {{3, int32}, {2, one(kind)}});
  def(field_expr, {{3, int32}, {2, one(expr)}});
  def(binding, {{1, one(typed_var)}, {2, one(expr)}});

  def(kind, {{1, a(unit)}, {2, a(kind_arrow)}, {3, a(unit)}, {4, int32_case}});
  def(kind_arrow, {{1, many(kind)}, {2, one(kind)}});

  def(type, {{1, a(type_var)},
             {2, a(type_con)},
             {3, a(type_builtin)},
             {4, a(type_forall)},
             {5, a(type_struct)},
             {6, sint64_case},
             {7, a(type_syn)},
             {8, int32_case},
             {9, a(type_app)}});
  def(type_var, {{3, int32}, {2, many(type)}});
  def(type_con, {{1, one(definition_id)}, {2, many(type)}});
  def(type_syn, {{1, one(definition_id)}, {2, many(type)}});
  def(type_builtin, {{1, int32}, {2, many(type)}});
  def(type_forall, {{1, many(kinded_var)}, {2, one(type)}});
  def(type_struct, {{1, many(typed_field)}});
  def(type_app, {{1, one(type)}, {2, one(type)}});

  def(literal,
      {{1, sint64_case}, {2, sfixed64_case}, {3, int32_case}, {4, int32_case}, {5, int32_case}, {6, int32_case}});
  def(location, {{1, one(module_id)}, {2, one(range)}});
  def(range, {{1, int32}, {2, int32}, {3, int32}, {4, int32}});

  def(expr, {{1, one(location)},
             {2, int32_case},
             {3, a(definition_id)},
             {4, int32_case},
             {5, int32_case},
             {6, a(literal)},
             {7, a(record_con)},
             {8, a(record_proj)},
             {9, a(record_upd)},
             {10, a(variant_con)},
             {11, a(enum_con)},
             {12, a(struct_con)},
             {13, a(struct_proj)},
             {14, a(struct_upd)},
             {15, a(app)},
             {16, a(type_application)},
             {17, a(abs)},
             {18, a(type_abs)},
             {19, a(case_of)},
             {20, a(block)},
             {21, a(nil)},
             {22, a(cons)},
             {23, a(update)},
             {25, a(optional_none)},
             {26, a(typed_expr)},
             {27, a(typed_expr)},
             {28, a(typed_expr)},
             {29, a(type)},
             {30, a(typed_expr)},
             {31, a(typed_expr)},
             {32, a(throw_)},
             {33, a(interface_cast)},
             {34, a(interface_cast)},
             {35, a(call_interface)},
             {36, a(interface_expr)},
             {37, a(interface_expr)},
             {38, a(interface_expr)},
             {39, a(unsafe_interface_cast)},
             {40, a(interface_expr)},
             {41, a(required_cast)},
             {42, a(required_cast)},
             {43, a(unsafe_required_cast)},
             {44, int32_case}});
  def(record_con, {{1, one(type_con)}, {2, many(field_expr)}});
  def(record_proj, {{1, one(type_con)}, {4, int32}, {3, one(expr)}});
  def(record_upd, {{1, one(type_con)}, {2, int32}, {3, one(expr)}, {4, one(expr)}});
  def(variant_con, {{1, one(type_con)}, {2, int32}, {3, one(expr)}});
  def(enum_con, {{1, one(definition_id)}, {2, int32}});
  def(struct_con, {{1, many(field_expr)}});
  def(struct_proj, {{1, int32}, {2, one(expr)}});
  def(struct_upd, {{1, int32}, {2, one(expr)}, {3, one(expr)}});
  def(app, {{1, one(expr)}, {2, many(expr)}});
  def(type_application, {{1, one(expr)}, {2, many(type)}});
  def(abs, {{1, many(typed_var)}, {2, one(expr)}});
  def(type_abs, {{1, many(kinded_var)}, {2, one(expr)}});
  def(nil, {{1, one(type)}});
  def(cons, {{1, one(type)}, {2, many(expr)}, {3, one(expr)}});
  def(optional_none, {{1, one(type)}});
  def(typed_expr, {{1, one(type)}, {2, one(expr)}});
  def(throw_, {{1, one(type)}, {2, one(type)}, {3, one(expr)}});
  def(interface_cast, {{1, one(definition_id)}, {2, one(definition_id)}, {3, one(expr)}});
  def(call_interface, {{1, one(definition_id)}, {2, int32}, {3, one(expr)}});
  def(interface_expr, {{1, one(definition_id)}, {2, one(expr)}});
  def(unsafe_interface_cast, {{1, one(definition_id)}, {2, one(definition_id)}, {3, one(expr)}, {4, one(expr)}});
  def(required_cast, {{1, one(definition_id)}, {2, one(definition_id)}, {3, one(expr)}});
  def(unsafe_required_cast, {{1, one(definition_id)}, {2, one(definition_id)}, {3, one(expr)}, {4, one(expr)}});

  def(case_alt, {{1, one(expr)},
                 {2, a(unit)},
                 {3, a(alt_variant)},
                 {4, int32_case},
                 {5, a(unit)},
                 {6, a(alt_cons)},
                 {7, a(unit)},
                 {8, a(alt_some)},
                 {9, a(alt_enum)}});
  def(alt_variant, {{1, one(definition_id)}, {2, int32}, {3, int32}});
  def(alt_enum, {{1, one(definition_id)}, {2, int32}});
  def(alt_cons, {{1, int32}, {2, int32}});
  def(alt_some, {{1, int32}});
  def(case_of, {{1, one(expr)}, {2, many(case_alt)}});
  def(block, {{1, many(binding)}, {2, one(expr)}});

  def(update, {{1, a(typed_expr)},
               {2, a(block)},
               {3, a(create)},
               {4, a(exercise)},
               {5, a(fetch)},
               {6, a(unit)},
               {7, a(typed_expr)},
               {9, a(by_key)},
               {10, a(exercise_by_key)},
               {11, a(try_catch)},
               {12, a(create)},
               {13, a(exercise_interface)},
               {14, a(fetch)},
               {15, a(expr)},
               {16, a(by_key)}});
  def(create, {{1, one(definition_id)}, {2, one(expr)}});
  def(exercise, {{1, one(definition_id)}, {6, int32}, {3, one(expr)}, {5, one(expr)}});
  def(exercise_interface, {{1, one(definition_id)}, {2, int32}, {3, one(expr)}, {4, one(expr)}, {5, one(expr)}});
  def(exercise_by_key, {{1, one(definition_id)}, {2, int32}, {3, one(expr)}, {4, one(expr)}});
  def(fetch, {{1, one(definition_id)}, {2, one(expr)}});
  def(by_key, {{1, one(definition_id)}});
  def(try_catch, {{1, one(type)}, {2, one(expr)}, {3, int32}, {4, one(expr)}});

  def(choice, {{1, one(location)},
               {2, int32},
               {3, boolean},
               {4, one(expr)},
               {5, one(expr)},
               {6, one(typed_var)},
               {8, one(type)},
               {9, one(expr)},
               {10, int32}});
  def(instance_method, {{1, int32}, {2, one(expr)}});
  def(instance_body, {{1, many(instance_method)}, {2, one(expr)}});
  def(template_key, {{1, one(type)}, {4, one(expr)}, {3, one(expr)}});
  def(implements, {{1, one(definition_id)}, {2, one(instance_body)}, {3, one(location)}});
  def(template_, {{1, int32},
                  {2, int32},
                  {3, one(expr)},
                  {4, one(expr)},
                  {6, many(choice)},
                  {7, one(expr)},
                  {8, one(location)},
                  {9, one(template_key)},
                  {10, many(implements)}});
  def(interface_method, {{1, one(location)}, {2, int32}, {3, one(type)}});
  def(interface, {{1, one(location)},
                  {2, int32},
                  {3, many(interface_method)},
                  {4, int32},
                  {5, many(choice)},
                  {6, one(type)},
                  {7, many(definition_id)}});
  def(exception, {{1, int32}, {2, one(location)}, {3, one(expr)}});
  def(fields, {{1, many(typed_field)}});
  def(constructors, {{2, int32s}});
  def(data_type, {{1, one(location)},
                  {2, int32},
                  {3, many(kinded_var)},
                  {4, boolean},
                  {5, a(fields)},
                  {6, a(fields)},
                  {7, a(constructors)},
                  {8, a(unit)}});
  def(synonym, {{1, one(location)}, {2, int32}, {3, many(kinded_var)}, {4, one(type)}});
  def(named_type, {{1, int32}, {2, one(type)}});
  def(value, {{1, one(location)}, {2, one(named_type)}, {3, one(expr)}});
  def(feature_flags, {{1, boolean}, {2, boolean}, {3, boolean}});
  def(module, {{1, int32},
               {2, one(feature_flags)},
               {3, many(synonym)},
               {4, many(data_type)},
               {5, many(value)},
               {6, many(template_)},
               {7, many(exception)},
               {8, many(interface)}});
  def(dotted_name, {{1, int32s}});
  def(upgraded, {{1, int32}});
  def(metadata, {{1, int32}, {2, int32}, {3, one(upgraded)}});
  return table;
}

const Table kTable = make_table();

}  // namespace

const FieldSpec& field_spec(Msg message, std::uint32_t number) {
  static const FieldSpec unknown;
  if (number > kMaxFieldNumber) return unknown;
  return kTable[static_cast<int>(message)][number];
}

const char* name_of(Msg message) {
  static constexpr const char* names[kMessages] = {"none",
                                                   "Unit",
                                                   "SelfOrImportedPackageId",
                                                   "definition id",
                                                   "ModuleId",
                                                   "FieldWithType",
                                                   "VarWithType",
                                                   "TypeVarWithKind",
                                                   "FieldWithExpr",
                                                   "Binding",
                                                   "Kind",
                                                   "Kind.Arrow",
                                                   "Type",
                                                   "Type.Var",
                                                   "Type.Con",
                                                   "Type.Syn",
                                                   "Type.Builtin",
                                                   "Type.Forall",
                                                   "Type.Struct",
                                                   "Type.TApp",
                                                   "BuiltinLit",
                                                   "Location",
                                                   "Location.Range",
                                                   "Expr",
                                                   "Expr.RecCon",
                                                   "Expr.RecProj",
                                                   "Expr.RecUpd",
                                                   "Expr.VariantCon",
                                                   "Expr.EnumCon",
                                                   "Expr.StructCon",
                                                   "Expr.StructProj",
                                                   "Expr.StructUpd",
                                                   "Expr.App",
                                                   "Expr.TyApp",
                                                   "Expr.Abs",
                                                   "Expr.TyAbs",
                                                   "Expr.Nil",
                                                   "Expr.Cons",
                                                   "Expr.OptionalNone",
                                                   "typed expression",
                                                   "Expr.Throw",
                                                   "interface conversion",
                                                   "Expr.CallInterface",
                                                   "interface expression",
                                                   "Expr.UnsafeFromInterface",
                                                   "required interface conversion",
                                                   "Expr.UnsafeFromRequiredInterface",
                                                   "CaseAlt",
                                                   "CaseAlt.Variant",
                                                   "CaseAlt.Enum",
                                                   "CaseAlt.Cons",
                                                   "CaseAlt.OptionalSome",
                                                   "Case",
                                                   "Block",
                                                   "Update",
                                                   "Update.Create",
                                                   "Update.Exercise",
                                                   "Update.ExerciseInterface",
                                                   "Update.ExerciseByKey",
                                                   "Update.Fetch",
                                                   "update by key",
                                                   "Update.TryCatch",
                                                   "TemplateChoice",
                                                   "InterfaceInstanceMethod",
                                                   "InterfaceInstanceBody",
                                                   "DefTemplate.DefKey",
                                                   "DefTemplate.Implements",
                                                   "DefTemplate",
                                                   "InterfaceMethod",
                                                   "DefInterface",
                                                   "DefException",
                                                   "DefDataType.Fields",
                                                   "DefDataType.EnumConstructors",
                                                   "DefDataType",
                                                   "DefTypeSyn",
                                                   "DefValue.NameWithType",
                                                   "DefValue",
                                                   "FeatureFlags",
                                                   "Module",
                                                   "InternedDottedName",
                                                   "UpgradedPackageId",
                                                   "PackageMetadata"};
  return names[static_cast<int>(message)];
}

}  // namespace synod::lf
