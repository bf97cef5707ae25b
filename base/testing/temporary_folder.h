// A new folder for one test, which removes it itself.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>

#include "base/check.h"

namespace synod::testing {

// Its path; `purpose` is a part of its name, for whoever finds it after a crash.
inline std::string new_folder(const std::string& purpose) {
  std::string path = (std::filesystem::temp_directory_path() / ("synod-" + purpose + "-")).string() + "XXXXXX";
  SYNOD_CHECK(::mkdtemp(path.data()) != nullptr);
  return path;
}

}  // namespace synod::testing
