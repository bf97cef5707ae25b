// What only Kafka's driver can do wrong, against one broker.
#include <gtest/gtest.h>

#include <thread>

#include "base/testing/expect_log.h"
#include "ordering/conformance/collector.h"
#include "ordering/conformance/relay.h"
#include "ordering/conformance/temporary_engines.h"
#include "ordering/kafka/chain.h"
#include "ordering/kafka/kafka_log.h"
#include "ordering/kafka/topic.h"

namespace synod::ordering::conformance {
namespace {

class KafkaDriver : public ::testing::Test {
 protected:
  static void TearDownTestSuite() {
    engine_.reset();
    relay_.reset();
  }
  void SetUp() override {
    if (const std::string missing = engines::missing_for_kafka(); !missing.empty())
      GTEST_SKIP() << "SKIPPED: " << missing;
    if (engine_) return;
    auto engine = temporary_kafka(1, [](engines::KafkaBroker& broker) {
      relay_ = std::make_unique<Relay>(broker.port);
      broker.advertised_port = relay_->port();
    });
    ASSERT_TRUE(engine) << engine.error().to_string();
    engine_ = std::move(*engine);
  }

  static kafka::KafkaLogConfig configuration(const std::string& topic) {
    kafka::KafkaLogConfig config;
    config.brokers = (*engine_)->bootstrap();
    config.topic = topic;
    config.submit_timeout = Duration::seconds(40);
    return config;
  }

  using Settings = std::vector<std::pair<const char*, const char*>>;
  // As an operator may have made it.
  static void make_topic(const std::string& topic, int partitions, const Settings& settings) {
    char text[256];
    rd_kafka_NewTopic_t* made = rd_kafka_NewTopic_new(topic.c_str(), partitions, 1, text, sizeof text);
    for (const auto& [name, value] : settings) rd_kafka_NewTopic_set_config(made, name, value);
    EXPECT_TRUE(eventually([&] { return create(made); })) << topic;
    rd_kafka_NewTopic_destroy(made);
  }
  static bool error_shows(OrderingLog& log, const std::string& text) {
    if (eventually([&] { return log.health().last_error.find(text) != std::string::npos; })) return true;
    ADD_FAILURE() << "last error: " << log.health().last_error;
    return false;
  }

  static TemporaryKafka engine_;
  static std::unique_ptr<Relay> relay_;

