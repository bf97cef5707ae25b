// What the parts of one PostgresLog share.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "base/env.h"
#include "base/event_loop.h"
#include "ordering/postgres/postgres_log.h"
#include "ordering/thread_group.h"

namespace synod::ordering::postgres {

struct Link {
  explicit Link(PostgresLogConfig c) : config(std::move(c)), loop("ordering-postgres") {}

  void saw_head(Height height) {
    std::lock_guard lock(mutex);
    if (!head || *head < height) head = height;
  }
  void lost(const std::string& why) {
    std::lock_guard lock(mutex);
    connected = false;
    last_error = why;
  }
  bool is_stopping() const {
    std::lock_guard lock(mutex);
    return stopping;
  }

  const PostgresLogConfig config;
  const std::shared_ptr<Clock> clock = system_clock();
  EventLoop loop;  // deadlines
  ThreadGroup threads;

  mutable std::mutex mutex;  // guards what follows
  bool stopping = false;
  bool connected = false;  // the follower's connection stands
  std::string read_only;   // why submissions are refused although blocks are served
  std::string leader;
  std::string last_error;
  std::optional<Height> head;
};

}  // namespace synod::ordering::postgres
