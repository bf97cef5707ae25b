// Owners of librdkafka's objects, and the settings that all our clients share.
#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "ordering/kafka/kafka_log.h"

namespace synod::ordering::kafka {

template <auto destroy>
struct Destroyer {
  template <typename T>
  void operator()(T* object) const {
    destroy(object);
  }
};

using ConfPtr = std::unique_ptr<rd_kafka_conf_t, Destroyer<rd_kafka_conf_destroy>>;
using MessagePtr = std::unique_ptr<rd_kafka_message_t, Destroyer<rd_kafka_message_destroy>>;
using PartitionsPtr =
    std::unique_ptr<rd_kafka_topic_partition_list_t, Destroyer<rd_kafka_topic_partition_list_destroy>>;
using MetadataPtr = std::unique_ptr<const rd_kafka_metadata_t, Destroyer<rd_kafka_metadata_destroy>>;
using QueuePtr = std::unique_ptr<rd_kafka_queue_t, Destroyer<rd_kafka_queue_destroy>>;
using EventPtr = std::unique_ptr<rd_kafka_event_t, Destroyer<rd_kafka_event_destroy>>;
using TopicPtr = std::unique_ptr<rd_kafka_topic_t, Destroyer<rd_kafka_topic_destroy>>;

// There is no consumer group to leave.
struct ClientDestroyer {
  void operator()(rd_kafka_t* client) const { rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE); }
};
using ClientPtr = std::unique_ptr<rd_kafka_t, ClientDestroyer>;

using Settings = std::vector<std::pair<std::string, std::string>>;

// `settings` come on top of the shared ones. `opaque` is what callbacks get.
Result<ConfPtr> make_conf(const KafkaLogConfig& config, const Settings& settings, void* opaque);
Result<ClientPtr> make_client(rd_kafka_type_t type, ConfPtr conf);

Settings consumer_settings(const KafkaLogConfig& config);
Settings producer_settings(const KafkaLogConfig& config);

Status assign(rd_kafka_t* client, const std::string& topic, std::int64_t offset);

// The oldest offset kept and the one after the newest. Error id ORDERING_UNAVAILABLE.
struct Watermarks {
  std::int64_t low = 0;
  std::int64_t high = 0;
};
Result<Watermarks> query_watermarks(rd_kafka_t* client, const std::string& topic, Duration timeout);

Error kafka_error(rd_kafka_resp_err_t code, const std::string& what);

}  // namespace synod::ordering::kafka
