#include "sequencer/block_queue.h"

namespace synod::sequencer {

BlockQueue::BlockQueue(std::uint32_t threads, std::function<PreparedBlock(const ordering::Block&)> prepare,
                       std::function<void()> ready)
    : prepare_(std::move(prepare)), ready_(std::move(ready)) {
  for (std::uint32_t i = 0; i < threads; ++i) workers_.push_back(std::make_unique<EventLoop>("seq-verify"));
}

void BlockQueue::push(ordering::Block block) {
  auto slot = std::make_shared<Slot>();
  slot->block = std::move(block);
  EventLoop* worker = nullptr;
  {
    std::lock_guard lock(mutex_);
    // The first waiting block is taken by the loop itself sooner than a worker would have it.
    if (!slots_.empty() && !workers_.empty()) {
      slot->assigned = true;
      worker = workers_[next_worker_++ % workers_.size()].get();
    }
    slots_.push_back(slot);
  }
  if (!worker) return ready_();
  worker->post([this, slot] {
    auto prepared = prepare_(slot->block);
    {
      std::lock_guard lock(mutex_);
      slot->prepared = std::move(prepared);
    }
    ready_();
  });
}

std::optional<BlockQueue::Ready> BlockQueue::pop() {
  std::lock_guard lock(mutex_);
  if (slots_.empty()) return std::nullopt;
  const auto slot = slots_.front();
  if (slot->assigned && !slot->prepared) return std::nullopt;
  slots_.pop_front();
  return Ready{std::move(slot->block), std::move(slot->prepared)};
}

std::size_t BlockQueue::size() const {
  std::lock_guard lock(mutex_);
  return slots_.size();
}

void BlockQueue::stop() {
  for (auto& worker : workers_) worker->stop();
}

}  // namespace synod::sequencer
