// Ledger values: what contracts, choice arguments, results and keys are made of, outside of the interpreter.
//
// Immutable and cheap to copy (compound values are shared). Always in normal form, as in lf/value.proto: records are
// positional, without type id and labels, and without trailing None fields. Nesting is at most kMaxValueNesting: every
// decoder and the interpreter refuse more (VALUE_NESTING), so recursion over a Value is bounded. Safe to share between
// threads.
#pragma once

#include <boost/container/flat_set.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "lf/contract_id.h"

namespace synod::lf {

inline constexpr int kMaxValueNesting = 100;

using Party = std::string;
// 1 to 255 letters, digits and `:-_ `: what may be a party id. Canton's Ref.Party.
bool is_party_id(std::string_view text);
using PartySet = boost::container::flat_set<Party>;  // sorted by bytes, which is Canton's order as well

class Value;

struct Unit {
  bool operator==(const Unit&) const = default;
};
// Days since 1970-01-01, from 0001-01-01 to 9999-12-31.
struct Date {
  std::int32_t days = 0;
  auto operator<=>(const Date&) const = default;
};
// unscaled / 10^scale; at most 38 digits, scale 0 to 37.
struct Numeric {
  __int128 unscaled = 0;
  int scale = 0;
  bool operator==(const Numeric&) const = default;
};
struct PartyValue {
  Party party;
  bool operator==(const PartyValue&) const = default;
};
struct Record {
  std::vector<Value> fields;
  bool dropped_none = false;
};
struct Variant;
struct Enum {
  std::string constructor;
  bool operator==(const Enum&) const = default;
};
struct List {
  std::vector<Value> elements;
};
struct Optional;
// Strictly ascending keys (by UTF-8 bytes, which is code point order).
struct TextMap {
  std::vector<std::pair<std::string, Value>> entries;
};
// Strictly ascending keys in Daml's order of values.
struct GenMap {
  std::vector<std::pair<Value, Value>> entries;
};

enum class ValueKind : std::uint8_t {
  unit,
  boolean,
  int64,
  date,
  timestamp,
  numeric,
  party,
  text,
  contract_id,
  optional,
  list,
  text_map,
  gen_map,
  record,
  variant,
  enumeration,
};

class Value {
 public:
  using Sum =
      std::variant<Unit, bool, std::int64_t, Date, Timestamp, Numeric, PartyValue, std::string, ContractId,
                   std::shared_ptr<const Optional>, std::shared_ptr<const List>, std::shared_ptr<const TextMap>,
                   std::shared_ptr<const GenMap>, std::shared_ptr<const Record>, std::shared_ptr<const Variant>, Enum>;

  // What needs the whole variant is written out in value.cc: it would be instantiated in each file that includes this.
  Value() = default;  // unit
  explicit Value(Sum sum);

  static Value unit() { return Value(); }
  static Value boolean(bool b);
  static Value int64(std::int64_t n);
  static Value date(Date d);
  static Value timestamp(Timestamp t);
  static Value numeric(Numeric n);
  static Value party(Party p);
  static Value text(std::string t);
  static Value contract_id(ContractId id);
  static Value none();
  static Value some(Value v);
  static Value list(std::vector<Value> elements);
  static Value text_map(std::vector<std::pair<std::string, Value>> entries);  // already strictly ascending
  static Value gen_map(std::vector<std::pair<Value, Value>> entries);         // already strictly ascending
  // Drops trailing None fields. `dropped_none`: they were in bytes that somebody else wrote, where they do not belong.
  static Value record(std::vector<Value> fields, bool dropped_none = false);
  static Value variant(std::string constructor, Value v);
  static Value enumeration(std::string constructor);

  ValueKind kind() const { return static_cast<ValueKind>(sum_.index()); }
  const Sum& sum() const { return sum_; }

