// What only Kafka's driver can do wrong, against one broker.
#include <gtest/gtest.h>

#include <thread>

#include "base/testing/expect_log.h"
#include "ordering/conformance/collector.h"
#include "ordering/conformance/temporary_engines.h"
#include "ordering/kafka/chain.h"
#include "ordering/kafka/kafka_log.h"
#include "ordering/kafka/topic.h"

namespace synod::ordering::conformance {
namespace {

class KafkaDriver : public ::testing::Test {
 protected:
  static void TearDownTestSuite() { engine_.reset(); }
  void SetUp() override {
    if (const std::string missing = engines::missing_for_kafka(); !missing.empty())
      GTEST_SKIP() << "SKIPPED: " << missing;
    if (engine_) return;
    auto engine = temporary_kafka(1);
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

  static bool error_shows(OrderingLog& log, const std::string& text) {
    for (int i = 0; i < 4000; ++i) {
      if (log.health().last_error.find(text) != std::string::npos) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ADD_FAILURE() << "last error: " << log.health().last_error;
    return false;
  }

  static TemporaryKafka engine_;
};

TemporaryKafka KafkaDriver::engine_;

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
  EXPECT_EQ(refused.outcome, SubmitOutcome::refused);
  EXPECT_EQ(refused.error->id, "ORDERING_TOPIC_UNFIT");
  EXPECT_TRUE(seen->blocks().empty());
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
  ASSERT_EQ(rd_kafka_flush(liar.get(), 20'000), RD_KAFKA_RESP_ERR_NO_ERROR);
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
