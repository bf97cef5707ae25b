#include "ordering/kafka/handle.h"

#include <algorithm>

#include "base/log.h"

namespace synod::ordering::kafka {
namespace {

std::string millis(Duration duration) { return std::to_string(std::max<std::int64_t>(duration.micros / 1000, 1)); }

// Disconnections are no news: health tells of them.
void log_line(const rd_kafka_t*, int, const char* facility, const char* text) {
  log::debug("ordering", "kafka {}: {}", facility, text);
}

Result<std::pair<std::string, std::string>> security_setting(const std::string& text) {
  const std::size_t equals = text.find('=');
  const std::string name = text.substr(0, equals);
  const bool known = name == "security.protocol" || name.starts_with("ssl.") || name.starts_with("sasl.");
  if (equals == std::string::npos || !known)
    return fail(
        invalid_argument("ORDERING_KAFKA_CONFIGURATION_INVALID",
                         "'" + name + "' is not a security setting: security.protocol=, ssl.*= and sasl.*= are"));
  return std::pair(name, text.substr(equals + 1));
}

}  // namespace

Error kafka_error(rd_kafka_resp_err_t code, const std::string& what) {
  return unavailable("ORDERING_UNAVAILABLE", what + ": " + rd_kafka_err2str(code));
}

Result<ConfPtr> make_conf(const KafkaLogConfig& config, const Settings& settings, void* opaque) {
  Settings all = {
      {"bootstrap.servers", config.brokers},
      {"client.id", "synod"},
      {"socket.nagle.disable", "true"},
      {"socket.keepalive.enable", "true"},
      {"allow.auto.create.topics", "false"},
      {"reconnect.backoff.ms", millis(config.min_reconnect_delay)},
      {"reconnect.backoff.max.ms", millis(config.max_reconnect_delay)},
      {"retry.backoff.ms", "20"},
      {"topic.metadata.refresh.fast.interval.ms", "100"},
      {"topic.metadata.propagation.max.ms", "2000"},
      {"receive.message.max.bytes",
       std::to_string(std::min<std::size_t>(config.max_record_bytes * 2 + (64u << 20), 2147483647))},
  };
  for (const std::string& text : config.security) {
    SYNOD_TRY(auto setting, security_setting(text));
    all.push_back(std::move(setting));
  }
  all.insert(all.end(), settings.begin(), settings.end());
  ConfPtr conf(rd_kafka_conf_new());
  char text[512];
  for (const auto& [name, value] : all)
    if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), text, sizeof text) != RD_KAFKA_CONF_OK)
      return fail(invalid_argument("ORDERING_KAFKA_CONFIGURATION_INVALID", text));
  rd_kafka_conf_set_log_cb(conf.get(), log_line);
  rd_kafka_conf_set_opaque(conf.get(), opaque);
  return conf;
}

Result<ClientPtr> make_client(rd_kafka_type_t type, ConfPtr conf) {
  char text[512];
  rd_kafka_t* client = rd_kafka_new(type, conf.get(), text, sizeof text);
  if (client == nullptr) return fail(invalid_argument("ORDERING_KAFKA_CONFIGURATION_INVALID", text));
  (void)conf.release();  // rd_kafka_new has taken it
  if (type == RD_KAFKA_CONSUMER) rd_kafka_poll_set_consumer(client);
  return ClientPtr(client);
}

// No offsets are committed anywhere: the reader knows where it is.
Settings consumer_settings(const KafkaLogConfig& config) {
  const std::size_t window = std::max<std::size_t>(config.window_bytes, 1024);
  return {{"enable.auto.commit", "false"},
          {"enable.auto.offset.store", "false"},
          {"auto.offset.reset", "error"},
          {"enable.partition.eof", "true"},
          {"isolation.level", "read_uncommitted"},
          {"check.crcs", "true"},
          {"fetch.wait.max.ms", "100"},  // an open request delays a change of position
          {"fetch.error.backoff.ms", "20"},
          {"queued.min.messages", "100000"},
          {"queued.max.messages.kbytes", std::to_string(window / 1024)},
          {"max.partition.fetch.bytes", std::to_string(window)},
          {"fetch.max.bytes", std::to_string(std::max(window, config.max_record_bytes + 1024))}};
}

Settings producer_settings(const KafkaLogConfig& config) {
  return {{"enable.idempotence", "true"},
          {"acks", "all"},
          {"linger.ms", "0"},
          {"compression.codec", "none"},
          {"message.timeout.ms", millis(config.submit_timeout)},
          {"message.max.bytes", std::to_string(config.max_record_bytes + 1024)},
          {"queue.buffering.max.kbytes", std::to_string(config.max_pending_bytes / 1024 * 2 + 1024)},
          {"queue.buffering.max.messages", "10000000"}};
}

Status assign(rd_kafka_t* client, const std::string& topic, std::int64_t offset) {
  PartitionsPtr partitions(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(partitions.get(), topic.c_str(), 0)->offset = offset;
  const auto code = rd_kafka_assign(client, partitions.get());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return fail(kafka_error(code, "cannot read topic " + topic));
  return {};
}

// Not rd_kafka_query_watermark_offsets: before librdkafka 2.3 that may never return when brokers die under it. This is
// the same request, and keeps to its timeout; the ends stand for times.
Result<Watermarks> query_watermarks(rd_kafka_t* client, const std::string& topic, Duration timeout) {
  const auto offset_at = [&](std::int64_t end) -> Result<std::int64_t> {
    std::unique_ptr<rd_kafka_topic_partition_list_t, void (*)(rd_kafka_topic_partition_list_t*)> list(
        rd_kafka_topic_partition_list_new(1), rd_kafka_topic_partition_list_destroy);
    rd_kafka_topic_partition_t* partition = rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), 0);
    partition->offset = end;
    auto code = rd_kafka_offsets_for_times(client, list.get(), static_cast<int>(timeout.micros / 1000));
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) code = partition->err;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return fail(kafka_error(code, "cannot ask for the ends of topic " + topic));
    return partition->offset;
  };
  Watermarks marks;
  SYNOD_TRY(marks.low, offset_at(RD_KAFKA_OFFSET_BEGINNING));
  SYNOD_TRY(marks.high, offset_at(RD_KAFKA_OFFSET_END));
  return marks;
}

}  // namespace synod::ordering::kafka
