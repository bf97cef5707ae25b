// Errors of reading DARs and packages, under the ids of Canton's PackageServiceErrors.
#pragma once

#include <string>

#include "base/error.h"

namespace synod::lf {

inline Error dar_parse_error(std::string reason) {
  return invalid_argument("DAR_PARSE_ERROR", "Failed to parse the dar file content: " + reason);
}
inline Error invalid_dar(std::string reason) {
  return invalid_argument("INVALID_DAR", "Dar file is corrupt: " + reason);
}
inline Error invalid_zip_entry(std::string name) {
  return invalid_argument("INVALID_ZIP_ENTRY", "Dar zip file is corrupt: it has no entry " + name);
}
inline Error zip_bomb(std::string reason) {
  return invalid_argument("ZIP_BOMB", "Dar zip file seems to be a zip bomb: " + reason);
}
inline Error language_version_not_allowed(std::string version, bool discontinued = false) {
  return invalid_argument(
      "ALLOWED_LANGUAGE_VERSIONS",
      "Disallowed language version: Daml-LF " + version +
          (discontinued ? " was discontinued; supported are 2.1, 2.2 and 2.3" : " is none of 2.1, 2.2 and 2.3"));
}
inline Error dar_validation_error(std::string reason) {
  return invalid_argument("DAR_VALIDATION_ERROR", "Package validation failed: " + reason);
}

}  // namespace synod::lf
