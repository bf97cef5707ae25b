// Recordings and DAR files that live beside a checkout but not in it. Tests that use them skip loudly without them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace synod::testing {

// The path of `relative` (for example "recordings/keys.json") below $SYNOD_SHARED or ../shared; none if it is not
// there.
std::optional<std::string> shared_path(std::string_view relative);

// The whole file. A missing file is a bug of the caller, who asked shared_path first.
std::string read_file(const std::string& path);

}  // namespace synod::testing

// Skips the running test unless `relative` is there; otherwise declares std::string `variable` with its path.
#define SYNOD_NEEDS_SHARED(variable, relative)                                                                \
  const auto variable##_path_ = ::synod::testing::shared_path(relative);                                      \
  if (!variable##_path_) GTEST_SKIP() << "SKIPPED: needs " << (relative) << " in ../shared or $SYNOD_SHARED"; \
  const std::string variable = *variable##_path_
