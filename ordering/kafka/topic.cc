#include "ordering/kafka/topic.h"

#include <cstdlib>

#include "base/log.h"

namespace synod::ordering::kafka {
namespace {

using NewTopicPtr = std::unique_ptr<rd_kafka_NewTopic_t, Destroyer<rd_kafka_NewTopic_destroy>>;
using DeleteTopicPtr = std::unique_ptr<rd_kafka_DeleteTopic_t, Destroyer<rd_kafka_DeleteTopic_destroy>>;
using DeleteRecordsPtr = std::unique_ptr<rd_kafka_DeleteRecords_t, Destroyer<rd_kafka_DeleteRecords_destroy>>;
using ResourcePtr = std::unique_ptr<rd_kafka_ConfigResource_t, Destroyer<rd_kafka_ConfigResource_destroy>>;
using OptionsPtr = std::unique_ptr<rd_kafka_AdminOptions_t, Destroyer<rd_kafka_AdminOptions_destroy>>;

int whole_millis(Duration duration) { return static_cast<int>(duration.micros / 1000); }

OptionsPtr options(rd_kafka_t* client, Duration timeout) {
  OptionsPtr made(rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_ANY));
  char text[256];
  rd_kafka_AdminOptions_set_request_timeout(made.get(), whole_millis(timeout), text, sizeof text);
  return made;
}

// The answer to one request.
Result<EventPtr> answer(rd_kafka_queue_t* queue, Duration timeout, const std::string& what) {
  EventPtr event(rd_kafka_queue_poll(queue, whole_millis(timeout) + 500));
  if (!event) return fail(unavailable("ORDERING_UNAVAILABLE", what + ": no answer in time"));
  if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return fail(unavailable("ORDERING_UNAVAILABLE", what + ": " + rd_kafka_event_error_string(event.get())));
  return event;
}

Status topic_result(const rd_kafka_topic_result_t* const* results, std::size_t count, rd_kafka_resp_err_t harmless,
                    const std::string& what) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto code = rd_kafka_topic_result_error(results[i]);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == harmless) continue;
    const char* text = rd_kafka_topic_result_error_string(results[i]);
    return fail(unavailable("ORDERING_UNAVAILABLE", what + ": " + (text ? text : rd_kafka_err2str(code))));
  }
  return {};
}

void take_setting(TopicSettings& settings, const std::string& name, const std::string& value) {
  if (name == "min.insync.replicas") settings.min_in_sync = std::atoi(value.c_str());
  if (name == "max.message.bytes") settings.max_message_bytes = std::strtoull(value.c_str(), nullptr, 10);
  if (name == "cleanup.policy") settings.deletes = value == "delete";
  if (name == "unclean.leader.election.enable") settings.unclean_election = value == "true";
  if ((name == "retention.ms" || name == "retention.bytes") && value != "-1") settings.expires = true;
}

}  // namespace

Result<TopicState> describe_topic(rd_kafka_t* client, const std::string& topic, Duration timeout) {
  const TopicPtr handle(rd_kafka_topic_new(client, topic.c_str(), nullptr));
  const rd_kafka_metadata_t* raw = nullptr;
  const auto code = rd_kafka_metadata(client, 0, handle.get(), &raw, whole_millis(timeout));
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return fail(kafka_error(code, "no broker answers"));
  const MetadataPtr metadata(raw);
  TopicState state;
  if (metadata->topic_cnt != 1) return state;
  const rd_kafka_metadata_topic_t& described = metadata->topics[0];
  if (described.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return state;
  if (described.err != RD_KAFKA_RESP_ERR_NO_ERROR) return fail(kafka_error(described.err, "topic " + topic));
  state.exists = true;
  state.partitions = described.partition_cnt;
  if (state.partitions < 1) return state;
  const rd_kafka_metadata_partition_t& partition = described.partitions[0];
  state.replicas = partition.replica_cnt;
  state.in_sync = partition.isr_cnt;
  for (int i = 0; i < metadata->broker_cnt; ++i)
    if (metadata->brokers[i].id == partition.leader)
      state.leader = std::string(metadata->brokers[i].host) + ":" + std::to_string(metadata->brokers[i].port);
  return state;
}

Result<TopicSettings> describe_settings(rd_kafka_t* client, const std::string& topic, Duration timeout) {
  const QueuePtr queue(rd_kafka_queue_new(client));
  const ResourcePtr resource(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
  rd_kafka_ConfigResource_t* asked[] = {resource.get()};
  const OptionsPtr how = options(client, timeout);
  rd_kafka_DescribeConfigs(client, asked, 1, how.get(), queue.get());
  SYNOD_TRY(const EventPtr event, answer(queue.get(), timeout, "cannot read the settings of topic " + topic));
  std::size_t count = 0;
  const auto* resources =
      rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event.get()), &count);
  TopicSettings settings;
  for (std::size_t i = 0; i < count; ++i) {
    if (const auto code = rd_kafka_ConfigResource_error(resources[i]); code != RD_KAFKA_RESP_ERR_NO_ERROR)
      return fail(kafka_error(code, "cannot read the settings of topic " + topic));
    std::size_t entries = 0;
    const auto* entry = rd_kafka_ConfigResource_configs(resources[i], &entries);
    for (std::size_t k = 0; k < entries; ++k)
      if (const char* value = rd_kafka_ConfigEntry_value(entry[k]))
        take_setting(settings, rd_kafka_ConfigEntry_name(entry[k]), value);
  }
  return settings;
}

