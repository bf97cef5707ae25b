#include "storage/postgres/stall_guard.h"

#include <sys/socket.h>

#include <chrono>

#include "base/env.h"
#include "base/log.h"

namespace synod::storage {
namespace {

std::int64_t now() {
  static const std::shared_ptr<Clock> clock = system_clock();
  return clock->monotonic_micros();
}

}  // namespace

StallGuard::StallGuard(Duration patience) : patience_(patience), thread_([this] { run(); }) {}

StallGuard::~StallGuard() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void StallGuard::Wait::begin() {
  end();
  {
    std::lock_guard lock(guard_.mutex_);
    deadline_ = now() + guard_.patience_.micros;
    const auto at = guard_.waits_.emplace(deadline_, this);
    if (at != guard_.waits_.begin()) return;
  }
  guard_.changed_.notify_one();
}

void StallGuard::Wait::end() {
  std::lock_guard lock(guard_.mutex_);
  if (deadline_ == 0) return;
  const auto [from, to] = guard_.waits_.equal_range(deadline_);
  for (auto it = from; it != to; ++it) {
    if (it->second != this) continue;
    guard_.waits_.erase(it);
    break;
  }
  deadline_ = 0;
}

void StallGuard::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (waits_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const auto first = waits_.begin();
    const std::int64_t left = first->first - now();
    if (left > 0) {
      changed_.wait_for(lock, std::chrono::microseconds(left));
      continue;
    }
    Wait* const late = first->second;
    waits_.erase(first);
    late->deadline_ = 0;
    // Under the lock: the descriptor belongs to the connection as long as the wait lives.
    ::shutdown(late->socket_, SHUT_RDWR);
    log::info("storage", "the database has not answered for {} s: its connection is given up",
              patience_.micros / 1'000'000);
  }
}

}  // namespace synod::storage
