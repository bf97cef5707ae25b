#include "ordering/conformance/relay.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "base/check.h"
#include "base/process.h"
#include "ordering/conformance/world.h"

namespace synod::ordering::conformance {
namespace {

constexpr std::size_t kHeld = 64u << 10;

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

// The other side sees a reset, not an orderly end.
void reset(int fd) {
  const linger now{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ::close(fd);
}

void no_delay(int fd) {
  const int yes = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

}  // namespace

Relay::Relay(int to_port) : to_port_(to_port) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  // A port that was free may be taken before it is ours.
  for (bool bound = false; !bound;) {
    port_ = free_port();
    const sockaddr_in address = loopback(port_);
    bound = ::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    SYNOD_CHECK(bound || errno == EADDRINUSE);
  }
  SYNOD_CHECK(::listen(listener_, 256) == 0);
  SYNOD_CHECK(::pipe2(wake_, O_CLOEXEC | O_NONBLOCK) == 0);
  thread_ = std::thread([this] { run(); });
}

Relay::~Relay() {
  stopping_ = true;
  set(Mode::cut);
  thread_.join();
  ::close(listener_);
  ::close(wake_[0]);
  ::close(wake_[1]);
}

void Relay::set(Mode mode) {
  mode_ = mode;
  SYNOD_CHECK(::write(wake_[1], "x", 1) == 1 || errno == EAGAIN);
}

void Relay::accept_one() {
  const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (client < 0) return;
  ++attempts_;
  if (mode_ == Mode::cut) return reset(client);
  const int engine = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(to_port_);
  if (::connect(engine, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(engine);
    return reset(client);
  }
  ::fcntl(engine, F_SETFL, ::fcntl(engine, F_GETFL) | O_NONBLOCK);
  no_delay(client);
  no_delay(engine);
  connections_.push_back({client, engine, {}, {}});
}

bool Relay::move(int from, int to, Pipe& pipe, bool readable, bool writable, std::atomic<std::size_t>& passed) {
  if (readable && pipe.held.empty() && !pipe.ended) {
    pipe.held.resize(kHeld);
    const ssize_t got = ::read(from, pipe.held.data(), kHeld);
    pipe.held.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    if (got == 0) {
      pipe.ended = true;
      ::shutdown(to, SHUT_WR);
    }
    if (got < 0 && errno != EAGAIN && errno != EINTR) return false;
    writable = true;
  }
  if (writable && !pipe.held.empty()) {
    const ssize_t put = ::send(to, pipe.held.data(), pipe.held.size(), MSG_NOSIGNAL);
    if (put < 0 && errno != EAGAIN && errno != EINTR) return false;
    if (put > 0) {
      pipe.held.erase(0, static_cast<std::size_t>(put));
      passed += static_cast<std::size_t>(put);
    }
  }
  return true;
}

void Relay::run() {
  while (!stopping_) {
    const bool passing = mode_ == Mode::pass;
    std::vector<pollfd> polled{{listener_, POLLIN, 0}, {wake_[0], POLLIN, 0}};
    for (const Connection& c : connections_) {
      const auto events = [&](const Pipe& in, const Pipe& out) {
        if (!passing) return static_cast<short>(0);
        return static_cast<short>((in.held.empty() && !in.ended ? POLLIN : 0) | (out.held.empty() ? 0 : POLLOUT));
      };
      polled.push_back({passing ? c.client : -1, events(c.up, c.down), 0});
      polled.push_back({passing ? c.engine : -1, events(c.down, c.up), 0});
    }
    if (::poll(polled.data(), polled.size(), -1) < 0) continue;
    char drain[64];
    while (polled[1].revents != 0 && ::read(wake_[0], drain, sizeof drain) > 0) {
    }
    const Mode mode = mode_;
    std::size_t i = 2;
    for (auto it = connections_.begin(); it != connections_.end(); i += 2) {
      const short client = polled[i].revents, engine = polled[i + 1].revents;
      bool alive = mode != Mode::cut;
      if (mode == Mode::pass) {
        const auto ready = [](short events, short wanted) { return (events & (wanted | POLLERR | POLLHUP)) != 0; };
        alive = move(it->client, it->engine, it->up, ready(client, POLLIN), ready(engine, POLLOUT), bytes_up_) &&
                move(it->engine, it->client, it->down, ready(engine, POLLIN), ready(client, POLLOUT), bytes_down_) &&
                !(it->up.ended && it->down.ended && it->up.held.empty() && it->down.held.empty()) &&
                !((client | engine) & (POLLERR | POLLNVAL));
        // Whoever closed entirely hears nothing more: what it would still get is dropped with the connection.
        if ((client & POLLHUP) || (engine & POLLHUP && it->down.held.empty() && it->down.ended)) alive = false;
      }
      if (alive) {
        ++it;
        continue;
      }
      reset(it->client);
      reset(it->engine);
      it = connections_.erase(it);
    }
    if (polled[0].revents != 0) accept_one();
  }
  for (const Connection& c : connections_) {
    reset(c.client);
    reset(c.engine);
  }
}

int EngineWorld::relay_to(int engine_port) {
  relays_.push_back(std::make_unique<Relay>(engine_port));
  return relays_.back()->port();
}

}  // namespace synod::ordering::conformance
