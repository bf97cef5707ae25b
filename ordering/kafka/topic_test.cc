#include "ordering/kafka/topic.h"

#include <gtest/gtest.h>

namespace synod::ordering::kafka {
namespace {

class TopicFitness : public ::testing::Test {
 protected:
  // Empty: fit.
  std::string verdict() const {
    const Status fit = check_fitness(state, settings, config);
    if (fit) return "";
    EXPECT_EQ(fit.error().id, "ORDERING_TOPIC_UNFIT");
    return fit.error().cause;
  }
  bool blames(const std::string& what) const { return verdict().find(what) != std::string::npos; }

  TopicState state{true, 1, 3, 3, "127.0.0.1:9092"};
  TopicSettings settings{2, 17u << 20, true, false, false};
  KafkaLogConfig config;
};

TEST_F(TopicFitness, ThreeReplicasOfOnePartitionAreFit) { EXPECT_EQ(verdict(), ""); }

TEST_F(TopicFitness, SeveralPartitionsHaveNoCommonOrder) {
  state.partitions = 2;
  EXPECT_TRUE(blames("partition"));
  config.development = true;
  EXPECT_TRUE(blames("partition")) << "not even in development";
}

TEST_F(TopicFitness, TooFewReplicasAreForDevelopmentOnly) {
  state.replicas = 2;
  EXPECT_TRUE(blames("replicas"));
  state.replicas = 3;
  settings.min_in_sync = 1;
  EXPECT_TRUE(blames("min.insync.replicas"));
  config.development = true;
  EXPECT_EQ(verdict(), "");
}

TEST_F(TopicFitness, WhateverLosesRecordsIsRefused) {
  settings.deletes = false;
  EXPECT_TRUE(blames("cleanup.policy"));
  settings.deletes = true;
  settings.unclean_election = true;
  EXPECT_TRUE(blames("unclean"));
  settings.unclean_election = false;
  settings.max_message_bytes = 1u << 20;
  EXPECT_TRUE(blames("max.message.bytes"));
}

TEST_F(TopicFitness, ATopicThatForgetsIsForDevelopmentOnly) {
  settings.expires = true;
  EXPECT_TRUE(blames("forgets"));
  EXPECT_TRUE(blames("--entity-type topics --entity-name synod --add-config retention.ms=-1,retention.bytes=-1"))
      << verdict();
  config.development = true;
  EXPECT_EQ(verdict(), "");
}

TEST_F(TopicFitness, AllFaultsAreToldAtOnceWithOneCommand) {
  config.brokers = "b1:9092,b2:9092";
  state.replicas = 1;
  settings.min_in_sync = 1;
  settings.deletes = false;
  EXPECT_TRUE(blames("1 replicas"));
  EXPECT_TRUE(blames("kafka-configs.sh --bootstrap-server b1:9092,b2:9092 "));
  EXPECT_TRUE(blames("--add-config min.insync.replicas=2,cleanup.policy=delete")) << verdict();
}

TEST(KafkaSettings, OnlySecurityMayBeSet) {
  KafkaLogConfig config;
  EXPECT_EQ(connect_kafka(config).error().id, "ORDERING_NO_ENDPOINT");
  config.brokers = "127.0.0.1:1";
  config.security = {"acks=0"};
  const auto refused = connect_kafka(config);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().id, "ORDERING_KAFKA_CONFIGURATION_INVALID");
  config.security = {"security.protocol=no-such"};
  EXPECT_FALSE(connect_kafka(config));
}

}  // namespace
}  // namespace synod::ordering::kafka
