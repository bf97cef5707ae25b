#include "storage/postgres/postgres_store.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <set>
#include <thread>

#include "base/check.h"
#include "base/env.h"
#include "base/log.h"
#include "storage/postgres/session.h"

namespace synod::storage {
namespace {

constexpr auto kRetryDelay = std::chrono::milliseconds(50);

// What is removed is to be used again soon, however large a table is: the server's defaults wait until a fifth of a
// table has gone, and go about it so slowly that they do not keep up with a sequencer under load. The longer values of
// a table are in one of their own, with settings of its own.
constexpr const char* kVacuum[] = {"autovacuum_vacuum_scale_factor = 0", "autovacuum_vacuum_threshold = 1000",
                                   "autovacuum_vacuum_cost_delay = 0"};

std::string table_settings() {
  std::string all;
  for (const std::string setting : kVacuum) all += (all.empty() ? "" : ", ") + setting + ", toast." + setting;
  return all;
}

std::string identifier(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

void append_literal(std::string& sql, ByteView bytes) {
  sql += "'\\x";
  sql += to_hex(bytes);
  sql += "'::bytea";
}

Bytes to_bytes(const pqxx::field& field) {
  const pqxx::binarystring bytes(field);
  return Bytes(bytes.get(), bytes.size());
}

pqxx::binarystring binary(ByteView bytes) { return pqxx::binarystring(bytes.data(), bytes.size()); }

// What is left of several batches in order: the last operation on each key.
using Effects = std::map<std::string_view, std::map<Bytes, std::optional<Bytes>>>;

class PostgresStore final : public Store {
 public:
  explicit PostgresStore(const PostgresStoreOptions& options)
      : options_(options), guard_(options.answer_timeout), readers_(options, guard_) {
    for (const Column& column : options.columns) columns_.insert(column.name);
  }

  Status open();
  Result<std::optional<Bytes>> get(Column column, ByteView key) const override;
  Status scan(Column column, const KeyRange& range, Direction direction, const Visitor& visitor) const override;
  Status write(const WriteBatch& batch, Sync sync) override;
  Status sync() override { return {}; }  // every commit is durable
  Status health() const override {
    std::lock_guard lock(mutex_);
    return health_;
  }

 private:
  struct Waiting {
    const WriteBatch* batch;
    bool done = false;
    Status result;
  };

  std::string table(std::string_view column) const {
    SYNOD_CHECK(columns_.contains(column));
    return identifier(options_.schema) + "." + identifier(column);
  }
  void connect_owner();
  std::int64_t next_term(pqxx::connection& session) const;
  std::int64_t term_now(pqxx::connection& session) const;
  Status try_open(bool& lost, bool& locked);
  std::string statement(const std::vector<Waiting*>& group) const;
  Status commit(const std::string& sql);

  const PostgresStoreOptions options_;
  std::set<std::string_view> columns_;
  StallGuard guard_;
  const SessionPool readers_;
  Session owner_;          // holds the lock on the schema; whoever commits uses it
  std::int64_t term_ = 0;  // counts the owners; 0 until we are one

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::vector<Waiting*> queue_;
  bool committing_ = false;
  Status health_;
};

class Locked : public std::runtime_error {
 public:
  Locked() : std::runtime_error("another process uses this schema as its store") {}
};
// Whatever we meant to write belongs to a state that is no more.
class Overtaken : public std::runtime_error {
 public:
  Overtaken() : std::runtime_error("another process has used this schema as its store since we lost our connection") {}
};

const char kTerms[] = "\"synod owners\"";  // beside the columns; one row

std::int64_t PostgresStore::next_term(pqxx::connection& session) const {
  const std::string terms = identifier(options_.schema) + "." + kTerms;
  pqxx::nontransaction work(session);
  work.exec("CREATE TABLE IF NOT EXISTS " + terms + " (one boolean PRIMARY KEY, term bigint NOT NULL)");
  return work
      .exec1("INSERT INTO " + terms +
             " AS known VALUES (true, 1) ON CONFLICT (one) DO UPDATE SET term = known.term + 1 RETURNING term")[0]
      .as<std::int64_t>();
}

std::int64_t PostgresStore::term_now(pqxx::connection& session) const {
  pqxx::nontransaction work(session);
  return work.exec1("SELECT term FROM " + identifier(options_.schema) + "." + kTerms)[0].as<std::int64_t>();
}

// Throws as libpqxx does, and Locked and Overtaken. An owner that comes back with a new connection is the same only if
// nobody was owner in between; while the server still keeps its old session, it is Locked out by itself.
void PostgresStore::connect_owner() {
  owner_.reset();
  Session session = open_session(options_, guard_);
  const StallGuard::Wait wait(guard_, session->sock());
  if (term_ != 0 && term_now(*session) != term_) throw Overtaken();
  {
    pqxx::nontransaction work(*session);
    const std::string lock = "hashtextextended(" + work.quote("synod store " + options_.schema) + ", 0)";
    if (!work.exec1("SELECT pg_try_advisory_lock(" + lock + ")")[0].as<bool>()) throw Locked();
  }
  if (term_ != 0 && term_now(*session) != term_) throw Overtaken();
  owner_ = std::move(session);
}

Status PostgresStore::try_open(bool& lost, bool& locked) {
  locked = false;
  return guarded(
      [&] {
        try {
          connect_owner();
        } catch (const Locked&) {
          locked = true;
          throw;
        }
        const StallGuard::Wait wait(guard_, owner_->sock());
        {
          pqxx::nontransaction work(*owner_);
          work.exec("CREATE SCHEMA IF NOT EXISTS " + identifier(options_.schema));
          for (const std::string_view column : columns_) {
            work.exec("CREATE TABLE IF NOT EXISTS " + table(column) +
                      " (key bytea PRIMARY KEY, value bytea NOT NULL) WITH (" + table_settings() + ")");
            // One made before there were any; what the operator has set stays.
            const std::string id = work.quote(table(column)) + "::regclass";
            if (work.exec1("SELECT reloptions IS NULL FROM pg_class WHERE oid = " + id)[0].as<bool>())
              work.exec("ALTER TABLE " + table(column) + " SET (" + table_settings() + ")");
          }
        }
        term_ = next_term(*owner_);
      },
      lost);
}

Status PostgresStore::open() {
  const auto clock = system_clock();
  const std::int64_t give_up = clock->monotonic_micros() + options_.open_patience.micros;
  for (bool told = false;;) {
    bool lost = false, locked = false;
    const Status status = try_open(lost, locked);
    const bool again = (lost || locked) && clock->monotonic_micros() < give_up;
    if (!again && locked)
      return fail(failed_precondition("STORAGE_LOCKED", "schema " + options_.schema + ": " + status.error().cause));
    if (!again) return status;
    if (!told) log::info("storage", "waits for schema {} of its database: {}", options_.schema, status.error().cause);
    told = true;
    std::this_thread::sleep_for(kRetryDelay);
  }
}

Result<std::optional<Bytes>> PostgresStore::get(Column column, ByteView key) const {
  std::optional<Bytes> value;
  const std::string sql = "SELECT value FROM " + table(column.name) + " WHERE key = $1";
  SYNOD_RETURN_IF_ERROR(readers_.with(
      [&](pqxx::connection& session, StallGuard::Wait&) {
        pqxx::nontransaction work(session);
        const auto rows = work.exec_params(sql, binary(key));
        value = rows.empty() ? std::nullopt : std::optional(to_bytes(rows[0][0]));
      },
      [] { return true; }));
  return value;
}

// In portions, small ones first since many scans want one entry; all of one snapshot.
Status PostgresStore::scan(Column column, const KeyRange& range, Direction direction, const Visitor& visitor) const {
  const bool forward = direction == Direction::forward;
  const std::string order = forward ? "ASC" : "DESC";
  const std::string sql = "SELECT key, value FROM (SELECT *, sum(length(value)) OVER (ORDER BY key " + order +
                          ") AS total, row_number() OVER (ORDER BY key " + order + ") AS place FROM (SELECT * FROM " +
                          table(column.name) +
                          " WHERE key >= $1 AND ($2::bytea IS NULL OR key < $2::bytea) ORDER BY key " + order +
                          " LIMIT $3) AS portion) AS summed WHERE total <= $4 OR place = 1 ORDER BY key " + order;
  bool visited = false;  // then the scan cannot begin again
  return readers_.with(
      [&](pqxx::connection& session, StallGuard::Wait& wait) {
        pqxx::transaction<pqxx::repeatable_read, pqxx::read_only> work(session);
        Bytes from = range.from;
        std::optional<Bytes> to = range.to;
        for (std::size_t rows_wanted = 4;; rows_wanted = std::min(rows_wanted * 4, options_.scan_rows)) {
          wait.begin();
          const auto rows = to ? work.exec_params(sql, binary(from), binary(*to), rows_wanted, options_.scan_bytes)
                               : work.exec_params(sql, binary(from), static_cast<const char*>(nullptr), rows_wanted,
                                                  options_.scan_bytes);
          wait.end();  // the visitor may take its time
          for (const auto& row : rows) {
            const Bytes key = to_bytes(row[0]), value = to_bytes(row[1]);
            visited = true;
            if (!visitor(key, value)) return wait.begin();  // for the end of the transaction
            if (forward)
              from = key + '\0';
            else
              to = key;
          }
          if (rows.empty()) return wait.begin();
        }
      },
      [&] { return !visited; });
}

std::string PostgresStore::statement(const std::vector<Waiting*>& group) const {
  Effects effects;
  for (const Waiting* waiting : group)
    for (const WriteBatch::Operation& operation : waiting->batch->operations())
      effects[operation.column.name][operation.key] = operation.value;
  std::string sql;  // several statements in one message are one transaction
  for (const auto& [column, keys] : effects) {
    std::string puts, erased;
    for (const auto& [key, value] : keys) {
      std::string& list = value ? puts : erased;
      list += list.empty() ? "" : ",";
      if (value) list += "(";
      append_literal(list, key);
      if (!value) continue;
      list += ",";
      append_literal(list, *value);
      list += ")";
    }
    if (!puts.empty())
      sql += "INSERT INTO " + table(column) + " VALUES " + puts +
             " ON CONFLICT (key) DO UPDATE SET value = excluded.value;";
    if (!erased.empty()) sql += "DELETE FROM " + table(column) + " WHERE key IN (" + erased + ");";
  }
  return sql;
}

// By one thread at a time.
Status PostgresStore::commit(const std::string& sql) {
  const auto clock = system_clock();
  const std::int64_t give_up = clock->monotonic_micros() + options_.patience.micros;
  for (;;) {
    bool lost = false, locked = false, overtaken = false;
    const Status status = guarded(
        [&] {
          try {
            if (!owner_) connect_owner();
          } catch (const Locked&) {
            locked = true;
            throw;
          } catch (const Overtaken&) {
            overtaken = true;
            throw;
          }
          const StallGuard::Wait wait(guard_, owner_->sock());
          pqxx::nontransaction work(*owner_);
          work.exec(sql);
        },
        lost);
    if (status) return status;
    owner_.reset();
    const bool again = (lost || locked) && clock->monotonic_micros() < give_up;
    if (!again && (locked || overtaken))
      return fail(failed_precondition("STORAGE_LOCKED", "schema " + options_.schema + ": " + status.error().cause));
    if (!again) return status;
    std::this_thread::sleep_for(kRetryDelay);
  }
}

Status PostgresStore::write(const WriteBatch& batch, Sync) {
  if (batch.empty()) return {};
  Waiting self{&batch, false, {}};
  std::unique_lock lock(mutex_);
  queue_.push_back(&self);
  changed_.wait(lock, [&] { return self.done || !committing_; });
  if (self.done) return self.result;
  committing_ = true;
  std::vector<Waiting*> group;
  group.swap(queue_);
  lock.unlock();
  const Status status = commit(statement(group));
  lock.lock();
  committing_ = false;
  health_ = status;
  for (Waiting* waiting : group) {
    waiting->result = status;
    waiting->done = true;
  }
  changed_.notify_all();
  return status;
}

}  // namespace

Result<std::unique_ptr<Store>> open_postgres(const PostgresStoreOptions& options) {
  auto store = std::make_unique<PostgresStore>(options);
  SYNOD_RETURN_IF_ERROR(store->open());
  return store;
}

}  // namespace synod::storage
