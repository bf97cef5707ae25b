// What changes between the two versions of a template in upgrades_matrix_test.cc, and what a v2 operation on a v1
// contract must come to. The cases and their names are those of Canton's UpgradesMatrix.scala.
#pragma once

#include <string>
#include <vector>

#include "lf/value.h"

namespace synod::lf {

#define OWNER "Cons @Party [Mod:T {p1} this] (Nil @Party)"
#define THROW(type, name) "throw @(" type ") @'common':Mod:Ex ('common':Mod:Ex { message = \"" name "\" })"
#define KEY(label, more) "Mod:Key { label = " label ", maintainers = " OWNER more " }"
#define LABEL "Mod:T {label} this"

// One version. In LF text: module Mod, template T with its key type Key and the choice argument Arg.
struct Version {
  std::string definitions = {};
  std::string argument = "{}";  // of the choice
  std::string fields = {}, key_fields = {}, choices = {};
  std::string precondition = "True", signatories = OWNER, observers = "Nil @Party";
  std::string key = KEY(LABEL, ""), maintainers = "\\(key: Mod:Key) -> Mod:Key {maintainers} key";
  std::string controllers = OWNER, choice_observers = "Nil @Party";  // of the interface's choice
  std::string view = "'common':Mod:MyView { value = 0 }";
  bool instance = true;
};

inline constexpr const char* kOk = "ok";
inline constexpr const char* kUpgradeError = "INTERPRETATION_UPGRADE_ERROR_";
inline constexpr const char* kNotAuthentic = "INTERPRETATION_UPGRADE_ERROR_AUTHENTICATION_FAILED";
inline constexpr const char* kNoTranslation = "INTERPRETATION_UPGRADE_ERROR_TRANSLATION_FAILED";
inline constexpr const char* kPreprocessing = "COMMAND_PREPROCESSING_FAILED";
inline constexpr const char* kPrecondition = "TEMPLATE_PRECONDITION_VIOLATED";
inline constexpr const char* kThrows = "DAML_FAILURE";  // with the case's name as message

struct Change {
  const char* name;
  const char* want;
  Version v1, v2;
  std::string create_text = {};           // v1's further fields, in choices
  std::vector<Value> create_values = {};  // and in commands
  std::string key_text = {};              // the further fields of a v2 key
  std::vector<Value> key_values = {};
  std::vector<Value> argument = {};  // of the choice, in commands
  bool commands_only = false;
};

inline std::vector<Change> upgrade_changes(const Party& bob) {
  const Value zero = Value::record({Value::int64(0)});
  const Value some = Value::some(Value::unit());
  const auto record = [](const char* fields) { return std::string("record @serializable R = { ") + fields + " } ;"; };
  const auto variant = [](const char* c) { return std::string("variant @serializable V = ") + c + " ;"; };
  const auto enumeration = [](const char* c) { return std::string("enum @serializable E = ") + c + " ;"; };
  const std::string r1 = record("n: Int64"), r2 = record("n: Int64, extra: Option Unit");
  const std::string v1 = variant("Ctor1: Int64"), v2 = variant("Ctor1: Int64 | Ctor2: Unit");
  const std::string e1 = enumeration("Ctor1"), e2 = enumeration("Ctor1 | Ctor2");
  const Value ctor1 = Value::variant("Ctor1", Value::int64(0)), ctor2 = Value::variant("Ctor2", Value::unit());
  const auto with_field = [](const std::string& definitions, const char* fields) {
    return Version{.definitions = definitions, .fields = fields};
  };
  const auto with_argument = [](const std::string& definitions, const char* argument) {
    return Version{.definitions = definitions, .argument = argument};
  };
  const auto key_with = [](const char* fields, const char* values) {
    return Version{.key_fields = fields,
                   .key = std::string(KEY(LABEL, "")).replace(std::string(KEY(LABEL, "")).size() - 2, 0, values)};
  };
  const char *r = ", r: Mod:R", *v = ", v: Mod:V", *e = ", e: Mod:E";
  const char *in_r = "{ r: Mod:R }", *in_v = "{ v: Mod:V }", *in_e = "{ e: Mod:E }";
  const Value bobs = Value::list({Value::party(bob)});
  const char* two = ", maintainers2: List Party";
  const char* two_value = ", maintainers2 = Cons @Party [Mod:T {p2} this] (Nil @Party)";
  Version changed_maintainers = key_with(two, two_value);
  changed_maintainers.maintainers = "\\(key: Mod:Key) -> Mod:Key {maintainers2} key";

  return {
      // What is stored about a contract.
      {"UnchangedPrecondition", kOk, {}, {.precondition = "case () of () -> True"}},
      {"ChangedPrecondition", kPrecondition, {}, {.precondition = "False"}},
      {"ThrowingPrecondition", kThrows, {}, {.precondition = THROW("Bool", "ThrowingPrecondition")}},
      {"UnchangedSignatories", kOk, {}, {.signatories = "case () of () -> " OWNER}},
      {"ChangedSignatories",
       kUpgradeError,
       {},
       {.signatories = "Cons @Party [Mod:T {p1} this, Mod:T {p2} this] (Nil @Party)"}},
      {"ThrowingSignatories", kThrows, {}, {.signatories = THROW("List Party", "ThrowingSignatories")}},
      {"UnchangedObservers", kOk, {}, {.observers = "case () of () -> Nil @Party"}},
      {"ChangedObservers", kUpgradeError, {}, {.observers = "Cons @Party [Mod:T {p2} this] (Nil @Party)"}},
      {"ThrowingObservers", kThrows, {}, {.observers = THROW("List Party", "ThrowingObservers")}},
      // The contract's argument.
      {"AdditionalFieldInRecordArg", kOk, with_field(r1, r), with_field(r2, r), ", r = $V1:R { n = 0 }", {zero}},
      {"DifferentlyNamedFieldInRecordArg",
       kNotAuthentic,
       with_field(r1, r),
       with_field(record("nRenamed: Int64"), r),
       ", r = $V1:R { n = 0 }",
       {zero}},
      {"AdditionalConstructorInVariantArg", kOk, with_field(v1, v), with_field(v2, v), ", v = $V1:V:Ctor1 0", {ctor1}},
      {"DifferentlyRankedConstructorInVariantArg",
       kNotAuthentic,
       with_field(v2, v),
       with_field(variant("Ctor2: Unit | Ctor1: Int64"), v),
       ", v = $V1:V:Ctor1 0",
       {ctor1}},
      {"AdditionalConstructorInEnumArg",
       kOk,
       with_field(e1, e),
       with_field(e2, e),
       ", e = $V1:E:Ctor1",
       {Value::enumeration("Ctor1")}},
      {"DifferentlyRankedConstructorInEnumArg",
       kNotAuthentic,
       with_field(e2, e),
       with_field(enumeration("Ctor2 | Ctor1"), e),
       ", e = $V1:E:Ctor1",
       {Value::enumeration("Ctor1")}},
      {"AdditionalTemplateArg", kOk, {}, {.fields = ", extra: Option Unit"}},
      {"AddingInterfaceInstance", kOk, {.instance = false}, {}},
      {"DifferentlyNamedTemplateArg",
       kNotAuthentic,
       {.fields = ", extra: Unit"},
       {.fields = ", extraRenamed: Unit"},
       ", extra = ()",
       {Value::unit()}},
      // What has nothing to do with the contract.
      {"AdditionalChoices",
       kOk,
       {},
       {.choices = "choice @nonConsuming More (self) (u: Unit) : Text , controllers " OWNER " to upure @Text \"\" ;"}},
      {"AdditionalTemplates",
       kOk,
       {},
       {.definitions = "record @serializable More = { p: Party } ; template (this : More) = { signatories Cons @Party "
                       "[Mod:More {p} this] (Nil @Party) ; } ;"}},
      // Back to fewer fields and constructors.
      {"ValidDowngradeAdditionalTemplateArg",
       kOk,
       {.fields = ", extra: Option Unit"},
       {},
       ", extra = None @Unit",
       {Value::none()}},
      {"InvalidDowngradeAdditionalTemplateArg",
       kNoTranslation,
       {.fields = ", extra: Option Unit"},
       {},
       ", extra = Some @Unit ()",
       {some}},
      {"ValidDowngradeAdditionalFieldInRecordArg",
       kOk,
       with_field(r2, r),
       with_field(r1, r),
       ", r = $V1:R { n = 0, extra = None @Unit }",
       {zero}},
      {"InvalidDowngradeAdditionalFieldInRecordArg",
       kNoTranslation,
       with_field(r2, r),
       with_field(r1, r),
       ", r = $V1:R { n = 0, extra = Some @Unit () }",
       {Value::record({Value::int64(0), some})}},
      {"ValidDowngradeAdditionalConstructorInVariantArg",
       kOk,
       with_field(v2, v),
       with_field(v1, v),
       ", v = $V1:V:Ctor1 0",
       {ctor1}},
      {"InvalidDowngradeAdditionalConstructorInVariantArg",
       kNoTranslation,
       with_field(v2, v),
       with_field(v1, v),
       ", v = $V1:V:Ctor2 ()",
       {ctor2}},
      {"ValidDowngradeAdditionalConstructorInEnumArg",
       kOk,
       with_field(e2, e),
       with_field(e1, e),
       ", e = $V1:E:Ctor1",
       {Value::enumeration("Ctor1")}},
      {"InvalidDowngradeAdditionalConstructorInEnumArg",
       kNoTranslation,
       with_field(e2, e),
       with_field(e1, e),
       ", e = $V1:E:Ctor2",
       {Value::enumeration("Ctor2")}},
      // Interface instances.
      {"ThrowingInterfaceChoiceControllers",
       kThrows,
       {},
       {.controllers = THROW("List Party", "ThrowingInterfaceChoiceControllers")}},
      {"ThrowingInterfaceChoiceObservers",
       kThrows,
       {},
       {.choice_observers = THROW("List Party", "ThrowingInterfaceChoiceObservers")}},
      {"ThrowingView", kOk, {}, {.view = THROW("'common':Mod:MyView", "ThrowingView")}},
      // Keys and maintainers.
      {"ChangedKey", kUpgradeError, {}, {.key = KEY("APPEND_TEXT (" LABEL ") \"-2\"", "")}},
      {"UnchangedKey", kOk, {}, {.key = "case () of () -> " KEY(LABEL, "")}},
      {"ThrowingKey", kThrows, {}, {.key = THROW("Mod:Key", "ThrowingKey")}},
      {"ChangedMaintainers",
       kUpgradeError,
       key_with(two, two_value),
       changed_maintainers,
       "",
       {},
       ", maintainers2 = Cons @Party [Mod:Client {bob} this] (Nil @Party)",
       {bobs}},
      {"UnchangedMaintainers",
       kOk,
       {},
       {.maintainers = "\\(key: Mod:Key) -> case () of () -> Mod:Key {maintainers} key"}},
      {"ThrowingMaintainers", kThrows, {}, {.maintainers = THROW("Mod:Key -> List Party", "ThrowingMaintainers")}},
      {"ThrowingMaintainersBody",
       kThrows,
       {},
       {.maintainers = "\\(key: Mod:Key) -> " THROW("List Party", "ThrowingMaintainersBody")}},
      {"ValidKeyUpgradeAdditionalField",
       kOk,
       {},
       key_with(", extra: Option Unit", ", extra = None @Unit"),
       "",
       {},
       ", extra = None @Unit",
       {Value::none()}},
      {"InvalidKeyUpgradeAdditionalField",
       kUpgradeError,
       {},
       key_with(", extra: Option Unit", ", extra = Some @Unit ()"),
       "",
       {},
       ", extra = None @Unit",
       {Value::none()}},
      {"ValidKeyDowngradeAdditionalField", kOk, key_with(", extra: Option Unit", ", extra = None @Unit"), {}},
      {"InvalidKeyDowngradeAdditionalField",
       kUpgradeError,
       key_with(", extra: Option Unit", ", extra = Some @Unit ()"),
       {}},
      // The choice's argument, in commands.
      {.name = "AdditionalFieldInChoiceArgRecordField",
       .want = kOk,
       .v1 = with_argument(r1, in_r),
       .v2 = with_argument(r2, in_r),
       .argument = {Value::record({Value::int64(0), some})},
       .commands_only = true},
      {.name = "AdditionalConstructorInChoiceArgVariantField",
       .want = kOk,
       .v1 = with_argument(v1, in_v),
       .v2 = with_argument(v2, in_v),
       .argument = {ctor2},
       .commands_only = true},
      {.name = "AdditionalConstructorInChoiceArgEnumField",
       .want = kOk,
       .v1 = with_argument(e1, in_e),
       .v2 = with_argument(e2, in_e),
       .argument = {Value::enumeration("Ctor2")},
       .commands_only = true},
      {.name = "AdditionalChoiceArg",
       .want = kOk,
       .v1 = with_argument("", "{ n: Int64 }"),
       .v2 = with_argument("", "{ n: Int64, extra: Option Unit }"),
       .argument = {Value::int64(0)},
       .commands_only = true},
      {.name = "ValidDowngradeAdditionalFieldInChoiceArgRecordField",
       .want = kOk,
       .v1 = with_argument(r2, in_r),
       .v2 = with_argument(r1, in_r),
       .argument = {zero},
       .commands_only = true},
      {.name = "InvalidDowngradeAdditionalFieldInChoiceArgRecordField",
       .want = kPreprocessing,
       .v1 = with_argument(r2, in_r),
       .v2 = with_argument(r1, in_r),
       .argument = {Value::record({Value::int64(0), some})},
       .commands_only = true},
      {.name = "ValidDowngradeAdditionalConstructorInChoiceArgVariantField",
       .want = kOk,
       .v1 = with_argument(v2, in_v),
       .v2 = with_argument(v1, in_v),
       .argument = {ctor1},
       .commands_only = true},
      {.name = "InvalidDowngradeAdditionalConstructorInChoiceArgVariantField",
       .want = kPreprocessing,
       .v1 = with_argument(v2, in_v),
       .v2 = with_argument(v1, in_v),
       .argument = {ctor2},
       .commands_only = true},
      {.name = "ValidDowngradeAdditionalConstructorInChoiceArgEnumField",
       .want = kOk,
       .v1 = with_argument(e2, in_e),
       .v2 = with_argument(e1, in_e),
       .argument = {Value::enumeration("Ctor1")},
       .commands_only = true},
      {.name = "InvalidDowngradeAdditionalConstructorInChoiceArgEnumField",
       .want = kPreprocessing,
       .v1 = with_argument(e2, in_e),
       .v2 = with_argument(e1, in_e),
       .argument = {Value::enumeration("Ctor2")},
       .commands_only = true},
      {.name = "ValidDowngradeAdditionalChoiceArg",
       .want = kOk,
       .v1 = with_argument("", "{ n: Int64, extra: Option Unit }"),
       .v2 = with_argument("", "{ n: Int64 }"),
       .argument = {Value::int64(0), Value::none()},
       .commands_only = true},
      {.name = "InvalidDowngradeAdditionalChoiceArg",
       .want = kPreprocessing,
       .v1 = with_argument("", "{ n: Int64, extra: Option Unit }"),
       .v2 = with_argument("", "{ n: Int64 }"),
       .argument = {Value::int64(0), some},
       .commands_only = true},
  };
}

#undef OWNER
#undef THROW
#undef KEY
#undef LABEL

}  // namespace synod::lf
