// The Executor of a real node: one thread, a task queue, timers on the monotonic clock.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "base/env.h"

namespace synod {

// Thread rules: any method from any thread. stop() waits for the running task and drops the rest; it may not be called
// from a task. The destructor calls stop().
class EventLoop final : public Executor {
 public:
  explicit EventLoop(std::string thread_name);
  ~EventLoop() override;

  void post(std::function<void()> task) override;
  TimerId after(Duration delay, std::function<void()> task) override;
  void cancel(TimerId timer) override;
  void stop();
  bool in_loop_thread() const { return std::this_thread::get_id() == thread_.get_id(); }
  // How long the task that runs now has been running; zero: none runs. For whoever watches over the loop.
  Duration busy_for() const;
  std::size_t queued() const;  // tasks waiting, for metrics and back-pressure

 private:
  void run();

  using Due = std::pair<std::int64_t, TimerId>;  // monotonic µs, id: equal times keep their order
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  std::map<Due, std::function<void()>> timers_;
  std::map<TimerId, std::int64_t> due_of_;
  TimerId next_timer_ = 1;
  bool stopping_ = false;
  std::atomic<std::int64_t> busy_since_ = 0;  // monotonic µs; 0: no task runs
  std::shared_ptr<Clock> clock_;
  std::thread thread_;
};

}  // namespace synod
