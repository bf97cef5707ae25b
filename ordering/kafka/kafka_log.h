// An OrderingLog over one partition of one Apache Kafka topic. How messages become blocks: chain.h.
//
// Records go through one idempotent producer with acks=all; a subscription is a consumer of its own that is assigned
// the partition, without a consumer group. Outcomes are the producer's: persisted is accepted, not persisted is
// refused, possibly persisted is unknown. Broker time is not used.
//
// Who may write to the topic is Kafka's matter (ACLs). The topic is refused unless it has exactly one partition, is not
// compacted, never elects an unclean leader and, outside development, keeps messages until they are pruned
// (retention.ms and retention.bytes are -1) and has at least three replicas of which two must be in sync.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ordering/ordering_log.h"

namespace synod::ordering::kafka {

struct KafkaLogConfig {
  std::string brokers;  // host:port,host:port
  std::string topic = "synod";
  bool development = false;   // take a topic with fewer replicas, or that forgets: it may lose records
  bool create_topic = false;  // if it is not there, with as many replicas as are needed
  // Of librdkafka: security.protocol, ssl.* and sasl.* as `name=value`; others are refused.
  std::vector<std::string> security;
  std::size_t max_record_bytes = (16u << 20) - 16384;  // the topic's max.message.bytes must allow for it
  std::size_t max_pending_bytes = 64u << 20;           // submitted and not completed; beyond it ORDERING_OVERLOADED
  std::size_t window_bytes = 4u << 20;                 // fetched ahead of request(), per subscription
  Duration submit_timeout = Duration::seconds(10);     // then refused if never sent, unknown otherwise
  Duration check_interval = Duration::seconds(2);      // of the topic's state while all is well
  Duration min_reconnect_delay = Duration::milliseconds(20);
  Duration max_reconnect_delay = Duration::seconds(1);
};

// Returns at once; the connection is made in the background. Health::last_error says why a topic is not taken.
// Errors: ORDERING_NO_ENDPOINT, ORDERING_KAFKA_CONFIGURATION_INVALID.
Result<std::unique_ptr<OrderingLog>> connect_kafka(KafkaLogConfig config);

}  // namespace synod::ordering::kafka
