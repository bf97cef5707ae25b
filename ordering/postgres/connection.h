// A connection to the database that another thread can break off, and the translation of libpqxx's exceptions.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <pqxx/pqxx>
#include <string>

#include "base/result.h"
#include "ordering/postgres/postgres_log.h"

namespace synod::ordering::postgres {

class Connection {
 public:
  // Connects, which may take connect_timeout, and sets the session up: statements time out, commits are durable.
  // Error ids: ORDERING_UNAVAILABLE, ORDERING_NOT_AUTHORIZED.
  static Result<std::shared_ptr<Connection>> open(const PostgresLogConfig& config);
  ~Connection();

  pqxx::connection& session() { return *session_; }
  int socket() const { return socket_; }
  std::string server() const;  // host:port

  // From any thread: whatever waits for the server fails.
  void interrupt();

  // Nothing has come from the server that nobody asked for, in particular not its end.
  bool is_quiet() const;

 private:
  Connection() = default;

  std::unique_ptr<pqxx::connection> session_;
  std::mutex mutex_;
  int socket_ = -1;
};

// Runs `work`, which may throw as libpqxx does. Error ids: ORDERING_UNAVAILABLE (the connection is gone, or the
// statement took too long), ORDERING_NOT_AUTHORIZED, ORDERING_READ_ONLY (a standby, or a full disk),
// ORDERING_DATABASE_FAILED.
Status guarded(const std::function<void()>& work);

}  // namespace synod::ordering::postgres
