#include "sequencer/testing/memory_log.h"

#include <algorithm>
#include <atomic>

#include "crypto/hash.h"

namespace synod::sequencer::testing {

struct MemoryLog::Reader {
  std::recursive_mutex running;  // held during a call of the sink
  std::shared_ptr<ordering::BlockSink> sink;
  std::size_t next = 0;
  std::atomic<std::size_t> requested = 0;
  bool gone = false;
};

class MemoryLog::Handle final : public ordering::Subscription {
 public:
  Handle(MemoryLog& log, std::shared_ptr<Reader> reader) : log_(log), reader_(std::move(reader)) {}
  ~Handle() override {
    std::lock_guard lock(reader_->running);
    reader_->gone = true;
  }
  void request(std::size_t blocks) override {
    reader_->requested += blocks;
    log_.loop_.post([&log = log_] { log.deliver(); });
  }

 private:
  MemoryLog& log_;
  std::shared_ptr<Reader> reader_;
};

void MemoryLog::submit(Bytes record, std::function<void(ordering::SubmitResult)> done) {
  {
    std::unique_lock lock(mutex_);
    ++waiting_;
    released_.wait(lock, [this] { return !held_; });
    --waiting_;
    if (!available_) {
      done({ordering::SubmitOutcome::refused, unavailable("ORDERING_UNAVAILABLE", "switched off")});
      return;
    }
    ordering::Block block;
    block.height = ordering::Height(static_cast<std::int64_t>(blocks_.size()));
    block.previous_hash = blocks_.empty() ? Bytes() : blocks_.back().hash;
    block.hash = crypto::sha256(block.previous_hash + record);
    block.records.push_back(std::move(record));
    blocks_.push_back(std::move(block));
  }
  done({});
  loop_.post([this] { deliver(); });
}

std::unique_ptr<ordering::Subscription> MemoryLog::subscribe(ordering::Height from,
                                                             std::shared_ptr<ordering::BlockSink> sink) {
  auto reader = std::make_shared<Reader>();
  reader->sink = std::move(sink);
  reader->next = static_cast<std::size_t>(from.value);
  std::lock_guard lock(mutex_);
  readers_.push_back(reader);
  return std::make_unique<Handle>(*this, reader);
}

void MemoryLog::deliver() {
  std::vector<std::shared_ptr<Reader>> readers;
  {
    std::lock_guard lock(mutex_);
    readers = readers_;
  }
  for (const auto& reader : readers) {
    std::lock_guard running(reader->running);
    while (!reader->gone && reader->requested > 0) {
      ordering::Block block;
      {
        std::lock_guard lock(mutex_);
        if (reader->next >= blocks_.size()) break;
        block = blocks_[reader->next++];
      }
      --reader->requested;
      reader->sink->on_block(std::move(block));
    }
  }
  std::lock_guard lock(mutex_);
  std::erase_if(readers_, [](const auto& reader) { return reader->gone; });
}

ordering::Health MemoryLog::health() const {
  std::lock_guard lock(mutex_);
  ordering::Health health;
  health.state = available_ ? ordering::Health::State::ready : ordering::Health::State::connecting;
  if (!available_) health.last_error = "switched off";
  health.head = ordering::Height(static_cast<std::int64_t>(blocks_.size()) - 1);
  return health;
}

void MemoryLog::hold(bool held) {
  std::lock_guard lock(mutex_);
  held_ = held;
  released_.notify_all();
}

std::size_t MemoryLog::waiting() const {
  std::lock_guard lock(mutex_);
  return waiting_;
}

void MemoryLog::set_available(bool available) {
  std::lock_guard lock(mutex_);
  available_ = available;
}

void MemoryLog::prune(ordering::Height before, std::function<void(Status)> done) {
  {
    std::lock_guard lock(mutex_);
    pruned_before_ = before;
  }
  done({});
}

std::optional<ordering::Height> MemoryLog::pruned_before() const {
  std::lock_guard lock(mutex_);
  return pruned_before_;
}

std::size_t MemoryLog::blocks() const {
  std::lock_guard lock(mutex_);
  return blocks_.size();
}

}  // namespace synod::sequencer::testing
