#include "lf/ledger/translate.h"

#include <algorithm>

#include "lf/eval/fatal.h"
#include "lf/eval/map.h"
#include "lf/eval/order.h"
#include "lf/eval/utf8.h"

namespace synod::lf {

using namespace eval;

namespace {

constexpr std::uint64_t kValueBytes = 96;  // of one Value with its place in a vector
constexpr const char* kNullCharacter = "Text contains null character";
constexpr std::uint64_t kMaxMapSteps = 1'000'000'000;  // comparisons while one map is read

Error mismatch(const RuntimeType& type, const Value& value, const std::string& what) {
  std::string text = value.to_string();
  if (text.size() > 200) text = text.substr(0, 200) + "...";
  return Error("TYPE_MISMATCH", ErrorCategory::invalid_argument,
               what + "; expected type: " + type.key + ", actual value: " + text);
}

// A program can make such a text, but it has no place on the ledger.
bool has_null(std::string_view text) { return text.find('\0') != std::string_view::npos; }

class Translator {
 public:
  Translator(Program& program, Arena& arena, bool allow_local_ids)
      : program_(program), arena_(arena), allow_local_ids_(allow_local_ids) {}

  Result<Cell> translate(const Value& v, const RuntimeType& t, int depth) {
    if (depth > kMaxValueNesting)
      return fail(mismatch(t, Value(), "Provided value exceeds maximum nesting level of 100"));
    if (t.head == RuntimeType::Head::con) return data(v, t, depth);
    if (t.head != RuntimeType::Head::builtin) return fail(mismatch(t, v, "unexpected type"));
    auto is = [&](ValueKind kind) { return v.kind() == kind; };
    auto wrong = [&] { return fail(mismatch(t, v, "mismatching type")); };
    switch (t.builtin) {
      case BuiltinType::unit:
        return is(ValueKind::unit) ? Result<Cell>(make_unit()) : wrong();
      case BuiltinType::boolean:
        return is(ValueKind::boolean) ? Result<Cell>(make_bool(v.as_boolean())) : wrong();
      case BuiltinType::int64:
        return is(ValueKind::int64) ? Result<Cell>(make_int64(v.as_int64())) : wrong();
      case BuiltinType::date:
        return is(ValueKind::date) ? Result<Cell>(make_integer(Tag::date, v.as_date().days)) : wrong();
      case BuiltinType::timestamp:
        return is(ValueKind::timestamp) ? Result<Cell>(make_integer(Tag::timestamp, v.as_timestamp().micros)) : wrong();
      case BuiltinType::numeric: {
        if (!is(ValueKind::numeric) || t.args.size() != 1) return wrong();
        const Numeric& n = v.as_numeric();
        if (n.scale != static_cast<int>(t.args[0]->number))
          return fail(mismatch(t, v, "Non-normalized Numeric: wrong scale"));
        return make_numeric(arena_, n.unscaled, n.scale);
      }
      case BuiltinType::party:
        return is(ValueKind::party) ? Result<Cell>(make_text(arena_, v.as_party(), Tag::party)) : wrong();
      case BuiltinType::text:
        if (!is(ValueKind::text)) return wrong();
        if (!is_valid_utf8(v.as_text())) return fail(mismatch(t, Value(), "text is not UTF-8"));
        if (has_null(v.as_text())) return fail(mismatch(t, Value(), kNullCharacter));
        return make_text(arena_, v.as_text());
      case BuiltinType::contract_id:
        if (!is(ValueKind::contract_id)) return wrong();
        if (!allow_local_ids_ && v.as_contract_id().is_local())
          return fail(mismatch(t, v,
                               "Illegal Contract ID \"" + v.as_contract_id().to_hex() +
                                   "\", non-suffixed V1 Contract IDs are forbidden"));
        return make_text(arena_, v.as_contract_id().bytes(), Tag::contract_id);
      case BuiltinType::optional: {
        if (!is(ValueKind::optional) || t.args.size() != 1) return wrong();
        if (!v.as_optional()) return make_none();
        SYNOD_TRY(Cell inner, translate(*v.as_optional(), *t.args[0], depth + 1));
        return make_some(arena_, inner);
      }
      case BuiltinType::list: {
        if (!is(ValueKind::list) || t.args.size() != 1) return wrong();
        Cell list = make_nil();
        const auto& items = v.as_list();
        for (std::size_t i = items.size(); i-- > 0;) {
          SYNOD_TRY(Cell item, translate(items[i], *t.args[0], depth + 1));
          list = make_cons(arena_, item, list);
        }
        return list;
      }
      case BuiltinType::text_map: {
        if (!is(ValueKind::text_map) || t.args.size() != 1) return wrong();
        std::vector<std::pair<Cell, Cell>> entries;
        for (const auto& [key, item] : v.as_text_map()) {
          if (has_null(key)) return fail(mismatch(t, Value(), kNullCharacter));
          SYNOD_TRY(Cell c, translate(item, *t.args[0], depth + 1));
          entries.emplace_back(make_text(arena_, key), c);
        }
        return map(Tag::text_map, std::move(entries), t, v);
      }
      case BuiltinType::gen_map: {
        if (!is(ValueKind::gen_map) || t.args.size() != 2) return wrong();
        std::vector<std::pair<Cell, Cell>> entries;
        for (const auto& [key, item] : v.as_gen_map()) {
          SYNOD_TRY(Cell k, translate(key, *t.args[0], depth + 1));
          SYNOD_TRY(Cell c, translate(item, *t.args[1], depth + 1));
          entries.emplace_back(k, c);
        }
        return map(Tag::gen_map, std::move(entries), t, v);
      }
      default:
        return fail(mismatch(t, v, "type is not serializable"));
    }
  }

