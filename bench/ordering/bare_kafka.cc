#include "bench/ordering/bare_kafka.h"

#include <librdkafka/rdkafka.h>

#include <thread>
#include <utility>
#include <vector>

namespace synod::bench {
namespace {

using Settings = std::vector<std::pair<const char*, std::string>>;

template <auto destroy>
struct Destroyer {
  template <typename T>
  void operator()(T* object) const {
    destroy(object);
  }
};
using ClientPtr = std::unique_ptr<rd_kafka_t, Destroyer<rd_kafka_destroy>>;
using TopicPtr = std::unique_ptr<rd_kafka_topic_t, Destroyer<rd_kafka_topic_destroy>>;

Result<ClientPtr> make(rd_kafka_type_t type, const Settings& settings) {
  char text[256];
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  for (const auto& [name, value] : settings)
    if (rd_kafka_conf_set(conf, name, value.c_str(), text, sizeof text) != RD_KAFKA_CONF_OK)
      return fail(invalid_argument("BENCH_ENGINE_NOT_READY", text));
  rd_kafka_t* client = rd_kafka_new(type, conf, text, sizeof text);
  if (client == nullptr) return fail(unavailable("BENCH_ENGINE_NOT_READY", text));
  return ClientPtr(client);
}

class BareKafka final : public BareClient {
 public:
  BareKafka(ClientPtr producer, ClientPtr consumer, const std::string& topic, std::shared_ptr<EventLoop> loop)
      : BareClient(std::move(loop)),
        producer_(std::move(producer)),
        consumer_(std::move(consumer)),
        name_(topic),
        out_(rd_kafka_topic_new(producer_.get(), topic.c_str(), nullptr)),
        in_(rd_kafka_topic_new(consumer_.get(), topic.c_str(), nullptr)) {}
  ~BareKafka() override {
    over_ = true;
    for (std::thread& thread : threads_) thread.join();
    rd_kafka_purge(producer_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(producer_.get(), 5000);
  }

  Status join(Duration patience) override {
    const int limit = static_cast<int>(patience.micros / 1000);
    std::int64_t low = 0, high = 0;
    auto code = rd_kafka_query_watermark_offsets(consumer_.get(), name_.c_str(), 0, &low, &high, limit);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && rd_kafka_consume_start(in_.get(), 0, high) != 0)
      code = rd_kafka_last_error();
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return fail(unavailable("BENCH_ENGINE_NOT_READY", rd_kafka_err2str(code)));
    threads_.emplace_back([this] {
      while (!over_) rd_kafka_poll(producer_.get(), 50);
    });
    threads_.emplace_back([this] { consume(); });
    return {};
  }

 private:
  void consume() {
    // One at a time: a batch is given out only when it is full, or its time is over.
    while (!over_) {
      rd_kafka_message_t* message = rd_kafka_consume(in_.get(), 0, 50);
      if (message == nullptr) continue;
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        received(ByteView(static_cast<const char*>(message->payload), message->len));
      else if (message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)
        failed(unavailable("BENCH_ENGINE_FAILED", rd_kafka_err2str(message->err)));
      rd_kafka_message_destroy(message);
    }
    rd_kafka_consume_stop(in_.get(), 0);
  }

  // One that is not taken is missing in the end, and the run does not count as sustained.
  void send(Bytes payload, std::uint64_t) override {
    rd_kafka_produce(out_.get(), 0, RD_KAFKA_MSG_F_COPY, payload.data(), payload.size(), nullptr, 0, nullptr);
  }

  const ClientPtr producer_, consumer_;
  const std::string name_;
  const TopicPtr out_, in_;
  std::atomic<bool> over_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace

// What an application would set that must lose nothing and values latency.
Result<std::unique_ptr<BareClient>> make_bare_kafka(const std::string& brokers, const std::string& topic,
                                                    std::shared_ptr<EventLoop> loop) {
  SYNOD_TRY(auto producer, make(RD_KAFKA_PRODUCER, {{"bootstrap.servers", brokers},
                                                    {"enable.idempotence", "true"},
                                                    {"acks", "all"},
                                                    {"linger.ms", "0"},
                                                    {"socket.nagle.disable", "true"},
                                                    {"queue.buffering.max.messages", "10000000"}}));
  SYNOD_TRY(auto consumer, make(RD_KAFKA_CONSUMER, {{"bootstrap.servers", brokers},
                                                    {"enable.auto.commit", "false"},
                                                    {"enable.auto.offset.store", "false"},
                                                    {"socket.nagle.disable", "true"}}));
  return std::make_unique<BareKafka>(std::move(producer), std::move(consumer), topic, std::move(loop));
}

}  // namespace synod::bench
