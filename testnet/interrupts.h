// Ctrl-C and the like while a command holds processes that it must not leave behind.
#pragma once

#include <signal.h>

namespace synod::testnet {

// From its construction on SIGINT, SIGTERM and SIGHUP do not end this process any more; whoever holds it asks for them.
// Construct it before there are threads, which would take the signals otherwise: gRPC makes some with the first
// channel. Processes that are started meanwhile begin with no signal blocked (base/process.h).
class Interrupts {
 public:
  Interrupts();
  bool pending() const;  // one has come
  void wait() const;     // until one comes

 private:
  sigset_t signals_;
};

}  // namespace synod::testnet
