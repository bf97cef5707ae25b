#include "lf/eval/builtins.h"

#include "lf/eval/fatal.h"
#include "lf/eval/map.h"
#include "lf/eval/order.h"

namespace synod::lf::eval {

void wrong_argument(Tag expected, Tag actual) {
  fatal_bug("a builtin got a value of kind " + std::to_string(static_cast<int>(actual)) + " instead of kind " +
            std::to_string(static_cast<int>(expected)));
}

Outcome apply_builtin(BuiltinContext& context, BuiltinFunction function, const Cell* arguments, Cell& out) {
  using F = BuiltinFunction;
  for (int i = 0; i < value_arity(function); ++i)
    if (arguments[i].tag == Tag::text) context.steps += arguments[i].text->size / kTextBytesPerStep;
  switch (function) {
    case F::equal:
      out = make_bool(equal(arguments[0], arguments[1], context.steps));
      return Outcome::value;
    case F::less:
      out = make_bool(compare(arguments[0], arguments[1], context.steps) < 0);
      return Outcome::value;
    case F::less_eq:
      out = make_bool(compare(arguments[0], arguments[1], context.steps) <= 0);
      return Outcome::value;
    case F::greater:
      out = make_bool(compare(arguments[0], arguments[1], context.steps) > 0);
      return Outcome::value;
    case F::greater_eq:
      out = make_bool(compare(arguments[0], arguments[1], context.steps) >= 0);
      return Outcome::value;
    case F::trace:
      need(arguments[0], Tag::text);
      if (context.trace && *context.trace) (*context.trace)(text_of(arguments[0]));
      out = arguments[1];
      return Outcome::value;
    case F::coerce_contract_id:
      out = arguments[0];
      return Outcome::value;
    case F::contract_id_to_text:
      need(arguments[0], Tag::contract_id);
      out = context.on_ledger ? make_none()
                              : make_some(context.arena, make_text(context.arena, to_hex(text_of(arguments[0]))));
      return Outcome::value;
    case F::error:
      need(arguments[0], Tag::text);
      user_error(std::string(text_of(arguments[0])));
    case F::fail_with_status: {
      need(arguments[0], Tag::text);
      need(arguments[1], Tag::int64);
      need(arguments[2], Tag::text);
      need(arguments[3], Tag::text_map);
      std::vector<std::pair<std::string, std::string>> metadata;
      for_each_entry(arguments[3].map, [&](const MapNode& n) {
        need(n.value, Tag::text);
        metadata.emplace_back(std::string(text_of(n.key)), std::string(text_of(n.value)));
      });
      failure_status(std::string(text_of(arguments[0])), arguments[1].integer, std::string(text_of(arguments[2])),
                     metadata);
    }
    default:
      break;
  }
  Outcome outcome = Outcome::value;
  if (arithmetic_builtin(context, function, arguments, out, outcome)) return outcome;
  if (text_builtin(context, function, arguments, out)) return Outcome::value;
  if (crypto_builtin(context, function, arguments, out)) return Outcome::value;
  if (map_builtin(context, function, arguments, out)) return Outcome::value;
  fatal("DAML_INTERPRETATION_ERROR", ErrorCategory::unsupported,
        "builtin " + std::string(name_of(function)) + " is not supported by this interpreter");
}

bool map_builtin(BuiltinContext& context, BuiltinFunction function, const Cell* a, Cell& out) {
  using F = BuiltinFunction;
  auto need_map = [](const Cell& c) {
    if (c.tag != Tag::text_map && c.tag != Tag::gen_map) wrong_argument(Tag::gen_map, c.tag);
  };
  auto list_of = [&](const Cell& map, auto&& pick) {
    std::vector<Cell> items;
    items.reserve(map_size(map.map));
    for_each_entry(map.map, [&](const MapNode& n) { items.push_back(pick(n)); });
    context.steps += items.size();
    Cell list = make_nil();
    for (std::size_t i = items.size(); i-- > 0;) list = make_cons(context.arena, items[i], list);
    return list;
  };
  switch (function) {
    case F::textmap_insert:
      need(a[0], Tag::text);
      [[fallthrough]];
    case F::genmap_insert:
      need_map(a[2]);
      out = make_map(a[2].tag, map_insert(context.arena, a[2].map, a[0], a[1], context.steps));
      return true;
    case F::textmap_lookup:
      need(a[0], Tag::text);
      [[fallthrough]];
    case F::genmap_lookup: {
      need_map(a[1]);
      compare(a[0], a[0], context.steps);
      const MapNode* n = map_find(a[1].map, a[0], context.steps);
      out = n ? make_some(context.arena, n->value) : make_none();
      return true;
    }
    case F::textmap_delete:
      need(a[0], Tag::text);
      [[fallthrough]];
    case F::genmap_delete:
      need_map(a[1]);
      compare(a[0], a[0], context.steps);
      out = map_find(a[1].map, a[0], context.steps)
                ? make_map(a[1].tag, map_erase(context.arena, a[1].map, a[0], context.steps))
                : a[1];
      return true;
    case F::textmap_size:
    case F::genmap_size:
      need_map(a[0]);
      out = make_int64(static_cast<std::int64_t>(map_size(a[0].map)));
      return true;
    case F::genmap_keys:
      need_map(a[0]);
      out = list_of(a[0], [](const MapNode& n) { return n.key; });
      return true;
    case F::genmap_values:
      need_map(a[0]);
      out = list_of(a[0], [](const MapNode& n) { return n.value; });
      return true;
    case F::textmap_to_list: {  // structs with the fields key and value
      need_map(a[0]);
      std::uint32_t key = context.program.symbol("key"), value = context.program.symbol("value");
      const StructDescriptor* layout = context.program.layout({key, value});
      out = list_of(a[0], [&](const MapNode& n) {
        auto* entry = context.arena.make<StructObject>(2 * sizeof(Cell));
        entry->layout = layout;
        entry->fields()[layout->index_of(key)] = n.key;
        entry->fields()[layout->index_of(value)] = n.value;
        Cell c = make_tag(Tag::structure);
        c.structure = entry;
        return c;
      });
      return true;
    }
    default:
      return false;
  }
}

}  // namespace synod::lf::eval
