#include "lf/ledger/translate.h"

#include <algorithm>

#include "lf/eval/fatal.h"
#include "lf/eval/map.h"
#include "lf/eval/order.h"
#include "lf/eval/pretty.h"
#include "lf/eval/utf8.h"

namespace synod::lf {

using namespace eval;

namespace {

constexpr std::uint64_t kValueBytes = 96;  // of one Value with its place in a vector
constexpr const char* kNullCharacter = "Text contains null character";
constexpr std::uint64_t kMaxMapSteps = 1'000'000'000;  // comparisons while one map is read

// A program can make such a text, but it has no place on the ledger.
bool has_null(std::string_view text) { return text.find('\0') != std::string_view::npos; }

class Translator {
 public:
  Translator(Program& program, Arena& arena, const TranslationRules& rules)
      : program_(program), arena_(arena), rules_(rules) {}

  // `written`: the type as the writer knew it; null where it is not known.
  Result<Cell> translate(const Value& v, const RuntimeType& t, const RuntimeType* written, int depth) {
    if (depth > kMaxValueNesting) return too_deep();
    if (t.head == RuntimeType::Head::con) return data(v, t, written, depth);
    if (t.head != RuntimeType::Head::builtin) return mismatch(t, v);
    auto is = [&](ValueKind kind) { return v.kind() == kind; };
    auto wrong = [&] { return mismatch(t, v); };
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
          return mismatch(t, v,
                          "Non-normalized Numeric: the type expects scale " + std::to_string(t.args[0]->number) +
                              ", but the value has scale " + std::to_string(n.scale));
        return make_numeric(arena_, n.unscaled, n.scale);
      }
      case BuiltinType::party:
        return is(ValueKind::party) ? Result<Cell>(make_text(arena_, v.as_party(), Tag::party)) : wrong();
      case BuiltinType::text:
        if (!is(ValueKind::text)) return wrong();
        if (!is_valid_utf8(v.as_text())) return malformed("Text is not UTF-8");
        if (has_null(v.as_text())) return malformed(kNullCharacter);
        return make_text(arena_, v.as_text());
      case BuiltinType::contract_id:
        if (!is(ValueKind::contract_id)) return wrong();
        if (!rules_.local_ids && v.as_contract_id().is_local()) return local_id(v.as_contract_id());
        if (!rules_.relative_ids && v.as_contract_id().is_relative())
          return refuse(illegal(v.as_contract_id()) + "relative Contract IDs are forbidden");
        return make_text(arena_, v.as_contract_id().bytes(), Tag::contract_id);
      case BuiltinType::optional: {
        if (!is(ValueKind::optional) || t.args.size() != 1) return wrong();
        if (!v.as_optional()) return make_none();
        SYNOD_TRY(Cell inner, translate(*v.as_optional(), *t.args[0], argument(written, t, 0), depth + 1));
        return make_some(arena_, inner);
      }
      case BuiltinType::list: {
        if (!is(ValueKind::list) || t.args.size() != 1) return wrong();
        std::vector<Cell> items;
        items.reserve(v.as_list().size());
        for (const auto& v_item : v.as_list()) {
          SYNOD_TRY(Cell item, translate(v_item, *t.args[0], argument(written, t, 0), depth + 1));
          items.push_back(item);
        }
        Cell list = make_nil();
        for (std::size_t i = items.size(); i-- > 0;) list = make_cons(arena_, items[i], list);
        return list;
      }
      case BuiltinType::text_map: {
        if (!is(ValueKind::text_map) || t.args.size() != 1) return wrong();
        std::vector<std::pair<Cell, Cell>> entries;
        for (const auto& [key, item] : v.as_text_map()) {
          if (has_null(key)) return malformed(kNullCharacter);
          SYNOD_TRY(Cell c, translate(item, *t.args[0], argument(written, t, 0), depth + 1));
          entries.emplace_back(make_text(arena_, key), c);
        }
        return map(Tag::text_map, std::move(entries), v);
      }
      case BuiltinType::gen_map: {
        if (!is(ValueKind::gen_map) || t.args.size() != 2) return wrong();
        std::vector<std::pair<Cell, Cell>> entries;
        for (const auto& [key, item] : v.as_gen_map()) {
          SYNOD_TRY(Cell k, translate(key, *t.args[0], argument(written, t, 0), depth + 1));
          SYNOD_TRY(Cell c, translate(item, *t.args[1], argument(written, t, 1), depth + 1));
          entries.emplace_back(k, c);
        }
        return map(Tag::gen_map, std::move(entries), v);
      }
      default:
        return unserializable(t, v);
    }
  }

