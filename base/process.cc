#include "base/process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "base/check.h"
#include "base/files.h"

namespace synod {
namespace {

Error start_failed(const std::string& program, const std::string& why) {
  return unavailable("PROCESS_START_FAILED", program + ": " + why);
}

// What exec needs, made before the fork: between fork and exec only async-signal-safe calls are allowed.
class ExecImage {
 public:
  explicit ExecImage(const Command& command)
      : program_(find_program(command.program).value_or(command.program)), folder_(command.folder) {
    strings_.push_back(command.program);
    strings_.insert(strings_.end(), command.arguments.begin(), command.arguments.end());
    for (std::string& text : strings_) arguments_.push_back(text.data());
    arguments_.push_back(nullptr);
    environment_strings_ = command.environment;
    for (std::string& text : environment_strings_) environment_.push_back(text.data());
    for (char** inherited = environ; *inherited; ++inherited) {
      const std::string name = std::string(*inherited).substr(0, std::string(*inherited).find('=') + 1);
      bool replaced = false;
      for (const std::string& text : environment_strings_) replaced = replaced || text.starts_with(name);
      if (!replaced) environment_.push_back(*inherited);
    }
    environment_.push_back(nullptr);
    if (!command.user.empty()) user_ = getpwnam(command.user.c_str());
  }
  ExecImage(const ExecImage&) = delete;
  ExecImage& operator=(const ExecImage&) = delete;

