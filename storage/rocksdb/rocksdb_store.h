// A Store on RocksDB: one column family per column, write-ahead log always on.
//
// Writes with Sync::yes from several threads share one fsync (RocksDB's own write group).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "storage/store.h"

namespace synod::storage {

struct RocksDbOptions {
  std::string path;  // a folder of its own; created if missing
  std::vector<Column> columns;
  // Memory: at most this much for cached blocks, and for unflushed writes over all columns.
  std::size_t block_cache_bytes = 16u << 20;
  std::size_t write_buffer_bytes = 16u << 20;
  int max_open_files = 256;
};

// Errors: STORAGE_LOCKED (another process has it open), STORAGE_CORRUPT, STORAGE_FULL, STORAGE_FAILED. Columns that
// exist on disk but are not named are kept and left alone.
Result<std::unique_ptr<Store>> open_rocksdb(const RocksDbOptions& options);

}  // namespace synod::storage