 private:
  // False: the broker does not do it now.
  static bool create(rd_kafka_NewTopic_t* topic) {
    auto conf = kafka::make_conf(configuration("any"), {}, nullptr);
    if (!conf) return false;
    const auto client = std::move(*kafka::make_client(RD_KAFKA_PRODUCER, std::move(*conf)));
    const kafka::QueuePtr queue(rd_kafka_queue_new(client.get()));
    rd_kafka_CreateTopics(client.get(), &topic, 1, nullptr, queue.get());
    const kafka::EventPtr answer(rd_kafka_queue_poll(queue.get(), 60'000));
    if (!answer || rd_kafka_event_error(answer.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) return false;
    std::size_t count = 0;
    const auto* results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(answer.get()), &count);
    const auto code = count == 1 ? rd_kafka_topic_result_error(results[0]) : RD_KAFKA_RESP_ERR__FAIL;
    return code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS;
  }
};

TemporaryKafka KafkaDriver::engine_;
std::unique_ptr<Relay> KafkaDriver::relay_;

TEST_F(KafkaDriver, ATopicWithTooFewReplicasIsTakenInDevelopmentOnly) {
  testing::expect_log("ORDERING_TOPIC_UNFIT");
  kafka::KafkaLogConfig config = configuration("few");
  config.create_topic = config.development = true;
  auto developing = std::move(*kafka::connect_kafka(config));
  ASSERT_TRUE(submit_until_accepted(*developing, "fine"));

  auto strict = std::move(*kafka::connect_kafka(configuration("few")));
  auto seen = std::make_shared<Collector>();
  auto subscription = strict->subscribe(Height(0), seen);
  subscription->request(10);
  ASSERT_TRUE(error_shows(*strict, "at least 3 are needed"));
  EXPECT_EQ(strict->health().state, Health::State::connecting);
  const auto refused = submit_and_wait(*strict, "not here");
  ASSERT_EQ(refused.outcome, SubmitOutcome::refused);
  EXPECT_EQ(refused.error->id, "ORDERING_TOPIC_UNFIT");
  EXPECT_TRUE(seen->blocks().empty());
}

TEST_F(KafkaDriver, ATopicWithSeveralPartitionsIsNeverTaken) {
  testing::expect_log("ORDERING_TOPIC_UNFIT");
  ASSERT_NO_FATAL_FAILURE(make_topic("many", 2, {{"max.message.bytes", "17000000"}}));
  kafka::KafkaLogConfig config = configuration("many");
  config.development = true;
  auto log = std::move(*kafka::connect_kafka(config));
  ASSERT_TRUE(error_shows(*log, "has 2 partitions"));
  const auto refused = submit_and_wait(*log, "no");
  ASSERT_EQ(refused.outcome, SubmitOutcome::refused);
  EXPECT_EQ(refused.error->id, "ORDERING_TOPIC_UNFIT");
}

TEST_F(KafkaDriver, ATopicThatForgetsOrHasTooFewInSyncIsTakenInDevelopmentOnly) {
  testing::expect_log("ORDERING_TOPIC_UNFIT");
  const Settings settings = {
      {"retention.ms", "604800000"}, {"min.insync.replicas", "1"}, {"max.message.bytes", "17000000"}};
  ASSERT_NO_FATAL_FAILURE(make_topic("forgetful", 1, settings));
  auto strict = std::move(*kafka::connect_kafka(configuration("forgetful")));
  ASSERT_TRUE(error_shows(*strict, "forgets messages by age or size"));
  const auto refused = submit_and_wait(*strict, "no");
  ASSERT_EQ(refused.outcome, SubmitOutcome::refused);
  EXPECT_EQ(refused.error->id, "ORDERING_TOPIC_UNFIT");
  EXPECT_NE(refused.error->cause.find("has min.insync.replicas=1"), std::string::npos);
  EXPECT_NE(refused.error->cause.find("--entity-name forgetful --add-config "
                                      "min.insync.replicas=2,retention.ms=-1,retention.bytes=-1"),
            std::string::npos)
      << refused.error->cause;
  kafka::KafkaLogConfig config = configuration("forgetful");
  config.development = true;
  auto developing = std::move(*kafka::connect_kafka(config));
  EXPECT_TRUE(submit_until_accepted(*developing, "fine"));
  // It may go by size as well, and it may be compacted, which is never taken.
  ASSERT_NO_FATAL_FAILURE(make_topic("small", 1, {{"retention.bytes", "1000000"}}));
  ASSERT_TRUE(
      error_shows(*std::move(*kafka::connect_kafka(configuration("small"))), "forgets messages by age or size"));
  ASSERT_NO_FATAL_FAILURE(make_topic("compact", 1, {{"cleanup.policy", "compact"}, {"max.message.bytes", "17000000"}}));
  config = configuration("compact");
  config.development = true;
  EXPECT_TRUE(error_shows(*std::move(*kafka::connect_kafka(config)), "is compacted"));
}

TEST_F(KafkaDriver, ATopicThatIsNotThereIsWaitedFor) {
  auto waiting = std::move(*kafka::connect_kafka([&] {
    kafka::KafkaLogConfig config = configuration("late");
    config.development = true;
    return config;
  }()));
  ASSERT_TRUE(error_shows(*waiting, "does not exist yet"));
  kafka::KafkaLogConfig config = configuration("late");
  config.create_topic = config.development = true;
  auto creating = std::move(*kafka::connect_kafka(config));
  EXPECT_TRUE(submit_until_accepted(*waiting, "there"));
}

// Who reads from a height far from the start, knowing nothing, needs witnesses only; and everyone notices a wrong one.
TEST_F(KafkaDriver, AWrongWitnessIsNoticedByWhoReads) {
  testing::expect_log("ALARM");
  kafka::KafkaLogConfig config = configuration("lies");
  config.create_topic = config.development = true;
  auto log = std::move(*kafka::connect_kafka(config));
  auto seen = std::make_shared<Collector>();
  auto subscription = log->subscribe(Height(0), seen);
  subscription->request(1000);
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(submit_until_accepted(*log, "r" + std::to_string(i)));
    ASSERT_TRUE(seen->wait_for_record("r" + std::to_string(i)));
  }
  auto conf = kafka::make_conf(config, {}, nullptr);
  ASSERT_TRUE(conf);
  auto liar = std::move(*kafka::make_client(RD_KAFKA_PRODUCER, std::move(*conf)));
  const Bytes witness = kafka::encode_witness({Height(2), Bytes(32, 'x')});
  ASSERT_EQ(rd_kafka_producev(liar.get(), RD_KAFKA_V_TOPIC("lies"), RD_KAFKA_V_PARTITION(0),
                              RD_KAFKA_V_VALUE(const_cast<char*>("lie"), 3), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                              RD_KAFKA_V_HEADER(kafka::kWitnessHeader, witness.data(), witness.size()), RD_KAFKA_V_END),
            RD_KAFKA_RESP_ERR_NO_ERROR);
  ASSERT_EQ(rd_kafka_flush(liar.get(), 300'000), RD_KAFKA_RESP_ERR_NO_ERROR);
  ASSERT_TRUE(submit_until_accepted(*log, "after"));
  ASSERT_TRUE(seen->wait_for_record("after"));
  EXPECT_TRUE(seen->chained()) << "the chain does not follow the liar";
  auto fresh = std::move(*kafka::connect_kafka(config));
  auto tail = std::make_shared<Collector>();
  auto second = fresh->subscribe(Height(4), tail);
  second->request(1000);
  ASSERT_TRUE(tail->wait_for_record("after"));
  EXPECT_EQ(tail->blocks().front().hash, seen->blocks()[4].hash);
}

}  // namespace
}  // namespace synod::ordering::conformance
