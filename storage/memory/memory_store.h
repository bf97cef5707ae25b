// A Store in memory, for tests, for the simulator, and for nodes that need no persistence.
//
// It can play a machine that fails: it remembers which batches were not synced and forgets a suffix of them on demand,
// and it can be full. In the simulator the object is the disk: it outlives the simulated process.
#pragma once

#include <map>
#include <mutex>
#include <vector>

#include "storage/store.h"

namespace synod::storage {

struct MemoryStoreOptions {
  std::vector<Column> columns;
  // Keep what is needed to undo unsynced batches; without it lose_unsynced() may not be called.
  bool track_unsynced = false;
  // Writes that would make keys and values exceed this fail with STORAGE_FULL.
  std::size_t max_bytes = SIZE_MAX;
};

class MemoryStore final : public Store {
 public:
  explicit MemoryStore(MemoryStoreOptions options);

  Result<std::optional<Bytes>> get(Column column, ByteView key) const override;
  Status scan(Column column, const KeyRange& range, Direction direction, const Visitor& visitor) const override;
  Status write(const WriteBatch& batch, Sync sync) override;
  Status sync() override;
  Status health() const override;

  // The machine stops: of the batches that were not synced only the first `keep` remain.
  void lose_unsynced(std::size_t keep = 0);
  std::size_t unsynced_batches() const;

  // While full, every non-empty write fails with STORAGE_FULL and changes nothing.
  void set_full(bool full);

  std::size_t bytes() const;  // of all keys and values

 private:
  using Map = std::map<Bytes, Bytes, std::less<>>;
  using Undo = std::vector<WriteBatch::Operation>;

  Map& map(Column column);
  const Map& map(Column column) const;
  std::optional<Bytes> assign(const WriteBatch::Operation& operation);  // returns the earlier value

  // Recursive, because a visitor may read.
  mutable std::recursive_mutex mutex_;
  MemoryStoreOptions options_;
  std::map<Column, Map> columns_;
  std::vector<Undo> unsynced_;  // oldest first
  std::size_t bytes_ = 0;
  bool full_ = false;
};

}  // namespace synod::storage
