// Engines that the tests of one program start for themselves, in folders that go with them.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "ordering/engines/kafka_engine.h"
#include "ordering/engines/postgres_engine.h"

namespace synod::ordering::conformance {

// Kills the engine and removes its folder at its end.
template <typename Engine>
class Temporary {
 public:
  Temporary(std::string folder, Engine engine) : folder_(std::move(folder)), engine_(std::move(engine)) {}
  ~Temporary() {
    engine_.kill();
    std::filesystem::remove_all(folder_);
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  Engine* operator->() { return &engine_; }
  Engine& operator*() { return engine_; }

 private:
  const std::string folder_;
  Engine engine_;
};
using TemporaryKafka = std::unique_ptr<Temporary<engines::KafkaEngine>>;
using TemporaryPostgres = std::unique_ptr<Temporary<engines::PostgresEngine>>;

// They run when this returns. `adjust` may change a broker's ports, for a relay before it.
Result<TemporaryKafka> temporary_kafka(int brokers, const std::function<void(engines::KafkaBroker&)>& adjust = {});
Result<TemporaryPostgres> temporary_postgres();

}  // namespace synod::ordering::conformance
