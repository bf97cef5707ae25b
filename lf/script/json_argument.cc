#include "lf/script/json_argument.h"

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

#include "lf/contract_id.h"
#include "lf/eval/map.h"
#include "lf/eval/numeric.h"
#include "lf/text/token.h"

namespace synod::lf::script {
namespace {

using namespace eval;
namespace json = boost::json;

constexpr std::size_t kMaxDepth = 100;  // of the JSON; values are not nested deeper, so recursion is bounded

class Reader {
 public:
  Reader(Program& program, Arena& arena) : program_(program), arena_(arena) {}

  // `where` is "argument.field[2]".
  Result<Cell> read(const json::value& v, const RuntimeType& type, const std::string& where);

 private:
  static Error wrong(const std::string& where, const std::string& what) {
    return invalid_argument("SCRIPT_ARGUMENT_MALFORMED", where + ": " + what);
  }
  static Error expected(const std::string& where, const RuntimeType& type) {
    return wrong(where, "expected a value of type " + type.key);
  }

  Result<Cell> builtin(const json::value& v, const RuntimeType& type, const std::string& where);
  Result<Cell> number(const json::value& v, const RuntimeType& type, const std::string& where);
  Result<Cell> optional(const json::value& v, const RuntimeType& type, const std::string& where);
  Result<Cell> list(const json::value& v, const RuntimeType& type, const std::string& where);
  Result<Cell> map(const json::value& v, const RuntimeType& type, const std::string& where);
  Result<Cell> record(const json::value& v, const RuntimeType& type, const std::string& where);
  Result<Cell> variant(const json::value& v, const RuntimeType& type, const std::string& where);

