// Apache Kafka: one broker or several, each its own controller as well (KRaft), as processes on this machine.
#pragma once

#include <string>
#include <vector>

#include "base/process.h"
#include "base/result.h"
#include "base/time.h"
#include "ordering/engines/engine_cache.h"

namespace synod::ordering::engines {

inline constexpr char kKafkaVersion[] = "3.9.1";  // of org.apache.kafka:kafka_2.13

// Empty: a broker can be run here, after a download perhaps. Otherwise what is missing and how to get it.
std::string missing_for_kafka(const std::string& cache = default_engine_cache());

// The folder with the broker's jars, which Maven fetches from Maven Central if the cache does not have them (some 50
// MB). Processes that ask at the same time do not disturb one another. Error ids: ENGINE_NOT_INSTALLED, PROCESS_FAILED.
Result<std::string> kafka_jars(const std::string& cache, const Progress& progress, const DownloadRetry& retry = {});

struct KafkaBroker {
  int port = 0;             // for clients
  int advertised_port = 0;  // which clients are told; 0: `port`. For a relay in between
  int internal_port = 0;    // for other brokers
  int controller_port = 0;
};

struct KafkaEngineConfig {
  std::string folder;  // everything the brokers keep; removing it removes the engine
  std::vector<KafkaBroker> brokers;
  std::string jars;  // from kafka_jars()
  int heap_megabytes = 384;
  std::size_t max_message_bytes = 17u << 20;
  bool dies_with_us = false;
};

// `count` brokers on free ports.
std::vector<KafkaBroker> kafka_brokers(int count);

// Nothing about the processes is kept in memory: any process with the same configuration commands the same engine.
class KafkaEngine {
 public:
  // Writes the configuration and formats the brokers' storage, unless that was done before.
  static Result<KafkaEngine> prepare(KafkaEngineConfig config);
  // What was prepared in this folder. Error id ENGINE_NOT_PREPARED.
  static Result<KafkaEngine> open(const std::string& folder);

  // Starts what does not run and returns when all brokers listen. Error ids: ENGINE_FAILED with the end of a log,
  // PROCESS_START_FAILED.
  Status start(Duration patience);
  Status start_broker(std::size_t broker);
  void stop();              // SIGTERM and, where that takes too long, SIGKILL
  void signal(int number);  // to all
  void signal(std::size_t broker, int number);
  void kill();  // and waits until they are gone
  void kill_broker(std::size_t broker);
  bool running(std::size_t broker) const;
  const KafkaBroker& ports(std::size_t broker) const { return config_.brokers[broker]; }
  ServerProcess process(std::size_t broker) const;
  Status wait_until_listening(std::size_t broker, Duration patience) const;

  std::size_t brokers() const { return config_.brokers.size(); }
  std::string bootstrap() const;  // host:port,... as clients are told

 private:
  explicit KafkaEngine(KafkaEngineConfig config) : config_(std::move(config)) {}
  Status write_configuration(std::size_t broker) const;
  Status remember() const;
  Status format() const;
  std::string folder_of(std::size_t broker) const;
  Command java(const std::string& main_class, std::vector<std::string> arguments, int heap_megabytes) const;

  KafkaEngineConfig config_;
};

}  // namespace synod::ordering::engines
