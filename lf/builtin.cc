#include "lf/builtin.h"

#include <array>
#include <string>
#include <unordered_map>

namespace synod::lf {

namespace {

struct FunctionRow {
  BuiltinFunction function;
  std::string_view name;
  int values;
};

// Numeric functions whose result scale is not that of an argument take a value of the result type first, as a witness.
constexpr FunctionRow kFunctions[] = {
    {BuiltinFunction::trace, "TRACE", 2},
    {BuiltinFunction::error, "ERROR", 1},
    {BuiltinFunction::equal, "EQUAL", 2},
    {BuiltinFunction::less_eq, "LESS_EQ", 2},
    {BuiltinFunction::less, "LESS", 2},
    {BuiltinFunction::greater_eq, "GREATER_EQ", 2},
    {BuiltinFunction::greater, "GREATER", 2},
    {BuiltinFunction::add_int64, "ADD_INT64", 2},
    {BuiltinFunction::sub_int64, "SUB_INT64", 2},
    {BuiltinFunction::mul_int64, "MUL_INT64", 2},
    {BuiltinFunction::div_int64, "DIV_INT64", 2},
    {BuiltinFunction::mod_int64, "MOD_INT64", 2},
    {BuiltinFunction::exp_int64, "EXP_INT64", 2},
    {BuiltinFunction::add_numeric, "ADD_NUMERIC", 2},
    {BuiltinFunction::sub_numeric, "SUB_NUMERIC", 2},
    {BuiltinFunction::mul_numeric, "MUL_NUMERIC", 3},
    {BuiltinFunction::div_numeric, "DIV_NUMERIC", 3},
    {BuiltinFunction::round_numeric, "ROUND_NUMERIC", 2},
    {BuiltinFunction::cast_numeric, "CAST_NUMERIC", 2},
    {BuiltinFunction::shift_numeric, "SHIFT_NUMERIC", 2},
    {BuiltinFunction::int64_to_numeric, "INT64_TO_NUMERIC", 2},
    {BuiltinFunction::numeric_to_int64, "NUMERIC_TO_INT64", 1},
    {BuiltinFunction::int64_to_text, "INT64_TO_TEXT", 1},
    {BuiltinFunction::numeric_to_text, "NUMERIC_TO_TEXT", 1},
    {BuiltinFunction::timestamp_to_text, "TIMESTAMP_TO_TEXT", 1},
    {BuiltinFunction::date_to_text, "DATE_TO_TEXT", 1},
    {BuiltinFunction::party_to_text, "PARTY_TO_TEXT", 1},
    {BuiltinFunction::text_to_party, "TEXT_TO_PARTY", 1},
    {BuiltinFunction::text_to_int64, "TEXT_TO_INT64", 1},
    {BuiltinFunction::text_to_numeric, "TEXT_TO_NUMERIC", 2},
    {BuiltinFunction::contract_id_to_text, "CONTRACT_ID_TO_TEXT", 1},
    {BuiltinFunction::sha256_text, "SHA256_TEXT", 1},
    {BuiltinFunction::explode_text, "EXPLODE_TEXT", 1},
    {BuiltinFunction::append_text, "APPEND_TEXT", 2},
    {BuiltinFunction::implode_text, "IMPLODE_TEXT", 1},
    {BuiltinFunction::code_points_to_text, "CODE_POINTS_TO_TEXT", 1},
    {BuiltinFunction::text_to_code_points, "TEXT_TO_CODE_POINTS", 1},
    {BuiltinFunction::date_to_unix_days, "DATE_TO_UNIX_DAYS", 1},
    {BuiltinFunction::unix_days_to_date, "UNIX_DAYS_TO_DATE", 1},
    {BuiltinFunction::timestamp_to_unix_microseconds, "TIMESTAMP_TO_UNIX_MICROSECONDS", 1},
    {BuiltinFunction::unix_microseconds_to_timestamp, "UNIX_MICROSECONDS_TO_TIMESTAMP", 1},
    {BuiltinFunction::coerce_contract_id, "COERCE_CONTRACT_ID", 1},
    {BuiltinFunction::foldl, "FOLDL", 3},
    {BuiltinFunction::foldr, "FOLDR", 3},
    {BuiltinFunction::equal_list, "EQUAL_LIST", 3},
    {BuiltinFunction::genmap_empty, "GENMAP_EMPTY", 0},
    {BuiltinFunction::genmap_insert, "GENMAP_INSERT", 3},
    {BuiltinFunction::genmap_lookup, "GENMAP_LOOKUP", 2},
    {BuiltinFunction::genmap_delete, "GENMAP_DELETE", 2},
    {BuiltinFunction::genmap_keys, "GENMAP_KEYS", 1},
    {BuiltinFunction::genmap_values, "GENMAP_VALUES", 1},
    {BuiltinFunction::genmap_size, "GENMAP_SIZE", 1},
    {BuiltinFunction::any_exception_message, "ANY_EXCEPTION_MESSAGE", 1},
    {BuiltinFunction::textmap_empty, "TEXTMAP_EMPTY", 0},
    {BuiltinFunction::textmap_insert, "TEXTMAP_INSERT", 3},
    {BuiltinFunction::textmap_lookup, "TEXTMAP_LOOKUP", 2},
    {BuiltinFunction::textmap_delete, "TEXTMAP_DELETE", 2},
    {BuiltinFunction::textmap_to_list, "TEXTMAP_TO_LIST", 1},
    {BuiltinFunction::textmap_size, "TEXTMAP_SIZE", 1},
    {BuiltinFunction::fail_with_status, "FAIL_WITH_STATUS", 4},
    {BuiltinFunction::keccak256_text, "KECCAK256_TEXT", 1},
    {BuiltinFunction::secp256k1_bool, "SECP256K1_BOOL", 3},
    {BuiltinFunction::hex_to_text, "HEX_TO_TEXT", 1},
    {BuiltinFunction::text_to_hex, "TEXT_TO_HEX", 1},
    {BuiltinFunction::sha256_hex, "SHA256_HEX", 1},
    {BuiltinFunction::secp256k1_with_ecdsa_bool, "SECP256K1_WITH_ECDSA_BOOL", 3},
    {BuiltinFunction::secp256k1_validate_key, "SECP256K1_VALIDATE_KEY", 1},
};

struct TypeRow {
  BuiltinType type;
  std::string_view name;
};

constexpr TypeRow kTypes[] = {
    {BuiltinType::unit, "Unit"},
    {BuiltinType::boolean, "Bool"},
    {BuiltinType::int64, "Int64"},
    {BuiltinType::date, "Date"},
    {BuiltinType::timestamp, "Timestamp"},
    {BuiltinType::numeric, "Numeric"},
    {BuiltinType::party, "Party"},
    {BuiltinType::text, "Text"},
    {BuiltinType::contract_id, "ContractId"},
    {BuiltinType::optional, "Option"},
    {BuiltinType::list, "List"},
    {BuiltinType::gen_map, "GenMap"},
    {BuiltinType::any, "Any"},
    {BuiltinType::any_exception, "AnyException"},
    {BuiltinType::type_rep, "TypeRep"},
    {BuiltinType::arrow, "Arrow"},
    {BuiltinType::update, "Update"},
    {BuiltinType::failure_category, "FailureCategory"},
    {BuiltinType::text_map, "TextMap"},
};

struct Tables {
  std::array<const FunctionRow*, kMaxBuiltinFunction + 1> functions{};
  std::array<const TypeRow*, 32> types{};
  std::unordered_map<std::string_view, BuiltinFunction> function_names;
  std::unordered_map<std::string_view, BuiltinType> type_names;

