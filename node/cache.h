// Where a sequencer keeps what it has made of the log: RocksDB in its data folder, or a PostgreSQL database of its own.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/time.h"
#include "storage/store.h"

namespace synod::node {

struct CacheSection {
  std::string engine = "rocksdb";
  std::size_t write_buffer_bytes = 16u << 20;
  std::size_t block_cache_bytes = 16u << 20;
  std::string connection;
  std::string schema = "synod_cache";
  Duration patience = Duration::seconds(1);
  Duration answer_timeout = Duration::seconds(20);
  Duration start_patience = Duration::seconds(30);
};

void describe(config::Fields& f, CacheSection& cache);

// Error ids: CONFIG_INVALID, those of storage::open_rocksdb and open_postgres.
Result<std::unique_ptr<storage::Store>> open_cache(const CacheSection& cache, const std::string& data_folder,
                                                   const std::vector<storage::Column>& columns);

}  // namespace synod::node
