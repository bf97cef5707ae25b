#include "node/cache.h"

#include "storage/postgres/postgres_store.h"
#include "storage/rocksdb/rocksdb_store.h"

namespace synod::node {
namespace {

// RocksDB sets memory aside for each column, so less is not kept to.
constexpr std::size_t kLeastWriteBuffer = 1u << 20, kGreatestWriteBuffer = 1u << 30;

}  // namespace

void describe(config::Fields& f, CacheSection& cache) {
  f.text("engine", cache.engine, "rocksdb: in the data folder; postgres: in a database.");
  f.size_within("write-buffer-bytes", cache.write_buffer_bytes, kLeastWriteBuffer, kGreatestWriteBuffer,
                "With rocksdb: what was written and is not in tables yet, in memory; on disk its log takes up to four "
                "times as much.");
  f.size("block-cache-bytes", cache.block_cache_bytes, "With rocksdb: blocks of tables kept in memory for reading.");
  f.text("connection", cache.connection,
         "With postgres, for libpq: host=... user=... dbname=..., or a postgresql:// address. Keep passwords in a "
         "passfile.");
  f.text("schema", cache.schema, "With postgres: the schema, of this sequencer alone; made if it is not there.");
  f.duration(
      "patience", cache.patience,
      "With postgres: an operation that meets a database which is away fails after this time. The sequencer then "
      "says so, takes no requests, and tries again until the database is back.");
  f.duration("answer-timeout", cache.answer_timeout,
             "With postgres: a database that does not answer for so long, frozen or cut off, is away; statements that "
             "it works on itself for three quarters of that are cancelled.");
  f.duration("start-patience", cache.start_patience,
             "With postgres: at its start a sequencer waits so long for the database.");
}

Result<std::unique_ptr<storage::Store>> open_cache(const CacheSection& cache, const std::string& data_folder,
                                                   const std::vector<storage::Column>& columns) {
  if (cache.engine == "rocksdb") {
    storage::RocksDbOptions options;
    options.path = data_folder + "/cache";
    options.columns = columns;
    options.write_buffer_bytes = cache.write_buffer_bytes;
    options.block_cache_bytes = cache.block_cache_bytes;
    return storage::open_rocksdb(options);
  }
  if (cache.engine != "postgres")
    return fail(invalid_argument("CONFIG_INVALID", "cache.engine '" + cache.engine + "' is none of rocksdb, postgres"));
  storage::PostgresStoreOptions options;
  options.connection = cache.connection;
  options.schema = cache.schema;
  options.columns = columns;
  options.patience = cache.patience;
  options.answer_timeout = cache.answer_timeout;
  options.statement_timeout = Duration{cache.answer_timeout.micros / 4 * 3};
  options.open_patience = cache.start_patience;
  return storage::open_postgres(options);
}

}  // namespace synod::node
