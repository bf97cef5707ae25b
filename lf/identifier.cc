#include "lf/identifier.h"

namespace synod::lf {

Result<Identifier> parse_identifier(std::string_view text) {
  auto first = text.find(':');
  auto second = first == std::string_view::npos ? first : text.find(':', first + 1);
  if (second == std::string_view::npos || text.find(':', second + 1) != std::string_view::npos || first == 0 ||
      second == first + 1 || second + 1 == text.size())
    return fail(invalid_argument(
        "INVALID_ARGUMENT", "\"" + std::string(text.substr(0, 200)) + "\" is not of the form package:module:entity"));
  return Identifier{std::string(text.substr(0, first)), std::string(text.substr(first + 1, second - first - 1)),
                    std::string(text.substr(second + 1))};
}

}  // namespace synod::lf
