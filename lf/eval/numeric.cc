#include "lf/eval/numeric.h"

#include <algorithm>
#include <boost/multiprecision/cpp_int.hpp>

namespace synod::lf::eval {
namespace {

using Wide = boost::multiprecision::int512_t;

Wide wide_power(int n) {
  Wide out = 1;
  for (int i = 0; i < n; ++i) out *= 10;
  return out;
}

std::optional<Int128> narrow(const Wide& w) {
  static const Wide limit = wide_power(38);
  if (w >= limit || w <= -limit) return std::nullopt;
  return static_cast<Int128>(w);
}

// n / d, d > 0, rounded half to even.
Wide divide_half_even(const Wide& n, const Wide& d) {
  Wide q = n / d;  // toward zero
  Wide r = n % d;
  if (r < 0) r = -r;
  Wide twice = r * 2;
  if (twice > d || (twice == d && (q % 2) != 0)) n < 0 ? q -= 1 : q += 1;
  return q;
}

bool digits_only(std::string_view s) {
  return std::all_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Int128 power_of_ten(int n) {
  Int128 out = 1;
  for (int i = 0; i < n; ++i) out *= 10;
  return out;
}

bool fits_38_digits(Int128 n) {
  static const Int128 limit = power_of_ten(38);
  return n < limit && n > -limit;
}

std::optional<Int128> add(Int128 a, Int128 b) {
  Int128 sum = a + b;  // both below 10^38, so no overflow of 127 bits
  return fits_38_digits(sum) ? std::optional(sum) : std::nullopt;
}

std::optional<Int128> subtract(Int128 a, Int128 b) { return add(a, -b); }

std::optional<Int128> multiply(Int128 a, int a_scale, Int128 b, int b_scale, int scale) {
  Wide product = Wide(a) * Wide(b);
  int drop = a_scale + b_scale - scale;
  if (drop > 0)
    product = divide_half_even(product, wide_power(drop));
  else if (drop < 0)
    product *= wide_power(-drop);
  return narrow(product);
}

std::optional<Int128> divide(Int128 a, int a_scale, Int128 b, int b_scale, int scale) {
  if (b == 0) return std::nullopt;
  Wide n = Wide(a), d = Wide(b);
  if (d < 0) n = -n, d = -d;
  int shift = scale + b_scale - a_scale;
  if (shift >= 0)
    n *= wide_power(shift);
  else
    d *= wide_power(-shift);
  return narrow(divide_half_even(n, d));
}

std::optional<Int128> round(Int128 a, int scale, std::int64_t digits) {
  if (digits > scale || digits <= scale - 38) return std::nullopt;
  Wide unit = wide_power(static_cast<int>(scale - digits));
  return narrow(divide_half_even(Wide(a), unit) * unit);
}

std::optional<Int128> cast(Int128 a, int scale, int new_scale) {
  if (new_scale >= scale) return narrow(Wide(a) * wide_power(new_scale - scale));
  Int128 unit = power_of_ten(scale - new_scale);
  if (a % unit != 0) return std::nullopt;
  return a / unit;
}

std::optional<std::int64_t> truncate(Int128 a, int scale) {
  Int128 whole = a / power_of_ten(scale);
  if (whole > INT64_MAX || whole < INT64_MIN) return std::nullopt;
  return static_cast<std::int64_t>(whole);
}

std::string to_shortest_text(Int128 a, int scale) {
  std::string text = to_string(Numeric{a, scale});
  if (text.find('.') == std::string::npos) return text + ".0";
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text += '0';
  return text;
}

std::optional<Int128> from_lenient_text(std::string_view text, int scale) {
  bool negative = false;
  if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  std::string_view whole = text, fraction;
  if (auto point = text.find('.'); point != std::string_view::npos) {
    whole = text.substr(0, point);
    fraction = text.substr(point + 1);
    if (fraction.empty()) return std::nullopt;
  }
  if (whole.empty() || !digits_only(whole) || !digits_only(fraction)) return std::nullopt;
  while (!whole.empty() && whole.front() == '0') whole.remove_prefix(1);
  while (!fraction.empty() && fraction.back() == '0') fraction.remove_suffix(1);
  if (whole.size() > static_cast<std::size_t>(38 - scale) || fraction.size() > static_cast<std::size_t>(scale))
    return std::nullopt;
  Int128 n = 0;
  for (char c : whole) n = n * 10 + (c - '0');
  for (char c : fraction) n = n * 10 + (c - '0');
  n *= power_of_ten(scale - static_cast<int>(fraction.size()));
  return negative ? -n : n;
}

}  // namespace synod::lf::eval
