#include "ordering/postgres/schema.h"

#include "base/env.h"

namespace synod::ordering::postgres {
namespace {

// append() takes the state row's lock first, so all that follows happens in one order for all writers. $S is the
// schema, $C the channel.
constexpr char kDefinition[] = R"sql(
CREATE TABLE $S.log_state (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  version integer NOT NULL,
  log_id bytea NOT NULL,
  head bigint NOT NULL,
  head_hash bytea NOT NULL,
  oldest bigint NOT NULL
) WITH (fillfactor = 10);
CREATE TABLE $S.blocks (
  height bigint PRIMARY KEY,
  previous_hash bytea NOT NULL,
  hash bytea NOT NULL,
  batch bytea NOT NULL UNIQUE,
  content bytea NOT NULL
);
ALTER TABLE $S.blocks ALTER COLUMN content SET STORAGE EXTERNAL;
CREATE FUNCTION $S.block_hash(height bigint, previous bytea, content bytea) RETURNS bytea IMMUTABLE LANGUAGE sql AS $$
  SELECT sha256(int8send(height) || int4send(length(previous)) || previous || int4send(32) || sha256(content))
$$;
CREATE FUNCTION $S.append(the_batch bytea, the_content bytea) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  state $S.log_state%ROWTYPE;
  new_height bigint;
  new_hash bytea;
BEGIN
  SELECT * INTO STRICT state FROM $S.log_state FOR UPDATE;
  SELECT height INTO new_height FROM $S.blocks WHERE batch = the_batch;
  IF FOUND THEN
    RETURN new_height;
  END IF;
  new_height := state.head + 1;
  new_hash := $S.block_hash(new_height, state.head_hash, the_content);
  INSERT INTO $S.blocks VALUES (new_height, state.head_hash, new_hash, the_batch, the_content);
  UPDATE $S.log_state SET head = new_height, head_hash = new_hash;
  PERFORM pg_notify($C, new_height::text);
  RETURN new_height;
END
$$;
INSERT INTO $S.blocks SELECT 0, ''::bytea, $S.block_hash(0, ''::bytea, $I), $I, $I;
INSERT INTO $S.log_state SELECT true, $V, $I, 0, hash, 0 FROM $S.blocks;
)sql";

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

bool exists(pqxx::transaction_base& work, const std::string& schema) {
  return !work.exec("SELECT 1 FROM information_schema.tables WHERE table_schema = " + work.quote(schema) +
                    " AND table_name = 'log_state'")
              .empty();
}

// Under a lock of its own, since two may find nothing at the same time.
void create(pqxx::connection& session, const std::string& schema) {
  pqxx::work work(session);
  work.exec("SELECT pg_advisory_xact_lock(hashtext('synod ordering log'))");
  if (exists(work, schema)) return;
  const std::string s = quoted(schema);
  work.exec("CREATE SCHEMA IF NOT EXISTS " + s);
  const Bytes id = system_random()->bytes(16);
  std::string definition = replaced(kDefinition, "$I", work.quote(pqxx::binarystring(id.data(), id.size())));
  definition = replaced(definition, "$V", std::to_string(kSchemaVersion));
  definition = replaced(definition, "$C", work.quote(channel(schema)));
  work.exec(replaced(definition, "$S", s));
  work.commit();
}

}  // namespace

std::string quoted(const std::string& schema) {
  std::string out = "\"";
  for (const char c : schema) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

std::string channel(const std::string& schema) { return "synod " + schema; }

Bytes to_bytes(const pqxx::field& field) {
  const pqxx::binarystring bytes(field);
  return Bytes(bytes.get(), bytes.size());
}

LogState read_state(pqxx::transaction_base& work, const std::string& schema) {
  const auto row = work.exec1("SELECT log_id, head, oldest FROM " + quoted(schema) + ".log_state");
  return {to_bytes(row[0]), Height(row[1].as<std::int64_t>()), Height(row[2].as<std::int64_t>())};
}

Result<LogState> open_schema(Connection& connection, const PostgresLogConfig& config) {
  bool there = false;
  int version = 0;
  LogState state;
  SYNOD_RETURN_IF_ERROR(guarded([&] {
    {
      pqxx::nontransaction work(connection.session());
      there = exists(work, config.schema);
    }
    if (!there && config.create_schema) create(connection.session(), config.schema);
    if (!there && !config.create_schema) return;
    there = true;
    pqxx::nontransaction work(connection.session());
    version = work.exec1("SELECT version FROM " + quoted(config.schema) + ".log_state")[0].as<int>();
    if (version == kSchemaVersion) state = read_state(work, config.schema);
  }));
  if (!there)
    return fail(failed_precondition("ORDERING_SCHEMA_MISSING", "the database has no log in schema " + config.schema +
                                                                   "; create it, or allow it to be created"));
  if (version != kSchemaVersion)
    return fail(failed_precondition("ORDERING_SCHEMA_UNKNOWN",
                                    "the log in schema " + config.schema + " has version " + std::to_string(version) +
                                        ", this program knows version " + std::to_string(kSchemaVersion)));
  return state;
}

Status drop_schema(Connection& connection, const std::string& schema) {
  return guarded([&] {
    pqxx::nontransaction work(connection.session());
    work.exec("DROP SCHEMA IF EXISTS " + quoted(schema) + " CASCADE");
  });
}

}  // namespace synod::ordering::postgres
