// Files as a whole.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace synod {

// None: it is not there, is a folder, or cannot be read.
std::optional<Bytes> file_bytes(const std::string& path);
// With an error instead, of this id and the category of what was not found.
Result<Bytes> required_file(const std::string& path, const char* error_id);

}  // namespace synod
