// The machine's values: 16-byte tagged cells that point into an arena. Immutable once they are visible to a program.
// Everything is shared freely; nothing is freed before the arena is.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "lf/eval/arena.h"
#include "lf/identifier.h"
#include "lf/package.h"

namespace synod::lf::eval {

struct Proto;
struct RuntimeType;
struct UpdateRef;

enum class Tag : std::uint8_t {
  unit,
  boolean,
  int64,
  date,
  timestamp,
  numeric,
  text,
  party,
  contract_id,
  nil,
  cons,
  none,
  some,
  record,
  variant,
  enumeration,
  text_map,
  gen_map,
  structure,
  any,
  type_rep,
  closure,
  partial,
  builtin,
  action,
  token,
};

// A data type at run time. One per definition and process; equality of values ignores it.
struct TypeDescriptor {
  Identifier id;
  const Package* package = nullptr;
  const DataType* definition = nullptr;
  std::vector<std::string> names;  // labels of a record, constructors of a variant or enumeration, in order
  int index_of(std::string_view name) const {
    for (std::size_t i = 0; i < names.size(); ++i)
      if (names[i] == name) return static_cast<int>(i);
    return -1;
  }
};

// Layout of a structural record: names (numbered by the Program) in the order of their text.
struct StructDescriptor {
  std::vector<std::uint32_t> names;
  int index_of(std::uint32_t name) const {
    for (std::size_t i = 0; i < names.size(); ++i)
      if (names[i] == name) return static_cast<int>(i);
    return -1;
  }
};

struct TextObject;
struct NumericObject;
struct ConsObject;
struct BoxObject;
struct RecordObject;
struct VariantObject;
struct StructObject;
struct MapNode;
struct ClosureObject;
struct PartialObject;
struct ActionObject;

struct Cell {
  Tag tag = Tag::unit;
  std::uint8_t scale = 0;  // numeric
  std::uint16_t unused = 0;
  // Rank of the constructor (False, Nil, None and unit are 0; True, Cons and Some 1), so that a case needs no look at
  // the tag; builtin: function.
  std::uint32_t aux = 0;
  union {
    std::int64_t integer = 0;  // int64, date (days), timestamp (µs), boolean (0, 1)
    const TextObject* text;    // text, party, contract_id
    const NumericObject* numeric;
    const ConsObject* cons;
    const BoxObject* box;  // some, any
    const RecordObject* record;
    const VariantObject* variant;
    const TypeDescriptor* type;  // enumeration
    const StructObject* structure;
    const MapNode* map;  // null: empty
    const RuntimeType* runtime_type;
    const ClosureObject* closure;
    const PartialObject* partial;
    const ActionObject* action;
  };
};
static_assert(sizeof(Cell) == 16);

struct TextObject {
  std::uint32_t size;
  char data[1];
};
struct NumericObject {
  __int128 unscaled;
};
struct ConsObject {
  Cell head, tail;
};
struct BoxObject {
  Cell value;
  const RuntimeType* type = nullptr;  // any
};
struct RecordObject {
  const TypeDescriptor* type;
  std::uint32_t count;
  const Cell* fields() const { return reinterpret_cast<const Cell*>(this + 1); }
  Cell* fields() { return reinterpret_cast<Cell*>(this + 1); }
};
struct VariantObject {
  const TypeDescriptor* type;
  Cell argument;
};
struct StructObject {
  const StructDescriptor* layout;
  std::uint64_t padding = 0;
  const Cell* fields() const { return reinterpret_cast<const Cell*>(this + 1); }
  Cell* fields() { return reinterpret_cast<Cell*>(this + 1); }
};
// Weight-balanced tree; a path is copied on change.
struct MapNode {
  Cell key, value;
  const MapNode* left;
  const MapNode* right;
  std::uint64_t size;
};
struct ClosureObject {
  const Proto* proto;
  std::uint64_t count;
  const Cell* captures() const { return reinterpret_cast<const Cell*>(this + 1); }
  Cell* captures() { return reinterpret_cast<Cell*>(this + 1); }
};
// Function (closure or builtin) with too few arguments so far.
struct PartialObject {
  Cell function;
  std::uint64_t count;
  std::uint64_t padding = 0;
  const Cell* arguments() const { return reinterpret_cast<const Cell*>(this + 1); }
  Cell* arguments() { return reinterpret_cast<Cell*>(this + 1); }
};
// An update that is not a closure: what to do, and with which evaluated arguments.
enum class UpdateOp : std::uint8_t {
  pure,
  create,
  create_interface,
  exercise,
  exercise_interface,
  exercise_by_key,
  fetch,
  fetch_interface,
  fetch_by_key,
  query_n_by_key,
  get_time,
  ledger_time_lt,
};
struct ActionObject {
  UpdateOp op;
  std::uint32_t count;
  const UpdateRef* ref;
  const Cell* arguments() const { return reinterpret_cast<const Cell*>(this + 1); }
  Cell* arguments() { return reinterpret_cast<Cell*>(this + 1); }
};

inline std::string_view view(const TextObject* t) { return {t->data, t->size}; }
inline std::string_view text_of(const Cell& c) { return view(c.text); }

inline Cell make_integer(Tag tag, std::int64_t n) {
  Cell c;
  c.tag = tag;
  c.integer = n;
  return c;
}
inline Cell make_int64(std::int64_t n) { return make_integer(Tag::int64, n); }
inline Cell make_bool(bool b) {
  Cell c = make_integer(Tag::boolean, b);
  c.aux = b;
  return c;
}
inline Cell make_unit() { return Cell(); }
inline Cell make_tag(Tag tag) { return make_integer(tag, 0); }
inline Cell make_nil() { return make_tag(Tag::nil); }
inline Cell make_none() { return make_tag(Tag::none); }

inline Cell make_text(Arena& arena, std::string_view s, Tag tag = Tag::text) {
  auto* t = static_cast<TextObject*>(arena.allocate(sizeof(std::uint32_t) + s.size() + 1));
  t->size = static_cast<std::uint32_t>(s.size());
  std::memcpy(t->data, s.data(), s.size());
  Cell c;
  c.tag = tag;
  c.text = t;
  return c;
}
inline Cell make_numeric(Arena& arena, __int128 unscaled, int scale) {
  auto* n = arena.make<NumericObject>();
  n->unscaled = unscaled;
  Cell c;
  c.tag = Tag::numeric;
  c.scale = static_cast<std::uint8_t>(scale);
  c.numeric = n;
  return c;
}
inline Cell make_cons(Arena& arena, const Cell& head, const Cell& tail) {
  auto* o = arena.make<ConsObject>();
  o->head = head;
  o->tail = tail;
  Cell c;
  c.tag = Tag::cons;
  c.aux = 1;
  c.cons = o;
  return c;
}
inline Cell make_some(Arena& arena, const Cell& value) {
  auto* o = arena.make<BoxObject>();
  o->value = value;
  Cell c;
  c.tag = Tag::some;
  c.aux = 1;
  c.box = o;
  return c;
}
inline Cell make_any(Arena& arena, const RuntimeType* type, const Cell& value) {
  auto* o = arena.make<BoxObject>();
  o->value = value;
  o->type = type;
  Cell c;
  c.tag = Tag::any;
  c.box = o;
  return c;
}
inline RecordObject* new_record(Arena& arena, const TypeDescriptor* type, std::size_t count) {
  auto* o = arena.make<RecordObject>(count * sizeof(Cell));
  o->type = type;
  o->count = static_cast<std::uint32_t>(count);
  return o;
}
inline Cell cell_of(const RecordObject* record) {
  Cell c;
  c.tag = Tag::record;
  c.record = record;
  return c;
}
inline Cell make_variant(Arena& arena, const TypeDescriptor* type, std::uint32_t rank, const Cell& argument) {
  auto* o = arena.make<VariantObject>();
  o->type = type;
  o->argument = argument;
  Cell c;
  c.tag = Tag::variant;
  c.aux = rank;
  c.variant = o;
  return c;
}
inline Cell make_enum(const TypeDescriptor* type, std::uint32_t rank) {
  Cell c;
  c.tag = Tag::enumeration;
  c.aux = rank;
  c.type = type;
  return c;
}
inline Cell make_map(Tag tag, const MapNode* root) {
  Cell c;
  c.tag = tag;
  c.map = root;
  return c;
}

}  // namespace synod::lf::eval
