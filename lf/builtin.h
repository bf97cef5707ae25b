// Builtin types and functions of Daml-LF 2.1 to 2.3. The numbers are those of the archive format (daml_lf2.proto).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "lf/language_version.h"

namespace synod::lf {

enum class BuiltinType : std::uint8_t {
  unit = 0,
  boolean = 1,
  int64 = 2,
  date = 3,
  timestamp = 4,
  numeric = 5,  // one argument, a nat: the scale
  party = 6,
  text = 7,
  contract_id = 8,
  optional = 9,
  list = 10,
  gen_map = 11,
  any = 13,
  any_exception = 14,
  type_rep = 15,
  arrow = 16,
  update = 17,
  failure_category = 18,
  text_map = 19,
};

enum class BuiltinCon : std::uint8_t { unit = 0, false_ = 1, true_ = 2 };

enum class FailureCategory : std::uint8_t {
  invalid_independent_of_system_state = 0,       // Canton's category 8
  invalid_given_current_system_state_other = 1,  // Canton's category 9
};

enum class BuiltinFunction : std::uint8_t {
  trace = 0,
  error = 1,
  equal = 2,
  less_eq = 3,
  less = 4,
  greater_eq = 5,
  greater = 6,
  add_int64 = 7,
  sub_int64 = 8,
  mul_int64 = 9,
  div_int64 = 10,
  mod_int64 = 11,
  exp_int64 = 12,
  add_numeric = 13,
  sub_numeric = 14,
  mul_numeric = 15,
  div_numeric = 16,
  round_numeric = 17,
  cast_numeric = 18,
  shift_numeric = 19,
  int64_to_numeric = 20,
  numeric_to_int64 = 21,
  int64_to_text = 22,
  numeric_to_text = 23,
  timestamp_to_text = 25,
  date_to_text = 26,
  party_to_text = 27,
  text_to_party = 28,
  text_to_int64 = 29,
  text_to_numeric = 30,
  contract_id_to_text = 31,
  sha256_text = 32,
  explode_text = 33,
  append_text = 34,
  implode_text = 35,
  code_points_to_text = 36,
  text_to_code_points = 37,
  date_to_unix_days = 38,
  unix_days_to_date = 39,
  timestamp_to_unix_microseconds = 40,
  unix_microseconds_to_timestamp = 41,
  coerce_contract_id = 42,
  foldl = 43,
  foldr = 44,
  equal_list = 45,
  genmap_empty = 52,
  genmap_insert = 53,
  genmap_lookup = 54,
  genmap_delete = 55,
  genmap_keys = 56,
  genmap_values = 57,
  genmap_size = 58,
  any_exception_message = 59,
  textmap_empty = 60,
  textmap_insert = 61,
  textmap_lookup = 62,
  textmap_delete = 63,
  textmap_to_list = 64,
  textmap_size = 65,
  fail_with_status = 66,
  keccak256_text = 67,
  secp256k1_bool = 68,
  hex_to_text = 69,
  text_to_hex = 70,
  sha256_hex = 71,
  secp256k1_with_ecdsa_bool = 72,
  secp256k1_validate_key = 73,  // from 2.3
};
inline constexpr int kMaxBuiltinFunction = 73;

// From the archive's number; empty for a number that this version does not have.
std::optional<BuiltinFunction> builtin_function(std::uint64_t number, LanguageVersion version);
std::optional<BuiltinType> builtin_type(std::uint64_t number);

// The names used in LF text ("ADD_INT64", "Int64") and back; lookup by name knows every version.
std::string_view name_of(BuiltinFunction function);
std::string_view name_of(BuiltinType type);
std::optional<BuiltinFunction> builtin_function_named(std::string_view name);
std::optional<BuiltinType> builtin_type_named(std::string_view name);

// How many values the function takes, beside its types.
int value_arity(BuiltinFunction function);

}  // namespace synod::lf