  Program& program_;
  Arena& arena_;
};

std::optional<std::string> digits_of(const json::value& v) {
  if (v.is_string()) return std::string(v.as_string());
  if (v.is_int64()) return std::to_string(v.as_int64());
  if (v.is_uint64()) return std::to_string(v.as_uint64());
  if (!v.is_double()) return std::nullopt;
  char text[400];
  auto [end, error] = std::to_chars(text, text + sizeof text, v.as_double(), std::chars_format::fixed);
  return error == std::errc() ? std::optional<std::string>(std::in_place, text, end) : std::nullopt;
}

Result<Cell> Reader::number(const json::value& v, const RuntimeType& type, const std::string& where) {
  const auto digits = digits_of(v);
  if (!digits) return fail(expected(where, type));
  if (type.is(BuiltinType::int64)) {
    std::int64_t n = 0;
    auto [end, error] = std::from_chars(digits->data(), digits->data() + digits->size(), n);
    if (error != std::errc() || end != digits->data() + digits->size()) return fail(expected(where, type));
    return make_int64(n);
  }
  const int scale = static_cast<int>(type.args.at(0)->number);
  auto n = from_lenient_text(*digits, scale);
  if (!n) return fail(expected(where, type));
  return make_numeric(arena_, *n, scale);
}

Result<Cell> Reader::optional(const json::value& v, const RuntimeType& type, const std::string& where) {
  if (v.is_null()) return make_none();
  const RuntimeType& element = *type.args.at(0);
  if (!element.is(BuiltinType::optional)) {
    SYNOD_TRY(const Cell inner, read(v, element, where));
    return make_some(arena_, inner);
  }
  if (!v.is_array() || v.as_array().size() > 1)
    return fail(wrong(where, "expected [] or [value] as Optional of Optional"));
  if (v.as_array().empty()) return make_some(arena_, make_none());
  SYNOD_TRY(const Cell inner, read(v.as_array()[0], element, where));
  return make_some(arena_, inner);
}

Result<Cell> Reader::list(const json::value& v, const RuntimeType& type, const std::string& where) {
  if (!v.is_array()) return fail(expected(where, type));
  const auto& array = v.as_array();
  Cell out = make_nil();
  for (std::size_t i = array.size(); i-- > 0;) {
    SYNOD_TRY(const Cell element, read(array[i], *type.args.at(0), where + "[" + std::to_string(i) + "]"));
    out = make_cons(arena_, element, out);
  }
  return out;
}

Result<Cell> Reader::map(const json::value& v, const RuntimeType& type, const std::string& where) {
  Meter steps(~std::uint64_t{0});
  const MapNode* root = nullptr;
  if (type.is(BuiltinType::text_map)) {
    if (!v.is_object()) return fail(expected(where, type));
    for (const auto& [key, value] : v.as_object()) {
      SYNOD_TRY(const Cell element, read(value, *type.args.at(0), where + "." + std::string(key)));
      root = map_insert(arena_, root, make_text(arena_, std::string_view(key.data(), key.size())), element, steps);
    }
    return make_map(Tag::text_map, root);
  }
  if (!v.is_array()) return fail(expected(where, type));
  for (const auto& entry : v.as_array()) {
    if (!entry.is_array() || entry.as_array().size() != 2) return fail(wrong(where, "expected [key, value]"));
    SYNOD_TRY(const Cell key, read(entry.as_array()[0], *type.args.at(0), where + " (key)"));
    SYNOD_TRY(const Cell value, read(entry.as_array()[1], *type.args.at(1), where + " (value)"));
    root = map_insert(arena_, root, key, value, steps);
  }
  return make_map(Tag::gen_map, root);
}

Result<Cell> Reader::builtin(const json::value& v, const RuntimeType& type, const std::string& where) {
  const auto text = v.if_string();
  switch (type.builtin) {
    case BuiltinType::unit:
      if (v.is_object()) return make_unit();
      break;
    case BuiltinType::boolean:
      if (v.is_bool()) return make_bool(v.as_bool());
      break;
    case BuiltinType::int64:
    case BuiltinType::numeric:
      return number(v, type, where);
    case BuiltinType::date:
      if (!text) break;
      if (auto days = text::parse_date(*text)) return make_integer(Tag::date, *days);
      break;
    case BuiltinType::timestamp:
      if (!text) break;
      if (auto micros = text::parse_timestamp(*text)) return make_integer(Tag::timestamp, *micros);
      break;
    case BuiltinType::party:
      if (text) return make_text(arena_, std::string_view(*text), Tag::party);
      break;
    case BuiltinType::text:
      if (text) return make_text(arena_, std::string_view(*text));
      break;
    case BuiltinType::contract_id:
      if (!text) break;
      if (auto id = ContractId::from_hex(*text)) return make_text(arena_, id->bytes(), Tag::contract_id);
      break;
    case BuiltinType::optional:
      return optional(v, type, where);
    case BuiltinType::list:
      return list(v, type, where);
    case BuiltinType::text_map:
    case BuiltinType::gen_map:
      return map(v, type, where);
    default:
      return fail(wrong(where, "no JSON stands for a value of type " + type.key));
  }
  return fail(expected(where, type));
}

Result<Cell> Reader::record(const json::value& v, const RuntimeType& type, const std::string& where) {
  const auto* members = program_.members(type);
  const auto& names = type.con->names;
  if (!members) return fail(wrong(where, "no JSON stands for a value of type " + type.key));
  RecordObject* out = new_record(arena_, type.con, names.size());
  if (v.is_array()) {
    if (v.as_array().size() != names.size())
      return fail(wrong(where, "expected " + std::to_string(names.size()) + " fields"));
    for (std::size_t i = 0; i < names.size(); ++i) {
      SYNOD_TRY(out->fields()[i], read(v.as_array()[i], *members->at(i), where + "." + names[i]));
    }
    return cell_of(out);
  }
  if (!v.is_object()) return fail(expected(where, type));
  for (std::size_t i = 0; i < names.size(); ++i) {
    const RuntimeType& field = *members->at(i);
    if (const json::value* given = v.as_object().if_contains(names[i])) {
      SYNOD_TRY(out->fields()[i], read(*given, field, where + "." + names[i]));
    } else if (field.is(BuiltinType::optional)) {
      out->fields()[i] = make_none();
    } else {
      return fail(wrong(where, "missing field '" + names[i] + "'"));
    }
  }
  return cell_of(out);
}

Result<Cell> Reader::variant(const json::value& v, const RuntimeType& type, const std::string& where) {
  if (type.con->definition->kind == DataKind::enumeration) {
    if (!v.is_string()) return fail(expected(where, type));
    const int rank = type.con->index_of(std::string_view(v.as_string()));
    if (rank < 0) return fail(wrong(where, "unknown constructor '" + std::string(v.as_string()) + "'"));
    return make_enum(type.con, static_cast<std::uint32_t>(rank));
  }
  const json::value* tag = v.is_object() ? v.as_object().if_contains("tag") : nullptr;
  const json::value* value = v.is_object() ? v.as_object().if_contains("value") : nullptr;
  if (!tag || !tag->is_string() || !value) return fail(wrong(where, "expected an object with 'tag' and 'value'"));
  const std::string constructor(tag->as_string());
  const int rank = type.con->index_of(constructor);
  if (rank < 0) return fail(wrong(where, "unknown constructor '" + constructor + "'"));
  const auto* members = program_.members(type);
  if (!members) return fail(wrong(where, "no JSON stands for a value of type " + type.key));
  SYNOD_TRY(const Cell argument, read(*value, *members->at(static_cast<std::size_t>(rank)), where + "." + constructor));
  return make_variant(arena_, type.con, static_cast<std::uint32_t>(rank), argument);
}

Result<Cell> Reader::read(const json::value& v, const RuntimeType& type, const std::string& where) {
  if (type.head == RuntimeType::Head::builtin) return builtin(v, type, where);
  if (type.head != RuntimeType::Head::con) return fail(wrong(where, "no JSON stands for a value of type " + type.key));
  return type.con->definition->kind == DataKind::record ? record(v, type, where) : variant(v, type, where);
}

}  // namespace

Result<Cell> json_argument(Program& program, Arena& arena, const RuntimeType& type, std::string_view text) {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::system::error_code error;
  const json::value parsed = json::parse(text, error, {}, options);
  if (error) return fail(invalid_argument("SCRIPT_ARGUMENT_MALFORMED", "the argument is no JSON: " + error.message()));
  return Reader(program, arena).read(parsed, type, "argument");
}

}  // namespace synod::lf::script
