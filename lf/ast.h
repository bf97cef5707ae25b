// The syntax tree of a Daml-LF package: small index-linked nodes in flat tables, owned by lf::Package (lf/package.h).
//
// Invariants that a decoded or assembled package keeps, so that no pass over it needs recursion:
//   * children first: every ExprId in a node is smaller than the node's own id, and so for TypeId and KindId;
//   * strings, dotted names, kinds, types and references are interned: equal ids mean equal content within a package
//     (types up to the names of bound variables);
//   * from LF 2.2 expressions may be shared (the archive's expression table): the graph is acyclic but no tree, so a
//   pass
//     memoises by ExprId or it may take exponential time.
// Nesting is bounded only by the archive (up to 1000 messages in 2.1, by the size of the table from 2.2).
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

#include "lf/builtin.h"

namespace synod::lf {

// An index into one of the package's tables.
template <typename Tag>
struct Id {
  std::uint32_t value;
  constexpr auto operator<=>(const Id&) const = default;
  constexpr bool is_none() const { return value == 0xffffffffu; }
  static constexpr Id none() { return Id{0xffffffffu}; }
};

using StringId = Id<struct StringTag>;          // names, texts
using DottedNameId = Id<struct DottedNameTag>;  // module names and names of definitions: "A.B.C"
using KindId = Id<struct KindTag>;
using TypeId = Id<struct TypeTag>;
using ExprId = Id<struct ExprTag>;
using RefId = Id<struct RefTag>;  // a definition of this or another package
using LocationId = Id<struct LocationTag>;

// A run of items in the package's table of that item type; read with Package::items().
template <typename T>
struct Slice {
  std::uint32_t offset;
  std::uint32_t count;
};

// A definition by package, module and name. `package` indexes Package::package_ids(); 0 is the package itself.
struct Ref {
  std::uint32_t package;
  DottedNameId module;
  DottedNameId name;
  bool operator==(const Ref&) const = default;
};

// Source range of an expression; for stack traces only. Lines and columns count from 0.
struct Location {
  std::uint32_t package;  // index of Package::package_ids(); 0 is the package itself
  DottedNameId module;    // none: the module that holds the expression
  std::int32_t start_line, start_column, end_line, end_column;
};

// ---- kinds
// -------------------------------------------------------------------------------------------------------------

enum class KindKind : std::uint8_t { star, nat, arrow };

struct Kind {
  KindKind kind;
  KindId parameter;  // arrow
  KindId result;     // arrow
};

// ---- types
// -------------------------------------------------------------------------------------------------------------

struct NamedType {  // field of a record or struct, constructor of a variant, parameter of a function, method of an
                    // interface
  StringId name;
  TypeId type;
};

struct TypeParam {
  StringId name;
  KindId kind;
};

enum class TypeKind : std::uint8_t {
  var,        // name, args
  con,        // ref, args
  builtin,    // builtin, args; `A -> B` is arrow with [A, B], `Numeric 10` is numeric with [nat 10]
  synonym,    // ref, args: fully applied as far as the synonym has parameters
  nat,        // number 0..37
  forall,     // param, body
  structure,  // fields, sorted by name, at least one
  app,        // fun, args of length 1: an application whose head is none of var, con, builtin (from LF 2.2)
};

struct Type {
  TypeKind kind;
  union {
    StringId name;            // var
    RefId ref;                // con, synonym
    BuiltinType builtin;      // builtin
    std::uint32_t number;     // nat
    TypeParam param;          // forall
    TypeId fun;               // app
    Slice<NamedType> fields;  // structure
  };
  union {
    Slice<TypeId> args;  // var, con, builtin, synonym, app
    TypeId body;         // forall
  };
};

// ---- expressions
// -------------------------------------------------------------------------------------------------------

enum class ExprKind : std::uint8_t {
  var,          // name
  value,        // ref
  builtin,      // builtin
  builtin_con,  // con
  int64,        // number
  timestamp,    // number: microseconds since 1970
  date,         // number: days since 1970
  numeric,      // name: the literal's text as written, e.g. "1.50"; its scale is the number of digits after the point
  text,         // name
  failure_category,         // category
  record_con,               // type (a con), fields in written order
  record_proj,              // type (a con), name, first = record
  record_upd,               // type (a con), name, first = record, second = new value
  variant_con,              // type (a con), name, first = argument
  enum_con,                 // ref, name
  struct_con,               // fields in written order
  struct_proj,              // name, first = struct
  struct_upd,               // name, first = struct, second = new value
  app,                      // first = function, args: one or more, meaning successive application
  type_app,                 // first = expression, types: one or more
  abs,                      // params: one or more, first = body
  type_abs,                 // type_params: one or more, first = body
  case_of,                  // first = scrutinee, alternatives
  let,                      // bindings: one or more, each in scope of the later ones, first = body
  nil,                      // type = of the elements
  cons,                     // type = of the elements, args = front (one or more), first = tail
  none,                     // type
  some,                     // type, first
  to_any,                   // type, first
  from_any,                 // type, first
  type_rep,                 // type
  to_any_exception,         // type, first
  from_any_exception,       // type, first
  throw_,                   // type = result, second_type = exception, first = exception value
  to_interface,             // ref = interface, second_ref = template, first
  from_interface,           // ref = interface, second_ref = template, first
  unsafe_from_interface,    // ref = interface, second_ref = template, first = contract id, second = interface value
  to_required_interface,    // ref = required, second_ref = requiring, first
  from_required_interface,  // ref = required, second_ref = requiring, first
  unsafe_from_required_interface,  // ref = required, second_ref = requiring, first = contract id, second = value
  call_interface,                  // ref = interface, name = method, first
  view_interface,                  // ref, first
  signatory_interface,             // ref, first
  observer_interface,              // ref, first
  interface_template_type_rep,     // ref, first

