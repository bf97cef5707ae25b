#include "ordering/kafka/consumption.h"

#include "base/log.h"

namespace synod::ordering::kafka {
namespace {

constexpr Duration kQueryTimeout = Duration::seconds(2);
constexpr std::int64_t kPatienceMicros = 10'000'000;  // for the next message of a log that has it

Received read_message(const rd_kafka_message_t& message) {
  Received received;
  received.offset = message.offset;
  if (message.payload != nullptr) received.record = Bytes(static_cast<const char*>(message.payload), message.len);
  rd_kafka_headers_t* headers = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  if (rd_kafka_message_headers(&message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR &&
      rd_kafka_header_get_last(headers, kWitnessHeader, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR &&
      value != nullptr)
    received.witness = decode_witness(ByteView(static_cast<const char*>(value), size));
  return received;
}

}  // namespace

Result<std::unique_ptr<Consumption>> Consumption::open(std::shared_ptr<Link> link) {
  std::unique_ptr<Consumption> made(new Consumption(std::move(link)));
  SYNOD_TRY(ConfPtr conf, make_conf(made->link_->config, consumer_settings(made->link_->config), made.get()));
  rd_kafka_conf_set_error_cb(conf.get(), on_error);
  SYNOD_TRY(made->client_, make_client(RD_KAFKA_CONSUMER, std::move(conf)));
  made->topic_.reset(rd_kafka_topic_new(made->client_.get(), made->link_->config.topic.c_str(), nullptr));
  if (!made->topic_) return fail(kafka_error(rd_kafka_last_error(), "cannot open topic " + made->link_->config.topic));
  return made;
}

Consumption::~Consumption() { stop(); }

void Consumption::on_error(rd_kafka_t*, int, const char* text, void* self) {
  auto* consumption = static_cast<Consumption*>(self);
  consumption->trouble_ = true;
  consumption->link_->saw_trouble(text);
}

Status Consumption::start(std::int64_t offset) {
  if (started_ && next_ == offset) return {};
  stop();
  next_ = offset;
  queue_.reset(rd_kafka_queue_new(client_.get()));
  if (rd_kafka_consume_start_queue(topic_.get(), 0, offset, queue_.get()) != 0)
    return fail(kafka_error(rd_kafka_last_error(), "cannot read topic " + link_->config.topic));
  started_ = true;
  return {};
}

void Consumption::stop() {
  if (started_) rd_kafka_consume_stop(topic_.get(), 0);
  started_ = false;
  queue_.reset();
}

Consumption::Event Consumption::poll(std::chrono::milliseconds timeout, Received& received) {
  rd_kafka_poll(client_.get(), 0);  // error callbacks
  if (!started_) return Event::failed;
  const MessagePtr message(rd_kafka_consume_queue(queue_.get(), static_cast<int>(timeout.count())));
  if (!message) return Event::nothing;
  switch (message->err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      received = read_message(*message);
      next_ = received.offset + 1;
      return Event::message;
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
      received.offset = next_ = message->offset;
      return Event::end_of_log;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
      stop();
      return Event::out_of_range;
    default:
      trouble_ = true;
      stop();
      link_->saw_trouble(std::string("reading topic ") + link_->config.topic + ": " +
                         rd_kafka_message_errstr(message.get()));
      return Event::failed;
  }
}

Result<Watermarks> Consumption::watermarks() const {
  return query_watermarks(client_.get(), link_->config.topic, kQueryTimeout);
}

namespace {

// Reads from `from` until everything below `start` was seen; on to the end of the log where `to_the_end` and no witness
// has helped yet.
Status scan(Consumption& consumption, std::int64_t from, std::int64_t start, bool to_the_end, Anchor& anchor,
            const std::function<bool()>& cancelled) {
  SYNOD_RETURN_IF_ERROR(consumption.start(from));
  const auto clock = system_clock();
  std::int64_t give_up = clock->monotonic_micros() + kPatienceMicros;
  Received received;
  for (;;) {
    if (cancelled() || clock->monotonic_micros() > give_up)
      return fail(
          unavailable("ORDERING_UNAVAILABLE", "the topic could not be read up to offset " + std::to_string(start)));
    switch (consumption.poll(std::chrono::milliseconds(100), received)) {
      case Consumption::Event::nothing:
        break;
      case Consumption::Event::message:
        give_up = clock->monotonic_micros() + kPatienceMicros;
        anchor.add(received.offset, content_digest(received.record), received.witness);
        if (received.offset >= start - 1 && (anchor.anchored() || !to_the_end)) return {};
        break;
      case Consumption::Event::end_of_log:
        if (received.offset >= start) return {};
        break;
      case Consumption::Event::out_of_range:
        return fail(unavailable("ORDERING_UNAVAILABLE", "the topic was cut off while it was read"));
      case Consumption::Event::failed:
        return fail(unavailable("ORDERING_UNAVAILABLE", "the topic cannot be read now"));
    }
  }
}

}  // namespace

Result<Anchored> find_anchor(Consumption& consumption, Watermarks marks, Height start,
                             const std::function<bool()>& cancelled) {
  if (start.value == 0) return Anchored{};
  for (std::int64_t window = 64;; window *= 16) {
    const std::int64_t from = std::max(marks.low, start.value - window);
    Anchor anchor{Height(from), Height(start.value - 1)};
    SYNOD_RETURN_IF_ERROR(scan(consumption, from, start.value, from == marks.low, anchor, cancelled));
    if (const auto liar = anchor.liar())
      log::alarm("ordering", "the message at offset {} tells a wrong hash of an earlier block", *liar);
    if (const auto hash = anchor.finish()) return Anchored{*hash, anchor.newest_witnessed()};
    if (from == marks.low)
      return fail(Error("ORDERING_HEIGHT_PRUNED", ErrorCategory::invalid_state_missing,
                        "the topic was cut off below offset " + std::to_string(marks.low) +
                            " and no message tells the hash of block " + std::to_string(start.value - 1)));
  }
}

}  // namespace synod::ordering::kafka
