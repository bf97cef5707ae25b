// A store that counts what is read from another one.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>

#include "storage/store.h"

namespace synod::sequencer::testing {

class CountingStore final : public storage::Store {
 public:
  explicit CountingStore(std::shared_ptr<storage::Store> store) : store_(std::move(store)) {}

  Result<std::optional<Bytes>> get(storage::Column column, ByteView key) const override {
    count(column, 1);
    return store_->get(column, key);
  }
  Status scan(storage::Column column, const storage::KeyRange& range, storage::Direction direction,
              const Visitor& visitor) const override {
    std::size_t rows = 1;  // an empty scan reads, too
    const Status status = store_->scan(column, range, direction, [&](ByteView key, ByteView value) {
      ++rows;
      return visitor(key, value);
    });
    count(column, rows);
    return status;
  }
  Status write(const storage::WriteBatch& batch, storage::Sync sync) override { return store_->write(batch, sync); }
  Status sync() override { return store_->sync(); }
  Status health() const override { return store_->health(); }

  // Rows read of a column, and of all.
  std::size_t reads(storage::Column column) const {
    std::lock_guard lock(mutex_);
    const auto found = reads_.find(column);
    return found == reads_.end() ? 0 : found->second;
  }
  std::size_t reads() const {
    std::lock_guard lock(mutex_);
    std::size_t all = 0;
    for (const auto& [column, rows] : reads_) all += rows;
    return all;
  }

 private:
  void count(storage::Column column, std::size_t rows) const {
    std::lock_guard lock(mutex_);
    reads_[column] += rows;
  }
  std::shared_ptr<storage::Store> store_;
  mutable std::mutex mutex_;
  mutable std::map<storage::Column, std::size_t> reads_;
};

}  // namespace synod::sequencer::testing
