// Connections of a PostgresStore, and libpqxx's exceptions as errors.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <pqxx/pqxx>
#include <string>
#include <vector>

#include "storage/postgres/postgres_store.h"
#include "storage/postgres/stall_guard.h"

namespace synod::storage {

using Session = std::unique_ptr<pqxx::connection>;

// Runs `work`, which may throw as libpqxx does. `lost` is set if the connection or the server is away, so that another
// attempt makes sense. Errors: STORAGE_FULL, STORAGE_FAILED.
Status guarded(const std::function<void()>& work, bool& lost);

// Throws as libpqxx does.
Session open_session(const PostgresStoreOptions& options, StallGuard& guard);

// Thread rules: any thread.
class SessionPool {
 public:
  SessionPool(const PostgresStoreOptions& options, StallGuard& guard) : options_(options), guard_(guard) {}
  // Runs `work` with a session nobody else uses meanwhile, again with a new one while the database is away and
  // `again()` allows it. `wait` guards the whole of it; between begin() and end() of `work` itself, where it takes its
  // time over what it has read.
  Status with(const std::function<void(pqxx::connection&, StallGuard::Wait& wait)>& work,
              const std::function<bool()>& again) const;

 private:
  Session take() const;
  void give_back(Session session) const;

  const PostgresStoreOptions options_;
  StallGuard& guard_;
  mutable std::mutex mutex_;
  mutable std::vector<Session> idle_;
};

}  // namespace synod::storage
