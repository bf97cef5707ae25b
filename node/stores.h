// Where a node keeps what it needs after a restart: RocksDB in its data folder, or a PostgreSQL schema.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/time.h"
#include "storage/store.h"

namespace synod::node {

// What every store has.
struct StoreSection {
  std::string engine = "rocksdb";
  std::string connection;
  std::string schema;
  Duration patience;
  Duration answer_timeout = Duration::seconds(20);
};

// What a sequencer has made of the log; its own.
struct CacheSection : StoreSection {
  CacheSection() : StoreSection{.schema = "synod_cache", .patience = Duration::seconds(1)} {}

  Duration start_patience = Duration::seconds(30);
  std::size_t write_buffer_bytes = 16u << 20;
  std::size_t block_cache_bytes = 16u << 20;
};

// A member's, which with PostgreSQL several processes of this member share, so that one takes over from another.
struct MemberStoreSection : StoreSection {
  MemberStoreSection() : StoreSection{.schema = "synod_mediator", .patience = Duration::seconds(5)} {}

  bool is_shared() const { return engine == "postgres"; }

  Duration takeover_interval = Duration::milliseconds(500);
};

void describe(config::Fields& f, CacheSection& cache);
void describe(config::Fields& f, MemberStoreSection& store);

// Error ids: CONFIG_INVALID, those of storage::open_rocksdb and open_postgres.
Result<std::unique_ptr<storage::Store>> open_cache(const CacheSection& cache, const std::string& data_folder,
                                                   const std::vector<storage::Column>& columns);
// With postgres it tries once. STORAGE_LOCKED: another process has it.
Result<std::unique_ptr<storage::Store>> open_member_store(const MemberStoreSection& store,
                                                          const std::string& data_folder,
                                                          const std::vector<storage::Column>& columns);

}  // namespace synod::node
