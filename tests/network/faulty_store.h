// A store over another one that fails when the test says so.
#pragma once

#include <functional>
#include <memory>
#include <mutex>

#include "storage/store.h"

namespace synod::testing {

class FaultyStore final : public storage::Store {
 public:
  using OnWrite = std::function<Status(const storage::WriteBatch&)>;
  using OnGet = std::function<Status(storage::Column)>;

  explicit FaultyStore(std::shared_ptr<storage::Store> store) : store_(std::move(store)) {}

  // Asked before each write, or read of one key; an error is the answer. Null: nothing fails.
  void on_write(OnWrite fault) {
    std::lock_guard lock(mutex_);
    on_write_ = std::move(fault);
  }
  void on_get(OnGet fault) {
    std::lock_guard lock(mutex_);
    on_get_ = std::move(fault);
  }

  Result<std::optional<Bytes>> get(storage::Column column, ByteView key) const override {
    if (const auto fault = current(on_get_)) SYNOD_RETURN_IF_ERROR(fault(column));
    return store_->get(column, key);
  }
  Status scan(storage::Column column, const storage::KeyRange& range, storage::Direction direction,
              const Visitor& visitor) const override {
    return store_->scan(column, range, direction, visitor);
  }
  Status write(const storage::WriteBatch& batch, storage::Sync sync) override {
    if (const auto fault = current(on_write_)) SYNOD_RETURN_IF_ERROR(fault(batch));
    return store_->write(batch, sync);
  }
  Status sync() override { return store_->sync(); }
  Status health() const override { return store_->health(); }

 private:
  template <typename Fault>
  Fault current(const Fault& fault) const {
    std::lock_guard lock(mutex_);
    return fault;
  }

  std::shared_ptr<storage::Store> store_;
  mutable std::mutex mutex_;
  OnWrite on_write_;
  OnGet on_get_;
};

}  // namespace synod::testing
