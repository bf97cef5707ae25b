#include "testnet/postgres_process.h"

#include "ordering/engines/postgres_engine.h"

namespace synod::testnet {

using ordering::engines::PostgresEngine;

NetworkProcess postgres_process(const std::string& name, const std::string& folder) {
  NetworkProcess process{.name = name, .role = "PostgreSQL", .log_file = folder + "/log"};
  if (const auto engine = PostgresEngine::open(folder)) process.port = engine->port();
  process.running = [folder]() -> std::optional<pid_t> {
    const auto engine = PostgresEngine::open(folder);
    return engine ? engine->pid() : std::nullopt;
  };
  process.start = [folder](Duration patience) -> Status {
    SYNOD_TRY(auto engine, PostgresEngine::open(folder));
    return engine.start(patience);
  };
  const auto end = [folder](void (PostgresEngine::*how)()) {
    auto engine = PostgresEngine::open(folder);
    if (!engine) return true;
    ((*engine).*how)();
    return !engine->running();
  };
  process.kill = [end] { return end(&PostgresEngine::kill); };
  process.stop = [end] { return end(&PostgresEngine::stop); };
  return process;
}

}  // namespace synod::testnet
