// What is asked of and done to a topic as a whole.
#pragma once

#include <string>

#include "ordering/kafka/handle.h"
#include "ordering/ordering_log.h"

namespace synod::ordering::kafka {

struct TopicState {
  bool exists = false;
  int partitions = 0;
  int replicas = 0;
  int in_sync = 0;
  std::string leader;  // host:port; empty: there is none now
};
// Error id ORDERING_UNAVAILABLE.
Result<TopicState> describe_topic(rd_kafka_t* client, const std::string& topic, Duration timeout);

struct TopicSettings {
  int min_in_sync = 0;
  std::size_t max_message_bytes = 0;
  bool deletes = true;  // cleanup.policy=delete
  bool unclean_election = false;
  bool expires = false;  // messages go by age or size, without our pruning
};
Result<TopicSettings> describe_settings(rd_kafka_t* client, const std::string& topic, Duration timeout);

// All that speaks against using the topic: error id ORDERING_TOPIC_UNFIT, with the command that mends its settings.
Status check_fitness(const TopicState& state, const TopicSettings& settings, const KafkaLogConfig& config);

// One partition, three replicas of which two must be in sync (development: one), nothing expires. A topic that exists
// already is left as it is. Error id ORDERING_UNAVAILABLE.
Status create_topic(rd_kafka_t* client, const KafkaLogConfig& config, Duration timeout);
Status delete_topic(rd_kafka_t* client, const std::string& topic, Duration timeout);

// Forgets all below `before`.
Status delete_records(rd_kafka_t* client, const std::string& topic, std::int64_t before, Duration timeout);

}  // namespace synod::ordering::kafka