 private:
  Result<Cell> map(Tag tag, std::vector<std::pair<Cell, Cell>> entries, const RuntimeType& t, const Value& v) {
    Meter steps(kMaxMapSteps);
    bool ascending = true;
    for (std::size_t i = 1; i < entries.size(); ++i)
      ascending = ascending && eval::compare(entries[i - 1].first, entries[i].first, steps) < 0;
    if (ascending) return make_map(tag, map_build(arena_, entries.data(), entries.size()));
    const MapNode* root = nullptr;
    for (const auto& [k, c] : entries) {
      if (map_find(root, k, steps)) return fail(mismatch(t, v, "duplicate key in map"));
      root = map_insert(arena_, root, k, c, steps);
    }
    return make_map(tag, root);
  }

  Result<Cell> data(const Value& v, const RuntimeType& t, int depth) {
    const auto* members = program_.members(t);
    if (!members) return fail(mismatch(t, v, "type cannot be resolved"));
    const TypeDescriptor& type = *t.con;
    switch (type.definition->kind) {
      case DataKind::record: {
        if (v.kind() != ValueKind::record) return fail(mismatch(t, v, "mismatching type"));
        const auto& given = v.as_record();
        for (std::size_t i = members->size(); i < given.size(); ++i)
          if (!given[i].is_none())
            return fail(mismatch(
                t, v,
                "Found non-optional extra field at index " + std::to_string(i) + ", cannot remove for downgrading"));
        RecordObject* record = new_record(arena_, &type, members->size());
        for (std::size_t i = 0; i < members->size(); ++i) {
          if (i < given.size()) {
            SYNOD_TRY(record->fields()[i], translate(given[i], *(*members)[i], depth + 1));
          } else if ((*members)[i]->is(BuiltinType::optional)) {
            record->fields()[i] = make_none();
          } else {
            return fail(mismatch(
                t, v, "Missing non-optional field \"" + type.names[i] + "\", cannot upgrade non-optional fields"));
          }
        }
        return cell_of(record);
      }
      case DataKind::variant: {
        if (v.kind() != ValueKind::variant) return fail(mismatch(t, v, "mismatching type"));
        int rank = type.index_of(v.as_variant().constructor);
        if (rank < 0)
          return fail(mismatch(t, v, "Couldn't find provided variant constructor " + v.as_variant().constructor));
        SYNOD_TRY(Cell argument,
                  translate(v.as_variant().value, *(*members)[static_cast<std::size_t>(rank)], depth + 1));
        return make_variant(arena_, &type, static_cast<std::uint32_t>(rank), argument);
      }
      case DataKind::enumeration: {
        if (v.kind() != ValueKind::enumeration) return fail(mismatch(t, v, "mismatching type"));
        int rank = type.index_of(v.as_enum());
        if (rank < 0) return fail(mismatch(t, v, "Couldn't find provided enum constructor " + v.as_enum()));
        return make_enum(&type, static_cast<std::uint32_t>(rank));
      }
      case DataKind::interface:
        break;
    }
    return fail(mismatch(t, v, "type is not serializable"));
  }

