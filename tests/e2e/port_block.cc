#include "tests/e2e/port_block.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "base/check.h"

namespace synod::e2e {
namespace {

constexpr int kLowest = 20000, kPortBlocks = 300;  // up to 31999

bool is_free(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool free = bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return free;
}

bool are_free(int first) {
  for (int port = first; port < first + PortBlock::kPorts; ++port)
    if (!is_free(port)) return false;
  return true;
}

}  // namespace

PortBlock::PortBlock() {
  // Each process begins elsewhere, so that two seldom look at the same one.
  for (int i = 0; i < kPortBlocks; ++i) {
    const int first = kLowest + (getpid() * 7 + i) % kPortBlocks * kPorts;
    const std::string file =
        (std::filesystem::temp_directory_path() / ("synod-ports-" + std::to_string(first) + ".lock")).string();
    const int lock = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (lock < 0) continue;
    if (flock(lock, LOCK_EX | LOCK_NB) == 0 && are_free(first)) {
      first_ = first;
      lock_ = lock;
      return;
    }
    close(lock);
  }
  SYNOD_CHECK(false && "no free block of ports");
}

PortBlock::~PortBlock() { close(lock_); }

}  // namespace synod::e2e
