#include "base/testing/shared_files.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/check.h"

namespace synod::testing {

std::optional<std::string> shared_path(std::string_view relative) {
  const char* configured = std::getenv("SYNOD_SHARED");
  const std::filesystem::path root =
      configured ? std::filesystem::path(configured) : std::filesystem::path(SYNOD_SOURCE_DIR) / "../shared";
  const std::filesystem::path path = root / relative;
  if (!std::filesystem::exists(path)) return std::nullopt;
  return path.lexically_normal().string();
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  SYNOD_CHECK(in.good());
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace synod::testing
