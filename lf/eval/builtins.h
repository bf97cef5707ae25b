// The builtin functions that need no call back into the machine.
#pragma once

#include <cstdint>

#include "lf/builtin.h"
#include "lf/engine.h"
#include "lf/eval/cell.h"
#include "lf/eval/program.h"

namespace synod::lf::eval {

enum class Outcome : std::uint8_t { value, raised };

struct BuiltinContext {
  Program& program;
  Arena& arena;
  Meter& steps;
  bool on_ledger = true;  // contract ids are not text there
  const TraceSink* trace = nullptr;
};

// `arguments` holds as many cells as value_arity(function) says. Outcome::raised: `out` is the exception, an Any.
// Throws Fatal for what Daml cannot catch, including builtins that are not supported (they name themselves).
Outcome apply_builtin(BuiltinContext& context, BuiltinFunction function, const Cell* arguments, Cell& out);

// Families, each in a file of its own; called by apply_builtin only. False: not one of theirs.
bool arithmetic_builtin(BuiltinContext& context, BuiltinFunction function, const Cell* arguments, Cell& out,
                        Outcome& outcome);
bool text_builtin(BuiltinContext& context, BuiltinFunction function, const Cell* arguments, Cell& out);
bool crypto_builtin(BuiltinContext& context, BuiltinFunction function, const Cell* arguments, Cell& out);
bool map_builtin(BuiltinContext& context, BuiltinFunction function, const Cell* arguments, Cell& out);

// Arithmetic and comparison of Int64, where most programs spend most of their builtins. False: take the general way,
// which also finds the errors.
inline bool quick_binary(BuiltinFunction function, const Cell& a, const Cell& b, Cell& out) {
  using F = BuiltinFunction;
  if (a.tag != Tag::int64 || b.tag != Tag::int64) return false;
  std::int64_t x = a.integer, y = b.integer, n = 0;
  switch (function) {
    case F::add_int64:
      if (__builtin_add_overflow(x, y, &n)) return false;
      out = make_int64(n);
      return true;
    case F::sub_int64:
      if (__builtin_sub_overflow(x, y, &n)) return false;
      out = make_int64(n);
      return true;
    case F::mul_int64:
      if (__builtin_mul_overflow(x, y, &n)) return false;
      out = make_int64(n);
      return true;
    case F::equal:
      out = make_bool(x == y);
      return true;
    case F::less:
      out = make_bool(x < y);
      return true;
    case F::less_eq:
      out = make_bool(x <= y);
      return true;
    case F::greater:
      out = make_bool(x > y);
      return true;
    case F::greater_eq:
      out = make_bool(x >= y);
      return true;
    default:
      return false;
  }
}

inline void need(const Cell& c, Tag tag);
[[noreturn]] void wrong_argument(Tag expected, Tag actual);
inline void need(const Cell& c, Tag tag) {
  if (c.tag != tag) wrong_argument(tag, c.tag);
}

}  // namespace synod::lf::eval
