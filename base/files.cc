#include "base/files.h"

#include <array>
#include <fstream>

#include "base/error.h"

namespace synod {

std::optional<Bytes> file_bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  Bytes bytes;
  std::array<char, 1 << 14> part;
  do {
    in.read(part.data(), part.size());
    bytes.append(part.data(), static_cast<std::size_t>(in.gcount()));
  } while (in);
  if (in.bad()) return std::nullopt;
  return bytes;
}

Result<Bytes> required_file(const std::string& path, const char* error_id) {
  auto bytes = file_bytes(path);
  if (!bytes) return fail(not_found(error_id, "cannot read '" + path + "'"));
  return std::move(*bytes);
}

}  // namespace synod