 private:
  // ---- what is said ----
  static tl::unexpected<Error> refuse(std::string text) {
    return fail(Error("TYPE_MISMATCH", ErrorCategory::invalid_argument, std::move(text)));
  }
  tl::unexpected<Error> mismatch(const RuntimeType& type, const Value& value, std::string what = {}) const {
    if (what.empty()) what = "mismatching type: " + pretty(type) + " and value: " + pretty(value);
    if (rules_.of_contract)
      what =
          "Type-checking fails  " + what + "\n  Expected type: " + pretty(type) + "\n  Actual value: " + pretty(value);
    return refuse(std::move(what));
  }
  tl::unexpected<Error> unserializable(const RuntimeType& type, const Value& value) const {
    return mismatch(type, value, "unserializableType type " + pretty(type));
  }
  tl::unexpected<Error> too_deep() const {
    return refuse(std::string(rules_.of_contract ? "Value" : "Provided value") + " exceeds maximum nesting level of " +
                  std::to_string(kMaxValueNesting));
  }
  tl::unexpected<Error> malformed(const std::string& text) const {
    return refuse((rules_.of_contract ? "Value contains malformed text: " : "") + text);
  }
  static std::string illegal(const ContractId& id) { return "Illegal Contract ID \"" + id.to_hex() + "\", "; }
  tl::unexpected<Error> local_id(const ContractId& id) const {
    if (rules_.of_contract) return refuse("Encountered non-suffixed Contract ID " + id.to_hex());
    return refuse(illegal(id) + "non-suffixed V" + (id.is_v1() ? "1" : "2") + " Contract IDs are forbidden");
  }
  static tl::unexpected<Error> invalid(const Value& value, const std::string& why) {
    return refuse("Invalid value " + pretty(value) + " " + why);
  }

  // ---- the writer's type, in parallel ----
  static const RuntimeType* argument(const RuntimeType* written, const RuntimeType& t, std::size_t n) {
    return written && written->is(t.builtin) && n < written->args.size() ? written->args[n] : nullptr;
  }
  const RuntimeType* member(const RuntimeType* written, std::size_t n) {
    if (!written || written->head != RuntimeType::Head::con) return nullptr;
    const auto* members = program_.members(*written);
    return members && n < members->size() ? (*members)[n] : nullptr;
  }
  static std::string label(const RuntimeType* written, std::size_t n) {
    if (!written || written->head != RuntimeType::Head::con || n >= written->con->names.size()) return {};
    return written->con->names[n];
  }

  Result<Cell> map(Tag tag, std::vector<std::pair<Cell, Cell>> entries, const Value& v) {
    Meter steps(kMaxMapSteps);
    bool ascending = true;
    for (std::size_t i = 1; i < entries.size(); ++i)
      ascending = ascending && eval::compare(entries[i - 1].first, entries[i].first, steps) < 0;
    if (ascending) return make_map(tag, map_build(arena_, entries.data(), entries.size()));
    if (rules_.of_contract) return invalid(v, "Unexpected non-strictly ordered GenMap value");
    const MapNode* root = nullptr;  // of entries with one key the last one stays
    for (const auto& [k, c] : entries) root = map_insert(arena_, root, k, c, steps);
    return make_map(tag, root);
  }

  Result<Cell> data(const Value& v, const RuntimeType& t, const RuntimeType* written, int depth) {
    const auto* members = program_.members(t);
    if (!members) return mismatch(t, v, "type cannot be resolved: " + pretty(t));
    const TypeDescriptor& type = *t.con;
    switch (type.definition->kind) {
      case DataKind::record:
        if (v.kind() != ValueKind::record) return mismatch(t, v);
        return rules_.of_contract ? record_of_contract(v, t, *members, depth)
                                  : record_of_command(v, t, *members, written, depth);
      case DataKind::variant: {
        if (v.kind() != ValueKind::variant) return mismatch(t, v);
        const std::string& constructor = v.as_variant().constructor;
        int rank = type.index_of(constructor);
        if (rank < 0) return refuse("unknown constructor " + constructor + " in variant " + type.id.to_string());
        const RuntimeType* inner = nullptr;
        if (written && written->head == RuntimeType::Head::con)
          inner = member(written, static_cast<std::size_t>(written->con->index_of(constructor)));
        SYNOD_TRY(Cell argument,
                  translate(v.as_variant().value, *(*members)[static_cast<std::size_t>(rank)], inner, depth + 1));
        return make_variant(arena_, &type, static_cast<std::uint32_t>(rank), argument);
      }
      case DataKind::enumeration: {
        if (v.kind() != ValueKind::enumeration) return mismatch(t, v);
        int rank = type.index_of(v.as_enum());
        if (rank < 0) return refuse("unknown constructor " + v.as_enum() + " in enumeration " + type.id.to_string());
        return make_enum(&type, static_cast<std::uint32_t>(rank));
      }
      case DataKind::interface:
        break;
    }
    return unserializable(t, v);
  }

