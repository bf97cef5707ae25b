#include "storage/postgres/session.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/env.h"

namespace synod::storage {
namespace {

constexpr auto kReconnectDelay = std::chrono::milliseconds(50);

std::string one_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

bool is_away(const std::string& state) { return state.starts_with("08") || state.starts_with("57"); }

}  // namespace

Status guarded(const std::function<void()>& work, bool& lost) {
  lost = false;
  try {
    work();
    return {};
  } catch (const pqxx::broken_connection& error) {
    lost = true;
    return fail(storage_failed(one_line(error.what())));
  } catch (const pqxx::sql_error& error) {
    lost = is_away(error.sqlstate());
    if (error.sqlstate() == "53100") return fail(storage_full(one_line(error.what())));
    return fail(storage_failed(one_line(error.what())));
  } catch (const std::exception& error) {
    return fail(storage_failed(one_line(error.what())));
  }
}

Session open_session(const PostgresStoreOptions& options, StallGuard& guard) {
  std::string connection = options.connection;
  const std::string timeout =
      "connect_timeout=" + std::to_string(std::max<std::int64_t>(options.connect_timeout.micros / 1'000'000, 1));
  if (!connection.starts_with("postgres://") && !connection.starts_with("postgresql://")) {
    connection =
        timeout + " application_name=synod keepalives_idle=10 keepalives_interval=5 keepalives_count=3 " + connection;
  } else if (connection.find("connect_timeout=") == std::string::npos) {
    connection += (connection.find('?') == std::string::npos ? "?" : "&") + timeout;
  }
  auto session = std::make_unique<pqxx::connection>(connection);
  // A new connection is our decision. Deprecated because the next version never reconnects by itself.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  session->inhibit_reactivation(true);
#pragma GCC diagnostic pop
  const StallGuard::Wait wait(guard, session->sock());
  pqxx::nontransaction work(*session);
  work.exec("SET statement_timeout = " + std::to_string(options.statement_timeout.micros / 1000));
  work.exec("SET client_min_messages = warning");
  work.exec("SET synchronous_commit = on");  // whatever the database's default is; see the header
  return session;
}

Session SessionPool::take() const {
  {
    std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      Session session = std::move(idle_.back());
      idle_.pop_back();
      return session;
    }
  }
  return open_session(options_, guard_);
}

void SessionPool::give_back(Session session) const {
  std::lock_guard lock(mutex_);
  if (idle_.size() < options_.idle_connections) idle_.push_back(std::move(session));
}

Status SessionPool::with(const std::function<void(pqxx::connection&, StallGuard::Wait&)>& work,
                         const std::function<bool()>& again) const {
  const auto clock = system_clock();
  const std::int64_t give_up = clock->monotonic_micros() + options_.patience.micros;
  for (;;) {
    bool lost = false;
    Session session;
    const Status status = guarded(
        [&] {
          session = take();
          StallGuard::Wait wait(guard_, session->sock());
          work(*session, wait);
        },
        lost);
    if (status) give_back(std::move(session));
    if (status || !lost || !again() || clock->monotonic_micros() > give_up) return status;
    {
      std::lock_guard lock(mutex_);
      idle_.clear();  // as old as the one that was lost
    }
    std::this_thread::sleep_for(kReconnectDelay);
  }
}

}  // namespace synod::storage