  Program& program_;
  Arena& arena_;
  bool allow_local_ids_;
};

Value value_at(const Cell& c, int depth, Arena& budget) {
  budget.charge(kValueBytes);
  if (depth > kMaxValueNesting) value_nesting();
  switch (c.tag) {
    case Tag::unit:
      return Value::unit();
    case Tag::boolean:
      return Value::boolean(c.integer != 0);
    case Tag::int64:
      return Value::int64(c.integer);
    case Tag::date:
      return Value::date(Date{static_cast<std::int32_t>(c.integer)});
    case Tag::timestamp:
      return Value::timestamp(Timestamp{c.integer});
    case Tag::numeric:
      return Value::numeric(Numeric{c.numeric->unscaled, c.scale});
    case Tag::text:
      budget.charge(c.text->size);
      if (has_null(text_of(c))) malformed_text(kNullCharacter);
      return Value::text(std::string(text_of(c)));
    case Tag::party:
      return Value::party(std::string(text_of(c)));
    case Tag::contract_id: {
      auto id = ContractId::from_bytes(text_of(c));
      if (!id) fatal_bug("malformed contract id");
      return Value::contract_id(std::move(*id));
    }
    case Tag::none:
      return Value::none();
    case Tag::some:
      return Value::some(value_at(c.box->value, depth + 1, budget));
    case Tag::nil:
    case Tag::cons: {
      std::vector<Value> items;
      Cell rest = c;
      for (; rest.tag == Tag::cons; rest = rest.cons->tail)
        items.push_back(value_at(rest.cons->head, depth + 1, budget));
      return Value::list(std::move(items));
    }
    case Tag::record: {
      std::vector<Value> fields;
      fields.reserve(c.record->count);
      for (std::uint32_t i = 0; i < c.record->count; ++i)
        fields.push_back(value_at(c.record->fields()[i], depth + 1, budget));
      return Value::record(std::move(fields));
    }
    case Tag::variant:
      return Value::variant(c.variant->type->names.at(c.aux), value_at(c.variant->argument, depth + 1, budget));
    case Tag::enumeration:
      return Value::enumeration(c.type->names.at(c.aux));
    case Tag::text_map: {
      std::vector<std::pair<std::string, Value>> entries;
      for_each_entry(c.map, [&](const MapNode& n) {
        if (has_null(text_of(n.key))) malformed_text(kNullCharacter);
        entries.emplace_back(std::string(text_of(n.key)), value_at(n.value, depth + 1, budget));
      });
      return Value::text_map(std::move(entries));
    }
    case Tag::gen_map: {
      std::vector<std::pair<Value, Value>> entries;
      for_each_entry(c.map, [&](const MapNode& n) {
        entries.emplace_back(value_at(n.key, depth + 1, budget), value_at(n.value, depth + 1, budget));
      });
      return Value::gen_map(std::move(entries));
    }
    default:
      fatal_bug("a value that cannot be stored on the ledger");
  }
}

}  // namespace

Result<Cell> to_cell(Program& program, Arena& arena, const Value& value, const RuntimeType& type,
                     bool allow_local_ids) {
  return Translator(program, arena, allow_local_ids).translate(value, type, 0);
}

Value to_value(const Cell& cell, Arena& budget) { return value_at(cell, 0, budget); }

PartySet to_parties(const Cell& cell) {
  PartySet out;
  if (cell.tag == Tag::party) {
    out.emplace(text_of(cell));
    return out;
  }
  std::vector<std::string_view> found;
  const Cell* rest = &cell;
  for (; rest->tag == Tag::cons; rest = &rest->cons->tail) {
    if (rest->cons->head.tag != Tag::party) fatal_bug("a list of parties holds something else");
    found.push_back(text_of(rest->cons->head));
  }
  if (rest->tag != Tag::nil) fatal_bug("not a list of parties");
  std::sort(found.begin(), found.end());  // one by one, a long list in the wrong order would take quadratic time
  found.erase(std::unique(found.begin(), found.end()), found.end());
  out.reserve(found.size());
  for (std::string_view party : found) out.emplace_hint(out.end(), party);
  return out;
}

}  // namespace synod::lf
