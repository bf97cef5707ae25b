#include "ordering/conformance/stopped.h"

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>

#include "base/files.h"

namespace synod::ordering::conformance {
namespace {

namespace fs = std::filesystem;

struct Stat {
  char state = 0;  // 0: it is gone
  pid_t parent = 0;
};

// See proc(5); the name in parentheses may hold anything.
Stat read_stat(const fs::path& folder) {
  const std::string line = file_bytes(folder / "stat").value_or("");
  const std::size_t name_end = line.rfind(')');
  Stat stat;
  if (name_end != std::string::npos) std::istringstream(line.substr(name_end + 1)) >> stat.state >> stat.parent;
  return stat;
}

bool stopped(const fs::path& process) {
  std::error_code error;
  for (const auto& thread : fs::directory_iterator(process / "task", error)) {
    const char state = read_stat(thread).state;
    if (state != 'T' && state != 'Z' && state != 0) return false;
  }
  return true;
}

bool all_stopped(pid_t process) {
  if (!stopped("/proc/" + std::to_string(process))) return false;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const bool numbered = std::atoi(entry.path().filename().c_str()) > 0;
    if (numbered && read_stat(entry).parent == process && !stopped(entry)) return false;
  }
  return true;
}

}  // namespace

bool wait_until_stopped(pid_t process, std::chrono::milliseconds limit) {
  return eventually([&] { return all_stopped(process); }, limit);
}

}  // namespace synod::ordering::conformance
