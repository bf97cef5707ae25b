#include "lf/value.h"

#include <algorithm>

#include "base/check.h"

namespace synod::lf {

bool is_party_id(std::string_view text) {
  return !text.empty() && text.size() <= 255 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':' || c == '-' ||
           c == '_' || c == ' ';
  });
}

namespace {

template <typename T>
const T& pick(const Value::Sum& sum) {
  const T* p = std::get_if<T>(&sum);
  SYNOD_CHECK(p != nullptr);
  return *p;
}

constexpr int kMaxDigits = 38;
constexpr int kMaxScale = 37;

Error bad_numeric(std::string_view text) {
  return invalid_argument("INVALID_ARGUMENT",
                          "Could not read Numeric string \"" + std::string(text.substr(0, 60)) + "\"");
}

}  // namespace

Value::Value(Sum sum) : sum_(std::move(sum)) {}

Value Value::boolean(bool b) { return Value(Sum(std::in_place_index<1>, b)); }
Value Value::int64(std::int64_t n) { return Value(Sum(std::in_place_index<2>, n)); }
Value Value::date(Date d) { return Value(Sum(d)); }
Value Value::timestamp(Timestamp t) { return Value(Sum(t)); }
Value Value::numeric(Numeric n) { return Value(Sum(n)); }
Value Value::party(Party p) { return Value(Sum(PartyValue{std::move(p)})); }
Value Value::text(std::string t) { return Value(Sum(std::in_place_index<7>, std::move(t))); }
Value Value::contract_id(ContractId id) { return Value(Sum(std::move(id))); }
Value Value::enumeration(std::string constructor) { return Value(Sum(Enum{std::move(constructor)})); }
Value Value::none() {
  static const auto empty = std::make_shared<const Optional>();
  return Value(Sum(empty));
}
Value Value::some(Value v) {
  auto box = std::make_shared<Optional>();
  box->value = std::make_unique<const Value>(std::move(v));
  return Value(Sum(std::shared_ptr<const Optional>(std::move(box))));
}
Value Value::list(std::vector<Value> elements) {
  return Value(Sum(std::make_shared<const List>(List{std::move(elements)})));
}
Value Value::text_map(std::vector<std::pair<std::string, Value>> entries) {
  return Value(Sum(std::make_shared<const TextMap>(TextMap{std::move(entries)})));
}
Value Value::gen_map(std::vector<std::pair<Value, Value>> entries) {
  return Value(Sum(std::make_shared<const GenMap>(GenMap{std::move(entries)})));
}
Value Value::record(std::vector<Value> fields, bool dropped_none) {
  while (!fields.empty() && fields.back().is_none()) fields.pop_back();
  return Value(Sum(std::make_shared<const Record>(Record{std::move(fields), dropped_none})));
}
Value Value::variant(std::string constructor, Value v) {
  return Value(Sum(std::make_shared<const Variant>(Variant{std::move(constructor), std::move(v)})));
}

bool Value::as_boolean() const { return pick<bool>(sum_); }
std::int64_t Value::as_int64() const { return pick<std::int64_t>(sum_); }
Date Value::as_date() const { return pick<Date>(sum_); }
Timestamp Value::as_timestamp() const { return pick<Timestamp>(sum_); }
const Numeric& Value::as_numeric() const { return pick<Numeric>(sum_); }
const Party& Value::as_party() const { return pick<PartyValue>(sum_).party; }
const std::string& Value::as_text() const { return pick<std::string>(sum_); }
const ContractId& Value::as_contract_id() const { return pick<ContractId>(sum_); }
const Value* Value::as_optional() const { return pick<std::shared_ptr<const Optional>>(sum_)->value.get(); }
const std::vector<Value>& Value::as_list() const { return pick<std::shared_ptr<const List>>(sum_)->elements; }
const std::vector<std::pair<std::string, Value>>& Value::as_text_map() const {
  return pick<std::shared_ptr<const TextMap>>(sum_)->entries;
}
const std::vector<std::pair<Value, Value>>& Value::as_gen_map() const {
  return pick<std::shared_ptr<const GenMap>>(sum_)->entries;
}
const std::vector<Value>& Value::as_record() const { return pick<std::shared_ptr<const Record>>(sum_)->fields; }
const Variant& Value::as_variant() const { return *pick<std::shared_ptr<const Variant>>(sum_); }
const std::string& Value::as_enum() const { return pick<Enum>(sum_).constructor; }
bool Value::has_dropped_none() const { return pick<std::shared_ptr<const Record>>(sum_)->dropped_none; }
bool Value::is_none() const { return kind() == ValueKind::optional && as_optional() == nullptr; }

bool Value::operator==(const Value& other) const {
  if (kind() != other.kind()) return false;
  switch (kind()) {
    case ValueKind::optional: {
      auto *a = as_optional(), *b = other.as_optional();
      return a && b ? *a == *b : a == b;
    }
    case ValueKind::list:
      return as_list() == other.as_list();
    case ValueKind::text_map:
      return as_text_map() == other.as_text_map();
    case ValueKind::gen_map:
      return as_gen_map() == other.as_gen_map();
    case ValueKind::record:
      return as_record() == other.as_record();
    case ValueKind::variant:
      return as_variant().constructor == other.as_variant().constructor &&
             as_variant().value == other.as_variant().value;
    default:
      return sum_ == other.sum_;
  }
}

