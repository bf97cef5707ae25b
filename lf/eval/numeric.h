// Fixed-point arithmetic of Daml's Numeric: 38 digits, scale 0 to 37. Results that do not fit are empty, which the
// builtins turn into an ArithmeticError.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lf/value.h"

namespace synod::lf::eval {

using Int128 = __int128;

bool fits_38_digits(Int128 n);
Int128 power_of_ten(int n);  // 0 <= n <= 38

std::optional<Int128> add(Int128 a, Int128 b);
std::optional<Int128> subtract(Int128 a, Int128 b);
// Rounded half to even at the scale of the result.
std::optional<Int128> multiply(Int128 a, int a_scale, Int128 b, int b_scale, int scale);
std::optional<Int128> divide(Int128 a, int a_scale, Int128 b, int b_scale, int scale);  // b = 0: empty
// To `digits` fraction digits (negative: tens, hundreds ...), keeping the scale.
std::optional<Int128> round(Int128 a, int scale, std::int64_t digits);
// To another scale, exactly or not at all.
std::optional<Int128> cast(Int128 a, int scale, int new_scale);
std::optional<std::int64_t> truncate(Int128 a, int scale);
// Without trailing zeros but with at least one fraction digit: "1.5", "20.0".
std::string to_shortest_text(Int128 a, int scale);
// What TEXT_TO_NUMERIC accepts: sign, leading and trailing zeros.
std::optional<Int128> from_lenient_text(std::string_view text, int scale);

}  // namespace synod::lf::eval