Status check_fitness(const TopicState& state, const TopicSettings& settings, const KafkaLogConfig& config) {
  std::string faults;
  std::string changes;  // of settings, which mend it
  const auto fault = [&](const std::string& what, const std::string& change = "") {
    faults += (faults.empty() ? "" : "; ") + what;
    if (!change.empty()) changes += (changes.empty() ? "" : ",") + change;
  };
  if (state.partitions != 1)
    fault("has " + std::to_string(state.partitions) +
          " partitions, and only one partition has one order: use a topic with exactly one");
  if (!config.development && state.replicas < 3)
    fault("has " + std::to_string(state.replicas) + " replicas (at least 3 are needed, or development mode)");
  if (!config.development && settings.min_in_sync < 2)
    fault("has min.insync.replicas=" + std::to_string(settings.min_in_sync) +
              " (at least 2 are needed, or development mode)",
          "min.insync.replicas=2");
  if (!settings.deletes) fault("is compacted, which loses records", "cleanup.policy=delete");
  if (!config.development && settings.expires)
    fault("forgets messages by age or size, although sequencers may still need them (only pruning may remove some)",
          "retention.ms=-1,retention.bytes=-1");
  if (settings.unclean_election)
    fault("allows unclean elections, which lose records", "unclean.leader.election.enable=false");
  if (settings.max_message_bytes < config.max_record_bytes + 512)
    fault("takes messages of at most " + std::to_string(settings.max_message_bytes) +
              " bytes (raise that, or lower the largest record)",
          "max.message.bytes=" + std::to_string(config.max_record_bytes + 1024));
  if (faults.empty()) return {};
  std::string text = "topic " + config.topic + " " + faults;
  if (!changes.empty())
    text += ". To change its settings: kafka-configs.sh --bootstrap-server " + config.brokers +
            " --alter --entity-type topics --entity-name " + config.topic + " --add-config " + changes;
  return fail(failed_precondition("ORDERING_TOPIC_UNFIT", text));
}

Status create_topic(rd_kafka_t* client, const KafkaLogConfig& config, Duration timeout) {
  char text[256];
  const NewTopicPtr topic(
      rd_kafka_NewTopic_new(config.topic.c_str(), 1, config.development ? 1 : 3, text, sizeof text));
  if (!topic) return fail(unavailable("ORDERING_UNAVAILABLE", std::string("cannot create a topic: ") + text));
  const std::pair<const char*, std::string> settings[] = {
      {"min.insync.replicas", config.development ? "1" : "2"},
      {"cleanup.policy", "delete"},
      {"retention.ms", "-1"},
      {"retention.bytes", "-1"},
      {"unclean.leader.election.enable", "false"},
      {"max.message.bytes", std::to_string(config.max_record_bytes + 1024)}};
  for (const auto& [name, value] : settings) rd_kafka_NewTopic_set_config(topic.get(), name, value.c_str());
  const QueuePtr queue(rd_kafka_queue_new(client));
  rd_kafka_NewTopic_t* wanted[] = {topic.get()};
  const OptionsPtr how = options(client, timeout);
  rd_kafka_CreateTopics(client, wanted, 1, how.get(), queue.get());
  const std::string what = "cannot create topic " + config.topic;
  SYNOD_TRY(const EventPtr event, answer(queue.get(), timeout, what));
  std::size_t count = 0;
  const auto* results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  return topic_result(results, count, RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS, what);
}

Status delete_topic(rd_kafka_t* client, const std::string& topic, Duration timeout) {
  const DeleteTopicPtr deleted(rd_kafka_DeleteTopic_new(topic.c_str()));
  const QueuePtr queue(rd_kafka_queue_new(client));
  rd_kafka_DeleteTopic_t* wanted[] = {deleted.get()};
  const OptionsPtr how = options(client, timeout);
  rd_kafka_DeleteTopics(client, wanted, 1, how.get(), queue.get());
  const std::string what = "cannot delete topic " + topic;
  SYNOD_TRY(const EventPtr event, answer(queue.get(), timeout, what));
  std::size_t count = 0;
  const auto* results = rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event.get()), &count);
  return topic_result(results, count, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, what);
}

Status delete_records(rd_kafka_t* client, const std::string& topic, std::int64_t before, Duration timeout) {
  PartitionsPtr partitions(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(partitions.get(), topic.c_str(), 0)->offset = before;
  const DeleteRecordsPtr deleted(rd_kafka_DeleteRecords_new(partitions.get()));
  const QueuePtr queue(rd_kafka_queue_new(client));
  rd_kafka_DeleteRecords_t* wanted[] = {deleted.get()};
  const OptionsPtr how = options(client, timeout);
  rd_kafka_DeleteRecords(client, wanted, 1, how.get(), queue.get());
  const std::string what = "cannot prune topic " + topic;
  SYNOD_TRY(const EventPtr event, answer(queue.get(), timeout, what));
  const auto* results = rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event.get()));
  for (int i = 0; i < results->cnt; ++i)
    if (results->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR) return fail(kafka_error(results->elems[i].err, what));
  return {};
}

}  // namespace synod::ordering::kafka
