// A store whose writes do not return while it is told so: a database that hangs.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>

#include "storage/store.h"

namespace synod::sequencer::testing {

class BlockingStore final : public storage::Store {
 public:
  explicit BlockingStore(std::shared_ptr<storage::Store> store) : store_(std::move(store)) {}

  void block(bool blocked) {
    std::lock_guard lock(mutex_);
    blocked_ = blocked;
    changed_.notify_all();
  }

  Result<std::optional<Bytes>> get(storage::Column column, ByteView key) const override {
    return store_->get(column, key);
  }
  Status scan(storage::Column column, const storage::KeyRange& range, storage::Direction direction,
              const Visitor& visitor) const override {
    return store_->scan(column, range, direction, visitor);
  }
  Status write(const storage::WriteBatch& batch, storage::Sync sync) override {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return !blocked_; });
    }
    return store_->write(batch, sync);
  }
  Status sync() override { return store_->sync(); }
  Status health() const override { return store_->health(); }

 private:
  std::shared_ptr<storage::Store> store_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool blocked_ = false;
};

}  // namespace synod::sequencer::testing
