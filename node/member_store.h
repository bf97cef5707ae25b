// Where a member keeps what it needs after a restart: RocksDB in its data folder, or a PostgreSQL schema, which several
// processes of the same member share so that one takes over from another.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/time.h"
#include "storage/store.h"

namespace synod::node {

struct MemberStoreSection {
  std::string engine = "rocksdb";
  std::string connection;
  std::string schema = "synod_mediator";
  Duration patience = Duration::seconds(5);
  Duration answer_timeout = Duration::seconds(20);
  Duration takeover_interval = Duration::milliseconds(500);

  bool is_shared() const { return engine == "postgres"; }
};

void describe(config::Fields& f, MemberStoreSection& section);

// With postgres it tries once. Error ids: CONFIG_INVALID; STORAGE_LOCKED, another process has it; those of
// storage::open_rocksdb and open_postgres.
Result<std::unique_ptr<storage::Store>> open_member_store(const MemberStoreSection& section,
                                                          const std::string& data_folder,
                                                          const std::vector<storage::Column>& columns);

}  // namespace synod::node
