#include "base/event_loop.h"

#include <pthread.h>

namespace synod {

EventLoop::EventLoop(std::string thread_name) : clock_(system_clock()), thread_([this] { run(); }) {
  pthread_setname_np(thread_.native_handle(), thread_name.substr(0, 15).c_str());
}

EventLoop::~EventLoop() { stop(); }

void EventLoop::post(std::function<void()> task) {
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return;
    tasks_.push_back(std::move(task));
  }
  wake_.notify_one();
}

TimerId EventLoop::after(Duration delay, std::function<void()> task) {
  TimerId id;
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return 0;
    id = next_timer_++;
    const std::int64_t due = clock_->monotonic_micros() + delay.micros;
    timers_.emplace(Due{due, id}, std::move(task));
    due_of_.emplace(id, due);
  }
  wake_.notify_one();
  return id;
}

void EventLoop::cancel(TimerId timer) {
  std::function<void()> dropped;  // destroyed outside the lock: its captures may call back
  std::lock_guard lock(mutex_);
  const auto it = due_of_.find(timer);
  if (it == due_of_.end()) return;
  const auto entry = timers_.find(Due{it->second, timer});
  dropped = std::move(entry->second);
  timers_.erase(entry);
  due_of_.erase(it);
}

void EventLoop::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  std::deque<std::function<void()>> tasks;
  std::map<Due, std::function<void()>> timers;
  std::lock_guard lock(mutex_);
  tasks.swap(tasks_);
  timers.swap(timers_);
  due_of_.clear();
}

Duration EventLoop::busy_for() const {
  const std::int64_t since = busy_since_;
  return since == 0 ? Duration{} : Duration{clock_->monotonic_micros() - since};
}

std::size_t EventLoop::queued() const {
  std::lock_guard lock(mutex_);
  return tasks_.size();
}

void EventLoop::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    std::function<void()> task;
    if (!timers_.empty() && timers_.begin()->first.first <= clock_->monotonic_micros()) {
      task = std::move(timers_.begin()->second);
      due_of_.erase(timers_.begin()->first.second);
      timers_.erase(timers_.begin());
    } else if (!tasks_.empty()) {
      task = std::move(tasks_.front());
      tasks_.pop_front();
    } else if (timers_.empty()) {
      wake_.wait(lock);
      continue;
    } else {
      const std::int64_t wait = timers_.begin()->first.first - clock_->monotonic_micros();
      if (wait > 0) wake_.wait_for(lock, std::chrono::microseconds(wait));
      continue;
    }
    lock.unlock();
    busy_since_ = clock_->monotonic_micros();
    task();
    task = nullptr;
    busy_since_ = 0;
    lock.lock();
  }
}

}  // namespace synod
