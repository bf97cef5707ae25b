#include "ordering/engines/engine_cache.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "base/env.h"

namespace synod::ordering::engines {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

}  // namespace

std::string default_engine_cache() {
  if (std::string engines = variable("SYNOD_ENGINES"); !engines.empty()) return engines;
  if (const std::string cache = variable("XDG_CACHE_HOME"); !cache.empty()) return cache + "/synod/engines";
  return variable("HOME") + "/.cache/synod/engines";
}

Error not_installed(const std::string& tool, const std::string& what_for, const std::string& remedy) {
  return failed_precondition("ENGINE_NOT_INSTALLED", tool + " is not on this machine; " + what_for + ". " + remedy);
}

Result<std::string> run_with_downloads(const Command& command, Duration limit, const Progress& progress,
                                       const DownloadRetry& retry) {
  const auto clock = system_clock();
  const std::int64_t give_up = clock->monotonic_micros() + limit.micros;
  for (int attempt = 1;; ++attempt) {
    const Duration left{give_up - clock->monotonic_micros()};
    auto done = run(command, left);
    const Duration wait = retry.delay * attempt;
    const bool time_is_over = clock->monotonic_micros() + wait.micros >= give_up;
    if (done || attempt >= retry.attempts || time_is_over || done.error().id != "PROCESS_FAILED") return done;
    progress("    that failed, once more: " + done.error().cause);
    std::this_thread::sleep_for(std::chrono::microseconds(wait.micros));
  }
}

bool listens(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  const bool connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return connected;
}

}  // namespace synod::ordering::engines
