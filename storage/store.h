// An ordered key-value store with atomic batches: the one durable thing below every node's core.
//
// Keys and values are byte strings; keys are ordered byte by byte, unsigned. A store has columns (independent key
// spaces) whose names are fixed when it is opened. Implementations: memory/memory_store.h, rocksdb/rocksdb_store.h,
// postgres/postgres_store.h.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace synod::storage {

// A key space of a store. The name must outlive everything; make columns constants:
//   inline constexpr storage::Column kEvents{"events"};
// Using a column that the store was not opened with is a bug, not an error.
struct Column {
  std::string_view name;
  constexpr explicit Column(const char* n) : name(n) {}
  constexpr auto operator<=>(const Column&) const = default;
};

// Writes that take effect together or not at all, in the order in which they were added: the last one to a key wins.
class WriteBatch {
 public:
  struct Operation {
    Column column;
    Bytes key;
    std::optional<Bytes> value;  // none: erase
  };

  void put(Column column, Bytes key, Bytes value) {
    bytes_ += key.size() + value.size();
    operations_.push_back({column, std::move(key), std::move(value)});
  }
  void erase(Column column, Bytes key) {
    bytes_ += key.size();
    operations_.push_back({column, std::move(key), std::nullopt});
  }
  void append(WriteBatch other);
  void clear();

  bool empty() const { return operations_.empty(); }
  std::size_t size() const { return operations_.size(); }
  std::size_t bytes() const { return bytes_; }  // of keys and values
  const std::vector<Operation>& operations() const { return operations_; }

 private:
  std::vector<Operation> operations_;
  std::size_t bytes_ = 0;
};

// Whether a write must survive the loss of the machine when write() returns. `no` still survives a kill of the process,
// and unsynced writes are never lost out of order: what remains after a crash is a prefix of the batches written.
enum class Sync { no, yes };

enum class Direction { forward, reverse };

// Keys k with from <= k, and k < to if there is a `to`.
struct KeyRange {
  Bytes from;
  std::optional<Bytes> to;

  static KeyRange all() { return {}; }
  static KeyRange prefix(ByteView prefix);  // all keys that start with `prefix`
};

struct KeyValue {
  Bytes key;
  Bytes value;
  bool operator==(const KeyValue&) const = default;
};

// Thread rules: all methods from any thread. Reads never wait for a sync.
// Errors: STORAGE_FULL (background_degradation: no space left; reading goes on, writing fails until there is space;
// with RocksDB a moment longer), STORAGE_CORRUPT, STORAGE_FAILED (both internal). A write that returned an error has
// not been applied and may be tried again, except after STORAGE_FAILED: then only a restart tells what is on disk.
class Store {
 public:
  // Return false to end the scan. The views live until the visitor returns. It may read from the store, not write to
  // it.
  using Visitor = std::function<bool(ByteView key, ByteView value)>;

  virtual ~Store() = default;

  virtual Result<std::optional<Bytes>> get(Column column, ByteView key) const = 0;

  // Visits the range in key order (or in reverse) as it was when the scan began.
  virtual Status scan(Column column, const KeyRange& range, Direction direction, const Visitor& visitor) const = 0;

  virtual Status write(const WriteBatch& batch, Sync sync) = 0;

  // Makes every earlier write durable.
  virtual Status sync() = 0;

  // Ok, or why the store no longer accepts writes.
  virtual Status health() const = 0;

  // The first entry in the given direction; none if the range is empty. For "the last height" and the like.
  Result<std::optional<KeyValue>> first(Column column, const KeyRange& range, Direction direction) const;
};

Error storage_full(std::string cause);
Error storage_corrupt(std::string cause);
Error storage_failed(std::string cause);

}  // namespace synod::storage