  // Readers; the kind must match (checked, a mismatch is a bug of the caller).
  bool as_boolean() const;
  std::int64_t as_int64() const;
  Date as_date() const;
  Timestamp as_timestamp() const;
  const Numeric& as_numeric() const;
  const Party& as_party() const;
  const std::string& as_text() const;
  const ContractId& as_contract_id() const;
  const Value* as_optional() const;  // null = None
  const std::vector<Value>& as_list() const;
  const std::vector<std::pair<std::string, Value>>& as_text_map() const;
  const std::vector<std::pair<Value, Value>>& as_gen_map() const;
  const std::vector<Value>& as_record() const;
  const Variant& as_variant() const;
  const std::string& as_enum() const;
  bool is_none() const;
  bool has_dropped_none() const;  // of a record; no difference between equal values

  bool operator==(const Value& other) const;

  // Daml-like text for logs and error messages.
  std::string to_string() const;
  // Calls `f` for every contract id inside, in order of occurrence.
  template <typename F>
  void for_each_contract_id(F&& f) const;
  // The same value with every contract id replaced by f(id).
  template <typename F>
  Value map_contract_ids(const F& f) const;

 private:
  Sum sum_;
};

struct Variant {
  std::string constructor;
  Value value;
};
struct Optional {
  std::unique_ptr<const Value> value;  // null = None
};

// Nesting as the limit counts it: a scalar is 1.
int nesting(const Value& value);

// "12.50" style input for a given scale: no exponent, sign optional; refuses more digits than the scale or 38 in all.
Result<Numeric> parse_numeric(std::string_view text, int scale);
// With the scale that the text has; used for values on the wire ("-1.0000000000").
Result<Numeric> parse_numeric(std::string_view text);
// All digits of the scale, e.g. {10000000000, 10} is "1.0000000000".
std::string to_string(const Numeric& numeric);

template <typename F>
void Value::for_each_contract_id(F&& f) const {
  switch (kind()) {
    case ValueKind::contract_id:
      f(as_contract_id());
      break;
    case ValueKind::optional:
      if (auto* v = as_optional()) v->for_each_contract_id(f);
      break;
    case ValueKind::list:
      for (const auto& v : as_list()) v.for_each_contract_id(f);
      break;
    case ValueKind::text_map:
      for (const auto& [k, v] : as_text_map()) v.for_each_contract_id(f);
      break;
    case ValueKind::gen_map:
      for (const auto& [k, v] : as_gen_map()) k.for_each_contract_id(f), v.for_each_contract_id(f);
      break;
    case ValueKind::record:
      for (const auto& v : as_record()) v.for_each_contract_id(f);
      break;
    case ValueKind::variant:
      as_variant().value.for_each_contract_id(f);
      break;
    default:
      break;
  }
}

template <typename F>
Value Value::map_contract_ids(const F& f) const {
  switch (kind()) {
    case ValueKind::contract_id:
      return contract_id(f(as_contract_id()));
    case ValueKind::optional: {
      auto* v = as_optional();
      return v ? some(v->map_contract_ids(f)) : *this;
    }
    case ValueKind::list: {
      std::vector<Value> out;
      out.reserve(as_list().size());
      for (const auto& v : as_list()) out.push_back(v.map_contract_ids(f));
      return list(std::move(out));
    }
    case ValueKind::text_map: {
      std::vector<std::pair<std::string, Value>> out;
      for (const auto& [k, v] : as_text_map()) out.emplace_back(k, v.map_contract_ids(f));
      return text_map(std::move(out));
    }
    case ValueKind::gen_map: {
      std::vector<std::pair<Value, Value>> out;
      for (const auto& [k, v] : as_gen_map()) out.emplace_back(k.map_contract_ids(f), v.map_contract_ids(f));
      return gen_map(std::move(out));
    }
    case ValueKind::record: {
      std::vector<Value> out;
      out.reserve(as_record().size());
      for (const auto& v : as_record()) out.push_back(v.map_contract_ids(f));
      return record(std::move(out), has_dropped_none());
    }
    case ValueKind::variant:
      return variant(as_variant().constructor, as_variant().value.map_contract_ids(f));
    default:
      return *this;
  }
}

}  // namespace synod::lf