std::string Value::to_string() const {
  auto join = [](const auto& items, auto&& text) {
    std::string out;
    for (const auto& item : items) out += (out.empty() ? "" : ", ") + text(item);
    return out;
  };
  switch (kind()) {
    case ValueKind::unit:
      return "()";
    case ValueKind::boolean:
      return as_boolean() ? "True" : "False";
    case ValueKind::int64:
      return std::to_string(as_int64());
    case ValueKind::date:
      return (Timestamp{as_date().days * std::int64_t{86'400'000'000}}).to_string().substr(0, 10);
    case ValueKind::timestamp:
      return as_timestamp().to_string();
    case ValueKind::numeric:
      return lf::to_string(as_numeric());
    case ValueKind::party:
      return "'" + as_party() + "'";
    case ValueKind::text:
      return "\"" + as_text() + "\"";
    case ValueKind::contract_id:
      return as_contract_id().to_hex();
    case ValueKind::optional:
      return as_optional() ? "Some " + as_optional()->to_string() : "None";
    case ValueKind::list:
      return "[" + join(as_list(), [](const Value& v) { return v.to_string(); }) + "]";
    case ValueKind::text_map:
      return "TextMap(" + join(as_text_map(), [](const auto& e) { return e.first + " -> " + e.second.to_string(); }) +
             ")";
    case ValueKind::gen_map:
      return "Map(" +
             join(as_gen_map(), [](const auto& e) { return e.first.to_string() + " -> " + e.second.to_string(); }) +
             ")";
    case ValueKind::record:
      return "{" + join(as_record(), [](const Value& v) { return v.to_string(); }) + "}";
    case ValueKind::variant:
      return as_variant().constructor + "(" + as_variant().value.to_string() + ")";
    case ValueKind::enumeration:
      return as_enum();
  }
  return {};
}

int nesting(const Value& value) {
  int inner = 0;
  auto see = [&](const Value& v) { inner = std::max(inner, nesting(v)); };
  switch (value.kind()) {
    case ValueKind::optional:
      if (auto* v = value.as_optional()) see(*v);
      break;
    case ValueKind::list:
      for (const auto& v : value.as_list()) see(v);
      break;
    case ValueKind::text_map:
      for (const auto& [k, v] : value.as_text_map()) see(v);
      break;
    case ValueKind::gen_map:
      for (const auto& [k, v] : value.as_gen_map()) see(k), see(v);
      break;
    case ValueKind::record:
      for (const auto& v : value.as_record()) see(v);
      break;
    case ValueKind::variant:
      see(value.as_variant().value);
      break;
    default:
      break;
  }
  return inner + 1;
}

Result<Numeric> parse_numeric(std::string_view text) {
  std::string_view rest = text;
  bool negative = !rest.empty() && rest.front() == '-';
  if (negative || (!rest.empty() && rest.front() == '+')) rest.remove_prefix(1);
  auto point = rest.find('.');
  std::string_view whole = rest.substr(0, point);
  std::string_view fraction = point == std::string_view::npos ? std::string_view() : rest.substr(point + 1);
  while (whole.size() > 1 && whole.front() == '0') whole.remove_prefix(1);
  if (whole.empty() || fraction.size() > kMaxScale) return fail(bad_numeric(text));
  if ((whole == "0" ? 0 : whole.size()) + fraction.size() > kMaxDigits) return fail(bad_numeric(text));
  Numeric out;
  out.scale = static_cast<int>(fraction.size());
  for (std::string_view part : {whole, fraction})
    for (char c : part) {
      if (c < '0' || c > '9') return fail(bad_numeric(text));
      out.unscaled = out.unscaled * 10 + (c - '0');
    }
  if (negative) out.unscaled = -out.unscaled;
  return out;
}

Result<Numeric> parse_numeric(std::string_view text, int scale) {
  // Trailing zeros beyond the scale change nothing.
  std::string_view short_text = text;
  if (auto point = text.find('.'); point != std::string_view::npos)
    while (short_text.size() - point - 1 > static_cast<std::size_t>(scale) && short_text.back() == '0')
      short_text.remove_suffix(1);
  SYNOD_TRY(Numeric out, parse_numeric(short_text));
  if (out.scale > scale) return fail(bad_numeric(text));
  __int128 limit = 1;
  for (int i = 0; i < kMaxDigits; ++i) limit *= 10;
  while (out.scale < scale) {
    if (out.unscaled >= limit / 10 || out.unscaled <= -(limit / 10)) return fail(bad_numeric(text));
    out.unscaled *= 10;
    ++out.scale;
  }
  return out;
}

std::string to_string(const Numeric& numeric) {
  auto n = static_cast<unsigned __int128>(numeric.unscaled);
  if (numeric.unscaled < 0) n = -n;
  std::string digits;  // least significant first
  for (; n > 0; n /= 10) digits += static_cast<char>('0' + static_cast<int>(n % 10));
  auto scale = static_cast<std::size_t>(numeric.scale);
  if (digits.size() <= scale) digits.resize(scale + 1, '0');
  digits.insert(scale, 1, '.');
  if (numeric.unscaled < 0) digits += '-';
  std::reverse(digits.begin(), digits.end());
  return digits;
}

}  // namespace synod::lf
