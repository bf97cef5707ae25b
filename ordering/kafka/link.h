// What the parts of one KafkaLog share: configuration, what is known about the topic, the threads still running.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "base/env.h"
#include "base/event_loop.h"
#include "ordering/kafka/chain.h"
#include "ordering/kafka/kafka_log.h"
#include "ordering/thread_group.h"

namespace synod::ordering::kafka {

struct Link {
  explicit Link(KafkaLogConfig c) : config(std::move(c)), loop("ordering-kafka") {}

  const KafkaLogConfig config;
  const std::shared_ptr<Clock> clock = system_clock();
  EventLoop loop;  // checks of the topic; they may block for seconds

  ThreadGroup threads;

  mutable std::mutex mutex;  // guards what follows
  std::condition_variable changed;
  bool stopping = false;
  bool topic_checked = false;          // it was found fit once
  std::optional<Error> topic_refusal;  // it is not fit
  bool connected = false;
  std::string hindrance;  // why submissions cannot succeed although we are connected
  std::string leader;
  std::string last_error;
  std::optional<Height> head;
  std::optional<Witness> known;      // the newest block that a subscription has received
  std::function<void()> on_trouble;  // asks for a check soon

  void saw_head(Height height) {
    std::lock_guard lock(mutex);
    if (!head || *head < height) head = height;
  }
  // The topic took a record: whatever was wrong with it is over.
  void saw_success(Height height) {
    std::lock_guard lock(mutex);
    if (!head || *head < height) head = height;
    connected = true;
    hindrance.clear();
    last_error.clear();
  }
  void saw_block(const Witness& block) {
    std::lock_guard lock(mutex);
    if (!head || *head < block.height) head = block.height;
    if (!known || known->height < block.height) known = block;
  }
  void forget_known() {
    std::lock_guard lock(mutex);
    known.reset();
  }
  // A connection was lost or a request failed.
  void saw_trouble(const std::string& text) {
    std::function<void()> check;
    {
      std::lock_guard lock(mutex);
      last_error = text;
      // Losing a broker that does not lead is no news for those who submit.
      if (leader.empty() || text.find(leader) != std::string::npos ||
          text.find("brokers are down") != std::string::npos)
        connected = false;
      if (!stopping) check = on_trouble;
    }
    if (check) check();
  }

  // Waits until the topic was found fit; false: stopping, or `limit` has passed.
  bool wait_for_topic(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, limit, [&] { return stopping || (topic_checked && !topic_refusal); });
    return !stopping && topic_checked && !topic_refusal;
  }
};

}  // namespace synod::ordering::kafka
