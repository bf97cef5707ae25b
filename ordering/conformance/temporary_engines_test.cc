#include "ordering/conformance/temporary_engines.h"

#include <iostream>

#include "base/process.h"
#include "base/testing/temporary_folder.h"

namespace synod::ordering::conformance {
namespace {

constexpr Duration kStartPatience = Duration::seconds(600);  // three JVMs on a slow machine

// What was made is removed also when the start fails.
template <typename Engine>
Result<std::unique_ptr<Temporary<Engine>>> started(const std::string& folder, Result<Engine> engine) {
  if (!engine) {
    std::filesystem::remove_all(folder);
    return fail(engine.error());
  }
  auto temporary = std::make_unique<Temporary<Engine>>(folder, std::move(*engine));
  SYNOD_RETURN_IF_ERROR((*temporary)->start(kStartPatience));
  return temporary;
}

}  // namespace

Result<TemporaryKafka> temporary_kafka(int brokers, const std::function<void(engines::KafkaBroker&)>& adjust) {
  engines::KafkaEngineConfig config;
  SYNOD_TRY(config.jars, engines::kafka_jars(engines::default_engine_cache(),
                                             [](const std::string& line) { std::cout << line << std::endl; }));
  config.folder = testing::new_folder("kafka");
  config.heap_megabytes = 256;
  config.dies_with_us = true;
  config.brokers = engines::kafka_brokers(brokers);
  if (adjust)
    for (engines::KafkaBroker& broker : config.brokers) adjust(broker);
  const std::string folder = config.folder;
  return started(folder, engines::KafkaEngine::prepare(std::move(config)));
}

Result<TemporaryPostgres> temporary_postgres() {
  engines::PostgresEngineConfig config;
  config.folder = testing::new_folder("postgres");
  config.port = free_port();
  config.dies_with_us = true;
  const std::string folder = config.folder;
  return started(folder, engines::PostgresEngine::prepare(std::move(config)));
}

}  // namespace synod::ordering::conformance
