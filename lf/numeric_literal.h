// The lexical form of Numeric literals and values.
#pragma once

#include <string_view>

namespace synod::lf {

// [-]digits.digits without leading zeros, at most 38 significant digits of which at most 37 follow the point.
bool is_numeric_literal(std::string_view text);

}  // namespace synod::lf
