// A PostgreSQL server; each test has a schema of its own in its database.
#pragma once

#include <signal.h>

#include "ordering/conformance/collector.h"
#include "ordering/conformance/stopped.h"
#include "ordering/conformance/temporary_engines.h"
#include "ordering/conformance/world.h"
#include "ordering/postgres/postgres_log.h"
#include "ordering/postgres/schema.h"

namespace synod::ordering::conformance {

class PostgresWorld final : public EngineWorld {
 public:
  std::string missing() const override { return engines::missing_for_postgres(); }

  Traits traits() const override {
    Traits traits;
    traits.driver_prunes = true;
    return traits;
  }

  Status begin() override {
    if (!engine_) SYNOD_RETURN_IF_ERROR(set_up());
    resume();
    schema_ = "test \"" + std::to_string(++tests_) + "\"";
    return start();
  }

  std::unique_ptr<OrderingLog> connect(ClientOptions options) override {
    postgres::PostgresLogConfig config = configuration();
    config.submit_timeout = options.submit_timeout;
    config.window_bytes = options.window_bytes;
    config.max_pending_bytes = options.max_pending_bytes;
    auto log = postgres::connect_postgres(config);
    return log ? std::move(*log) : nullptr;
  }

  Status start() override { return (*engine_)->start(traits().patience); }
  void stop() override { (*engine_)->stop(); }
  void kill() override { (*engine_)->kill(); }
  void pause() override {
    (*engine_)->signal(SIGSTOP);
    // What the server had started before it stopped, and nobody saw yet, is stopped the next time.
    if (const auto server = (*engine_)->pid())
      for (int i = 0; i < 300 && !wait_until_stopped(*server, std::chrono::seconds(1)); ++i)
        (*engine_)->signal(SIGSTOP);
  }
  void resume() override { (*engine_)->signal(SIGCONT); }

  Status prune(OrderingLog& log, Height before) override { return prune_and_wait(log, before); }

  Status replace_history() override {
    SYNOD_TRY(const auto connection, postgres::Connection::open(configuration()));
    return postgres::drop_schema(*connection, schema_);
  }

 private:
  postgres::PostgresLogConfig configuration() const {
    postgres::PostgresLogConfig config;
    config.connection = (*engine_)->connection_string(relay_port_);
    config.schema = schema_;
    config.max_reconnect_delay = Duration::milliseconds(200);
    return config;
  }

  Status set_up() {
    SYNOD_TRY(engine_, temporary_postgres());
    relay_port_ = relay_to((*engine_)->port());
    return {};
  }

  TemporaryPostgres engine_;
  int relay_port_ = 0;
  std::string schema_;
  int tests_ = 0;
};

}  // namespace synod::ordering::conformance