  // updates
  update_pure,                // type, first
  update_block,               // bindings, first = body
  update_create,              // ref = template, first = argument
  update_create_interface,    // ref = interface, first = argument
  update_exercise,            // ref = template, name = choice, first = contract id, second = argument
  update_exercise_interface,  // ref = interface, name = choice, first = contract id, second = argument
  update_exercise_by_key,     // ref = template, name = choice, first = key, second = argument        (2.3)
  update_fetch,               // ref = template, first = contract id
  update_fetch_interface,     // ref = interface, first = contract id
  update_fetch_by_key,        // ref = template; an expression of type key -> Update (..)             (2.3)
  update_query_n_by_key,      // ref = template; likewise                                             (2.3)
  update_get_time,
  update_ledger_time_lt,  // first = time
  update_embed,           // type, first
  update_try_catch,       // type, name = binder of the exception, first = body, second = handler
};
inline constexpr int kExprKinds = static_cast<int>(ExprKind::update_try_catch) + 1;

struct FieldExpr {
  StringId name;
  ExprId value;
};

struct Binding {
  StringId name;
  TypeId type;
  ExprId bound;
};

enum class PatternKind : std::uint8_t { default_, variant, enumeration, unit, false_, true_, nil, cons, none, some };

struct Alternative {
  PatternKind pattern;
  RefId type;            // variant, enumeration
  StringId constructor;  // variant, enumeration
  StringId binder;       // variant, some; cons: the head
  StringId tail;         // cons
  ExprId body;
};

// Which members a kind uses is written beside the kind; the others have no meaning.
struct Expr {
  // Nothing is named: location, name and expressions are none.
  static Expr bare(ExprKind kind) {
    Expr e{};
    e.kind = kind;
    e.location = LocationId::none();
    e.first = ExprId::none();
    e.pair.id = StringId::none().value;
    e.pair.second = ExprId::none();
    return e;
  }

  ExprKind kind;
  LocationId location;  // or none
  union {
    TypeId type;
    RefId ref;
    BuiltinFunction builtin;
    BuiltinCon con;
    FailureCategory category;
  };
  ExprId first;
  union {
    struct {
      std::uint32_t id;  // name, second_ref or second_type
      ExprId second;
    } pair;
    std::int64_t number;
    Slice<ExprId> args;
    Slice<TypeId> types;
    Slice<NamedType> params;
    Slice<TypeParam> type_params;
    Slice<FieldExpr> fields;
    Slice<Alternative> alternatives;
    Slice<Binding> bindings;
  };

  StringId name() const { return StringId{pair.id}; }
  RefId second_ref() const { return RefId{pair.id}; }
  TypeId second_type() const { return TypeId{pair.id}; }
  ExprId second() const { return pair.second; }
};

// ---- definitions
// ------------------------------------------------------------------------------------------------------- `module`
// indexes Package::modules().

enum class DataKind : std::uint8_t { record, variant, enumeration, interface };

struct DataType {
  std::uint32_t module;
  DottedNameId name;
  DataKind kind;
  bool serializable;
  Slice<TypeParam> params;
  Slice<NamedType> fields;       // record: fields; variant: constructors
  Slice<StringId> constructors;  // enumeration
};

struct Synonym {
  std::uint32_t module;
  DottedNameId name;
  Slice<TypeParam> params;
  TypeId type;
};

struct ValueDefinition {
  std::uint32_t module;
  DottedNameId name;
  TypeId type;
  ExprId body;
};

struct Choice {
  StringId name;
  bool consuming;
  StringId self_binder;  // bound to the contract id
  NamedType argument;    // binder and type
  TypeId result;
  ExprId controllers;  // the template's or interface's parameter, and the argument, are in scope; not self
  ExprId observers;    // likewise
  ExprId update;       // parameter, argument and self are in scope
};

struct Key {
  TypeId type;
  ExprId key;          // the template's parameter is in scope
  ExprId maintainers;  // a closed function from the key to [Party]
};

struct MethodBody {
  StringId name;
  ExprId value;  // the template's parameter is in scope
};

struct Implementation {
  RefId interface;
  Slice<MethodBody> methods;
  ExprId view;  // the template's parameter is in scope
};

struct Template {
  std::uint32_t module;
  DottedNameId name;    // also the name of its record type
  StringId parameter;   // bound to the contract's argument in every expression below
  ExprId precondition;  // none: True
  ExprId signatories;   // : List Party
  ExprId observers;     // : List Party
  Slice<Choice> choices;
  bool has_key;
  Key key;
  Slice<Implementation> implementations;
};

struct Interface {
  std::uint32_t module;
  DottedNameId name;
  StringId parameter;  // bound to the interface value in the choices
  Slice<Choice> choices;
  Slice<NamedType> methods;
  TypeId view;
  Slice<RefId> required;
};

struct ExceptionDefinition {
  std::uint32_t module;
  DottedNameId name;  // also the name of its record type
  ExprId message;     // : exception -> Text
};

struct Module {
  DottedNameId name;
};

}  // namespace synod::lf

template <typename Tag>
struct std::hash<synod::lf::Id<Tag>> {
  std::size_t operator()(const synod::lf::Id<Tag>& id) const noexcept { return std::hash<std::uint32_t>()(id.value); }
};
