// A Store in a schema of a PostgreSQL database: one table a column. For one owner at a time.
//
// Writes of several threads that come together share a transaction, and so one commit. A write during which the
// connection is lost is repeated on the next one: what it does is the same the second time, and no later write has come
// before. An owner who lost its connection, and another process has been owner since, is told STORAGE_LOCKED at its
// next write, which changes nothing: what it knows of the store is no longer so. Every commit waits for the server's
// disk, also with Sync::no: a server that dies would otherwise forget the last commits while we live on and write what
// follows them, and the store would have a hole.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "storage/store.h"

namespace synod::storage {

struct PostgresStoreOptions {
  std::string connection;              // for libpq: "host=... user=... dbname=..." or a postgresql:// address
  std::string schema = "synod_cache";  // created if missing
  std::vector<Column> columns;
  std::size_t scan_rows = 512;  // read at once by a scan
  std::size_t scan_bytes = 4u << 20;
  std::size_t idle_connections = 4;  // kept for reading
  Duration connect_timeout = Duration::seconds(3);
  Duration statement_timeout = Duration::seconds(60);  // by the server
  // A server that has not answered for so long is frozen or cut off, and its connection is given up; longer than
  // statement_timeout.
  Duration answer_timeout = Duration::seconds(70);
  Duration patience = Duration::seconds(30);  // with a database that is away; then STORAGE_FAILED
  // At open: with a database that is away, or with another owner, whose session may end a little later than itself.
  Duration open_patience = Duration::seconds(10);
};

// Errors: STORAGE_LOCKED (another session owns the schema), STORAGE_FAILED. Columns that exist but are not named are
// kept and left alone. Keys of more than some 2,600 bytes are refused by the database with STORAGE_FAILED.
Result<std::unique_ptr<Store>> open_postgres(const PostgresStoreOptions& options);

}  // namespace synod::storage