  // What is missing comes first, what is too much last.
  Result<Cell> record_of_command(const Value& v, const RuntimeType& t, const std::vector<const RuntimeType*>& members,
                                 const RuntimeType* written, int depth) {
    const auto& given = v.as_record();
    for (std::size_t i = given.size(); i < members.size(); ++i)
      if (!members[i]->is(BuiltinType::optional))
        return mismatch(t, v,
                        "Missing non-optional field \"" + t.con->names[i] + "\", cannot upgrade non-optional fields.");
    RecordObject* record = new_record(arena_, t.con, members.size());
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (i < given.size()) {
        SYNOD_TRY(record->fields()[i], translate(given[i], *members[i], member(written, i), depth + 1));
      } else {
        record->fields()[i] = make_none();
      }
    }
    for (std::size_t i = members.size(); i < given.size(); ++i) {
      if (given[i].is_none()) continue;
      const std::string name = label(written, i);
      if (given[i].kind() == ValueKind::optional)
        return mismatch(t, v,
                        "An optional contract field" + (name.empty() ? "" : " (\"" + name + "\")") +
                            " with a value of Some may not be dropped during downgrading.");
      return mismatch(t, v,
                      "Found non-optional extra field" + (name.empty() ? "" : " \"" + name + "\"") +
                          ", cannot remove for downgrading.");
    }
    return cell_of(record);
  }

  // Field by field, then what is missing.
  Result<Cell> record_of_contract(const Value& v, const RuntimeType& t, const std::vector<const RuntimeType*>& members,
                                  int depth) {
    if (v.has_dropped_none()) return invalid(v, "Unexpected trailing None in record.");
    const auto& given = v.as_record();
    RecordObject* record = new_record(arena_, t.con, members.size());
    for (std::size_t i = 0; i < given.size(); ++i) {
      if (i < members.size()) {
        SYNOD_TRY(record->fields()[i], translate(given[i], *members[i], nullptr, depth + 1));
      } else if (given[i].kind() != ValueKind::optional) {
        return mismatch(
            t, v, "Found non-optional extra field at index " + std::to_string(i) + ", cannot remove for downgrading.");
      } else if (!given[i].is_none()) {
        return mismatch(t, v,
                        "Found an optional contract field with a value of Some at index " + std::to_string(i) +
                            ", may not be dropped during downgrading.");
      }
    }
    for (std::size_t i = given.size(); i < members.size(); ++i) {
      if (!members[i]->is(BuiltinType::optional))
        return mismatch(t, v, "Unexpected non-optional extra template field type encountered during upgrading.");
      record->fields()[i] = make_none();
    }
    return cell_of(record);
  }

  Program& program_;
  Arena& arena_;
  const TranslationRules& rules_;
};

[[noreturn]] void not_a_ledger_value() { fatal_bug("a value that cannot be stored on the ledger"); }

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
      not_a_ledger_value();
  }
}

void check_at(const Cell& c, int depth, Meter& steps) {
  ++steps;
  if (depth > kMaxValueNesting) value_nesting();
  switch (c.tag) {
    case Tag::text:
      steps += c.text->size / kTextBytesPerStep;
      if (has_null(text_of(c))) malformed_text(kNullCharacter);
      return;
    case Tag::some:
      return check_at(c.box->value, depth + 1, steps);
    case Tag::cons:
      for (Cell rest = c; rest.tag == Tag::cons; rest = rest.cons->tail) check_at(rest.cons->head, depth + 1, steps);
      return;
    case Tag::record:
      for (std::uint32_t i = 0; i < c.record->count; ++i) check_at(c.record->fields()[i], depth + 1, steps);
      return;
    case Tag::variant:
      return check_at(c.variant->argument, depth + 1, steps);
    case Tag::text_map:
    case Tag::gen_map:
      for_each_entry(c.map, [&](const MapNode& n) {
        check_at(n.key, depth + 1, steps);
        check_at(n.value, depth + 1, steps);
      });
      return;
    case Tag::structure:
    case Tag::any:
    case Tag::type_rep:
    case Tag::closure:
    case Tag::partial:
    case Tag::builtin:
    case Tag::action:
      not_a_ledger_value();
    default:
      return;
  }
}

}  // namespace

Result<Cell> to_cell(Program& program, Arena& arena, const Value& value, const RuntimeType& type,
                     const TranslationRules& rules) {
  return Translator(program, arena, rules).translate(value, type, rules.written_as, 0);
}

Value to_value(const Cell& cell, Arena& budget) { return value_at(cell, 0, budget); }

void check_value(const Cell& cell, Meter& steps) { check_at(cell, 0, steps); }

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
