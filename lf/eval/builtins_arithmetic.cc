#include "lf/eval/builtins.h"
#include "lf/eval/fatal.h"
#include "lf/eval/numeric.h"

namespace synod::lf::eval {
namespace {

constexpr std::int64_t kMinDays = -719162, kMaxDays = 2932896;  // 0001-01-01, 9999-12-31

std::string operand_text(const Cell& c) {
  switch (c.tag) {
    case Tag::int64:
      return std::to_string(c.integer);
    case Tag::numeric:
      return to_shortest_text(c.numeric->unscaled, c.scale);
    default:
      return "?";
  }
}

Outcome arithmetic_error(BuiltinContext& context, BuiltinFunction function, const Cell* a, Cell& out) {
  std::string message = "ArithmeticError while evaluating (" + std::string(name_of(function));
  for (int i = 0; i < value_arity(function); ++i) message += " " + operand_text(a[i]);
  message += ").";
  const RuntimeType* type = context.program.arithmetic_error();
  auto* record = new_record(context.arena, type->con, 1);
  record->fields()[0] = make_text(context.arena, message);
  out = make_any(context.arena, type, cell_of(record));
  return Outcome::raised;
}

std::optional<std::int64_t> power(std::int64_t base, std::int64_t exponent) {
  if (exponent < 0) return std::nullopt;
  if (exponent == 0) return 1;
  std::int64_t x = base, y = 1;
  for (; exponent > 1; exponent >>= 1) {
    if (exponent & 1)
      if (__builtin_mul_overflow(y, x, &y)) return std::nullopt;
    if (__builtin_mul_overflow(x, x, &x)) return std::nullopt;
  }
  if (__builtin_mul_overflow(x, y, &x)) return std::nullopt;
  return x;
}

}  // namespace

bool arithmetic_builtin(BuiltinContext& context, BuiltinFunction function, const Cell* a, Cell& out, Outcome& outcome) {
  using F = BuiltinFunction;
  std::optional<std::int64_t> whole;
  std::optional<Int128> fixed;
  int scale = 0;
  Tag tag = Tag::int64;
  bool numeric = false;
  auto ints = [&] {
    need(a[0], Tag::int64);
    need(a[1], Tag::int64);
  };
  auto with_witness = [&](int n) {  // a[0] carries the scale of the result
    for (int i = 0; i < n; ++i) need(a[i], Tag::numeric);
    scale = a[0].scale;
    numeric = true;
  };
  auto value = [&](int i) { return a[i].numeric->unscaled; };
  switch (function) {
    case F::add_int64: {
      ints();
      std::int64_t r;
      if (!__builtin_add_overflow(a[0].integer, a[1].integer, &r)) whole = r;
      break;
    }
    case F::sub_int64: {
      ints();
      std::int64_t r;
      if (!__builtin_sub_overflow(a[0].integer, a[1].integer, &r)) whole = r;
      break;
    }
    case F::mul_int64: {
      ints();
      std::int64_t r;
      if (!__builtin_mul_overflow(a[0].integer, a[1].integer, &r)) whole = r;
      break;
    }
    case F::div_int64:
      ints();
      if (a[1].integer != 0 && !(a[0].integer == INT64_MIN && a[1].integer == -1)) whole = a[0].integer / a[1].integer;
      break;
    case F::mod_int64:
      ints();
      if (a[1].integer != 0) whole = a[1].integer == -1 ? 0 : a[0].integer % a[1].integer;
      break;
    case F::exp_int64:
      ints();
      whole = power(a[0].integer, a[1].integer);
      break;
    case F::add_numeric:
      with_witness(2);
      fixed = add(value(0), value(1));
      break;
    case F::sub_numeric:
      with_witness(2);
      fixed = subtract(value(0), value(1));
      break;
    case F::mul_numeric:
      with_witness(3);
      fixed = multiply(value(1), a[1].scale, value(2), a[2].scale, scale);
      break;
    case F::div_numeric:
      with_witness(3);
      fixed = divide(value(1), a[1].scale, value(2), a[2].scale, scale);
      break;
    case F::round_numeric:
      need(a[0], Tag::int64);
      need(a[1], Tag::numeric);
      numeric = true;
      scale = a[1].scale;
      fixed = round(value(1), scale, a[0].integer);
      break;
    case F::cast_numeric:
      with_witness(2);
      fixed = cast(value(1), a[1].scale, scale);
      break;
    case F::shift_numeric:
      with_witness(2);
      fixed = value(1);
      break;  // the same digits at another scale
    case F::int64_to_numeric:
      need(a[0], Tag::numeric);
      need(a[1], Tag::int64);
      numeric = true;
      scale = a[0].scale;
      fixed = cast(a[1].integer, 0, scale);
      break;
    case F::numeric_to_int64:
      need(a[0], Tag::numeric);
      whole = truncate(value(0), a[0].scale);
      break;
    case F::date_to_unix_days:
      need(a[0], Tag::date);
      whole = a[0].integer;
      break;
    case F::unix_days_to_date:
      need(a[0], Tag::int64);
      tag = Tag::date;
      if (a[0].integer >= kMinDays && a[0].integer <= kMaxDays) whole = a[0].integer;
      break;
    case F::timestamp_to_unix_microseconds:
      need(a[0], Tag::timestamp);
      whole = a[0].integer;
      break;
    case F::unix_microseconds_to_timestamp:
      need(a[0], Tag::int64);
      tag = Tag::timestamp;
      if (Timestamp{a[0].integer} >= Timestamp::min() && Timestamp{a[0].integer} <= Timestamp::max())
        whole = a[0].integer;
      break;
    default:
      return false;
  }
  outcome = Outcome::value;
  if (numeric && fixed)
    out = make_numeric(context.arena, *fixed, scale);
  else if (!numeric && whole)
    out = make_integer(tag, *whole);
  else
    outcome = arithmetic_error(context, function, a, out);
  return true;
}

}  // namespace synod::lf::eval
