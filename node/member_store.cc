#include "node/member_store.h"

#include "storage/postgres/postgres_store.h"
#include "storage/rocksdb/rocksdb_store.h"

namespace synod::node {

void describe(config::Fields& f, MemberStoreSection& section) {
  f.text("engine", section.engine,
         "rocksdb: in the data folder; postgres: in a database. Processes with the same keys and the same schema there "
         "are replicas: one is active, the others take over when it is gone.");
  f.text("connection", section.connection,
         "With postgres, for libpq: host=... user=... dbname=..., or a postgresql:// address. Keep passwords in a "
         "passfile.");
  f.text("schema", section.schema, "With postgres: the schema, of this member alone; made if it is not there.");
  f.duration(
      "patience", section.patience,
      "With postgres: an operation that meets a database which is away fails after this time, and the replica is "
      "active no more.");
  f.duration("answer-timeout", section.answer_timeout,
             "With postgres: a database that does not answer for so long, frozen or cut off, is away; statements that "
             "it works on itself for three quarters of that are cancelled.");
  f.duration("takeover-interval", section.takeover_interval,
             "With postgres: how often a passive replica tries to take over, and the active one looks whether it still "
             "has the store.");
}

Result<std::unique_ptr<storage::Store>> open_member_store(const MemberStoreSection& section,
                                                          const std::string& data_folder,
                                                          const std::vector<storage::Column>& columns) {
  if (section.engine == "rocksdb") {
    storage::RocksDbOptions options;
    options.path = data_folder + "/store";
    options.columns = columns;
    return storage::open_rocksdb(options);
  }
  if (section.engine != "postgres")
    return fail(
        invalid_argument("CONFIG_INVALID", "store.engine '" + section.engine + "' is none of rocksdb, postgres"));
  storage::PostgresStoreOptions options;
  options.connection = section.connection;
  options.schema = section.schema;
  options.columns = columns;
  options.patience = section.patience;
  options.answer_timeout = section.answer_timeout;
  options.statement_timeout = Duration{section.answer_timeout.micros / 4 * 3};
  options.open_patience = Duration{};
  return storage::open_postgres(options);
}

}  // namespace synod::node
