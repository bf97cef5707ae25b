#include "testnet/process.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <sstream>
#include <thread>

#include "base/env.h"
#include "base/files.h"
#include "base/process.h"

namespace synod::testnet {
namespace {

// What a node's command line ends with. Something else that was told the file, say an editor, does not pass for the
// node; neither does a recycled pid.
std::vector<std::string> arguments_of(const NodePlan& node) { return {"node", "run", "-c", node.config_file()}; }

pid_t recorded(const NodePlan& node) {
  std::istringstream in(file_bytes(node.pid_file()).value_or(""));
  pid_t pid = 0;
  return in >> pid ? pid : 0;
}

}  // namespace

std::optional<pid_t> running(const NodePlan& node) {
  const pid_t pid = recorded(node);
  if (pid <= 1) return std::nullopt;
  waitpid(pid, nullptr, WNOHANG);  // if it is a child of this very process, let go of its remains
  std::string expected(1, '\0');
  for (const std::string& argument : arguments_of(node)) expected += argument + std::string(1, '\0');
  if (!file_bytes("/proc/" + std::to_string(pid) + "/cmdline").value_or("").ends_with(expected)) return std::nullopt;
  return pid;
}

Status start(const NodePlan& node) {
  if (running(node)) return {};
  // The one before may have been killed, or have died of itself, a moment ago.
  const pid_t before = recorded(node);
  for (int looks = 0; before > 1 && looks < 1500 && lingers(before); ++looks)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  std::error_code error;
  const std::string binary = std::filesystem::read_symlink("/proc/self/exe", error).string();
  if (error) return fail(unavailable("PROCESS_START_FAILED", node.name + ": " + error.message()));
  return ServerProcess{{binary, arguments_of(node), {}, ""}, node.log_file(), node.pid_file()}.start();
}

bool stop(const NodePlan& node, int signal, Duration patience) {
  const std::optional<pid_t> pid = running(node);
  if (!pid || kill(*pid, signal) != 0) return false;
  const auto clock = system_clock();
  const std::int64_t give_up = clock->monotonic_micros() + patience.micros;
  while (running(node) == pid || lingers(*pid)) {
    if (clock->monotonic_micros() > give_up) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  // Not the file of one that another command has started meanwhile.
  std::error_code ignored;
  if (recorded(node) == *pid) std::filesystem::remove(node.pid_file(), ignored);
  return true;
}

std::optional<std::uint64_t> memory_of(pid_t pid) {
  std::istringstream parts(file_bytes("/proc/" + std::to_string(pid) + "/smaps_rollup").value_or(""));
  for (std::string line; std::getline(parts, line);)
    if (line.starts_with("Pss:")) return std::stoull(line.substr(4)) * 1024;
  return std::nullopt;
}

namespace {

// The fields of /proc/<pid>/stat behind the name, which may hold anything: state, parent, …; empty if there is no such
// process.
std::vector<std::string> fields_of(pid_t pid) {
  const std::string stat = file_bytes("/proc/" + std::to_string(pid) + "/stat").value_or("");
  const std::size_t name_end = stat.rfind(')');
  std::vector<std::string> fields;
  if (name_end == std::string::npos) return fields;
  std::istringstream in(stat.substr(name_end + 1));
  for (std::string field; in >> field;) fields.push_back(field);
  return fields;
}

}  // namespace

std::optional<double> cpu_seconds_of(pid_t pid) {
  const auto fields = fields_of(pid);
  if (fields.size() < 13) return std::nullopt;
  return (std::stod(fields[11]) + std::stod(fields[12])) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

std::vector<pid_t> descendants_of(pid_t ancestor) {
  std::multimap<pid_t, pid_t> children;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const pid_t pid = std::stoi(name);
    if (const auto fields = fields_of(pid); fields.size() > 1) children.emplace(std::stoi(fields[1]), pid);
  }
  std::vector<pid_t> found{ancestor};
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto [begin, end] = children.equal_range(found[i]);
    for (auto child = begin; child != end; ++child) found.push_back(child->second);
  }
  found.erase(found.begin());
  return found;
}

}  // namespace synod::testnet
