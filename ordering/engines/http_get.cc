#include "ordering/engines/http_get.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace synod::ordering::engines {
namespace {

// A connected socket, or -1.
int connect_to(std::uint16_t port, Duration limit) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  timeval time{static_cast<time_t>(limit.micros / 1'000'000), static_cast<suseconds_t>(limit.micros % 1'000'000)};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
  ::close(fd);
  return -1;
}

}  // namespace

std::optional<std::string> http_get(std::uint16_t port, const std::string& path, Duration limit) {
  const int fd = connect_to(port, limit);
  if (fd < 0) return std::nullopt;
  // HTTP/1.0: the body ends with the connection, and is never chunked.
  const std::string request = "GET " + path + " HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n";
  std::string answer;
  if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size())) {
    char buffer[16384];
    for (ssize_t size; (size = ::recv(fd, buffer, sizeof buffer, 0)) > 0;)
      answer.append(buffer, static_cast<std::size_t>(size));
  }
  ::close(fd);
  const std::size_t end = answer.find("\r\n\r\n");
  if (end == std::string::npos || answer.substr(0, answer.find("\r\n")).find(" 200") == std::string::npos)
    return std::nullopt;
  return answer.substr(end + 4);
}

}  // namespace synod::ordering::engines
