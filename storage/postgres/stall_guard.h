// Ends connections whose server does not answer: libpq would wait for ever for one that is frozen, or behind a network
// that swallows everything, and the server's own statement_timeout is no help then.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <thread>

#include "base/time.h"

namespace synod::storage {

// Thread rules: any thread. Outlives its waits.
class StallGuard {
 public:
  explicit StallGuard(Duration patience);
  ~StallGuard();
  StallGuard(const StallGuard&) = delete;
  StallGuard& operator=(const StallGuard&) = delete;

  // While it lives, the socket is shut down when begin() was so long ago without end(). The thread that waits for an
  // answer there sees a lost connection. Destroy it before the connection.
  class Wait {
   public:
    Wait(StallGuard& guard, int socket) : guard_(guard), socket_(socket) { begin(); }
    ~Wait() { end(); }
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;
    void begin();  // again: another answer is waited for
    void end();    // the time until begin() does not count

   private:
    friend class StallGuard;
    StallGuard& guard_;
    const int socket_;
    std::int64_t deadline_ = 0;  // guarded by the guard's mutex; 0: none
  };

 private:
  void run();

  const Duration patience_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<std::int64_t, Wait*> waits_;  // by deadline, monotonic µs
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace synod::storage
