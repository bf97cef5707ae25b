// The log's tables and functions. Schema version 1:
//   log_state: one row. version, log_id (random, of this log), head, head_hash, oldest (the lowest height still
//   readable) blocks:    height, previous_hash, hash, batch (random id of the submitted batch), content append(batch,
//   content): adds a block and announces it, or returns the height at which the batch is already
#pragma once

#include <optional>
#include <string>

#include "ordering/postgres/connection.h"

namespace synod::ordering::postgres {

inline constexpr int kSchemaVersion = 1;

struct LogState {
  Bytes log_id;
  Height head;
  Height oldest;
};

// Makes what is missing, if it may; several may try at the same time. Error ids: those of guarded(),
// ORDERING_SCHEMA_MISSING, ORDERING_SCHEMA_UNKNOWN (of another version of this program: which is told).
Result<LogState> open_schema(Connection& connection, const PostgresLogConfig& config);

// Throws as libpqxx does.
LogState read_state(pqxx::transaction_base& work, const std::string& schema);

// Takes everything away; tests only.
Status drop_schema(Connection& connection, const std::string& schema);

std::string quoted(const std::string& schema);   // as an identifier
std::string channel(const std::string& schema);  // that new blocks are announced on

Bytes to_bytes(const pqxx::field& field);

}  // namespace synod::ordering::postgres
