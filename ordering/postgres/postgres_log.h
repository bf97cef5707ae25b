// An OrderingLog in a PostgreSQL database that the sequencers share (tables and functions: schema.h).
//
// Each driver gathers what is submitted into one block and appends it with one statement, which locks the log's state
// row until its commit: heights are consecutive and appear in their order. While a commit is under way the next records
// gather, so blocks grow with the load. A block carries a random id of its batch; after a lost connection the same
// batch is appended again and found there, so what was unknown is resolved. New blocks are announced with NOTIFY and
// read then; a subscription that is behind reads in chunks.
//
// Fail-over: list several hosts and target_session_attrs=read-write in the connection string. A database that lost
// blocks which were already delivered, as an asynchronous standby may have, ends subscriptions with ORDERING_FORKED.
#pragma once

#include <memory>
#include <string>

#include "ordering/ordering_log.h"

namespace synod::ordering::postgres {

struct PostgresLogConfig {
  std::string connection;        // for libpq: "host=... user=... dbname=..." or a postgresql:// address, TLS included
  std::string schema = "synod";  // of the log's tables; several logs may share a database
  bool create_schema = true;     // if it is not there
  std::size_t max_record_bytes = (16u << 20) - 16384;
  std::size_t max_pending_bytes = 64u << 20;  // submitted and not completed; beyond it ORDERING_OVERLOADED
  std::size_t max_block_records = 500;
  std::size_t max_block_bytes = 2u << 20;              // a larger record has a block of its own
  std::size_t window_bytes = 4u << 20;                 // read at once for a subscription
  Duration submit_timeout = Duration::seconds(10);     // then refused if never sent, unknown otherwise
  Duration statement_timeout = Duration::seconds(10);  // at the server, and a little later here
  Duration connect_timeout = Duration::seconds(3);
  Duration min_reconnect_delay = Duration::milliseconds(20);
  Duration max_reconnect_delay = Duration::seconds(1);
};

// Returns at once; the connections, two a log, are made in the background.
// Errors: ORDERING_NO_ENDPOINT, ORDERING_POSTGRES_CONFIGURATION_INVALID.
Result<std::unique_ptr<OrderingLog>> connect_postgres(PostgresLogConfig config);

}  // namespace synod::ordering::postgres