  Tables() {
    for (const auto& row : kFunctions) {
      functions[static_cast<std::size_t>(row.function)] = &row;
      function_names.emplace(row.name, row.function);
    }
    for (const auto& row : kTypes) {
      types[static_cast<std::size_t>(row.type)] = &row;
      type_names.emplace(row.name, row.type);
    }
  }
};

const Tables& tables() {
  static const Tables instance;
  return instance;
}

const FunctionRow& row_of(BuiltinFunction function) { return *tables().functions[static_cast<std::size_t>(function)]; }

}  // namespace

std::optional<BuiltinFunction> builtin_function(std::uint64_t number, LanguageVersion version) {
  if (number > kMaxBuiltinFunction || !tables().functions[number]) return std::nullopt;
  auto function = static_cast<BuiltinFunction>(number);
  if (function == BuiltinFunction::secp256k1_validate_key && !version.has_extended_crypto()) return std::nullopt;
  return function;
}

std::optional<BuiltinType> builtin_type(std::uint64_t number) {
  if (number >= tables().types.size() || !tables().types[number]) return std::nullopt;
  return static_cast<BuiltinType>(number);
}

std::string_view name_of(BuiltinFunction function) { return row_of(function).name; }
std::string_view name_of(BuiltinType type) { return tables().types[static_cast<std::size_t>(type)]->name; }

std::optional<BuiltinFunction> builtin_function_named(std::string_view name) {
  auto it = tables().function_names.find(name);
  return it == tables().function_names.end() ? std::nullopt : std::optional(it->second);
}

std::optional<BuiltinType> builtin_type_named(std::string_view name) {
  auto it = tables().type_names.find(name);
  return it == tables().type_names.end() ? std::nullopt : std::optional(it->second);
}

int value_arity(BuiltinFunction function) { return row_of(function).values; }

}  // namespace synod::lf
