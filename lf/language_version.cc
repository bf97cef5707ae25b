#include "lf/language_version.h"

#include "lf/archive/dar_error.h"

namespace synod::lf {

std::string LanguageVersion::to_string() const { return std::to_string(major) + "." + std::to_string(minor); }

Result<LanguageVersion> parse_lf2_minor(std::string_view minor, bool discontinued_too) {
  if (minor == "1") return kLf21;
  if (minor == "2") return kLf22;
  if (minor == "3") return kLf23;
  const bool discontinued = minor == "3-rc1" || minor == "3-rc2";
  if (discontinued && discontinued_too) return kLf23;
  return fail(language_version_not_allowed("2." + std::string(minor.substr(0, 16)), discontinued));
}

}  // namespace synod::lf
