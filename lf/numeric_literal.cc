#include "lf/numeric_literal.h"

#include <algorithm>

namespace synod::lf {

bool is_numeric_literal(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  auto point = text.find('.');
  if (point == std::string_view::npos) return false;
  auto whole = text.substr(0, point), fraction = text.substr(point + 1);
  auto digits = [](std::string_view s) { return std::ranges::all_of(s, [](char c) { return c >= '0' && c <= '9'; }); };
  if (whole.empty() || !digits(whole) || !digits(fraction) || (whole.size() > 1 && whole.front() == '0')) return false;
  auto precision = (whole == "0" ? 0 : whole.size()) + fraction.size();
  return precision <= 38 && fraction.size() <= 37;
}

}  // namespace synod::lf
