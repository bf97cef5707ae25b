#include "testnet/interrupts.h"

#include <initializer_list>

namespace synod::testnet {

Interrupts::Interrupts() {
  sigemptyset(&signals_);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals_, signal);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
}

bool Interrupts::pending() const {
  sigset_t waiting;
  sigpending(&waiting);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP})
    if (sigismember(&waiting, signal) == 1) return true;
  return false;
}

void Interrupts::wait() const {
  int received = 0;
  sigwait(&signals_, &received);
}

}  // namespace synod::testnet