  [[noreturn]] void become(int output, int errors, bool dies_with_us) const {
    setsid();
    if (user_ && (setgroups(0, nullptr) != 0 || setgid(user_->pw_gid) != 0 || setuid(user_->pw_uid) != 0)) _exit(126);
    if (dies_with_us) prctl(PR_SET_PDEATHSIG, SIGKILL);  // after setuid, which would clear it
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    const int null = open("/dev/null", O_RDONLY);
    dup2(null, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(errors, STDERR_FILENO);
    close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
    if (folder_.empty() || chdir(folder_.c_str()) == 0)
      execve(program_.c_str(), arguments_.data(), environment_.data());
    _exit(127);
  }

 private:
  std::string program_, folder_;
  const passwd* user_ = nullptr;
  std::vector<std::string> strings_, environment_strings_;
  std::vector<char*> arguments_, environment_;
};

std::string last_lines(std::istream& in, std::size_t lines) {
  std::deque<std::string> last;
  for (std::string line; std::getline(in, line);) {
    last.push_back(line);
    if (last.size() > lines) last.pop_front();
  }
  std::string text;
  for (const std::string& line : last) text += "\n  " + line;
  return text;
}

std::int64_t now_millis() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

// In one step for whoever reads it meanwhile.
bool write_pid(const std::string& file, pid_t pid) {
  const std::string draft = file + ".new";
  std::ofstream out(draft, std::ios::trunc);
  out << pid << "\n";
  out.close();
  return out && rename(draft.c_str(), file.c_str()) == 0;
}

Status check(const Command& command) {
  if (!find_program(command.program)) return fail(start_failed(command.program, "there is no such program"));
  if (!command.user.empty() && getpwnam(command.user.c_str()) == nullptr)
    return fail(start_failed(command.program, "there is no user " + command.user + " to run it as"));
  return {};
}

// Reads both pipes to their ends, or until the time is over; false then.
bool read_outputs(int output, int errors, std::string& said, std::string& all, std::int64_t until) {
  pollfd pipes[] = {{output, POLLIN, 0}, {errors, POLLIN, 0}};
  for (int open_pipes = 2; open_pipes > 0;) {
    const std::int64_t left = until - now_millis();
    if (left <= 0) return false;
    if (poll(pipes, 2, static_cast<int>(left)) <= 0) continue;
    for (pollfd& pipe : pipes) {
      if (pipe.fd < 0 || pipe.revents == 0) continue;
      char buffer[4096];
      const ssize_t size = read(pipe.fd, buffer, sizeof buffer);
      if (size <= 0) {
        pipe.fd = -1;
        --open_pipes;
        continue;
      }
      if (&pipe == &pipes[0]) said.append(buffer, static_cast<std::size_t>(size));
      all.append(buffer, static_cast<std::size_t>(size));
    }
  }
  return true;
}

}  // namespace

std::optional<std::string> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return access(name.c_str(), X_OK) == 0 ? std::optional(name) : std::nullopt;
  const char* path = std::getenv("PATH");
  std::istringstream folders(path ? path : "/usr/bin:/bin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string candidate = (folder.empty() ? "." : folder) + "/" + name;
    if (access(candidate.c_str(), X_OK) == 0 && !std::filesystem::is_directory(candidate)) return candidate;
  }
  return std::nullopt;
}

Result<std::string> run(const Command& command, Duration limit) {
  SYNOD_RETURN_IF_ERROR(check(command));
  const ExecImage image(command);
  int output[2], errors[2];
  if (pipe2(output, O_CLOEXEC) != 0) return fail(start_failed(command.program, std::strerror(errno)));
  if (pipe2(errors, O_CLOEXEC) != 0) {
    close(output[0]), close(output[1]);
    return fail(start_failed(command.program, std::strerror(errno)));
  }
  const pid_t pid = fork();
  if (pid == 0) image.become(output[1], errors[1], true);
  close(output[1]), close(errors[1]);
  if (pid < 0) {
    close(output[0]), close(errors[0]);
    return fail(start_failed(command.program, std::strerror(errno)));
  }
  std::string said, all;
  const bool in_time = read_outputs(output[0], errors[0], said, all, now_millis() + limit.micros / 1000);
  close(output[0]), close(errors[0]);
  // It leads a session of its own, if it has come so far: what it started goes too.
  if (!in_time && kill(-pid, SIGKILL) != 0) kill(pid, SIGKILL);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (in_time && WIFEXITED(status) && WEXITSTATUS(status) == 0) return said;
  std::istringstream text(all);
  const std::string how = !in_time            ? "took longer than " + std::to_string(limit.micros / 1'000'000) + " s"
                          : WIFEXITED(status) ? "ended with status " + std::to_string(WEXITSTATUS(status))
                                              : "was ended by signal " + std::to_string(WTERMSIG(status));
  return fail(unavailable("PROCESS_FAILED", command.program + " " + how + "; it said:" + last_lines(text, 12)));
}

bool lingers(pid_t pid) {
  const std::string folder = "/proc/" + std::to_string(pid);
  const std::string stat = file_bytes(folder + "/stat").value_or("");
  const std::size_t name_end = stat.rfind(')');  // the state comes two characters later
  if (name_end == std::string::npos || name_end + 2 >= stat.size()) return false;
  if (!file_bytes(folder + "/cmdline").value_or("").empty()) return false;  // lives, or is another one by now
  const char state = stat[name_end + 2];
  if (state != 'Z') return state != 'X';
  std::error_code ignored;
  const std::filesystem::directory_iterator threads(folder + "/task", ignored);
  return std::distance(begin(threads), end(threads)) > 1;
}

std::optional<pid_t> ServerProcess::running() const {
  std::istringstream in(file_bytes(pid_file).value_or(""));
  pid_t pid = 0;
  if (!(in >> pid) || pid <= 1) return std::nullopt;
  waitpid(pid, nullptr, WNOHANG);  // if it is a child of this very process, let go of its remains
  std::string expected = command.program + std::string(1, '\0');
  for (const std::string& argument : command.arguments) expected += argument + std::string(1, '\0');
  // Compared at the end: a script's interpreter stands before it. A process without a command line is a zombie.
  if (!file_bytes("/proc/" + std::to_string(pid) + "/cmdline").value_or("").ends_with(expected)) return std::nullopt;
  return pid;
}

Status ServerProcess::start() const {
  if (running()) return {};
  SYNOD_RETURN_IF_ERROR(check(command));
  const int log = open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (log < 0) return fail(start_failed(command.program, "cannot open " + log_file + ": " + std::strerror(errno)));
  const ExecImage image(command);
  // exec closes the pipe, so its end says that the process has become the program and running() will know it.
  int started[2];
  if (pipe2(started, O_CLOEXEC) != 0) {
    close(log);
    return fail(start_failed(command.program, std::strerror(errno)));
  }
  const pid_t pid = fork();
  if (pid == 0) image.become(log, log, dies_with_us);
  close(log), close(started[1]);
  if (pid < 0) {
    close(started[0]);
    return fail(start_failed(command.program, std::strerror(errno)));
  }
  if (!write_pid(pid_file, pid)) {
    // Nobody would find it again.
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    close(started[0]);
    return fail(start_failed(command.program, "cannot write " + pid_file));
  }
  char nothing = 0;
  while (read(started[0], &nothing, 1) < 0 && errno == EINTR) {
  }
  close(started[0]);
  return {};
}

bool ServerProcess::signal(int number) const {
  const std::optional<pid_t> pid = running();
  return pid && kill(*pid, number) == 0;
}

bool ServerProcess::stop(int signal_number, Duration patience) const {
  const std::optional<pid_t> pid = running();
  if (!pid || kill(*pid, signal_number) != 0) return false;
  const std::int64_t give_up = now_millis() + patience.micros / 1000;
  while (running() || lingers(*pid)) {
    if (now_millis() > give_up) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  waitpid(*pid, nullptr, 0);  // its remains would pass for a live process with whoever knows only the id
  std::error_code ignored;
  std::filesystem::remove(pid_file, ignored);
  return true;
}

std::string ServerProcess::end_of_log(std::size_t lines) const {
  std::ifstream in(log_file);
  return last_lines(in, lines);
}

namespace {

constexpr int kLowestPort = 12000, kPorts = 8000;

// Bound, if it can be, to a port of 127.0.0.1 that nobody has, then closed; 0 lets the system choose. 0: taken.
std::uint16_t bindable(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool bound = ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(fd);
  return bound ? ntohs(address.sin_port) : 0;
}

// Among the processes that ask free_port(), for as long as this one lives. The name needs no file, and the system lets
// go of it.
bool reserve(int port) {
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = "synod-port-" + std::to_string(port);
  std::copy(name.begin(), name.end(), address.sun_path + 1);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (fd >= 0 && ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0) return true;  // kept open
  if (fd >= 0) ::close(fd);
  return false;
}

// The first of those that the system gives to whoever connects somewhere.
int lowest_ephemeral_port() {
  std::istringstream range(file_bytes("/proc/sys/net/ipv4/ip_local_port_range").value_or(""));
  int lowest = 0;
  return range >> lowest ? lowest : 0;
}

}  // namespace

std::uint16_t free_port() {
  static std::mutex mutex;
  static int next = static_cast<int>(std::random_device()() % kPorts);
  static std::set<std::uint16_t> given;
  std::lock_guard lock(mutex);
  // A server may begin to listen only later, or be away for a while. Were its port one of those that outgoing
  // connections get, somebody's could have it by then; even one to this very port, which would reach itself.
  static const bool apart = lowest_ephemeral_port() >= kLowestPort + kPorts;
  for (int tries = 0; apart && tries < kPorts; ++tries) {
    const int port = kLowestPort + next;
    next = (next + 1) % kPorts;
    if (bindable(port) != 0 && reserve(port)) return static_cast<std::uint16_t>(port);
  }
  for (;;) {
    const std::uint16_t port = bindable(0);
    SYNOD_CHECK(port != 0);
    if (given.insert(port).second) return port;
  }
}

}  // namespace synod
