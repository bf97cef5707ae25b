#include "node/stores.h"

#include "storage/postgres/postgres_store.h"
#include "storage/rocksdb/rocksdb_store.h"

namespace synod::node {
namespace {

// RocksDB sets memory aside for each column, so less is not kept to.
constexpr std::size_t kLeastWriteBuffer = 1u << 20, kGreatestWriteBuffer = 1u << 30;

void describe_store(config::Fields& f, StoreSection& store) {
  f.text("engine", store.engine, "rocksdb: in the data folder; postgres: in a database.");
  f.text("connection", store.connection,
         "With postgres, for libpq: host=... user=... dbname=..., or a postgresql:// address. Keep passwords in a "
         "passfile.");
  f.text("schema", store.schema, "With postgres: the schema, of this node alone; made if it is not there.");
  f.duration("patience", store.patience,
             "With postgres: an operation that meets a database which is away fails after this time.");
  f.duration("answer-timeout", store.answer_timeout,
             "With postgres: a database that does not answer for so long, frozen or cut off, is away; statements that "
             "it works on itself for three quarters of that are cancelled.");
}

// `section`: its key in the configuration. `open_patience`: how long it waits for a database.
Result<std::unique_ptr<storage::Store>> open_store(const StoreSection& store, const std::string& section,
                                                   storage::RocksDbOptions rocksdb, Duration open_patience) {
  if (store.engine == "rocksdb") return storage::open_rocksdb(rocksdb);
  if (store.engine != "postgres")
    return fail(
        invalid_argument("CONFIG_INVALID", section + ".engine '" + store.engine + "' is none of rocksdb, postgres"));
  storage::PostgresStoreOptions options;
  options.connection = store.connection;
  options.schema = store.schema;
  options.columns = std::move(rocksdb.columns);
  options.patience = store.patience;
  options.answer_timeout = store.answer_timeout;
  options.statement_timeout = Duration{store.answer_timeout.micros / 4 * 3};
  options.open_patience = open_patience;
  return storage::open_postgres(options);
}

}  // namespace

void describe(config::Fields& f, CacheSection& cache) {
  describe_store(f, cache);
  f.duration("start-patience", cache.start_patience,
             "With postgres: at its start a sequencer waits so long for the database.");
  f.size_within("write-buffer-bytes", cache.write_buffer_bytes, kLeastWriteBuffer, kGreatestWriteBuffer,
                "With rocksdb: what was written and is not in tables yet, in memory; on disk its log takes up to four "
                "times as much.");
  f.size("block-cache-bytes", cache.block_cache_bytes, "With rocksdb: blocks of tables kept in memory for reading.");
}

void describe(config::Fields& f, MemberStoreSection& store) {
  describe_store(f, store);
  f.duration("takeover-interval", store.takeover_interval,
             "With postgres: how often a passive replica tries to take over, and the active one looks whether it still "
             "has the store.");
}

Result<std::unique_ptr<storage::Store>> open_cache(const CacheSection& cache, const std::string& data_folder,
                                                   const std::vector<storage::Column>& columns) {
  storage::RocksDbOptions rocksdb;
  rocksdb.path = data_folder + "/cache";
  rocksdb.columns = columns;
  rocksdb.write_buffer_bytes = cache.write_buffer_bytes;
  rocksdb.block_cache_bytes = cache.block_cache_bytes;
  return open_store(cache, "cache", std::move(rocksdb), cache.start_patience);
}

Result<std::unique_ptr<storage::Store>> open_member_store(const MemberStoreSection& store,
                                                          const std::string& data_folder,
                                                          const std::vector<storage::Column>& columns) {
  storage::RocksDbOptions rocksdb;
  rocksdb.path = data_folder + "/store";
  rocksdb.columns = columns;
  return open_store(store, "store", std::move(rocksdb), Duration{});
}

}  // namespace synod::node
