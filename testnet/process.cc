#include "testnet/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <thread>

#include "base/env.h"

namespace synod::testnet {
namespace {

std::string read_all(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// Between fork and exec: only async-signal-safe calls.
[[noreturn]] void become_node(const char* binary, const char* config, int log) {
  setsid();
  const int null = open("/dev/null", O_RDONLY);
  dup2(null, STDIN_FILENO);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  for (int fd = 3; fd < 256; ++fd) close(fd);
  execl(binary, "synod", "node", "run", "-c", config, static_cast<char*>(nullptr));
  _exit(127);
}

}  // namespace

std::optional<pid_t> running(const NodePlan& node) {
  std::istringstream in(read_all(node.pid_file()));
  pid_t pid = 0;
  if (!(in >> pid) || pid <= 1) return std::nullopt;
  waitpid(pid, nullptr, WNOHANG);  // if it is a child of this very process, let go of its remains
  // The command line ends with the configuration file: a recycled pid does not pass for the node.
  std::string command = read_all("/proc/" + std::to_string(pid) + "/cmdline");
  if (command.find(node.config_file() + std::string(1, '\0')) == std::string::npos) return std::nullopt;
  return pid;
}

Status start(const NodePlan& node) {
  if (running(node)) return {};
  std::error_code error;
  const std::string binary = std::filesystem::read_symlink("/proc/self/exe", error).string();
  const int log = open(node.log_file().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (error || log < 0)
    return fail(unavailable("PROCESS_START_FAILED",
                            node.name + ": cannot open " + node.log_file() + ": " + std::strerror(errno)));
  const std::string config = node.config_file();
  const pid_t pid = fork();
  if (pid == 0) become_node(binary.c_str(), config.c_str(), log);
  close(log);
  if (pid < 0) return fail(unavailable("PROCESS_START_FAILED", node.name + ": " + std::strerror(errno)));
  std::ofstream(node.pid_file()) << pid << "\n";
  return {};
}

bool stop(const NodePlan& node, int signal, Duration patience) {
  const std::optional<pid_t> pid = running(node);
  if (!pid || kill(*pid, signal) != 0) return false;
  const auto clock = system_clock();
  const std::int64_t give_up = clock->monotonic_micros() + patience.micros;
  while (running(node)) {
    if (clock->monotonic_micros() > give_up) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  std::error_code ignored;
  std::filesystem::remove(node.pid_file(), ignored);
  return true;
}

std::optional<std::uint64_t> memory_of(pid_t pid) {
  std::istringstream parts(read_all("/proc/" + std::to_string(pid) + "/smaps_rollup"));
  for (std::string line; std::getline(parts, line);)
    if (line.starts_with("Pss:")) return std::stoull(line.substr(4)) * 1024;
  return std::nullopt;
}

namespace {

// The fields of /proc/<pid>/stat behind the name, which may hold anything: state, parent, …; empty if there is no such
// process.
std::vector<std::string> fields_of(pid_t pid) {
  const std::string stat = read_all("/proc/" + std::to_string(pid) + "/stat");
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
