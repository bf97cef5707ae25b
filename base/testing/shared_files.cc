#include "base/testing/shared_files.h"

#include <cstdlib>
#include <filesystem>

#include "base/check.h"
#include "base/files.h"

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
  auto bytes = file_bytes(path);
  SYNOD_CHECK(bytes);
  return std::move(*bytes);
}

}  // namespace synod::testing
