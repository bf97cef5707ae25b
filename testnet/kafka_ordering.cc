#include "testnet/kafka_ordering.h"

#include <fmt/format.h>
#include <signal.h>

#include <filesystem>

#include "node/node_file.h"
#include "ordering/engines/kafka_engine.h"

namespace synod::testnet {
namespace {

namespace engines = ordering::engines;

class KafkaOrdering final : public OrderingEngine {
 public:
  explicit KafkaOrdering(const NetworkPlan& plan) : folder_(plan.folder + "/ordering") {}

  Status prepare(const Progress& progress) override {
    engines::KafkaEngineConfig config;
    config.folder = folder_;
    SYNOD_TRY(config.jars, engines::kafka_jars(engines::default_engine_cache(), progress));
    std::error_code error;
    std::filesystem::create_directories(folder_, error);
    if (error) return fail(unavailable("NETWORK_FOLDER_FAILED", folder_ + ": " + error.message()));
    progress(fmt::format("  making the storage of one Kafka {} broker", engines::kKafkaVersion));
    config.brokers = engines::kafka_brokers(1);
    SYNOD_TRY(std::ignore, engines::KafkaEngine::prepare(config));
    return {};
  }

  Status start(Duration patience, const Progress& progress) override {
    SYNOD_TRY(auto engine, engines::KafkaEngine::open(folder_));
    SYNOD_RETURN_IF_ERROR(engine.start(patience));
    progress(fmt::format("  {:<28} ready at {}", "Kafka's broker", engine.bootstrap()));
    return {};
  }

  bool stop(Duration) override {
    auto engine = engines::KafkaEngine::open(folder_);
    if (!engine) return true;
    engine->stop();
    return !engine->running(0);
  }

  std::vector<NetworkProcess> processes() const override {
    std::vector<NetworkProcess> all;
    const auto engine = engines::KafkaEngine::open(folder_);
    if (!engine) return all;
    for (std::size_t i = 0; i < engine->brokers(); ++i)
      all.push_back({.name = fmt::format("kafka-broker{}", i + 1),
                     .role = "Kafka broker",
                     .log_file = engine->process(i).log_file,
                     .port = static_cast<std::uint16_t>(engine->ports(i).port),
                     .running = [process = engine->process(i)] { return process.running(); },
                     .start = [engine = *engine, i](Duration patience) mutable -> Status {
                       SYNOD_RETURN_IF_ERROR(engine.start_broker(i));
                       return engine.wait_until_listening(i, patience);
                     },
                     .kill = [process = engine->process(i)] { return ended(process, SIGKILL); },
                     .stop = [process = engine->process(i)] { return ended(process, SIGTERM); }});
    return all;
  }

  Status admit(const NodePlan&, Duration, const Progress&) override { return {}; }

  Status configure(const NodePlan&, node::NodeFile& file) const override {
    SYNOD_TRY(const auto engine, engines::KafkaEngine::open(folder_));
    file.sequencer.engines.engine = "kafka";
    node::KafkaSection& section = file.sequencer.engines.kafka;
    section.brokers = {engine.bootstrap()};
    section.development = true;
    section.create_topic = true;
    return {};
  }

 private:
  const std::string folder_;
};

}  // namespace

std::unique_ptr<OrderingEngine> kafka_ordering(const NetworkPlan& plan) {
  return std::make_unique<KafkaOrdering>(plan);
}

}  // namespace synod::testnet
