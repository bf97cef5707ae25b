// The shape of an LF2 package message (daml_lf2.proto) as a table, from which lf/archive/message_walker.h decodes
// without recursion. The messages and numbers are those of the archive format.
#pragma once

#include <cstdint>

namespace synod::lf {

enum class Msg : std::uint8_t {
  none,
  unit,
  package_ref,
  definition_id,
  module_id,
  typed_field,
  typed_var,
  kinded_var,
  field_expr,
  binding,
  kind,
  kind_arrow,
  type,
  type_var,
  type_con,
  type_syn,
  type_builtin,
  type_forall,
  type_struct,
  type_app,
  literal,
  location,
  range,
  expr,
  record_con,
  record_proj,
  record_upd,
  variant_con,
  enum_con,
  struct_con,
  struct_proj,
  struct_upd,
  app,
  type_application,
  abs,
  type_abs,
  nil,
  cons,
  optional_none,
  typed_expr /* some, to_any, from_any, ..., pure, embed */,
  throw_,
  interface_cast,
  call_interface,
  interface_expr,
  unsafe_interface_cast,
  required_cast,
  unsafe_required_cast,
  case_alt,
  alt_variant,
  alt_enum,
  alt_cons,
  alt_some,
  case_of,
  block,
  update,
  create,
  exercise,
  exercise_interface,
  exercise_by_key,
  fetch,
  by_key,
  try_catch,
  choice,
  instance_method,
  instance_body,
  template_key,
  implements,
  template_,
  interface_method,
  interface,
  exception,
  fields,
  constructors,
  data_type,
  synonym,
  named_type,
  value,
  feature_flags,
  module,
  dotted_name,
  upgraded,
  metadata,
};
inline constexpr int kMessages = static_cast<int>(Msg::metadata) + 1;

enum class FieldType : std::uint8_t { unknown, int32, sint64, sfixed64, boolean, message };

struct FieldSpec {
  FieldType type = FieldType::unknown;
  Msg message = Msg::none;
  bool repeated = false;
  bool oneof = false;  // belongs to the message's only oneof
};

// The field of that number; type unknown when the message has none.
const FieldSpec& field_spec(Msg message, std::uint32_t number);
const char* name_of(Msg message);

}  // namespace synod::lf
