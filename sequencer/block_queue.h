// Blocks between the ordering log and the core: in order, and while several wait, prepared in parallel.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/event_loop.h"
#include "ordering/ordering_log.h"
#include "sequencer/prepared.h"

namespace synod::sequencer {

// Thread rules: any thread.
class BlockQueue {
 public:
  struct Ready {
    ordering::Block block;
    std::optional<PreparedBlock> prepared;  // none: nobody has begun, prepare it yourself
  };
  // `ready` is called when the front may have become available; `prepare` is prepare_block(), from any thread.
  BlockQueue(std::uint32_t threads, std::function<PreparedBlock(const ordering::Block&)> prepare,
             std::function<void()> ready);

  void push(ordering::Block block);
  // The front, unless a worker is still busy with it.
  std::optional<Ready> pop();
  std::size_t size() const;
  // Stops the workers.
  void stop();

 private:
  struct Slot {
    ordering::Block block;
    std::optional<PreparedBlock> prepared;
    bool assigned = false;
  };
  std::function<PreparedBlock(const ordering::Block&)> prepare_;
  std::function<void()> ready_;
  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<Slot>> slots_;
  std::size_t next_worker_ = 0;
  std::vector<std::unique_ptr<EventLoop>> workers_;
};

}  // namespace synod::sequencer
