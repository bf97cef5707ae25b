#include "ordering/postgres/connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

namespace synod::ordering::postgres {
namespace {

// libpq's messages end with a line break and may have several lines.
std::string one_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

std::string seconds(Duration duration) {
  return std::to_string(std::max<std::int64_t>((duration.micros + 999'999) / 1'000'000, 1));
}

// Settings that the operator gave in the string win: libpq takes the last of a kind, ours come first. An address is
// left as it is.
std::string full_string(const PostgresLogConfig& config) {
  if (config.connection.starts_with("postgres://") || config.connection.starts_with("postgresql://"))
    return config.connection;
  return "connect_timeout=" + seconds(config.connect_timeout) +
         " application_name=synod keepalives_idle=10 keepalives_interval=5 keepalives_count=3 tcp_user_timeout=" +
         std::to_string(config.statement_timeout.micros / 1000) + " " + config.connection;
}

Error sql_failure(const pqxx::sql_error& error) {
  const std::string& state = error.sqlstate();
  const std::string cause = one_line(error.what());
  if (state.starts_with("28") || state == "42501") return {"ORDERING_NOT_AUTHORIZED", ErrorCategory::permission, cause};
  if (state == "25006" || state.starts_with("53")) return unavailable("ORDERING_READ_ONLY", cause);
  if (state.starts_with("57") || state.starts_with("08") || state.starts_with("40") || state == "55P03")
    return unavailable("ORDERING_UNAVAILABLE", cause);
  return unavailable("ORDERING_DATABASE_FAILED", cause + (state.empty() ? "" : " (SQLSTATE " + state + ")"));
}

}  // namespace

Status guarded(const std::function<void()>& work) {
  try {
    work();
    return {};
  } catch (const pqxx::broken_connection& error) {
    const std::string cause = one_line(error.what());
    const bool refused = cause.find("authentication failed") != std::string::npos ||
                         cause.find("no pg_hba.conf entry") != std::string::npos;
    if (refused) return fail(Error("ORDERING_NOT_AUTHORIZED", ErrorCategory::permission, cause));
    return fail(unavailable("ORDERING_UNAVAILABLE", cause));
  } catch (const pqxx::sql_error& error) {
    return fail(sql_failure(error));
  } catch (const std::exception& error) {
    return fail(unavailable("ORDERING_DATABASE_FAILED", one_line(error.what())));
  }
}

Result<std::shared_ptr<Connection>> Connection::open(const PostgresLogConfig& config) {
  std::shared_ptr<Connection> made(new Connection());
  const Status status = guarded([&] {
    made->session_ = std::make_unique<pqxx::connection>(full_string(config));
    // A new connection is our decision. Deprecated because the next version never reconnects by itself.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    made->session_->inhibit_reactivation(true);
#pragma GCC diagnostic pop
    made->socket_ = made->session_->sock();
    pqxx::nontransaction work(*made->session_);
    work.exec("SET statement_timeout = " + std::to_string(config.statement_timeout.micros / 1000));
    work.exec("SET client_min_messages = warning");
    // A block that was delivered must not be lost with the server.
    work.exec(
        "SELECT set_config('synchronous_commit', 'on', false) "
        "WHERE current_setting('synchronous_commit') IN ('off', 'local')");
  });
  if (!status) return fail(status.error());
  return made;
}

Connection::~Connection() {
  std::lock_guard lock(mutex_);
  socket_ = -1;
  session_.reset();
}

std::string Connection::server() const {
  const char* host = session_->hostname();
  const char* port = session_->port();
  return std::string(host ? host : "localhost") + ":" + (port ? port : "5432");
}

void Connection::interrupt() {
  std::lock_guard lock(mutex_);
  if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
}

bool Connection::is_quiet() const {
  pollfd polled{socket_, POLLIN, 0};
  return ::poll(&polled, 1, 0) == 0;
}

}  // namespace synod::ordering::postgres
