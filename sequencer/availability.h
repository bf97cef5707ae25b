// Whether members should use this sequencer, and why not: asked at each request, and told to gRPC's health.
//
// Two questions: are requests taken (the node says, and a loop that is held up says it by itself), and is the ordering
// service reached. Thread rules: any thread.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string>

#include "base/event_loop.h"
#include "ordering/ordering_log.h"
#include "rpc/health.h"

namespace synod::sequencer {

class Availability {
 public:
  // `core` applies blocks, `delivery` reads events from the cache; a step of either that takes longer than
  // `stall_patience` is a stall. All three outlive this object.
  Availability(const EventLoop& core, const EventLoop& delivery, const ordering::OrderingLog& log,
               Duration stall_patience);

  // Tells `health` (may be null) from now on, under "" and `sequencer-health-check-service`, and looks for stalls.
  void start(rpc::Health* health);
  // Shutting down: no request is taken any more, and nothing else is told.
  void close();
  void stop();  // ends the thread that looks for stalls

  // Why no request is taken, in plain words; empty: they are.
  void set_not_accepting(const std::string& reason);
  void waits_for_cache(bool waits) { waits_for_cache_ = waits; }  // the core's loop, for what a stall is called
  void tell();                                                    // after a change of the ordering service's state

  Status accepting() const;  // SEQUENCER_UNAVAILABLE with the reason
  Status health() const;     // the same, or what keeps the ordering service away
  // Why nothing goes on, if a step has been taking longer than `patience`.
  std::optional<std::string> stalled(Duration patience) const;

 private:
  void watch();

  const EventLoop& core_;
  const EventLoop& delivery_;
  const ordering::OrderingLog& log_;
  const Duration stall_patience_;
  std::atomic<bool> waits_for_cache_ = false;
  std::atomic<bool> closed_ = false;

  mutable std::mutex reason_mutex_;
  std::string not_accepting_ = "The sequencer is starting.";

  std::mutex told_mutex_;  // guards what gRPC's health has been told
  rpc::Health* health_ = nullptr;
  std::optional<std::string> told_;

  EventLoop watch_loop_;  // of its own, as the others may be held up by what it looks for
};

}  // namespace synod::sequencer
