// Threads of a driver that end by themselves, counted so that stop() can wait for them.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "base/time.h"

namespace synod::ordering {

// Thread rules: any method from any thread, but wait() not from one of the group's.
class ThreadGroup {
 public:
  // The body holds what it needs; that goes before the thread is no longer counted.
  void spawn(std::function<void()> body) {
    {
      std::lock_guard lock(state_->mutex);
      ++state_->count;
    }
    std::thread([state = state_, body = std::move(body)]() mutable {
      body();
      body = nullptr;
      std::lock_guard lock(state->mutex);
      --state->count;
      state->changed.notify_all();
    }).detach();
  }

  // False: `limit` has passed and some still run.
  bool wait(Duration limit) const {
    std::unique_lock lock(state_->mutex);
    return state_->changed.wait_for(lock, std::chrono::microseconds(limit.micros), [&] { return state_->count == 0; });
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    int count = 0;
  };
  const std::shared_ptr<State> state_ = std::make_shared<State>();  // outlives the group in the last thread
};

}  // namespace synod::ordering
