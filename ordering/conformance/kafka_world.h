// Kafka brokers, each its own controller as well; each test has a topic of its own.
#pragma once

#include <signal.h>

#include <functional>
#include <optional>
#include <thread>

#include "base/env.h"
#include "ordering/conformance/collector.h"
#include "ordering/conformance/stopped.h"
#include "ordering/conformance/temporary_engines.h"
#include "ordering/conformance/world.h"
#include "ordering/kafka/kafka_log.h"
#include "ordering/kafka/topic.h"

namespace synod::ordering::conformance {

class KafkaWorld final : public EngineWorld {
 public:
  // Fewer than three run in development mode.
  explicit KafkaWorld(int brokers = 3) : brokers_(brokers) {}
  std::string missing() const override { return engines::missing_for_kafka(); }

  Traits traits() const override {
    Traits traits;
    traits.driver_prunes = true;
    traits.shares_blocks = false;
    traits.kills = 2;
    return traits;
  }

  Status begin() override {
    if (!engine_) SYNOD_RETURN_IF_ERROR(set_up());
    resume();
    topic_ = "t" + std::to_string(++topics_);
    return start();
  }

  std::unique_ptr<OrderingLog> connect(ClientOptions options) override {
    kafka::KafkaLogConfig config = configuration();
    config.submit_timeout = options.submit_timeout;
    config.window_bytes = options.window_bytes;
    config.max_pending_bytes = options.max_pending_bytes;
    auto log = kafka::connect_kafka(config);
    return log ? std::move(*log) : nullptr;
  }

  Status start() override {
    SYNOD_RETURN_IF_ERROR(engine().start(traits().patience));
    return until([&] { return have_topic(); });
  }
  void stop() override { engine().stop(); }
  void kill() override { engine().kill(); }
  void pause() override {
    engine().signal(SIGSTOP);
    for (std::size_t i = 0; i < engine().brokers(); ++i)
      if (const auto broker = engine().process(i).running()) wait_until_stopped(*broker);
  }
  void resume() override { engine().signal(SIGCONT); }

  engines::KafkaEngine& engine() { return **engine_; }
  // The broker that leads the topic; none while there is none.
  std::optional<std::size_t> leader() {
    const auto state = kafka::describe_topic(admin_.get(), topic_, Duration::seconds(5));
    for (std::size_t i = 0; state && i < engine().brokers(); ++i)
      if (state->leader == "127.0.0.1:" + std::to_string(engine().ports(i).advertised_port)) return i;
    return std::nullopt;
  }

  // Writes are taken only while so many replicas are in sync. A broker confirms this before it acts on it, but it does
  // act on it before it hears of a replica that has failed since.
  Status require_in_sync(int replicas) {
    return until([&] { return try_to_require(replicas); });
  }

  Status prune(OrderingLog& log, Height before) override { return prune_and_wait(log, before); }

  Status replace_history() override {
    SYNOD_RETURN_IF_ERROR(until([&] { return kafka::delete_topic(admin_.get(), topic_, Duration::seconds(10)); }));
    SYNOD_RETURN_IF_ERROR(until([&] { return gone_everywhere(); }));
    std::this_thread::sleep_for(std::chrono::seconds(1));  // no operator is faster
    return until([&] { return have_topic(); });
  }

 private:
  kafka::KafkaLogConfig configuration() const {
    kafka::KafkaLogConfig config;
    config.brokers = (*engine_)->bootstrap();
    config.topic = topic_;
    config.development = brokers_ < 3;
    config.max_reconnect_delay = Duration::milliseconds(200);
    return config;
  }

  Status set_up() {
    const auto adjust = [&](engines::KafkaBroker& broker) { broker.advertised_port = relay_to(broker.port); };
    SYNOD_TRY(engine_, temporary_kafka(brokers_, adjust));
    SYNOD_TRY(auto conf, kafka::make_conf(configuration(), {}, nullptr));
    SYNOD_TRY(admin_, kafka::make_client(RD_KAFKA_PRODUCER, std::move(conf)));
    return {};
  }

  Status try_to_require(int replicas) {
    const auto topic = kafka::describe_settings(admin_.get(), topic_, Duration::seconds(10));
    if (!topic) return fail(topic.error());
    rd_kafka_ConfigResource_t* changed = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic_.c_str());
    const std::pair<const char*, std::string> settings[] = {
        // all, or the others go back to the broker's
        {"min.insync.replicas", std::to_string(replicas)},
        {"retention.ms", "-1"},
        {"retention.bytes", "-1"},
        {"max.message.bytes", std::to_string(topic->max_message_bytes)}};
    for (const auto& [name, value] : settings) rd_kafka_ConfigResource_set_config(changed, name, value.c_str());
    const kafka::QueuePtr queue(rd_kafka_queue_new(admin_.get()));
    rd_kafka_AlterConfigs(admin_.get(), &changed, 1, nullptr, queue.get());
    rd_kafka_ConfigResource_destroy(changed);
    const kafka::EventPtr answer(rd_kafka_queue_poll(queue.get(), 60'000));
    if (!answer) return fail(unavailable("ENGINE_FAILED", "no answer"));
    std::size_t count = 0;
    const auto* results =
        rd_kafka_AlterConfigs_result_resources(rd_kafka_event_AlterConfigs_result(answer.get()), &count);
    const auto code = count == 1 ? rd_kafka_ConfigResource_error(results[0]) : rd_kafka_event_error(answer.get());
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return fail(kafka::kafka_error(code, "topic " + topic_));
    return {};
  }

  // Brokers learn of it one after the other. Each is asked by a client that knows no other.
  Status gone_everywhere() {
    for (std::size_t i = 0; i < engine().brokers(); ++i) {
      auto config = configuration();
      config.brokers = "127.0.0.1:" + std::to_string(engine().ports(i).advertised_port);
      SYNOD_TRY(auto conf, kafka::make_conf(config, {}, nullptr));
      SYNOD_TRY(const auto client, kafka::make_client(RD_KAFKA_PRODUCER, std::move(conf)));
      SYNOD_TRY(const auto state, kafka::describe_topic(client.get(), topic_, Duration::seconds(2)));
      if (state.exists) return fail(unavailable("ENGINE_FAILED", "the topic is still there"));
    }
    return {};
  }

  // The topic exists and can be written to.
  Status have_topic() {
    SYNOD_TRY(const auto state, kafka::describe_topic(admin_.get(), topic_, Duration::seconds(2)));
    if (!state.exists) SYNOD_RETURN_IF_ERROR(kafka::create_topic(admin_.get(), configuration(), Duration::seconds(10)));
    if (!state.leader.empty() && state.in_sync >= (brokers_ < 3 ? 1 : 2)) return {};
    return fail(unavailable("ENGINE_FAILED", "the topic has no leader or too few replicas"));
  }

  Status until(const std::function<Status()>& condition) {
    const auto clock = system_clock();
    const std::int64_t give_up = clock->monotonic_micros() + traits().patience.micros;
    for (;;) {
      Status status = condition();
      if (status || clock->monotonic_micros() > give_up) return status;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }

  const int brokers_;
  TemporaryKafka engine_;
  kafka::ClientPtr admin_;
  std::string topic_;
  int topics_ = 0;
};

}  // namespace synod::ordering::conformance
